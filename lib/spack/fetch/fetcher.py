"""From records to a stage: cache, mirrors, index, urls and git, each file verified before use.

The order for one file is: the cache, the mirrors, the package index (for sources on it), the urls.
The first file with the right checksum counts; one with a wrong checksum is deleted, and reported
when no other source has the right one. Nothing is unpacked, run or kept before it is verified. No
network module is imported while everything is in the cache.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Callable,
)

from spack.errors import FetchError
from spack.fetch import extract
from spack.fetch.git import Git
from spack.fetch.index_names import without_secrets
from spack.fetch.mirror import Mirror
from spack.fetch.source import (
    Checksum,
    GitSource,
    IndexSource,
    Pinned,
    Source,
    UrlSource,
    patch_source,
    resource_source,
    source_for,
)
from spack.fetch.source_cache import SourceCache, archive_path, git_path
from spack.fetch.stage import SOURCE, Stage, StagedPatch, move_resource
from spack.recipe.records import PatchRecord, Recipe, ResourceRecord

if TYPE_CHECKING:
    from spack.config.setting_types import FetchSettings
    from spack.fetch.package_index import PackageIndex
    from spack.fetch.pipconfig import PipSettings
    from spack.fetch.transport import Progress, Transport

__all__ = ["FetchOptions", "Fetcher", "index_and_transport"]


@dataclass(frozen=True)
class FetchOptions:
    """What the configuration and the command line decide.

    :param checksum: False takes files without a checksum, and with a wrong one.
    :param limits: of what an archive may unpack to.
    """

    checksum: bool = True
    limits: extract.Limits = field(default_factory=extract.Limits)


@dataclass(frozen=True)
class _File:
    """A verified file and its proper name."""

    path: Path
    filename: str


class Fetcher:
    """Fetches and unpacks sources; one for a whole command, used by several threads.

    :param network: makes the index and the transport when first needed.
    :param environ: for git, and PATH for rarely used compressions.
    """

    def __init__(
        self,
        cache: SourceCache,
        network: Callable[[], tuple[PackageIndex, Transport]],
        *,
        mirrors: Iterable[Mirror] = (),
        environ: Mapping[str, str],
        options: FetchOptions = FetchOptions(),  # frozen
    ) -> None:
        self.cache = cache
        self.mirrors = tuple(mirrors)
        self.options = options
        self._network = network
        self._environ = environ
        self._connected: tuple[PackageIndex, Transport] | None = None
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    def into(self, root: Path) -> Fetcher:
        """Return a fetcher that keeps files in *root*, and looks into this one's cache first."""
        own = Mirror("cache", str(self.cache.root))
        return Fetcher(
            SourceCache(root),
            self._network,
            mirrors=(own, *self.mirrors),
            environ=self._environ,
            options=self.options,
        )

    def has(self, source: UrlSource | IndexSource) -> bool:
        """Return whether the cache has a file that the checksum of *source* names."""
        checksum = source.checksum
        if checksum is None:
            return False
        return self.cache.find(archive_path(checksum, source.filename)) is not None

    def fetch(self, source: UrlSource | IndexSource, progress: Progress | None = None) -> Path:
        """Return the verified file in the cache.

        :raises FetchError: no source has it, or it has no checksum (``ref`` ``no-checksum``), or
            the wrong one (``ref`` ``checksum``).
        """
        return self._file(source, progress).path

    def fetch_all(
        self,
        recipe: Recipe,
        version: str,
        *,
        resources: Iterable[ResourceRecord] = (),
        patches: Iterable[tuple[Recipe, PatchRecord]] = (),
        pinned: Pinned = None,
        progress: Progress | None = None,
    ) -> None:
        """Fetch into the cache whatever :meth:`stage` will need (``spack fetch``).

        Git sources without a commit cannot be kept; they are left to :meth:`stage`.
        """
        sources: list[Source] = [resource_source(recipe, record) for record in resources]
        if recipe.attributes.get("has_code", True):
            sources.insert(0, source_for(recipe, version, pinned))
        for owner, patch in patches:
            found = patch_source(owner, patch)
            if isinstance(found, UrlSource):
                sources.append(found)
        for source in sources:
            if not isinstance(source, GitSource):
                self._file(source, progress)
            elif source.commit:
                self._git_archive(source)

    def stage(
        self,
        recipe: Recipe,
        version: str,
        path: Path,
        *,
        resources: Iterable[ResourceRecord] = (),
        patches: Iterable[tuple[Recipe, PatchRecord]] = (),
        pinned: Pinned = None,
        progress: Progress | None = None,
    ) -> Stage:
        """Create the stage *path*, a directory that is empty or missing.

        :param pinned: see :func:`spack.fetch.source.source_for`.
        :param resources: those whose condition holds.
        :param patches: those whose condition holds, with the recipe that declares each, in the
            order of their application; they are verified here and applied by the build.
        :raises FetchError: anything that is wrong with the sources; *path* is removed.
        """
        made = not path.exists()
        try:
            path.mkdir(parents=True, exist_ok=True)
            source_path, archive_file = path / SOURCE, None
            if recipe.attributes.get("has_code", True):
                source = source_for(recipe, version, pinned)
                archive_file = self._expand(source, source_path, path, progress)
            else:
                source_path.mkdir()
            stage = Stage(path, source_path, archive_file)
            return self._completed(stage, recipe, resources, patches, progress)
        except OSError as error:
            if made:
                shutil.rmtree(path, ignore_errors=True)
            raise FetchError(
                f"the stage {path} cannot be written: {error.strerror or error}",
                hint="set config:build_stage to a writable directory with free space",
            ) from error
        except BaseException:
            if made:
                shutil.rmtree(path, ignore_errors=True)
            raise

    def stage_patches(
        self,
        path: Path,
        patches: Iterable[tuple[Recipe, PatchRecord]],
        progress: Progress | None = None,
    ) -> Stage:
        """Create the stage *path*, which does not exist, with patches and without sources."""
        path.mkdir(parents=True)
        staged = tuple(self._patch(owner, patch, path, progress) for owner, patch in patches)
        return Stage(path, path / SOURCE, patches=staged)

    def _completed(
        self,
        stage: Stage,
        recipe: Recipe,
        resources: Iterable[ResourceRecord],
        patches: Iterable[tuple[Recipe, PatchRecord]],
        progress: Progress | None,
    ) -> Stage:
        """Return *stage* with its resources and patches."""
        path, source_path = stage.path, stage.source_path
        placed = {}
        for record in resources:
            unpacked = path / f"resource-{record.name}"
            self._expand(resource_source(recipe, record), unpacked, path, progress)
            placed[record.name] = move_resource(record, unpacked, source_path)
            shutil.rmtree(unpacked)
        staged = tuple(self._patch(owner, patch, path, progress) for owner, patch in patches)
        return replace(stage, resources=placed, patches=staged)

    def _expand(
        self, source: Source, target: Path, stage: Path, progress: Progress | None
    ) -> Path | None:
        """Create *target* from *source*; return the file that it comes from, None for git."""
        if isinstance(source, GitSource):
            self._checkout(source, target)
            return None
        file = self._file(source, progress)
        if not source.expand:
            target.mkdir()
            whole = target / file.filename
            shutil.copyfile(file.path, whole)
            return whole
        extract.unpack(
            file.path,
            target,
            filename=file.filename,
            limits=self.options.limits,
            distinct_case=isinstance(source, IndexSource),
            search_path=self._environ.get("PATH"),
        )
        return file.path

    def _checkout(self, source: GitSource, target: Path) -> None:
        packed = self._git_archive(source) if source.commit and not source.full else None
        if packed:
            extract.unpack(packed, target, limits=self.options.limits)
        else:
            Git(self._environ).checkout(source, target)

    def _git_archive(self, source: GitSource) -> Path:
        """Return the archive of a commit in the cache: the commit's name is its checksum."""
        relative = git_path(source)
        with self._alone(relative):
            found = self.cache.find(relative)
            if found:
                return found
            with self.cache.incoming() as incoming:
                checkout = incoming / SOURCE
                Git(self._environ).checkout(source, checkout)
                packed = incoming / "checkout.tar.gz"
                extract.pack(checkout, packed)
                return self.cache.add(packed, relative)

    def _patch(
        self, owner: Recipe, record: PatchRecord, stage: Path, progress: Progress | None
    ) -> StagedPatch:
        source = patch_source(owner, record)
        if isinstance(source, Path):
            path = source
            if not path.is_file():
                raise FetchError(
                    f"patch {record.source} of {owner.name} is not there: {path}",
                    hint=f"it is beside {owner.path}, which names it in line {record.line}",
                )
        else:
            path = self._file(source, progress).path
            if source.expand:
                path = self._unpacked_patch(path, source, stage)
        if record.sha256:
            wanted = Checksum("sha256", record.sha256)
            found = _digest(path, wanted.algorithm)
            if found != wanted.value and self.options.checksum:
                raise _mismatch(record.source, wanted, found, owner.path, record.source)
        return StagedPatch(path, record.level, record.working_dir, record.reverse)

    def _unpacked_patch(self, packed: Path, source: UrlSource, stage: Path) -> Path:
        target = stage / f"patch-{source.checksum.value[:16] if source.checksum else 'packed'}"
        if not target.exists():
            extract.unpack(packed, target, filename=source.filename)
        files = [path for path in target.rglob("*") if path.is_file()]
        if len(files) != 1:
            raise FetchError(f"{source.filename} holds {len(files)} files instead of one patch")
        return files[0]

    def _file(self, source: UrlSource | IndexSource, progress: Progress | None) -> _File:
        checksum = source.checksum if self.options.checksum else None
        if checksum is None:
            if self.options.checksum:
                raise FetchError(
                    f"{source.what or source.filename} has no checksum",
                    facts={"file": source.filename, "origin": source.origin},
                    hint=f"add sha256= at {source.origin}, or take the risk: --no-checksum",
                    ref="no-checksum",
                )
            return self._fetch(source, None, progress)
        relative = archive_path(checksum, source.filename)
        with self._alone(relative):
            found = self.cache.find(relative)
            if found:
                if _digest(found, checksum.algorithm) == checksum.value:
                    return _File(found, source.filename)
                self.cache.discard(relative)
            return self._fetch(source, checksum, progress)

    def _fetch(
        self,
        source: UrlSource | IndexSource,
        checksum: Checksum | None,
        progress: Progress | None,
    ) -> _File:
        index, transport = self.connect()
        tried: list[FetchError] = []
        size = source.size if isinstance(source, IndexSource) else None
        with self.cache.incoming() as incoming:
            path = incoming / "file"
            for url in self._addresses(source, checksum, index, tried):
                try:
                    transport.download(url, path, progress=progress, limit=size)
                    _check_size(path, size, url)
                except FetchError as error:
                    tried.append(error)
                    continue
                found = _digest(path, (checksum or Checksum("sha256", "")).algorithm)
                if checksum is None:
                    relative = archive_path(Checksum("sha256", found), source.filename)
                    return _File(self.cache.add(path, relative), source.filename)
                if found == checksum.value:
                    relative = archive_path(checksum, source.filename)
                    return _File(self.cache.add(path, relative), source.filename)
                shown = without_secrets(url)
                note = _looks_like_a_page(path)
                path.unlink()
                tried.append(
                    _mismatch(shown, checksum, found, source.origin, what=source.what, note=note)
                )
        raise _not_found(source, tried, index)

    def _addresses(
        self,
        source: UrlSource | IndexSource,
        checksum: Checksum | None,
        index: PackageIndex,
        tried: list[FetchError],
    ) -> Iterator[str]:
        for mirror in self.mirrors:
            yield from mirror.addresses(checksum, source.filename, source.what)
        if isinstance(source, UrlSource):
            yield from source.urls
            return
        sha256 = checksum.value if checksum and checksum.algorithm == "sha256" else None
        for link in index.find(source.project, source.filename, sha256):
            if sha256 and link.sha256 not in (None, sha256):
                where = f"{without_secrets(link.index)} offers another {link.filename}"
                wanted = Checksum("sha256", sha256)
                found = str(link.sha256)
                tried.append(_mismatch(where, wanted, found, source.origin, source.what, done=""))
                continue
            yield link.url
        yield from source.urls

    def connect(self) -> tuple[PackageIndex, Transport]:
        """Return the package index and the transport, made when first needed."""
        with self._lock:
            if self._connected is None:
                self._connected = self._network()
            return self._connected

    def _alone(self, key: str) -> threading.Lock:
        """Prevent two threads from fetching one file twice."""
        with self._lock:
            return self._busy.setdefault(key, threading.Lock())


def index_and_transport(
    settings: PipSettings,
    configured: FetchSettings,
    environ: Mapping[str, str],
    default_index_wheel: Callable[[], tuple[Path, str]],
    pages: Path | None = None,
) -> tuple[PackageIndex, Transport]:
    """Return the index and a transport that pip's configuration and spack's own describe.

    :param configured: its index and number of attempts, if it has them, replace pip's;
        its further indexes come after pip's; the longer time to wait counts; its certificates are
        trusted where neither pip's configuration nor the environment names any.
    :param default_index_wheel: gives the wheel that knows the usual index and its sha256
        (:func:`spack.fetch.package_index.read_default_index_wheel`).
    :param pages: directory for pages of the index, as long as the index lets them be kept.
    """
    from spack.fetch.network_settings import network_settings
    from spack.fetch.package_index import PackageIndex, locations
    from spack.fetch.page_cache import PageCache
    from spack.fetch.transport import Transport

    certificates = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or None
    if certificates is None and configured.ssl_certs is not None:
        certificates = str(configured.ssl_certs)
    settings = replace(
        settings,
        index_url=configured.index_url or settings.index_url,
        extra_index_urls=(*settings.extra_index_urls, *configured.extra_index_urls),
        cert=settings.cert or certificates,
        timeout=max(settings.timeout, float(configured.connect_timeout)),
        retries=settings.retries if configured.retries is None else configured.retries,
    )
    found = locations(settings, default_index_wheel)
    network = network_settings(settings, found.urls, environ)
    transport = Transport(replace(network, verify=configured.verify_ssl))
    get = transport.get if pages is None else PageCache(pages, transport.document)
    return PackageIndex(found.urls, found.find_links, get=get), transport


def _check_size(path: Path, size: int | None, url: str) -> None:
    """Check the size of a download.

    :raises FetchError: it is not *size*.
    """
    if size is not None and path.stat().st_size != size:
        raise FetchError(
            f"{without_secrets(url)} has {path.stat().st_size} bytes, not {size}",
            facts={"url": without_secrets(url), "expected": size},
            hint="the index says another size than the file has; name another index",
            ref="size",
        )


def _digest(path: Path, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while True:
            chunk = file.read(1 << 20)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)


def _looks_like_a_page(path: Path) -> str:
    with open(path, "rb") as file:
        head = file.read(256).lstrip().lower()
    return "the server sent a web page" if head.startswith((b"<!doctype html", b"<html")) else ""


def _mismatch(
    where: str,
    wanted: Checksum,
    found: str,
    origin: str,
    what: str,
    note: str = "",
    done: str = "the file was deleted. ",
) -> FetchError:
    lines = [f"expected {wanted}", f"found    {wanted.algorithm} {found}"]
    if note:
        lines.append(note)
    return FetchError(
        f"checksum mismatch: {where}",
        "\n".join(lines),
        facts={"expected": wanted.value, "found": found, "url": where, "package": what},
        hint=f"{done}Either it was changed on its way or by its publisher, or the recipe is wrong "
        f"({origin})",
        ref="checksum",
    )


def _not_found(
    source: UrlSource | IndexSource, tried: list[FetchError], index: PackageIndex
) -> FetchError:
    """Return the error of all attempts; a checksum mismatch comes first."""
    for error in tried:
        if error.ref == "checksum":
            return error
    lines = [error.message for error in tried]
    title = source.what or source.filename
    if isinstance(source, IndexSource):
        lines += [error.message for error in index.failures.values()]
        asked = [without_secrets(location) for location in (*index.find_links, *index.index_urls)]
        if not lines:
            lines.append(f"{source.filename} of {source.project} is at none of:")
            lines += ["  " + location for location in asked] or ["  (no index is configured)"]
    hints = [error.hint for error in (*tried, *index.failures.values()) if error.hint]
    return FetchError(
        f"{title}: cannot fetch {source.filename}",
        "\n".join(dict.fromkeys(lines)),
        facts={"file": source.filename, "origin": source.origin},
        hint=hints[0] if hints else "add a mirror of sources to mirrors.yaml",
        causes=tried,
    )

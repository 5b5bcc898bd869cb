"""Package indexes: the Simple API, in JSON (PEP 691) or HTML (PEP 503), and find-links.

Files are resolved by their exact name, and the recipe's sha256 decides which of several files of
that name is meant. Standard library only, as the first run needs it before any dependency is
there; I/O enters as a ``get`` callable. No host name is written here: when nothing names an
index, :func:`known_endpoint` asks a library that knows the usual one.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Callable, Protocol
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from spack.errors import FetchError
from spack.fetch.index_names import project_of, stem_of, without_secrets
from spack.fetch.pipconfig import PipSettings
from spack.util.project_names import normalized

__all__ = [
    "ACCEPT",
    "Get",
    "IndexLink",
    "PackageIndex",
    "IndexLocations",
    "known_endpoint",
    "listed_files",
    "parse_html",
    "parse_json",
    "locations",
    "read_default_index_wheel",
]

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)


class Get(Protocol):
    """Reads a small document.

    :return: the final url after redirects, the content type, the body.
    :raises FetchError: with ``facts["status"] == 404`` (or 410) where there is none.
    """

    def __call__(self, url: str, accept: str) -> tuple[str, str, bytes]: ...


@dataclass(frozen=True)
class IndexLink:
    """One file that an index offers; ``hashes`` maps an algorithm to lower-case hex.

    :param metadata: whether the index serves a wheel's METADATA beside it (:pep:`658`).
    :param metadata_hashes: of that, where the index says them.
    """

    filename: str
    url: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    requires_python: str | None = None
    yanked: bool = False
    size: int | None = None
    index: str = ""
    metadata: bool = False
    metadata_hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str | None:
        """What the index says the file's sha256 is, if it does."""
        return self.hashes.get("sha256")


def read_default_index_wheel(lock: Path) -> tuple[Path, str]:
    """Return the path and digest of the wheel, beside the lock file, that knows the default index.

    :return: its path and its sha256, for :func:`known_endpoint`.
    :raises FetchError: the lock file is missing or damaged.
    """
    try:
        row = json.loads(lock.read_text(encoding="utf-8"))["knows-the-index"]
        return lock.parent / row["file"], row["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FetchError(
            f"{lock} cannot be read, and pip's configuration names no package index",
            hint="name an index with PIP_INDEX_URL or in pip.conf, or restore the file",
        ) from error


def known_endpoint(wheel: Path, sha256: str) -> str:
    """Return the index that the library packed in *wheel* uses by default.

    The wheel is verified, then the constant is read from its source, which is not run.

    :raises FetchError: the wheel is missing, changed, or has no such constant.
    """
    hint = "name an index with PIP_INDEX_URL or in pip.conf, or restore the file"
    try:
        data = wheel.read_bytes()
    except OSError as error:
        raise FetchError(
            f"{wheel} cannot be read, and pip's configuration names no package index", hint=hint
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise FetchError(
            f"{wheel} was changed: its sha256 is {found}, not {sha256}",
            facts={"expected": sha256, "found": found},
            hint=hint,
        )
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read("pypi_simple/__init__.py"))
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else ()
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        value = getattr(node, "value", None)
        if "PYPI_SIMPLE_ENDPOINT" in names and isinstance(value, ast.Constant):
            return str(value.value)
    raise FetchError(f"{wheel} names no package index", hint=hint)


@dataclass(frozen=True)
class IndexLocations:
    """Where distributions are looked for, after pip's configuration had its say."""

    urls: tuple[str, ...]
    find_links: tuple[str, ...]


def locations(
    settings: PipSettings, default_index_wheel: Callable[[], tuple[Path, str]]
) -> IndexLocations:
    """Return the indexes and directories that *settings* name; the default index for none.

    :param default_index_wheel: returns wheel and sha256 for :func:`known_endpoint`; called only
        when needed.
    """
    if settings.no_index:
        return IndexLocations((), settings.find_links)
    first = settings.index_url or known_endpoint(*default_index_wheel())
    return IndexLocations((first, *settings.extra_index_urls), settings.find_links)


class PackageIndex:
    """All locations that may hold distributions, asked in order: find-links, index, extra indexes.

    :param index_urls: Simple API roots; ``file://`` works.
    :param find_links: directories, or urls of directories or pages with links.
    :param get: see :class:`Get`.

    One project's page is read once and kept. A location that gives no answer at all is not asked
    again.
    """

    def __init__(
        self, index_urls: Sequence[str], find_links: Sequence[str] = (), *, get: Get
    ) -> None:
        self.index_urls = tuple(url.rstrip("/") + "/" for url in index_urls)
        self.find_links = tuple(find_links)
        self._get = get
        self._pages: dict[tuple[str, str], tuple[IndexLink, ...]] = {}
        #: Locations that could not be asked, and the first error of each.
        self.failures: dict[str, FetchError] = {}

    def links(self, project: str) -> tuple[IndexLink, ...]:
        """Return every file of *project*, in the order of the locations.

        A location that lacks the project is passed over; one that cannot be asked is noted in
        :attr:`failures`.
        """
        name = normalized(project)
        found: list[IndexLink] = []
        for location in self.find_links:
            for link in self._page("", location):
                if (project_of(link.filename) or name) == name:
                    found.append(link)
        for url in self.index_urls:
            found += self._page(name, url)
        return tuple(found)

    def find(self, project: str, filename: str, sha256: str | None = None) -> tuple[IndexLink, ...]:
        """Return the links to *filename*, best first.

        The project's name may be normalized otherwise.

        An archive that advertises the wanted sha256 may have another ending: some recipes ask for
        a ``.zip`` where there is a ``.tar.gz``, of which they have the checksum.

        Those whose advertised sha256 is the wanted one come first, then those that advertise
        none, then those that advertise another: these are returned so that the caller can say
        what is served instead.
        """
        ranked: list[tuple[int, int, IndexLink]] = []
        for position, link in enumerate(self.links(project)):
            known = sha256 is not None and link.sha256 is not None
            if link.filename == filename or _same(
                link.filename, filename, known and link.sha256 == sha256
            ):
                rank = 1 if not known else 0 if link.sha256 == sha256 else 2
                exact = 0 if link.filename == filename else 1
                ranked.append((2 * rank + exact, position, link))
        return tuple(link for _, _, link in sorted(ranked, key=lambda item: item[:2]))

    def _page(self, project: str, location: str) -> tuple[IndexLink, ...]:
        key = (project, location)
        if key not in self._pages:
            failed = self.failures.get(without_secrets(location))
            if failed and failed.facts.get("status", 0) is None:
                return ()
            try:
                self._pages[key] = self._read(project, location)
            except FetchError as error:
                self._pages[key] = ()
                if error.facts.get("status") not in (404, 410):
                    self.failures.setdefault(without_secrets(location), error)
        return self._pages[key]

    def _read(self, project: str, location: str) -> tuple[IndexLink, ...]:
        url = location + quote(project) + "/" if project else location
        local = _local(url)
        if local is not None and local.is_dir():
            page = local / "index.html"
            if not page.is_file():
                return _directory(local, location)
            local, url = page, page.as_uri()
        if local is not None:
            try:
                return parse_html(local.read_bytes(), local.as_uri(), location)
            except FileNotFoundError:
                return ()
            except OSError as error:
                raise FetchError(f"{local} cannot be read: {error.strerror}") from error
        final, kind, body = self._get(url, ACCEPT)
        if "json" in kind.partition(";")[0]:
            return parse_json(body, final, location)
        return parse_html(body, final, location)


def parse_json(body: bytes, url: str, index: str = "") -> tuple[IndexLink, ...]:
    """Return the files of a PEP 691 page found at *url*.

    :raises FetchError: not such a page, or one of a newer major version of the API.
    """
    try:
        page: Any = json.loads(body)
        version = str(page.get("meta", {}).get("api-version", "1.0"))
        if version.split(".")[0] != "1":
            raise FetchError(f"{without_secrets(url)}: index API {version} is not understood")
        rows = [row for row in page["files"] if _is_name(str(row["filename"]))]
        return tuple(_json_link(row, url, index) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FetchError(f"{without_secrets(url)} is not a page of a package index") from error


def _json_link(row: Mapping[str, Any], url: str, index: str) -> IndexLink:
    metadata = row.get("core-metadata", row.get("dist-info-metadata"))
    return IndexLink(
        filename=str(row["filename"]),
        url=urljoin(url, str(row["url"])),
        hashes=_json_hashes(row["hashes"]),
        requires_python=row.get("requires-python"),
        yanked=bool(row.get("yanked")),
        size=row.get("size"),
        index=index,
        metadata=bool(metadata),
        metadata_hashes=_json_hashes(metadata) if isinstance(metadata, dict) else {},
    )


def _json_hashes(row: Mapping[str, Any]) -> Mapping[str, str]:
    return {str(name).lower(): str(text).lower() for name, text in row.items()}


def parse_html(body: bytes, url: str, index: str = "") -> tuple[IndexLink, ...]:
    """Return the files of a PEP 503 page at *url*: its links whose path ends in a file name."""
    parser = _Anchors()
    parser.feed(body.decode("utf-8", "replace"))
    base = urljoin(url, parser.base) if parser.base else url
    links = []
    for attributes in parser.anchors:
        target, fragment = urldefrag(urljoin(base, attributes["href"]))
        filename = unquote(urlsplit(target).path.rpartition("/")[2])
        if not _is_name(filename) or stem_of(filename) == filename:
            continue
        metadata = attributes.get("data-core-metadata", attributes.get("data-dist-info-metadata"))
        links.append(
            IndexLink(
                filename=filename,
                url=target,
                hashes=_html_hashes(fragment),
                requires_python=attributes.get("data-requires-python"),
                yanked="data-yanked" in attributes,
                index=index,
                metadata=metadata is not None,
                metadata_hashes=_html_hashes(metadata or ""),
            )
        )
    return tuple(links)


def _html_hashes(text: str) -> Mapping[str, str]:
    name, _, value = text.partition("=")
    return {name.lower(): value.partition("&")[0].lower()} if value else {}


def listed_files(page: str, get: Get) -> list[str]:
    """Return the URLs of the archives that a page, or a local directory, lists.

    :raises FetchError: it cannot be read.
    """
    local = _local(page) if page.startswith("file:") else None
    if local is not None and local.is_dir():
        return [link.url for link in _directory(local, page)]
    final, _, body = get(page, "text/html, */*")
    return [link.url for link in parse_html(body, final)]


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base: str | None = None
        self.anchors: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and attributes.get("href"):
            self.anchors.append(attributes)
        elif tag == "base" and self.base is None:
            self.base = attributes.get("href")


def _directory(directory: Path, location: str) -> tuple[IndexLink, ...]:
    return tuple(
        IndexLink(filename=name, url=(directory / name).absolute().as_uri(), index=location)
        for name in sorted(os.listdir(directory))
        if stem_of(name) != name
    )


def _local(location: str) -> Path | None:
    scheme, _, rest = location.partition("://")
    if scheme == "file":
        return Path(unquote(rest[rest.find("/") :]))
    if rest:
        return None
    return Path(os.path.expanduser(location)).absolute()


def _same(one: str, other: str, any_ending: bool) -> bool:
    """Return both name one source archive, but for the normalisation of the project (PEP 625)."""
    if one.endswith(".whl") or other.endswith(".whl"):
        return False
    stems = stem_of(one), stem_of(other)
    same_ending = one[len(stems[0]) :] == other[len(stems[1]) :]
    return (any_ending or same_ending) and normalized(stems[0]) == normalized(stems[1])


def _is_name(filename: str) -> bool:
    """Return whether *name* is a plain file name: an index may not put a file elsewhere."""
    return filename not in ("", ".", "..") and not re.search(r"[/\\\0-\x1f]", filename)

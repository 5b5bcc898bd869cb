"""Versions of packages that the network has: on the package index, on pages that list archives.

Nothing here is trusted: a checksum is computed of what was downloaded, and compared with what the
recipe or the index says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from spack.api.urls import sample_version, substitute_version
from spack.errors import FetchError, RecipeError
from spack.fetch.fetcher import Fetcher
from spack.fetch.index_names import without_secrets
from spack.fetch.package_index import listed_files
from spack.fetch.source import IndexSource, UrlSource, source_for
from spack.recipe.records import Recipe
from spack.spec import Version, VersionList
from spack.util.hashing import hash_file

__all__ = [
    "ChecksumResult",
    "RemoteFile",
    "add_versions",
    "checksum_of",
    "chosen",
    "given_file",
    "newer",
    "remote_files",
    "sample_url",
    "version_line",
]


class RemoteFile(NamedTuple):
    """The archive of one version.

    :ivar url: where it is, for the user.
    :ivar sha256: what the index says of it, or None.
    """

    version: Version
    source: UrlSource | IndexSource
    url: str
    sha256: str | None = None


class ChecksumResult(NamedTuple):
    """The checksum of a version's archive, and what the recipe says it is (None: nothing)."""

    version: Version
    sha256: str
    url: str
    known: str | None


def sample_url(recipe: Recipe) -> str | None:
    """Return the URL of the newest version that has one, ``pypi:project/file`` on the index."""
    records = sorted(recipe.versions, key=lambda x: Version(x.version), reverse=True)
    found = next((x.url for x in records if x.url and not x.options.get("git")), None)
    return found or (str(recipe.attributes["url"]) if recipe.attributes.get("url") else None)


def remote_files(recipe: Recipe, fetcher: Fetcher) -> list[RemoteFile]:
    """Return the archives that are offered for a package, newest first.

    :raises RecipeError: the recipe says of no version where its archive is.
    :raises FetchError: the page or the index cannot be read.
    """
    sample = sample_url(recipe)
    if sample is None:
        raise RecipeError(
            f"cannot look for versions of {recipe.name}: its recipe has no url",
            hint=f"sources from git are not looked at; see {recipe.path}",
            ref="no-url",
        )
    if sample.startswith("pypi:"):
        found = _on_index(recipe, sample, fetcher)
    else:
        found = _on_page(recipe, sample, fetcher)
    unique = {file.version: file for file in found}
    return sorted(unique.values(), key=lambda file: file.version, reverse=True)


def _on_index(recipe: Recipe, sample: str, fetcher: Fetcher) -> Iterable[RemoteFile]:
    project = sample[len("pypi:") :].rpartition("/")[0]
    index, _ = fetcher.connect()
    links = index.links(project)
    if not links and index.failures:
        raise next(iter(index.failures.values()))
    wheel = sample.endswith(".whl")
    for link in links:
        if link.yanked or link.filename.endswith(".whl") != wheel:
            continue
        version = sample_version(f"pypi:{project}/{link.filename}")
        if version:
            source = IndexSource(project, link.filename, what=f"{recipe.name}@{version}")
            url = without_secrets(link.url)
            yield RemoteFile(Version(version), source, url, link.sha256)


def _on_page(recipe: Recipe, sample: str, fetcher: Fetcher) -> Iterable[RemoteFile]:
    declared = [record.version for record in recipe.versions]
    pages = [str(recipe.attributes["list_url"])] if recipe.attributes.get("list_url") else []
    pages.append(sample.rpartition("/")[0] + "/")
    _, transport = fetcher.connect()
    problems: list[FetchError] = []
    for page in dict.fromkeys(pages):
        try:
            urls = listed_files(page, transport.get)
        except FetchError as error:
            problems.append(error)
            continue
        for url in urls:
            name = unquote(urlsplit(url).path.rpartition("/")[2])
            version = sample_version(name, declared)
            made = substitute_version(sample, version, declared) if version else ""
            if version and unquote(made.rpartition("/")[2]) == name:
                source = UrlSource((url,), name, what=f"{recipe.name}@{version}")
                yield RemoteFile(Version(version), source, without_secrets(url))
    if len(problems) == len(set(pages)):
        hint = f"name versions, whose URLs follow from {sample}: spack checksum NAME VERSION"
        raise problems[0].replaced(hint=hint)


def newer(files: Sequence[RemoteFile], recipe: Recipe) -> list[RemoteFile]:
    """Return the files that are newer than what the recipe has a checksum of."""
    known = [Version(record.version) for record in recipe.versions if record.sha256]
    latest = max(known, default=None)
    return [file for file in files if latest is None or file.version > latest]


def checksum_of(recipe: Recipe, file: RemoteFile, fetcher: Fetcher) -> ChecksumResult:
    """Download an archive and return its sha256.

    :param fetcher: one that takes files without a checksum.
    :raises FetchError: it cannot be downloaded, or is not what the index says it is.
    """
    found = hash_file(fetcher.fetch(file.source))
    if file.sha256 not in (None, found):
        raise FetchError(
            f"checksum mismatch: {file.url}",
            f"the index says {file.sha256}\nfound          {found}",
            hint="it was changed on its way, or the index is wrong; try again",
            ref="checksum",
        )
    known = {Version(x.version): x.sha256 for x in recipe.versions}.get(file.version)
    return ChecksumResult(file.version, found, file.url, known)


def given_file(recipe: Recipe, version: Version) -> RemoteFile:
    """Return the archive of a version, as the recipe or its sample says where it is.

    :raises FetchError: the version is from git, or has no address.
    """
    declared = [record.version for record in recipe.versions]
    if str(version) in declared:
        source = source_for(recipe, str(version))
        if not isinstance(source, (UrlSource, IndexSource)):
            raise FetchError(f"{recipe.name}@{version} is not an archive", hint="leave it out")
        url = source.urls[0] if isinstance(source, UrlSource) else f"pypi:{source.project}"
        return RemoteFile(version, source, url)
    url = substitute_version(sample_url(recipe) or "", str(version), declared)
    if url.startswith("pypi:"):
        project, _, name = url[len("pypi:") :].rpartition("/")
        return RemoteFile(version, IndexSource(project, name, what=str(version)), url)
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return RemoteFile(version, UrlSource((url,), name, what=str(version)), url)


def version_line(result: ChecksumResult) -> str:
    """Return the directive for a recipe."""
    return f'version("{result.version}", sha256="{result.sha256}")'


_VERSION = re.compile(r'( *)version\(\s*["\']([^"\']+)["\']')


def add_versions(path: Path, results: Iterable[ChecksumResult]) -> list[ChecksumResult]:
    """Write versions into a recipe, each above the first older one; what is there stays.

    :returns: those that were added.
    :raises RecipeError: the recipe has no ``version()`` to put them beside.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    added = []
    for result in sorted(results, key=lambda item: item.version):
        rows = [(i, m) for i, m in enumerate(map(_VERSION.match, lines)) if m]
        written = any(Version(match.group(2)) == result.version for _, match in rows)
        if written or result.known is not None:
            continue
        if not rows:
            raise RecipeError(
                f"{path} has no version to put new ones beside",
                hint=f"write it yourself: {version_line(result)}",
                ref="no-version",
            )
        older = [i for i, match in rows if Version(match.group(2)) < result.version]
        at = older[0] if older else rows[-1][0] + 1
        lines.insert(at, f"{rows[0][1].group(1)}{version_line(result)}\n")
        added.append(result)
    if added:
        path.write_text("".join(lines), encoding="utf-8")
    return added


def chosen(
    recipe: Recipe, files: Sequence[RemoteFile], wanted: Sequence[VersionList]
) -> Mapping[Version, RemoteFile]:
    """Return the files of *wanted*, from the index or by the recipe's own sample."""
    found: dict[Version, RemoteFile] = {}
    for versions in wanted:
        offered = [file for file in files if file.version in versions]
        exact = versions.concrete_range_as_version
        if not offered and exact is not None:
            offered = [given_file(recipe, exact)]
        found.update((file.version, file) for file in offered)
    return found

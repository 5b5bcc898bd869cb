"""What is in URLs of archives: name and version; and the URLs that recipes have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from spack.api.urls import sample_version, substitute_version
from spack.errors import UsageError
from spack.fetch.fetcher import Fetcher
from spack.fetch.index_names import project_of, stem_of
from spack.fetch.package_index import listed_files
from spack.recipe.records import Recipe
from spack.util.project_names import normalized

__all__ = ["RecipeUrl", "UrlParts", "parse_url", "urls_beside", "urls_of"]


class UrlParts(NamedTuple):
    """Name and version in a URL."""

    url: str
    name: str
    version: str

    def of_version(self, version: str) -> str:
        """Return the URL of another version."""
        return substitute_version(self.url, version)


class RecipeUrl(NamedTuple):
    """The URL of a version of a recipe, and whether its parts are what the recipe says."""

    url: str
    same_name: bool
    same_version: bool


def parse_url(url: str) -> UrlParts:
    """Return the parts of *url*.

    :raises UsageError: there is no version in it.
    """
    version = sample_version(url)
    if version is None:
        raise UsageError(
            f"there is no version in {url}", hint="give the URL of an archive", ref="url-version"
        )
    return UrlParts(url, _name(url), version)


#: What comes before the archives of a repository, and the repository's name.
_REPOSITORY = re.compile(r"/([^/]+)/(?:-/)?(?:archive|releases|tarball|zipball|get)(?:/|$)")


def _name(url: str) -> str:
    """Return the name in the file's name, or that of the repository whose archive it is."""
    path, _, file = urlsplit(url).path.rpartition("/")
    found = project_of(file)
    if found:
        return found
    stem = stem_of(file)
    repository = _REPOSITORY.search(path)
    if repository is not None and re.fullmatch(r"v?\d[\w.+-]*", stem):
        return normalized(repository.group(1))
    return re.sub(r"[-_.]?v?\d[\d._]*$", "", stem) or stem


def urls_beside(parts: UrlParts, fetcher: Fetcher) -> tuple[str, dict[str, str]]:
    """Return the page that lists *parts*' archive, and the archives of that name by version.

    :raises FetchError: the page cannot be read.
    """
    page = parts.url.rpartition("/")[0] + "/"
    _, transport = fetcher.connect()
    found = {}
    for url in listed_files(page, transport.get):
        version = sample_version(url)
        if version and _name(url) == parts.name:
            found[version] = url
    return page, found


def urls_of(recipes: Iterable[Recipe]) -> Iterator[RecipeUrl]:
    """Yield the URLs of all versions."""
    for recipe in recipes:
        names = {recipe.name.replace("-", ""), recipe.name.replace("-", "")[2:]}
        for record in recipe.versions:
            if record.url:
                same = _name(record.url).replace("-", "") in names
                version = sample_version(record.url) == record.version
                yield RecipeUrl(record.url, same, version)

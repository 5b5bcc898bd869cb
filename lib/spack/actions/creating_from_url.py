"""Recipes of sources at a URL: the build system and the languages are read from the archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from spack.actions.creating import Packages
from spack.actions.python_releases import Fetchers, PythonRelease, ReleaseFiles, release_of
from spack.actions.recipe_draft import draft_recipe
from spack.actions.recipe_templates import guessed_template, package_name_for, template_text
from spack.actions.recipe_text import recipe_text
from spack.actions.sdist_contents import ArchiveContents, languages_of, read_archive
from spack.actions.url_parts import UrlParts, parse_url, urls_beside
from spack.errors import FetchError, SpackError
from spack.fetch.package_index import IndexLink
from spack.fetch.source import UrlSource
from spack.spec import Version
from spack.util.hashing import hash_file
from spack.util.project_names import normalized

__all__ = ["UrlRecipe", "recipe_from_url", "recipe_without_url"]


class UrlRecipe(NamedTuple):
    """The text of a recipe, its package's name, and the build system that it is of."""

    name: str
    template: str
    text: str
    versions: tuple[str, ...]


class _Archive(NamedTuple):
    """One version and its archive in the source cache."""

    version: str
    url: str
    path: Path


def recipe_without_url(name: str, template: str) -> UrlRecipe:
    """Return a recipe that the user completes."""
    package = package_name_for(name, template)
    url = None if template == "bundle" else "https://example.org/example-1.0.tar.gz"
    return UrlRecipe(package, template, template_text(package, template, url, (), ()), ())


def recipe_from_url(
    url: str,
    fetchers: Fetchers,
    packages: Packages,
    *,
    count: int,
    name: str | None = None,
    template: str | None = None,
) -> UrlRecipe:
    """Return the recipe of the archive at *url*, with the versions that are listed beside it.

    :param count: of the newest versions.
    :param name: of the package; None takes it from the URL.
    :param template: of :data:`spack.actions.recipe_templates.TEMPLATES`; None is found out.
    :raises UsageError: there is no version in the URL.
    :raises FetchError: an archive cannot be downloaded.
    """
    parts = parse_url(url)
    archives = [
        _Archive(version, at, fetchers.unchecked.fetch(_source(at)))
        for version, at in _offered(parts, fetchers, count).items()
    ]
    contents, problem = _contents(archives[0].path)
    chosen = template or guessed_template(url, contents.names)
    package = package_name_for(name or parts.name, chosen)
    versions = tuple(archive.version for archive in archives)
    if chosen == "python" and not problem:
        releases = [_release(parts.name, archive, fetchers) for archive in archives]
        draft = draft_recipe(package, releases, packages.of_project)
        text = recipe_text(replace(draft, url=archives[0].url))
    else:
        digests = [(archive.version, hash_file(archive.path)) for archive in archives]
        text = template_text(package, chosen, archives[0].url, digests, languages_of(contents))
    return UrlRecipe(package, chosen, text, versions)


def _source(url: str) -> UrlSource:
    filename = unquote(urlsplit(url).path.rpartition("/")[2])
    return UrlSource((url,), filename, what=filename)


def _offered(parts: UrlParts, fetchers: Fetchers, count: int) -> Mapping[str, str]:
    """Return the newest versions beside an archive, and its own, newest first."""
    try:
        _, found = urls_beside(parts, fetchers.unchecked)
    except FetchError:
        found = {}  # nothing lists what else there is
    found = {**found, parts.version: parts.url}
    newest = sorted(found, key=Version, reverse=True)
    return {version: found[version] for version in newest[: max(1, count)]}


def _contents(path: Path) -> tuple[ArchiveContents, bool]:
    """Return what an archive holds, and whether it is a file of another kind."""
    try:
        return read_archive(path), False
    except SpackError:
        return ArchiveContents((), {}), True


def _release(project: str, archive: _Archive, fetchers: Fetchers) -> PythonRelease:
    filename = unquote(urlsplit(archive.url).path.rpartition("/")[2])
    link = IndexLink(filename, archive.url)
    files = ReleaseFiles(normalized(project), archive.version, link, ())
    if filename.endswith(".whl"):
        files = files._replace(sdist=None, wheels=(link,))
    return release_of(files, archive.path, fetchers)

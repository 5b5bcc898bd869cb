"""Where sources are: frozen values made from a recipe's records.

========================  ======================================================================
``UrlSource``             one file, at any of several urls
``IndexSource``           one file of a project on the package index, by its name
``GitSource``             a commit, tag or branch of a repository
========================  ======================================================================
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Union
from urllib.parse import parse_qs, unquote, urlsplit

from spack.errors import FetchError
from spack.fetch.index_names import project_of
from spack.recipe.records import PatchRecord, Recipe, ResourceRecord, VersionRecord
from spack.spec.wheel import ChosenWheel
from spack.util.project_names import normalized

__all__ = [
    "Checksum",
    "GitSource",
    "IndexSource",
    "Pinned",
    "Source",
    "UrlSource",
    "extension_of",
    "patch_source",
    "resource_source",
    "source_for",
]

#: Checksums that recipes may give, best first.
ALGORITHMS = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5")
#: Files that are zip archives inside but are used as they are.
WHOLE = (".whl", ".jar", ".egg", ".sh", ".run", ".py", ".exe", ".bin")
#: Version control systems that recipes name and this project does not fetch sources from.
UNSUPPORTED = ("svn", "hg", "cvs", "go")
#: An address of the index's old layout or of its file storage, whatever the host.
_INDEX_PATH = re.compile(
    r"/packages/(?:(?:source|\d\.\d|py\d|py2\.py3|[cp]p\d+)/\w/(?P<project>[^/]+)"
    r"|[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60})/(?P<file>[^/]+)$"
)


@dataclass(frozen=True)
class Checksum:
    """``algorithm`` is one of hashlib's, ``value`` lower-case hex."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value}"


@dataclass(frozen=True)
class UrlSource:
    """A file at one of ``urls`` (tried in order); ``expand`` says whether it is an archive."""

    urls: tuple[str, ...]
    filename: str
    checksum: Checksum | None = None
    expand: bool = True
    what: str = ""
    origin: str = ""


@dataclass(frozen=True)
class IndexSource:
    """The file ``filename`` of ``project`` on the configured index.

    :param urls: tried after the index, for a recipe that names an address.
    :param size: in bytes; a file of another size is refused.
    """

    project: str
    filename: str
    checksum: Checksum | None = None
    expand: bool = True
    urls: tuple[str, ...] = ()
    what: str = ""
    origin: str = ""
    size: int | None = None


@dataclass(frozen=True)
class GitSource:
    """A state of a repository; ``commit`` decides where it is given.

    :param submodules: True for all, or the paths of those wanted.
    :param drop_submodules: paths that are removed after the checkout.
    :param full: the whole history, for builds that ask for it.
    :param sparse: only these paths are checked out; empty means all.
    """

    url: str
    commit: str | None = None
    tag: str | None = None
    branch: str | None = None
    submodules: bool | tuple[str, ...] = False
    drop_submodules: tuple[str, ...] = ()
    full: bool = False
    sparse: tuple[str, ...] = ()
    what: str = ""
    origin: str = ""

    @property
    def ref(self) -> str:
        """What is asked for, for messages."""
        return self.commit or self.tag or self.branch or "HEAD"

    def __post_init__(self) -> None:
        """Refuse what git would take for an option or for several words.

        :raises FetchError: a reference, the url or a path is malformed.
        """
        for text in (self.commit, self.tag, self.branch):
            if text is not None and not re.fullmatch(_REFERENCE, text):
                raise FetchError(
                    f"{self.what or self.url}: invalid git reference {text!r}",
                    facts={"reference": text, "origin": self.origin},
                    hint="write the name of a branch or tag, or a commit of 40 hexadecimal digits",
                    ref="git-reference",
                )
        if self.url.startswith("-"):
            raise FetchError(f"{self.what}: invalid git url {self.url!r}", ref="git-reference")


#: What may name a state of a repository: no option, no white space, none of git's own signs.
_REFERENCE = r"(?!-)(?!.*\.\.)[^\s~^:?*\[\\\x00-\x1f]+"

Source = Union[UrlSource, IndexSource, GitSource]


#: What a spec itself says of its source: a commit, a wheel of the index, or nothing.
Pinned = Union[str, ChosenWheel, None]


def source_for(recipe: Recipe, version: str, pinned: Pinned = None) -> Source:
    """Return where *version* of *recipe* comes from.

    Versions that the recipe does not declare may be git references (``git.main``, a commit).

    :param pinned: the value of ``commit=`` in a spec, or the wheel that it is installed from: this
        and nothing else is the source.
    :raises FetchError: the version is unknown, has no address, or one of a kind that is not
        supported; the recipe's file and line are named. Or the commit cannot be what is built.
    """
    if isinstance(pinned, ChosenWheel):
        return IndexSource(
            normalized(pinned.filename.split("-")[0]),
            pinned.filename,
            Checksum("sha256", pinned.sha256),
            expand=False,
            what=f"{recipe.name}@{version}",
            origin="the concretized spec",
            size=pinned.size,
        )
    if pinned is not None:
        return _commit_source(recipe, version, pinned)
    for record in recipe.versions:
        if record.version == version:
            return _version_source(recipe, record)
    reference = version.partition("=")[0]
    git = recipe.attributes.get("git")
    if git and (reference.startswith("git.") or re.fullmatch("[0-9a-f]{40}", reference)):
        reference = reference[4:] if reference.startswith("git.") else reference
        commit = reference if re.fullmatch("[0-9a-f]{40}", reference) else None
        return GitSource(
            str(git), commit, branch=None if commit else reference, what=f"{recipe.name}@{version}"
        )
    raise FetchError(
        f"{recipe.name} has no version {version}",
        facts={"package": recipe.name, "version": version},
        hint=f"`spack versions {recipe.name}` lists the known ones; {recipe.path} declares them",
    )


def _commit_source(recipe: Recipe, version: str, commit: str) -> GitSource:
    what = f"{recipe.name}@{version}"
    if not re.fullmatch("[0-9a-f]{40}", commit):
        raise FetchError(
            f"cannot build commit={commit} of {what}: not the full name of a commit",
            facts={"commit": commit},
            hint="write its 40 hexadecimal digits: `git rev-parse COMMIT` prints them",
            ref="git-commit",
        )
    try:
        source = source_for(recipe, version)
    except FetchError:
        source = None
    if isinstance(source, GitSource):
        return replace(source, commit=commit)
    git = recipe.attributes.get("git")
    if not git:
        raise FetchError(
            f"cannot build commit={commit} of {what}: its sources do not come from git",
            facts={"commit": commit, "origin": recipe.path},
            hint=f"leave commit= out, or give {recipe.path} a `git` attribute",
            ref="git-commit",
        )
    return GitSource(str(git), commit, what=what, origin=recipe.path)


def _version_source(recipe: Recipe, record: VersionRecord) -> Source:
    what = f"{recipe.name}@{record.version}"
    origin = f"{recipe.path}:{record.line}" if record.line else recipe.path
    options = {"git": recipe.attributes.get("git"), **record.options}
    reference = any(options.get(name) for name in ("commit", "tag", "branch"))
    if options.get("git") and (reference or (not record.url and not record.sha256)):
        return _git(options, recipe.attributes.get("submodules"), what, origin)
    for kind in UNSUPPORTED:
        if record.options.get(kind):
            raise FetchError(f"{what}: sources from {kind} are not supported ({origin})")
    if not record.url:
        raise FetchError(
            f"{what} has no source: {record.error or 'neither url nor git is given'}",
            facts={"origin": origin},
            hint=f"give the version at {origin} a url or git source",
        )
    urls = [record.url]
    for extra in (record.options.get("urls"), recipe.attributes.get("urls")):
        if isinstance(extra, (tuple, list)) and record.options.get("urls"):
            urls += [str(url) for url in extra]
    return _file(urls, record.sha256, record.options, what, origin)


def resource_source(recipe: Recipe, record: ResourceRecord) -> Source:
    """Return where a resource comes from.

    :raises FetchError: it has neither url nor git.
    """
    what = f"resource {record.name} of {recipe.name}"
    origin = f"{recipe.path}:{record.line}"
    if record.url:
        return _file([record.url], record.sha256, record.options, what, origin)
    if record.options.get("git"):
        return _git(record.options, None, what, origin)
    raise FetchError(f"{what} has neither url nor git", hint=f"give it one at {origin}")


def patch_source(recipe: Recipe, record: PatchRecord) -> Path | UrlSource:
    """Return the source of a patch: the file beside the recipe, or its URL."""
    if "://" not in record.source:
        return Path(recipe.path).parent / record.source
    archived = record.archive_sha256 is not None
    return UrlSource(
        (record.source,),
        _filename(record.source),
        _checksum(record.archive_sha256 or record.sha256, {}),
        expand=archived,
        what=f"patch {_filename(record.source)} of {recipe.name}",
        origin=f"{recipe.path}:{record.line}",
    )


def extension_of(filename: str) -> str:
    """Return the suffix, ``tar.gz`` of ``black-1.0.tar.gz``; ``""`` when there is none."""
    match = re.search(r"\.((?:tar\.)?[A-Za-z][A-Za-z0-9]{0,5})$", filename)
    return match.group(1) if match else ""


def _file(
    urls: list[str],
    sha256: str | None,
    options: Mapping[str, Any],
    what: str,
    origin: str,
) -> UrlSource | IndexSource:
    checksum = _checksum(sha256, options)
    filename = _filename(urls[0])
    given = options.get("extension")
    if given and not filename.endswith("." + str(given)):
        filename = f"{filename}.{given}"
    expand = bool(options.get("expand", not filename.lower().endswith(WHOLE)))
    if urls[0].startswith("pypi:"):
        project = urls[0][len("pypi:") :].rpartition("/")[0]
        return IndexSource(
            project, filename, checksum, expand, urls=tuple(urls[1:]), what=what, origin=origin
        )
    match = _INDEX_PATH.search(urlsplit(urls[0]).path)
    project_name = match and (match.group("project") or project_of(match.group("file")))
    if match and project_name:
        filename = unquote(match.group("file"))
        return IndexSource(
            project_name, filename, checksum, expand, urls=tuple(urls), what=what, origin=origin
        )
    return UrlSource(tuple(urls), filename, checksum, expand, what=what, origin=origin)


def _git(options: Mapping[str, Any], submodules: Any, what: str, origin: str) -> GitSource:
    def text(name: str) -> str | None:
        return str(options[name]) if options.get(name) else None

    wanted = options.get("submodules", submodules)
    if not isinstance(wanted, (bool, type(None))):
        wanted = (wanted,) if isinstance(wanted, str) else tuple(map(str, wanted))
    return GitSource(
        str(options["git"]),
        text("commit"),
        text("tag"),
        text("branch"),
        submodules=wanted or False,
        drop_submodules=tuple(map(str, options.get("submodules_delete") or ())),
        full=bool(options.get("get_full_repo")),
        sparse=tuple(map(str, options.get("git_sparse_paths") or ()))
        if isinstance(options.get("git_sparse_paths"), (tuple, list))
        else (),
        what=what,
        origin=origin,
    )


def _checksum(sha256: str | None, options: Mapping[str, Any]) -> Checksum | None:
    given = {**options, "sha256": sha256 or options.get("sha256")}
    for algorithm in ALGORITHMS:
        if given.get(algorithm):
            return Checksum(algorithm, str(given[algorithm]).lower())
    return None


def _filename(url: str) -> str:
    """Return the file name in *url*; a query that names a file comes first."""
    parts = urlsplit(url)
    if parts.fragment and re.fullmatch(r"/?[\w.+-]+\.\w+", parts.fragment):
        return parts.fragment.lstrip("/")
    for values in parse_qs(parts.query).values():
        for value in values:
            if re.fullmatch(r"[\w.+-]+\.(tar\.\w+|tgz|zip|whl)", posixpath.basename(value)):
                return posixpath.basename(value)
    path = parts.path.rstrip("/")
    if path.endswith("/download"):
        path = path[: -len("/download")]
    name = unquote(posixpath.basename(path))
    return re.sub(r"[/\\\0-\x1f]", "_", name) or "download"

"""Repositories of recipes: from directories, and from clones that are made at first use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    NamedTuple,
)

from spack.actions.notices import Cloning
from spack.config.edit import SectionFile
from spack.config.setting_types import RepoEntry
from spack.errors import ConfigError, FetchError, RecipeError, UsageError
from spack.fetch.index_names import without_secrets
from spack.repo.discovery import repositories_in
from spack.repo.repository import Repository
from spack.util.hashing import sha256_hex
from spack.util.report import Reporter

if TYPE_CHECKING:
    from spack.fetch.git_clones import Clones
    from spack.fetch.source import GitSource

__all__ = [
    "PINS",
    "RepositoryAccess",
    "Row",
    "Update",
    "access_to",
    "add_repository",
    "change_entry",
    "is_url",
    "missing",
    "remove_entry",
    "repositories",
    "rows",
    "update_repository",
]

#: What names a state of a git repository; the first that is given decides.
PINS = ("commit", "tag", "branch")


class RepositoryAccess(NamedTuple):
    """What is needed to open repositories.

    :ivar root: clones without a ``destination`` are made below it.
    :ivar clones: called when git is first needed.
    :ivar reporter: called when there is something to say.
    :ivar cache: directory of parsed files.
    """

    root: Path
    clones: Callable[[], Clones]
    reporter: Callable[[], Reporter]
    cache: str | None = None

    def location(self, entry: RepoEntry) -> Path:
        """Return the path of *entry*'s clone: each state of a URL has its own."""
        if entry.path is not None:
            return entry.path
        url = entry.git or ""
        name = url.rstrip("/").rpartition("/")[2].rpartition(":")[2]
        word = "".join(c for c in name.removesuffix(".git") if c.isalnum() or c in "._-")
        state = "\0".join((url, *(getattr(entry, pin) or "" for pin in PINS)))
        return self.root / f"{word.strip('.') or 'clone'}-{sha256_hex(state)[:8]}"


class Row(NamedTuple):
    """One repository, as ``spack repo list`` shows it.

    :ivar namespace: "" when it cannot be opened.
    :ivar git: the url that it is cloned from, with ``ref`` (``branch develop``) and ``commit``.
    :ivar state: ``ready``, ``not cloned``, ``changed`` (by the user), or ``broken``.
    :ivar problem: why it is broken, else "".
    """

    name: str
    namespace: str
    api: str
    path: str
    origin: str
    state: str
    git: str | None = None
    ref: str = ""
    commit: str = ""
    problem: str = ""


class Update(NamedTuple):
    """What :func:`update_repository` did; ``before`` is "" for a new clone."""

    name: str
    location: Path
    before: str
    after: str


def access_to(
    user_cache: Path,
    environ: Mapping[str, str],
    reporter: Callable[[], Reporter],
    cache: str | None = None,
) -> RepositoryAccess:
    """Return the access to repositories: clones below *user_cache*, git from *environ*'s PATH."""

    def clones() -> Clones:
        from spack.fetch.git import Git
        from spack.fetch.git_clones import Clones  # start-up: few commands clone anything

        return Clones(Git(environ))

    return RepositoryAccess(user_cache / "package_repos", clones, reporter, cache)


def is_url(text: str) -> bool:
    """Return whether git takes *text* for a URL, or ``host:path``, and not for a path."""
    colon = text.find(":")
    return colon > 1 and "/" not in text[:colon]


def repositories(entries: Iterable[RepoEntry], access: RepositoryAccess) -> tuple[Repository, ...]:
    """Return the configured repositories in order; clone those from git that are missing.

    Of two with one namespace the first counts, and a warning names both.

    :raises RecipeError: one cannot be used.
    :raises FetchError: one cannot be cloned.
    """
    found: list[Repository] = []
    for entry in entries:
        for repository in _open(entry, access):
            same = [x for x in found if x.namespace == repository.namespace]
            if not same:
                found.append(repository)
            elif same[0].root != repository.root:
                access.reporter().warning(
                    f"{entry.origin}: {repository.root} is left out: {same[0].root} comes before "
                    f"it and has the same namespace, {repository.namespace}"
                )
    return tuple(found)


def missing(entries: Iterable[RepoEntry], access: RepositoryAccess) -> list[str]:
    """Return the names of the repositories that are still to be cloned."""
    return [
        entry.name
        for entry in entries
        if entry.git is not None and not _is_cloned(access.location(entry))
    ]


def _is_cloned(location: Path) -> bool:
    return (location / ".git").exists()


def _open(entry: RepoEntry, access: RepositoryAccess) -> list[Repository]:
    if entry.git is None:
        assert entry.path is not None
        return [Repository.open(entry.path)]
    location = access.location(entry)
    if not _is_cloned(location):
        url = without_secrets(entry.git)
        access.reporter().report(Cloning(url, location, entry.name))
        _clone(entry, access)
    _warn_of_other_commit(entry, location, access)
    return repositories_in(
        location, entry.paths, cache=access.cache, on_error=_warn_of(entry, access)
    )


def _clone(entry: RepoEntry, access: RepositoryAccess) -> str:
    """Clone *entry* unless it is there; remove a clone without repositories."""
    try:
        return access.clones().create(
            _source(entry),
            access.location(entry),
            lambda clone: repositories_in(clone, entry.paths, on_error=lambda _: None),
        )
    except RecipeError as error:
        raise RecipeError(
            f"the repository {entry.name} cannot be used: {error.message}",
            facts={"url": entry.git, "origin": entry.origin},
            hint="name the directories of its repo.yaml files: `spack repo add URL --path DIR`, "
            f"or `paths: [DIR]` at {entry.origin}",
            causes=[error],
        ) from error


def _source(entry: RepoEntry) -> GitSource:
    from spack.fetch.source import GitSource  # start-up: few repositories are clones

    assert entry.git is not None
    return GitSource(
        entry.git,
        commit=entry.commit,
        tag=entry.tag,
        branch=entry.branch,
        what=f"the repository {entry.name}",
        origin=entry.origin,
    )


def _warn_of(entry: RepoEntry, access: RepositoryAccess) -> Callable[[RecipeError], None]:
    return lambda error: access.reporter().warning(f"{entry.origin}: left out: {error.message}")


def _warn_of_other_commit(entry: RepoEntry, location: Path, access: RepositoryAccess) -> None:
    """Report when a clone at a path of the user's is not at the commit that is configured."""
    if not entry.commit or entry.path is None:
        return
    try:
        head = (location / ".git" / "HEAD").read_text(encoding="utf-8").strip()
    except OSError:
        return  # a worktree, say: git itself knows
    if not head.startswith(entry.commit.lower()):
        access.reporter().warning(
            f"{entry.origin}: {location} is not at commit {entry.commit}; "
            f"`spack repo update {entry.name}` checks it out"
        )


# -- showing -----------------------------------------------------------------------------------


def rows(entries: Iterable[RepoEntry], access: RepositoryAccess) -> list[Row]:
    """Return the rows of ``spack repo list``; clone nothing and raise nothing."""
    return [row for entry in entries for row in _rows(entry, access)]


def _rows(entry: RepoEntry, access: RepositoryAccess) -> list[Row]:
    location = access.location(entry)
    row = Row(entry.name, "", "", str(location), origin=entry.origin, state="ready")
    if entry.git is not None:
        pin = next((pin for pin in PINS if getattr(entry, pin)), "")
        row = row._replace(
            git=without_secrets(entry.git), ref=f"{pin} {getattr(entry, pin)}" if pin else ""
        )
        if not _is_cloned(location):
            return [row._replace(state="not cloned")]
        try:
            state = access.clones().state(location, f"the repository {entry.name}")
            row = row._replace(
                commit=state.commit,
                ref=row.ref or (f"branch {state.branch}" if state.branch else ""),
                state="changed" if state.changed else "ready",
            )
        except FetchError as error:
            row = row._replace(state="broken", problem=error.message)
    problems: list[RecipeError] = []
    try:
        found = (
            [Repository.open(location)]
            if entry.git is None
            else repositories_in(
                location, entry.paths, cache=access.cache, on_error=problems.append
            )
        )
    except (RecipeError, ConfigError) as error:
        return [row._replace(state="broken", problem=error.message)]
    return [
        *(
            row._replace(
                namespace=repository.namespace,
                api=".".join(map(str, repository.api)),
                path=str(repository.root),
            )
            for repository in found
        ),
        *(row._replace(state="broken", problem=error.message) for error in problems),
    ]


# -- changing ----------------------------------------------------------------------------------


def add_repository(
    file: SectionFile, entry: RepoEntry, access: RepositoryAccess
) -> tuple[str, Sequence[Repository]]:
    """Register a directory, or a url, which is cloned; what is added comes first.

    :param entry: ``name`` is "" for the namespace of the repository.
    :return: the name, and the repositories.
    :raises UsageError: the name is taken, or must be given.
    :raises RecipeError: there is no repository.
    :raises FetchError: it cannot be cloned.
    """
    if entry.git is None:
        assert entry.path is not None
        found = [Repository.open(entry.path)]
        value: Any = file.written(found[0].root)
    else:
        named = entry._replace(name=entry.name or without_secrets(entry.git))
        _refuse_taken(file, entry.name)
        location = access.location(named)
        if not _is_cloned(location):
            access.reporter().report(Cloning(without_secrets(entry.git), location))
        _clone(named, access)
        found = repositories_in(
            access.location(named), entry.paths, on_error=_warn_of(named, access)
        )
        folder = {} if entry.path is None else {"destination": file.written(entry.path)}
        paths = {"paths": list(entry.paths)} if entry.paths else {}
        pins = {pin: getattr(entry, pin) for pin in PINS[::-1] if getattr(entry, pin)}
        value = {"git": entry.git, **pins, **folder, **paths}
    names = [repository.namespace for repository in found]
    if not entry.name and len(names) > 1:
        raise UsageError(
            f"{entry.git} has several repositories: {', '.join(names)}",
            hint="name them together with --name, or choose some with --path",
            ref="repo-name",
        )
    name = entry.name or names[0]
    _refuse_taken(file, name)
    _insert(file, name, value)
    file.save()
    return name, found


def _refuse_taken(file: SectionFile, name: str) -> None:
    if name and not isinstance(file.data, list) and file.key(name) in file.data:
        raise UsageError(
            f"{file.path} has a repository {name} already",
            hint=f"`spack repo remove {name}` forgets it; --name gives the new one another name",
            ref="repo-exists",
        )


def _insert(file: SectionFile, name: str, value: Any) -> None:
    data = file.data
    if isinstance(data, list):
        if value in data:
            return
        if isinstance(value, str) and name == Repository.open(Path(value)).namespace:
            data.insert(0, value)
            return
        # The old form knows paths only.
        file.replace({name: value, **{_listed_name(file, path): path for path in data}})
        return
    data.insert(0, name, value)


def _listed_name(file: SectionFile, path: str) -> str:
    try:
        return Repository.open(file.path.parent / path).namespace
    except RecipeError:
        return path  # with variables, or broken: any name will do


def remove_entry(file: SectionFile, name: str, path: Path) -> list[str]:
    """Take what has that name, namespace or directory out of *file*; its files stay.

    :return: what was removed, as it was written; the file is saved if there was anything.
    """
    data = file.data
    if isinstance(data, list):
        found = [item for item in data if _is_meant(item, file, name, path)]
        for item in found:
            data.remove(item)
    else:
        found = [key for key in data if key == file.key(name)] or [
            key for key, value in data.items() if _is_meant(value, file, name, path)
        ]
        for key in found:
            del data[key]
    if found:
        file.save()
    return [str(item) for item in found]


def _is_meant(value: Any, file: SectionFile, name: str, path: Path) -> bool:
    if not isinstance(value, str):
        return False
    location = file.path.parent / value
    if value.rstrip("/") == name.rstrip("/") or location == path:
        return True
    try:
        repository = Repository.open(location)
    except RecipeError:
        return False
    return name == repository.namespace or path == repository.root


def change_entry(file: SectionFile, before: RepoEntry, after: RepoEntry) -> None:
    """Write what differs between the two into *file*, so that it is in force, and save it.

    Mappings of scopes merge: where another scope pins a state, this one replaces the whole entry
    (``name::``), or that pin would still decide.

    :raises UsageError: the file has the old form, which has no names.
    """
    if isinstance(file.data, list):
        raise UsageError(
            f"{file.path} lists its repositories in the old form, which has no names",
            hint="write them as a mapping from names to directories",
            ref="repo-form",
        )
    key = file.key(after.name)
    own = file.data.get(key)
    if not isinstance(own, dict):
        own = {}
    elsewhere = [pin for pin in PINS if getattr(before, pin) and pin not in own]
    fields = {
        "git": after.git,
        **{pin: getattr(after, pin) for pin in PINS[::-1]},
        "destination": None if after.path is None else file.written(after.path),
        "paths": list(after.paths),
    }
    if any(getattr(after, pin) != getattr(before, pin) for pin in elsewhere):
        file.data.pop(key, None)
        file.data[f"{after.name}:"] = {name: value for name, value in fields.items() if value}
    else:
        attributes = {"destination": "path"}
        for name, value in fields.items():
            attribute = attributes.get(name, name)
            if getattr(after, attribute) == getattr(before, attribute):
                continue
            if value:
                own[name] = value
            else:
                own.pop(name, None)
        if own:
            file.data[key] = own
    file.save()


def update_repository(entry: RepoEntry, access: RepositoryAccess, remote: str = "origin") -> Update:
    """Update the clone of *entry*, or make it.

    :raises FetchError: work of the user's would be lost, or git fails.
    """
    location = access.location(entry)
    if not _is_cloned(location):
        return Update(entry.name, location, "", _clone(entry, access))
    clones = access.clones()
    before = clones.state(location, f"the repository {entry.name}").commit
    after = clones.update(_source(entry), location, remote)
    repositories_in(location, entry.paths, on_error=_warn_of(entry, access))
    return Update(entry.name, location, before, after)

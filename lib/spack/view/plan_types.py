"""What a view is made from, and what it will be: the records between plan and apply."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, NamedTuple, Optional

from spack.config import link_types
from spack.errors import ViewError
from spack.util.environment_modifications import Change
from spack.util.frozen import field, frozen
from spack.util.hashing import sha256_hex
from spack.view.activate import EnvStep
from spack.view.venv_parts import BasePython

__all__ = [
    "LINK_TYPES",
    "OWN",
    "Conflict",
    "Files",
    "Item",
    "Limit",
    "FileOwner",
    "Read",
    "Shared",
    "ViewOptions",
    "ViewPlan",
    "ViewSource",
    "contained_base",
    "link_type_of",
    "new_limits",
    "options_digest",
    "ordered_sources",
    "plan_digest",
    "python_facts",
    "source_digest",
]

#: Changes whenever the same sources and options give another tree.
PLAN_VERSION = 6

LINK_TYPES = tuple(row.name for row in link_types.LINK_TYPES)

#: The owner index of what belongs to no package.
OWN = -1

#: (kind, mode, sha256 or link target, size), as in the store's manifests.
FileEntry = tuple[str, int, str, int]
Files = Mapping[str, FileEntry]
#: (absolute path, number of bytes or None for all) -> content.
Read = Callable[[str, Optional[int]], bytes]


@frozen
class ViewSource:
    """One package of a view.

    :param prefix: where it is installed.
    :param load_files: its manifest, paths relative to the prefix; only called for a new plan.
    :param fingerprint: changes when the manifest does (time and size of its file will do).
    :param role: ``package``; ``extension`` (extends Python: its scripts run the view's Python);
        ``python`` (the interpreter, when it is in the store); ``python-venv`` (replaced by the
        view itself, contributes no file).
    :param link_type: overrides the view's, for packages that resolve their own real path.
    :param projection: folder of the view that the prefix is shown in, ``""`` for the root.
    :param environment: what the package says of the environment it runs in.
    """

    name: str
    version: str
    hash: str
    prefix: str
    load_files: Callable[[], Files]
    fingerprint: str = ""
    role: str = "package"
    link_type: str | None = None
    projection: str = ""
    environment: tuple[Change, ...] = ()

    @property
    def label(self) -> str:
        """``name@version/hash7``, for people."""
        return f"{self.name}@{self.version}/{self.hash[:7]}"


@frozen
class ViewOptions:
    """How the view is made.

    :param python: base interpreter; None for a view that is only a tree of links.
    :param templates: ``share/activate`` by file name.
    :param prompt: name shown by activation; if empty, the name of the view's folder.
    :param winners: pattern of paths in the view -> name of the package whose file is taken where
        several packages differ.
    :param store_prefixes: further prefixes whose Python counts as the store's (python-venv
        nodes of dependencies that are not shown).
    :param site_directories: absolute directories of modules outside of the store that the view's
        Python sees, those of external extensions.
    :param external_modules: names and absolute paths of modules outside of the store that are shown
        among the view's own.
    :param program_directories: absolute directories of programs outside of the store, which follow
        the view's own on PATH.
    :param omissions: lines for the user about what the view's Python does not import.
    :param splits_env: whether ``/usr/bin/env -S`` works here; scripts need another header if not.
    :param fold: whole directories are links; see :mod:`spack.view.folding`.
    """

    link_type: str = link_types.DEFAULT
    python: BasePython | None = None
    system_site_packages: bool = False
    templates: Mapping[str, str] = field(default_factory=dict)
    prompt: str = ""
    winners: Mapping[str, str] = field(default_factory=dict)
    store_prefixes: tuple[str, ...] = ()
    site_directories: tuple[str, ...] = ()
    external_modules: tuple[tuple[str, str], ...] = ()
    program_directories: tuple[str, ...] = ()
    omissions: tuple[str, ...] = ()
    splits_env: bool = True
    fold: bool = False

    def __post_init__(self) -> None:
        if self.fold and self.link_type != "symlink":
            raise ViewError(
                f"cannot fold directories of a view with link_type: {self.link_type}",
                facts={"link_type": self.link_type},
                hint="use link_type: symlink, or fold: false",
                ref="view-fold",
            )
        if self.link_type not in LINK_TYPES:
            raise ViewError(
                f"invalid link type '{self.link_type}'",
                facts={"link_type": self.link_type},
                hint=f"use one of {', '.join(LINK_TYPES)}",
                ref="view-link-type",
            )


class FileOwner(NamedTuple):
    """A package as the view remembers it."""

    name: str
    version: str
    hash: str
    prefix: str


class Item(NamedTuple):
    """One path of the view that is not a directory.

    :param how: see the module's table.
    :param owner: index into the plan's owners, or :data:`OWN`.
    :param source: absolute path in the prefix; the target of a ``link``; ``""`` for a ``text``.
    :param mode: permission bits of the file.
    :param digest: sha256 of the file's content; ``""`` for a ``link``.
    """

    how: str
    owner: int
    source: str
    mode: int
    digest: str


class Conflict(NamedTuple):
    """A path that packages disagree about; *owners* are labels in order of name."""

    path: str
    owners: tuple[str, ...]


class Shared(NamedTuple):
    """A path that several packages provide without a conflict.

    :ivar reason: ``same`` (the same content), ``chosen`` (the options name the winner),
        ``namespace`` (``__init__.py`` of namespace packages), ``generated`` (an index or
        byte-code: any of them will do).
    :ivar owners: indexes of all that provide it; the item says whose is shown.
    """

    reason: str
    owners: tuple[int, ...]


class Limit(NamedTuple):
    """What does not work in a view as the user may expect.

    :ivar owner: index into the plan's owners, or :data:`OWN`.
    :ivar path: the file that it concerns, ``""`` for none.
    """

    owner: int
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path} {self.text}" if self.path else self.text


def new_limits(limits: Iterable[Limit], options: ViewOptions) -> tuple[str, ...]:
    """Return the lines of *limits* that are not among the omissions, which the caller reports."""
    return tuple(dict.fromkeys(str(x) for x in limits if x.text not in options.omissions))


@frozen
class ViewPlan:
    """All that :func:`spack.view.apply.apply_view` needs.

    :ivar digest: equal for equal sources and options.
    :ivar options: the same of the options alone; *sources* of each source, parallel to *owners*.
    :ivar bare: folders that a package has and puts nothing into, with their owners.
    :ivar folders: in an order that makes parents first.
    :ivar texts: content of the ``text`` items.
    :ivar steps: what activating the view does to the environment.
    :ivar python: facts of the base interpreter for the view's manifest.
    """

    digest: str
    options: str
    sources: tuple[str, ...]
    link_type: str
    owners: tuple[FileOwner, ...]
    folders: tuple[str, ...]
    bare: Mapping[str, tuple[int, ...]]
    items: Mapping[str, Item]
    texts: Mapping[str, bytes]
    steps: tuple[EnvStep, ...]
    python: Mapping[str, str] | None
    conflicts: tuple[Conflict, ...] = ()
    shared: Mapping[str, Shared] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()

    def check(self) -> None:
        """Refuse a plan with conflicts; the error names every path and its owners.

        :raises ViewError: if there are conflicts; it names every path and its owners.
        """
        if not self.conflicts:
            return
        shown = [f"{x.path}: {' and '.join(x.owners)}" for x in self.conflicts]
        more = len(shown) - 20
        if more > 0:
            shown[20:] = [f"… and {more} more"]
        count = len(self.conflicts)
        what = "path comes" if count == 1 else "paths come"
        raise ViewError(
            f"{count} {what} from more than one package with different content",
            "\n".join(shown),
            facts={"conflicts": [{"path": x.path, "owners": x.owners} for x in self.conflicts]},
            hint=_remedies(self.conflicts[0]),
            ref="view-conflict",
        )


def _remedies(conflict: Conflict) -> str:
    """Return a hint with configuration that can be written into ``spack.yaml`` as it is."""
    labels = [label for label in conflict.owners if "@" in label]
    packages = [label.partition("@")[0] for label in labels]
    distinct = len(set(packages)) == len(labels)
    left_out = ", ".join((packages if distinct else labels)[1:] or packages)
    which = "a package" if len(labels) < 3 else "packages"
    hint = f"leave {which} out: 'view: {{exclude: [{left_out}]}}' below 'spack:' in spack.yaml"
    if distinct and len(packages) == len(conflict.owners):
        chosen = f"{{{json.dumps(conflict.path)}: {packages[0]}}}"
        hint += f"; or say whose file is taken: 'view: {{conflicts: {chosen}}}'"
    return hint


def plan_digest(sources: Sequence[ViewSource], options: ViewOptions) -> str:
    """Return a digest of what a view is made from; reads no manifest."""
    words = [options_digest(options), *map(source_digest, ordered_sources(sources))]
    return _hash(words)


def options_digest(options: ViewOptions) -> str:
    """Return the part of :func:`plan_digest` for the options."""
    python = options.python
    return _hash(
        [
            PLAN_VERSION,
            options.link_type,
            options.prompt,
            sorted(options.winners.items()),
            sorted(options.store_prefixes),
            options.system_site_packages,
            sorted(options.templates.items()),
            python and [str(python.executable), python.version, python.purelib, python.platlib],
            *([] if options.splits_env else ["no env -S"]),
            *(["fold"] if options.fold else []),
            *options.site_directories,
            *options.external_modules,
            *options.program_directories,
            *options.omissions,
        ]
    )


def source_digest(source: ViewSource) -> str:
    """Return the part of :func:`plan_digest` for one package."""
    s = source
    return _hash(
        [s.name, s.hash, s.prefix, s.fingerprint, s.role, s.link_type, s.projection]
        + [[c.action, c.name, c.value, c.separator] for c in s.environment]
    )


def _hash(facts: Sequence[object]) -> str:
    return sha256_hex(json.dumps(facts))


def ordered_sources(sources: Sequence[ViewSource]) -> list[ViewSource]:
    """Return the sources in the order that decides ties: by name."""
    return sorted(sources, key=lambda s: (s.name, s.hash))


def link_type_of(source: ViewSource, options: ViewOptions) -> str:
    """Return the link type of a package's files.

    :raises ViewError: a link type that is not known.
    """
    text = source.link_type or options.link_type
    name = link_types.canonical(text)
    if name is None:
        raise ViewError(
            f"invalid link type '{text}' (for {source.name})",
            facts={"link_type": text, "package": source.name},
            hint=f"use one of {', '.join(LINK_TYPES)}",
            ref="view-link-type",
        )
    return name


def contained_base(sources: Sequence[ViewSource], options: ViewOptions) -> ViewSource | None:
    """Return the package of the interpreter, if the view is a complete Python by itself.

    That is so where its files are copied: such a view needs the store no more. Symbolic links and
    hard links need the store anyway, so the view is a virtual environment of the store's Python.
    """
    python = options.python
    for source in sources:
        if source.role == "python" and python is not None and not source.projection:
            inside = str(python.executable).startswith(source.prefix + "/bin/")
            if inside and link_type_of(source, options) == "copy":
                return source
    return None


def python_facts(python: BasePython, contained: ViewSource | None) -> dict[str, str]:
    """Return what a view records of its Python; the executable is relative if it is in the view."""
    executable = str(python.executable)
    if contained is not None:
        executable = posixpath.relpath(executable, contained.prefix)
    return {
        "executable": executable,
        "version": python.version,
        "purelib": python.purelib,
        "platlib": python.platlib,
    }

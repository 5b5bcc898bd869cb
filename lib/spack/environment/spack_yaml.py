"""``spack.yaml``: reading it with the position of every value, and editing it with its comments.

Its grammar is the table :data:`spack.config.keys.ENVIRONMENT`; configuration sections in it
are a scope of their own (:func:`spack.config.scopes.environment_scope`). This module reads what is
left: ``specs``, ``definitions``, ``view`` and ``develop``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from spack.config import link_types
from spack.config.schema import ConfigReport, Origin, Tree
from spack.config.scopes import check_environment
from spack.config.variables import Variables
from spack.environment.definitions import UserSpec, expand_definitions
from spack.environment.develop_specs import read_develop, remove_entries, row_of
from spack.environment.groups import read_groups
from spack.errors import EnvironmentFileError, SpecError
from spack.spec import parse
from spack.util import yaml

if TYPE_CHECKING:
    from spack.environment.develop_specs import DevelopSpec
    from spack.environment.groups import SpecGroup
    from spack.spec import Spec

__all__ = [
    "DEFAULT_TEXT",
    "STATE_FOLDER",
    "EnvironmentManifest",
    "UserSpec",
    "ViewDescriptor",
]

#: What the tool keeps for itself in an environment's directory.
STATE_FOLDER = ".spack-env"

DEFAULT_TEXT = """\
# What you want together, and how: `spack add PACKAGE`, `spack install`.
spack:
  # the packages that you ask for
  specs: []
  # one directory that shows all of them, and is a virtual environment if Python is among them
  view: true
  concretizer:
    # one version of each package
    unify: true
"""


class ViewDescriptor(NamedTuple):
    """A view that the environment asks for.

    :ivar root: absolute path.
    :ivar groups: only the roots of these groups of specs; all, if empty.
    :ivar link: which packages: ``roots``, their ``run`` dependencies too, or ``all``.
    :ivar select: only packages that satisfy one of these (all, if empty).
    :ivar projections: spec text -> format of the folder below the root; ``all`` for the rest.
    :ivar winners: pattern of paths -> the package whose file is taken where several differ.
    :ivar fold: whole directories are links; see :mod:`spack.view.folding`.
    """

    name: str
    root: str
    origin: Origin
    link: str = "run"
    link_type: str = link_types.DEFAULT
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    projections: Mapping[str, str] = {}  # never changed
    winners: Mapping[str, str] = {}  # never changed
    groups: tuple[str, ...] = ()
    fold: bool = False


class EnvironmentManifest:
    """A checked ``spack.yaml``; never changes, editing gives a new one.

    :param loaded: the parsed file.
    :raises ConfigError: every problem of the file at once, with its line.
    """

    def __init__(self, loaded: yaml.Loaded) -> None:
        self.loaded = loaded
        self.tree: Mapping[str, Tree] = check_environment(loaded).value

    @classmethod
    def read(cls, path: Path, cache: str | None = None) -> EnvironmentManifest:
        """Return the manifest in the file *path*.

        :param cache: folder of parsed files; see :mod:`spack.util.yaml`.
        """
        return cls(yaml.load(path, cache=cache))

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.loaded.file)

    @property
    def folder(self) -> Path:
        """The environment's directory."""
        return self.path.parent

    @property
    def has_definitions(self) -> bool:
        """Whether there are lists below ``definitions``, which may have conditions."""
        return self._section("definitions") is not None

    def user_specs(self, names: Mapping[str, Any] | None = None) -> tuple[UserSpec, ...]:
        """Return the roots of all groups in order; see :meth:`groups`."""
        return tuple(spec for group in self.groups(names) for spec in group.specs)

    def groups(self, names: Mapping[str, Any] | None = None) -> tuple[SpecGroup, ...]:
        """Return the groups of roots, definitions and matrices expanded.

        :param names: what ``when`` of definitions may ask; see
            :mod:`spack.config.when_conditions`.
        :raises ConfigError: an unknown ``$reference`` or group.
        :raises SpecError: a malformed spec in a matrix.
        """
        items = self._section("specs")
        if items is None:
            return ()
        lists = expand_definitions(self._section("definitions"), names or {})
        return read_groups(items, lists)

    def included(self, variables: Variables | None = None) -> tuple[tuple[str, Tree], ...]:
        """Return the paths below ``include_concrete``: as written, and absolute with its origin.

        :raises ConfigError: a path with an unknown variable.
        """
        section = self._section("include_concrete")
        report = ConfigReport()
        paths = [
            (str(tree.value), Tree(self._path(tree, variables, report), tree.origin))
            for tree in (section.value if section is not None else ())
        ]
        report.raise_if_any()
        return tuple(paths)

    def views(self, variables: Variables | None = None) -> tuple[ViewDescriptor, ...]:
        """Return the views.

        None for ``view: false``, one at the default path if the key is missing.

        Relative paths are relative to the environment's directory.

        :raises ConfigError: a path with an unknown variable.
        """
        tree = self._section("view")
        default = str(self.folder / STATE_FOLDER / "view")
        if tree is None or tree.value is True:
            origin = Origin(self.loaded.file) if tree is None else tree.origin
            views = [ViewDescriptor("default", default, origin)]
            _refuse_colons(views)
            return tuple(views)
        if tree.value is False:
            return ()
        report = ConfigReport()
        if isinstance(tree.value, str):
            views = [self._view("default", tree, variables, report)]
        else:
            views = [self._view(name, x, variables, report) for name, x in tree.value.items()]
        report.raise_if_any()
        _refuse_shared_roots(views)
        _refuse_nested_roots(views)
        _refuse_colons(views)
        return tuple(views)

    def _view(
        self, name: str, tree: Tree, variables: Variables | None, report: ConfigReport
    ) -> ViewDescriptor:
        data: Mapping[str, Any] = {"root": tree} if isinstance(tree.value, str) else tree.value
        root = str(self.folder / STATE_FOLDER / "view")
        if "root" in data:
            root = self._path(data["root"], variables, report)
        link_type = str(_plain(data.get("link_type"), link_types.DEFAULT))
        return ViewDescriptor(
            name,
            root,
            tree.origin,
            link=str(_plain(data.get("link"), "run")),
            link_type=link_types.canonical(link_type) or link_type,
            select=tuple(_plain(data.get("select"), [])),
            exclude=tuple(_plain(data.get("exclude"), [])),
            projections=_plain(data.get("projections"), {}),
            groups=_names(_plain(data.get("group"), [])),
            fold=bool(_plain(data.get("fold"), False)),
            winners={x: str(y) for x, y in _plain(data.get("conflicts"), {}).items()},
        )

    def develop(self, variables: Variables | None = None) -> tuple[DevelopSpec, ...]:
        """Return the packages built from directories; see :mod:`spack.environment.develop_specs`.

        :raises ConfigError: every entry that is not as it should be.
        """
        section = self._section("develop")
        return read_develop(section, lambda tree, report: self._path(tree, variables, report))

    def _path(self, tree: Tree, variables: Variables | None, report: ConfigReport) -> str:
        text = str(tree.value)
        known = (variables or Variables()).with_values(env=str(self.folder))
        absolute = Origin(os.path.abspath(tree.origin.file), tree.origin.line)
        return known.path(text, absolute, report)

    def _section(self, name: str) -> Tree | None:
        for suffix in ("", ":", "+:", "-:"):
            if name + suffix in self.tree:
                return self.tree[name + suffix]
        return None

    # -- editing --------------------------------------------------------------------------------

    def added(self, specs: Sequence[str], definition: str = "") -> EnvironmentManifest:
        """Save and return this manifest with *specs* added.

        :param definition: add to this list of ``definitions`` instead of ``specs``.
        :raises SpecError: a malformed spec, or one that names no package.
        :raises EnvironmentFileError: the list is not there; the file cannot be written.
        """
        for text in specs:
            if text[:1] != "$":
                _refuse_nameless(text)
        document = yaml.round_trip(self.path)
        items = _list_of(document.data, definition, self.path)
        known = {item for item in items if isinstance(item, str)}
        fresh = dict.fromkeys(text for text in specs if text not in known)
        document.extend(items, fresh)
        return self._saved(document) if fresh else self

    def removed(
        self,
        specs: Sequence[str],
        definition: str = "",
        names: Mapping[str, Any] | None = None,
    ) -> EnvironmentManifest:
        """Save and return this manifest without the roots that satisfy one of *specs*.

        :param names: as for :meth:`user_specs`.
        :raises EnvironmentFileError: one of them is not there; nothing is changed then.
        """
        document = yaml.round_trip(self.path)
        items = _list_of(document.data, definition, self.path)
        for text in specs:
            query = parse(text)
            found = [
                index
                for index, item in enumerate(items)
                if isinstance(item, str)
                and (item == text or (item[:1] != "$" and _asks_for(parse(item), query)))
            ]
            if not found:
                raise self._not_there(text, [x for x in items if isinstance(x, str)], names)
            for index in reversed(found):
                del items[index]
        return self._saved(document)

    def respecified(
        self, change: Callable[[str], str], definition: str = ""
    ) -> EnvironmentManifest:
        """Save and return this manifest with *change* of each text among its roots.

        :param definition: the texts in this list of ``definitions`` instead.
        :raises EnvironmentFileError: the list is not there; the file cannot be written.
        """
        document = yaml.round_trip(self.path)
        items = _list_of(document.data, definition, self.path)
        for index, item in enumerate(items):
            if isinstance(item, str) and change(item) != item:
                items[index] = change(item)
        return self._saved(document)

    def with_view(self, view: bool | str) -> EnvironmentManifest:
        """Save and return this manifest with another ``view:``."""
        document = yaml.round_trip(self.path)
        if document.data["spack"] is None:
            document.data["spack"] = {}
        document.data["spack"]["view"] = view
        return self._saved(document)

    def including(self, paths: Sequence[str]) -> EnvironmentManifest:
        """Save and return this manifest with *paths* added to ``include_concrete``."""
        document = yaml.round_trip(self.path)
        if document.data["spack"] is None:
            document.data["spack"] = {}
        known = document.data["spack"].setdefault("include_concrete", [])
        document.extend(known, [path for path in paths if path not in known])
        return self._saved(document)

    def developed(self, spec: Spec, path: str) -> EnvironmentManifest:
        """Save and return this manifest with the package of *spec* built from *path*."""
        document = yaml.round_trip(self.path)
        if document.data["spack"] is None:
            document.data["spack"] = {}
        section = document.data["spack"].get("develop")
        if section is None:
            section = document.data["spack"]["develop"] = {}
        section[spec.name] = dict(row_of(spec, path))
        return self._saved(document)

    def undeveloped(self, names: Sequence[str]) -> EnvironmentManifest:
        """Save and return this manifest without these packages in ``develop:``.

        :raises EnvironmentFileError: one of them is not there; nothing is changed then.
        """
        document = yaml.round_trip(self.path)
        remove_entries(document.data, names, self.path)
        return self._saved(document)

    def _not_there(
        self, text: str, items: list[str], names: Mapping[str, Any] | None
    ) -> EnvironmentFileError:
        where = f"{self.path}: '{text}' is not among the specs"
        expanded = [spec for spec in self.user_specs(names) if spec.text == text]
        hint = "the specs are: " + ", ".join(items) if items else "there are no specs"
        if expanded:
            hint = f"it comes from a list or a matrix: edit {expanded[0].origin}"
        return EnvironmentFileError(
            where, facts={"spec": text, "specs": items}, hint=hint, ref="environment-spec"
        )

    def _saved(self, document: yaml.Document) -> EnvironmentManifest:
        # Check before writing: a file that was good stays good.
        result = EnvironmentManifest(yaml.load(self.loaded.file, document.text()))
        try:
            document.save()
        except OSError as error:
            raise EnvironmentFileError(
                f"{self.path} cannot be written: {error.strerror}",
                facts={"path": str(self.path)},
                ref="environment-write",
            ) from error
        return result


def _refuse_nameless(text: str) -> None:
    spec = parse(text)
    if not (spec.name or spec.hash_prefix):
        raise SpecError(
            f"'{text}' names no package",
            facts={"spec": text},
            hint="write a package's name first, as in py-black ^python@3.11:",
            ref="anonymous-root",
        )


def _asks_for(spec: Spec, query: Spec) -> bool:
    """Return whether the root *spec* is one of those that *query* means."""
    return (not query.name or spec.name == query.name) and spec.satisfies(query)


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _plain(tree: Any, fallback: Any) -> Any:
    """Return the data of a checked tree without its origins."""
    if tree is None:
        return fallback
    value = tree.value if isinstance(tree, Tree) else tree
    if isinstance(value, dict):
        return {key: _plain(child, None) for key, child in value.items()}
    if isinstance(value, list):
        return [_plain(child, None) for child in value]
    return value


def _refuse_shared_roots(views: Sequence[ViewDescriptor]) -> None:
    locations: dict[str, ViewDescriptor] = {}
    for view in views:
        other = locations.setdefault(view.root, view)
        if other is not view:
            raise EnvironmentFileError(
                f"{view.origin}: the views '{other.name}' and '{view.name}' have the same root",
                facts={"root": view.root},
                hint="give each view a directory of its own",
                ref="environment-view",
            )


def _refuse_nested_roots(views: Sequence[ViewDescriptor]) -> None:
    for inner in views:
        for outer in views:
            if inner is not outer and inner.root.startswith(outer.root.rstrip("/") + "/"):
                raise EnvironmentFileError(
                    f"{inner.origin}: the view '{inner.name}' is inside the view '{outer.name}'",
                    facts={"root": inner.root, "outer": outer.root},
                    hint="give each view a directory of its own, one beside the other",
                    ref="environment-view",
                )


def _refuse_colons(views: Sequence[ViewDescriptor]) -> None:
    for view in views:
        if os.pathsep in view.root:
            raise EnvironmentFileError(
                f"{view.origin}: the path of the view '{view.name}' has a '{os.pathsep}' in it, "
                f"so PATH cannot name it: {view.root}",
                facts={"root": view.root},
                hint="give the view another path: 'view: /some/where/else'",
                ref="environment-view",
            )


def _list_of(data: Any, definition: str, path: Path) -> Any:
    """Return the editable list of ruamel's data; created if it is ``specs`` and missing."""
    spack = data["spack"]
    if spack is None:
        spack = data["spack"] = {}
    if not definition:
        key = next((x for x in ("specs", "specs:") if x in spack), "specs")
        if spack.get(key) is None:
            spack[key] = []
        items = spack[key]
        if not items and hasattr(items, "fa"):
            # "[]" of a new file becomes a block list with its first item.
            items.fa.set_block_style()
        return items
    for entry in spack.get("definitions") or []:
        if definition in entry:
            return entry[definition]
    raise EnvironmentFileError(
        f"{path}: there is no definition named '{definition}'",
        facts={"definition": definition},
        hint="write it below 'definitions:' first",
        ref="environment-definition",
    )

"""Module files: written for installed packages, found, and removed with them.

A module sets what the prefix of its package asks for (``prefix_inspections``), what the recipe said
when the package was installed, and what ``modules.yaml`` adds. The module of a Python package
prepends its directory of modules to ``PYTHONPATH``, so that modules can be combined; with
``use_view`` a module shows the paths of an environment's view instead, whose Python needs none.

``module-index.yaml`` beside the files says by hash which file a package has, as Spack's does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spack.actions.module_layout import ModuleNames
from spack.actions.module_text import DIALECTS, ModuleContent, module_text
from spack.actions.views import folder_in_view, python_of, shown
from spack.config.module_settings import ModuleKind, ModuleSet
from spack.environment.spack_yaml import ViewDescriptor
from spack.errors import EnvironmentFileError, SpackError, ViewError
from spack.recipe.provisions import provided_by
from spack.recipe.records import Recipe
from spack.spec import ConcreteSpec
from spack.store import InstallRecord, Modes, Store
from spack.util.environment_modifications import Change, is_system_path
from spack.util.filesystem import atomic_write
from spack.util.frozen import frozen
from spack.util.text import count_of
from spack.util.yaml import load

__all__ = ["ModuleEntry", "ModuleFiles", "ModuleWork", "ViewOfModules", "is_of_system"]

_INDEX = "module-index.yaml"


class ModuleEntry(NamedTuple):
    """A module file that was written: where it is, and what ``module load`` calls it."""

    path: str
    use_name: str


class ViewOfModules(NamedTuple):
    """The view whose paths modules show, and the roots of its environment."""

    descriptor: ViewDescriptor
    roots: Sequence[ConcreteSpec]


@frozen
class ModuleWork:
    """What module files are made from.

    :param recipe: the facts of a package; None where no repository has it.
    :param modes: permissions of what belongs to a package.
    :param upstreams: directories of module files by the upstream install tree that they are of.
    :param view: for sets with ``use_view``.
    """

    store: Store
    module_set: ModuleSet
    kind: ModuleKind
    recipe: Callable[[str], Recipe | None]
    modes: Callable[[str], Modes]
    upstreams: Mapping[Path, Path]
    view: ViewOfModules | None = None


class ModuleFiles:
    """The module files of one kind in one set."""

    def __init__(self, work: ModuleWork) -> None:
        self._work = work
        self._tree = work.module_set.trees[work.kind]
        self._dialect = DIALECTS[work.kind]
        provided = provided_by(self._provisions)
        self.names = ModuleNames(
            work.module_set,
            self._tree,
            self._is_explicit,
            lambda node, virtual: provided(node, virtual) is not None,
        )
        self._folders: dict[str, str] | None = None

    @property
    def root(self) -> Path:
        """The directory of all these files."""
        return self._tree.root

    def _provisions(self, node: ConcreteSpec) -> Any:
        recipe = self._work.recipe(node.name)
        return () if recipe is None else recipe.provides

    def _is_explicit(self, spec_hash: str) -> bool:
        record = self._work.store.database.record(spec_hash)
        return record is not None and record.explicit

    # -- what is there -----------------------------------------------------------------------

    def index(self, root: Path | None = None) -> dict[str, ModuleEntry]:
        """Return by hash what was written; *root* is that of an upstream's files.

        :raises ConfigError: the index cannot be read.
        """
        path = (root or self.root) / _INDEX
        if not path.is_file():
            return {}
        entries = load(path).data.get("module_index") or {}
        return {
            str(spec_hash): ModuleEntry(str(entry["path"]), str(entry["use_name"]))
            for spec_hash, entry in entries.items()
        }

    def entry(self, node: ConcreteSpec) -> ModuleEntry | None:
        """Return the module of an installed node, None if there is none."""
        record = self._work.store.database.record(node.dag_hash())
        if record is not None and record.upstream:
            root = self._work.upstreams.get(Path(record.upstream))
            return None if root is None else self.index(root).get(node.dag_hash())
        if self.names.is_excluded(node):
            return None
        path = self.names.path(node)
        return ModuleEntry(str(path), self.names.use_name(node)) if path.is_file() else None

    # -- writing -----------------------------------------------------------------------------

    def write(self, nodes: Sequence[ConcreteSpec], *, delete_tree: bool = False) -> list[Path]:
        """Write the modules of installed *nodes*, those that are excluded left out.

        :param delete_tree: remove all module files of this kind before.
        :returns: the files.
        :raises SpackError: two of them would be one file; nothing is written then.
        """
        chosen = [node for node in nodes if not self.names.is_excluded(node)]
        paths = {node.dag_hash(): self.names.path(node) for node in chosen}
        self._refuse_clashes(chosen, paths)
        contents = {node.dag_hash(): self._text(node) for node in chosen}
        if delete_tree and self.root.is_dir():
            shutil.rmtree(self.root)
        for node in chosen:
            self._write_one(node, paths[node.dag_hash()], contents[node.dag_hash()])
        if chosen or delete_tree:
            self._update_index({node.dag_hash(): self._entry(node, paths) for node in chosen}, ())
        return [paths[node.dag_hash()] for node in chosen]

    def _entry(self, node: ConcreteSpec, paths: Mapping[str, Path]) -> ModuleEntry:
        return ModuleEntry(str(paths[node.dag_hash()]), self.names.use_name(node))

    def _refuse_clashes(self, nodes: Sequence[ConcreteSpec], paths: Mapping[str, Path]) -> None:
        first: dict[Path, ConcreteSpec] = {}
        problems = []
        for node in nodes:
            other = first.setdefault(paths[node.dag_hash()], node)
            if other is not node:
                problems.append(f"{paths[node.dag_hash()]}: {other.short} and {node.short}")
        if problems:
            raise SpackError(
                f"cannot write module files: {count_of(len(problems), 'name')} for two packages",
                "\n".join(problems),
                hint="let names differ: hash_length, suffixes or projections in modules.yaml",
                ref="module-clash",
            )

    def _write_one(self, node: ConcreteSpec, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        modes = self._work.modes(node.name)
        atomic_write(path, text, modes.file | stat.S_IWUSR)
        if modes.group is not None:
            os.chown(path, -1, modes.group)
        if self.names.is_default(node):
            _make_default(path)
        self._set_hidden(path, self.names.use_name(node), self.names.is_hidden(node))

    def set_default(self, node: ConcreteSpec) -> Path:
        """Let the module of *node* be the one that is loaded without a version.

        :raises SpackError: it has no module.
        """
        entry = self.entry(node)
        if entry is None:
            raise self.missing(node)
        _make_default(Path(entry.path))
        return Path(entry.path)

    def missing(self, node: ConcreteSpec) -> SpackError:
        """Return the error that says that *node* has no module."""
        kind = self._work.kind
        excluded = self.names.is_excluded(node)
        return SpackError(
            f"{node.short} has no {kind} module",
            facts={"hash": node.dag_hash(), "kind": kind},
            hint="the set of modules excludes it: see `spack config get modules`"
            if excluded
            else f"spack module {kind} refresh {node.name}",
            ref="no-module",
        )

    def _set_hidden(self, path: Path, use_name: str, hidden: bool) -> None:
        """Let ``module avail`` list a module, or not; the file without a line is removed."""
        file = path.with_name(self._dialect.hidden)
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        own = self._dialect.hide.format(name=use_name)
        head = [self._dialect.hidden_head] if self._dialect.hidden_head else []
        kept = [line for line in lines if line not in (own, *head)]
        if hidden:
            kept.append(own)
        if kept:
            atomic_write(file, "\n".join([*head, *kept]) + "\n")
        elif lines:
            file.unlink()

    def _update_index(self, added: Mapping[str, ModuleEntry], removed: Iterable[str]) -> None:
        entries = {**self.index(), **added}
        for spec_hash in removed:
            entries.pop(spec_hash, None)
        lines = ["module_index:" if entries else "module_index: {}"]
        for spec_hash, entry in entries.items():
            lines.append(f"  {spec_hash}:")
            lines += [f"    {key}: {json.dumps(text)}" for key, text in entry._asdict().items()]
        self.root.mkdir(parents=True, exist_ok=True)
        atomic_write(self.root / _INDEX, "\n".join(lines) + "\n")

    # -- removing ----------------------------------------------------------------------------

    def remove(self, hashes: Iterable[str]) -> list[Path]:
        """Remove the modules of packages that may be removed already; return their files."""
        index = self.index()
        found = {x: index[x] for x in hashes if x in index}
        removed = []
        for entry in found.values():
            path = Path(entry.path)
            if path.is_file():
                path.unlink()
                removed.append(path)
                default = path.with_name("default")
                if default.is_symlink() and not default.exists():
                    default.unlink()
                self._set_hidden(path, entry.use_name, False)
                self._remove_empty(path.parent)
        if found:
            self._update_index({}, found)
        return removed

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.root and self.root in folder.parents and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    # -- content -----------------------------------------------------------------------------

    def _text(self, node: ConcreteSpec) -> str:
        record = self._work.store.database.record(node.dag_hash())
        if record is None:
            raise SpackError(
                f"cannot write a module file: {node.short} is not installed", ref="not-installed"
            )
        return module_text(self._work.kind, self._content(node, record))

    def _content(self, node: ConcreteSpec, record: InstallRecord) -> ModuleContent:
        names, rules = self.names, self.names.rules(node)
        recipe = self._work.recipe(node.name)
        description = "" if recipe is None else recipe.description
        summary = " ".join(description.split("\n\n")[0].split()) or f"{node.name} {node.version}"
        needed = names.related(node, "autoload", "direct")
        autoload = [names.use_name(item) for item in needed if not is_of_system(item)]
        provides = names.provides(node)
        return ModuleContent(
            summary,
            description,
            facts={"Name": node.name, "Version": str(node.version), "Target": node.target},
            changes=self._changes(node, record, rules),
            autoload=[*autoload, *rules.get("load", ())],
            prerequisites=[names.use_name(x) for x in names.related(node, "prerequisites", "none")],
            conflicts=[node.format(text) for text in rules.get("conflict", ())],
            provides=provides,
            provider=(node.name, f"{node.version}-{node.dag_hash(7)}"),
            unlocked=list(names.unlocked(node)) if provides else (),
        )

    def _changes(
        self, node: ConcreteSpec, record: InstallRecord, rules: Mapping[str, Any]
    ) -> list[Change]:
        changes = [*self._inspected(record), *(Change(**x) for x in record.run_environment or ())]
        changes += self._python_modules(node, record, changes)
        if self._work.module_set.use_view:
            changes = [change for change in changes if change.name != "PYTHONPATH"]
            changes = [self._in_view(change, record.prefix) for change in changes]
        asked = _configured(rules.get("environment", {}))
        changes += [_filled(change, node, record.prefix) for change in asked]
        left_out = rules.get("filter", {}).get("exclude_env_vars", ())
        return [change for change in dict.fromkeys(changes) if change.name not in left_out]

    def _inspected(self, record: InstallRecord) -> Iterator[Change]:
        """Yield what the directories of a prefix ask for; those of the system are left out."""
        for folder, variables in self._work.module_set.inspections.items():
            path = os.path.normpath(os.path.join(record.prefix, folder))
            if os.path.isdir(path) and not is_system_path(path):
                yield from (Change("prepend_path", variable, path) for variable in variables)

    def _python_modules(
        self, node: ConcreteSpec, record: InstallRecord, known: Sequence[Change]
    ) -> list[Change]:
        """Return what lets Python import the modules of a Python package."""
        if node.external is not None or not any(
            edge.spec.name == "python-venv" and "run" in edge.deptypes for edge in node.edges
        ):
            return []
        try:
            python = python_of(node.traverse(), self._work.store)
        except ViewError:
            return []  # several Pythons, or one that nothing is known of
        if python is None:
            return []
        folders = dict.fromkeys((python.purelib, python.platlib))
        paths = [os.path.join(record.prefix, folder) for folder in folders]
        present = {change.value for change in known if change.name == "PYTHONPATH"}
        return [
            Change("prepend_path", "PYTHONPATH", path)
            for path in paths
            if os.path.isdir(path) and path not in present
        ]

    # -- views -------------------------------------------------------------------------------

    def _in_view(self, change: Change, prefix: str) -> Change:
        folder = self._shown_prefixes().get(prefix)
        if folder is None:
            return change
        return Change(
            change.action, change.name, change.value.replace(prefix, folder), change.separator
        )

    def _shown_prefixes(self) -> dict[str, str]:
        """Return the directory of the view for each prefix that it shows.

        :raises EnvironmentFileError: there is no such view.
        """
        if self._folders is None:
            view = self._work.view
            if view is None:
                raise EnvironmentFileError(
                    f"cannot write modules of the set {self._work.module_set.name}: `use_view` "
                    "needs an active environment with that view",
                    hint="spack -e NAME-OR-DIR module ...; or set use_view to false",
                    ref="module-view",
                )
            self._folders = {}
            for node in shown(view.roots, view.descriptor):
                record = self._work.store.database.record(node.dag_hash())
                if record is not None and node.external is None:
                    folder = folder_in_view(node, view.descriptor)
                    path = os.path.join(view.descriptor.root, folder).rstrip("/")
                    self._folders[record.prefix] = path
        return self._folders


def is_of_system(node: ConcreteSpec) -> bool:
    """Return whether *node* is a part of the system: there is nothing to load for it."""
    path = node.external_path
    return path is not None and is_system_path(path)


def _make_default(path: Path) -> None:
    """Let the module file *path* be the default among those of its directory."""
    staged = path.with_name(f".default-{os.getpid()}")
    staged.symlink_to(path.name)
    os.replace(staged, path.with_name("default"))


def _configured(settings: Mapping[str, Any]) -> list[Change]:
    """Return what ``environment:`` asks for."""
    changes = [Change("unset", name) for name in settings.get("unset", ())]
    for action in ("set", "prepend_path", "append_path", "remove_path"):
        rows = settings.get(action, {}).items()
        changes += [Change(action, name, str(value)) for name, value in rows]
    return changes


def _filled(change: Change, node: ConcreteSpec, prefix: str) -> Change:
    """Return a change with the attributes of *node* filled in; those in its name in upper case."""
    extra = {"prefix": prefix}
    name = re.sub(
        r"\{[^}]*\}", lambda match: node.format(match.group(), extra).upper(), change.name
    )
    value = node.format(change.value, extra)
    return Change(change.action, name.replace("-", "_"), value, change.separator)

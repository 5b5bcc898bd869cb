"""What a module file is called, which directory it is in, and which modules it loads.

Names follow the projections of ``modules.yaml``. Lmod's files are in a hierarchy: a package that
needs a provider of one of its virtual packages (``mpi``), or a compiler that is not a core one, is
in a directory of that provider, which the provider's own module adds to ``MODULEPATH``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from spack.config.module_settings import ModuleSet, ModuleTree
from spack.host.compiler_families import FAMILIES
from spack.spec import RUN_TIME, ConcreteSpec
from spack.store.layout import path_part
from spack.util.environment_modifications import is_system_path

__all__ = ["COMPILER", "ModuleNames", "Provided", "UnlockedDirectory"]

#: The level of the hierarchy that is always there.
COMPILER = "compiler"

#: The directory of what is built with a core compiler.
_CORE = "Core"

#: Whether a node's recipe provides a virtual package.
Provided = Callable[[ConcreteSpec, str], bool]

_COMPILERS = frozenset(family.name for family in FAMILIES)


class UnlockedDirectory(NamedTuple):
    """A directory that a module adds to ``MODULEPATH``.

    :ivar needs: virtual packages whose modules must be loaded for that.
    :ivar parts: of the path; one that is in *needs* is the directory of what is loaded then.
    """

    needs: tuple[str, ...]
    parts: tuple[str, ...]


class ModuleNames:
    """Names and paths of the module files of one tree; each node is looked at once.

    :param explicit: whether the user asked for the node with this hash.
    """

    def __init__(
        self,
        module_set: ModuleSet,
        tree: ModuleTree,
        explicit: Callable[[str], bool],
        provided: Provided,
    ) -> None:
        self.module_set = module_set
        self.tree = tree
        self._explicit = explicit
        self._provided = provided
        self._rules: dict[str, Mapping[str, Any]] = {}

    # -- rules -------------------------------------------------------------------------------

    def rules(self, node: ConcreteSpec) -> Mapping[str, Any]:
        """Return what ``modules.yaml`` says of *node*."""
        digest = node.dag_hash()
        if digest not in self._rules:
            satisfied = {spec: node.satisfies(spec) for spec in self.tree.rules if spec != "all"}
            self._rules[digest] = self.tree.rules_of(satisfied)
        return self._rules[digest]

    def is_excluded(self, node: ConcreteSpec) -> bool:
        """Return whether there is to be no module of *node*."""
        tree = self.tree
        if any(node.satisfies(spec) for spec in tree.include):
            return False
        if tree.exclude_implicits and not self._explicit(node.dag_hash()):
            return True
        return any(node.satisfies(spec) for spec in tree.exclude)

    def is_hidden(self, node: ConcreteSpec) -> bool:
        """Return whether ``module avail`` is not to list the module of *node*."""
        if any(self._provided(node, virtual) for virtual in self._levels if virtual != COMPILER):
            return False
        return self.tree.hide_implicits and not self._explicit(node.dag_hash())

    def is_default(self, node: ConcreteSpec) -> bool:
        """Return whether the module of *node* is the default among those of its directory."""
        return any(node.satisfies(spec) for spec in self.tree.defaults)

    def related(self, node: ConcreteSpec, key: str, fallback: str) -> list[ConcreteSpec]:
        """Return the dependencies that the rule *key* (``autoload``, ``prerequisites``) selects."""
        choice = self.rules(node).get(key, fallback)
        if choice == "none":
            return []
        if choice == "all":
            found = list(node.traverse(deptypes=RUN_TIME, root=False, order="breadth"))
        else:
            types = ("run",) if choice == "run" else RUN_TIME
            found = node.dependencies(deptype=types)
        unique = {item.dag_hash(): item for item in found}
        return [item for item in unique.values() if not self.is_excluded(item)]

    # -- names -------------------------------------------------------------------------------

    def use_name(self, node: ConcreteSpec) -> str:
        """Return what ``module load`` calls the module of *node*."""
        parts = [_formatted(node, _projection(node, self.tree.projections))]
        suffixes = self.rules(node).get("suffixes", {})
        chosen = [text for spec, text in suffixes.items() if spec in node]
        parts += [_formatted(node, text) for text in dict.fromkeys(chosen)]
        length = 7 if self.is_hidden(node) else self.tree.hash_length
        if length:
            parts.append(node.dag_hash(length))
        return "-".join(parts)

    def path(self, node: ConcreteSpec) -> Path:
        """Return the module file of *node*."""
        return Path(self.directory(node), self.use_name(node) + self._ending)

    def directory(self, node: ConcreteSpec) -> Path:
        """Return the directory in which names of modules begin: an entry of ``MODULEPATH``."""
        if self.tree.kind == "tcl":
            return self._architecture(node)
        needed = self._needed(node)
        levels = [self._part(level, needed[level]) for level in self._levels if level in needed]
        return Path(self._architecture(node), *levels)

    def _architecture(self, node: ConcreteSpec) -> Path:
        """Return the directory of an architecture; Lmod's are those of families of processors."""
        if not self.module_set.arch_folder:
            return self.tree.root
        target = node.target if self.tree.kind == "tcl" else _family(node.target)
        return self.tree.root / f"{node.platform}-{node.os}-{target}"

    @property
    def _ending(self) -> str:
        return ".lua" if self.tree.kind == "lmod" else ""

    # -- the hierarchy of Lmod ---------------------------------------------------------------

    @cached_property
    def _levels(self) -> tuple[str, ...]:
        if self.tree.kind == "tcl":
            return ()
        return tuple(dict.fromkeys((*self.tree.hierarchy, COMPILER)))

    def _needed(self, node: ConcreteSpec) -> dict[str, ConcreteSpec | None]:
        """Return the provider of each level that *node* needs; None is a core compiler."""
        compiler = _compiler_of(node)
        if compiler is None or any(node.satisfies(spec) for spec in self.tree.core_specs):
            return {COMPILER: None}
        needed: dict[str, ConcreteSpec | None] = {COMPILER: compiler}
        left_out = next(
            (names for spec, names in self.tree.without_levels.items() if node.satisfies(spec)), ()
        )
        for virtual in self._levels:
            if virtual == COMPILER or virtual in left_out or self._provided(node, virtual):
                continue
            edge = node.find_edge(virtual)
            if edge is not None:
                needed[virtual] = edge.spec
        return needed

    def provides(self, node: ConcreteSpec) -> tuple[str, ...]:
        """Return the levels of which *node* is a provider."""
        return tuple(
            level
            for level in self._levels
            if (node.name in _COMPILERS if level == COMPILER else self._provided(node, level))
        )

    def unlocked(self, node: ConcreteSpec) -> Iterator[UnlockedDirectory]:
        """Yield the directories that the module of *node* adds to ``MODULEPATH``.

        Those of what needs it; and, for each set of levels of which it has no provider, those of
        what needs these too, once the modules of their providers are loaded.
        """
        own = self.provides(node)
        needed = self._needed(node)
        available = {**needed, **dict.fromkeys(own, node)}
        missing = [level for level in self._levels if level not in available]
        kept = [level for level in needed if level != COMPILER or COMPILER not in own]
        seen: set[UnlockedDirectory] = set()
        for more in _subsets(missing):
            for some in _subsets(own):
                if not some:
                    continue
                chosen = {*some, *kept, *more}
                parts = tuple(
                    self._part(level, available[level]) if level in available else level
                    for level in self._levels
                    if level in chosen
                )
                row = UnlockedDirectory(more, (str(self._architecture(node)), *parts))
                if row not in seen:
                    seen.add(row)
                    yield row

    def _part(self, level: str, provider: ConcreteSpec | None) -> str:
        if provider is None or (level == COMPILER and self._is_core(provider)):
            return _CORE
        path = f"{provider.name}/{path_part(str(provider.version))}"
        # One compiler serves all its configurations; of other providers each has its own.
        return path if level == COMPILER else f"{path}-{provider.dag_hash(7)}"

    def _is_core(self, compiler: ConcreteSpec) -> bool:
        """Return whether a compiler is one of the core: as configured, else the system's own."""
        if self.tree.core_compilers:
            return any(compiler.satisfies(spec) for spec in self.tree.core_compilers)
        path = compiler.external_path
        return path is not None and is_system_path(path)


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _compiler_of(node: ConcreteSpec) -> ConcreteSpec | None:
    """Return the compiler of a node, or of what it links to and runs with, or None."""
    for below in node.traverse(deptypes=RUN_TIME):
        for language in ("c", "cxx", "fortran"):
            for found in below.dependencies(virtuals=language):
                return found
    return None


def _projection(node: ConcreteSpec, projections: Mapping[str, str]) -> str:
    for spec, template in projections.items():
        if spec != "all" and node.satisfies(spec):
            return template
    return projections["all"]


def _formatted(node: ConcreteSpec, template: str) -> str:
    """Return a name from its format; what is filled in adds no directories."""
    parts = [
        path_part(node.format(part)) for part in template.split("/") if part not in ("", ".", "..")
    ]
    return os.path.join(*parts) if parts else node.name


def _family(target: str) -> str:
    from archspec.cpu import TARGETS  # start-up: its tables take 40 ms

    known = TARGETS.get(target)
    return target if known is None else str(known.family.name)

"""Import of recipes: the ``spack_repo`` namespace.

==============================================  ==============================================
module                                          where it comes from
==============================================  ==============================================
``spack_repo.<ns>.packages.<dir>.package``      ``<root>/packages/<dir>/package.py``
``spack_repo.builtin.build_systems.<name>``     the engine's ``spack.build_systems.<name>``, else
                                                the file of the registered ``builtin`` repository
``spack_repo.<ns>.<anything else>``             ``<root>/<anything else>.py`` or a directory
==============================================  ==============================================

So recipes written for upstream get this project's build systems, and an upstream repository that
is registered supplies those that this project does not have. Recipe modules are compiled each
time: no ``__pycache__`` is left in anybody's repository.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from spack.repo.repository import Repository

__all__ = ["RecipeFinder", "install_finder", "module_name", "remove_finder"]

_ROOT = "spack_repo"
_ENGINE_BUILD_SYSTEMS = "spack.build_systems"
_BUILTIN_BUILD_SYSTEMS = f"{_ROOT}.builtin.build_systems"

#: Modules from before the public API that a few recipes still import names from.
_FORMER = {
    "spack.install_test": "spack.api.tests",
    "spack.util.environment": "spack.util.environment_modifications",
    "spack.util.executable": "spack.api.executable",
}


def module_name(repository: Repository, directory: str) -> str:
    """Return the module of the recipe in *directory*."""
    return f"{_ROOT}.{repository.namespace}.{repository.packages.name}.{directory}.package"


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Compiles from source, and writes no bytecode."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


class _NamespaceLoader(Loader):
    """A package without code."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        pass


class _AliasLoader(Loader):
    """Another name for a module of the engine: one module object, under both names."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._spec: Any = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put the alias's there


class RecipeFinder(MetaPathFinder):
    """Finds the modules of *repositories*; the first one of a namespace wins."""

    def __init__(self, repositories: Iterable[Repository]) -> None:
        self.roots: dict[str, Path] = {}
        for repository in repositories:
            self.roots.setdefault(repository.namespace, repository.root)
        self._namespaces = {
            ".".join(parts[:count])
            for parts in (name.split(".") for name in (*self.roots, "builtin"))
            for count in range(1, len(parts) + 1)
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname in _FORMER:
            return importlib.machinery.ModuleSpec(fullname, _AliasLoader(_FORMER[fullname]))
        if not fullname.startswith(_ROOT):
            return None
        if fullname == _ROOT:
            return self._package(fullname, None)
        if not fullname.startswith(f"{_ROOT}."):
            return None
        inner = fullname[len(_ROOT) + 1 :]
        if inner in self._namespaces:
            return self._package(fullname, self.roots.get(inner))
        if fullname.startswith(f"{_BUILTIN_BUILD_SYSTEMS}."):
            own = _ENGINE_BUILD_SYSTEMS + fullname[len(_BUILTIN_BUILD_SYSTEMS) :]
            if importlib.util.find_spec(own) is not None:
                return importlib.machinery.ModuleSpec(fullname, _AliasLoader(own))
        if fullname == _BUILTIN_BUILD_SYSTEMS:
            root = self.roots.get("builtin")
            if root is None or not (root / "build_systems").is_dir():
                return self._package(fullname, None)
        return self._in_repository(fullname, inner)

    def _in_repository(self, fullname: str, inner: str) -> importlib.machinery.ModuleSpec | None:
        parts = inner.split(".")
        for count in range(len(parts) - 1, 0, -1):
            root = self.roots.get(".".join(parts[:count]))
            if root is not None:
                break
        else:
            return None
        location = root.joinpath(*parts[count:])
        file = location.with_name(f"{location.name}.py")
        if file.is_file():
            return self._file(fullname, file)
        if location.is_dir():
            # An __init__.py of a recipe directory says nothing, that of a package of modules may.
            init = location / "__init__.py"
            if init.is_file() and not (location / "package.py").is_file():
                return self._file(fullname, init, search=[str(location)])
            return self._package(fullname, location)
        return None

    @staticmethod
    def _file(
        fullname: str, file: Path, search: list[str] | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(
            fullname,
            file,
            loader=_SourceLoader(fullname, str(file)),
            submodule_search_locations=search,
        )

    @staticmethod
    def _package(fullname: str, location: Path | None) -> importlib.machinery.ModuleSpec:
        spec = importlib.machinery.ModuleSpec(fullname, _NamespaceLoader(), is_package=True)
        spec.submodule_search_locations = [str(location)] if location is not None else []
        return spec


def install_finder(repositories: Iterable[Repository]) -> RecipeFinder:
    """Make recipes importable in this process; an earlier finder of this kind is replaced."""
    remove_finder()
    finder = RecipeFinder(repositories)
    sys.meta_path.insert(0, finder)
    return finder


def remove_finder() -> None:
    """Undo :func:`install_finder`, and forget the modules that came from it."""
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, RecipeFinder)]
    for name in [n for n in sys.modules if n == _ROOT or n.startswith(f"{_ROOT}.")]:
        del sys.modules[name]

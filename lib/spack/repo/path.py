"""All repositories in their order, answering as one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.errors import RecipeError
from spack.recipe.package_names import (
    INDEX_NAMESPACE,
    building_name,
    directory_name,
    package_name,
    suggest_names,
)
from spack.recipe.records import Recipe
from spack.repo.recipe_text_scan import Scans
from spack.repo.repository import Repository
from spack.repo.repository_index import RepositoryIndex, engine_fingerprint, providers_of
from spack.util.hashing import checksum

if TYPE_CHECKING:
    from spack.repo.facts_process import FactsBuilder
    from spack.repo.index_repository import IndexRepository
    from spack.repo.recipe_reader import RecipeReader
    from spack.spec import ConcreteSpec

__all__ = ["RepoPath"]

#: Recipes that are a part of the engine: builds rest on what they make, not only on its name. A
#: registered upstream ``builtin`` has its own of these, written for its own engine; any other
#: repository that has one comes before it. ``builtin.python-venv`` still asks for that one.
ENGINE_RECIPES = frozenset({"compiler_wrapper", "python_venv"})

#: Where upstream keeps the repository ``builtin``.
UPSTREAM = "https://github.com/spack/spack-packages.git"

#: What of the engine decides about facts.
_ENGINE = ("", "api", "recipe", "repo", "spec", "build_systems")


class RepoPath:
    """Repositories in order of precedence: the first that has a package answers for it.

    For :data:`ENGINE_RECIPES` the repository ``builtin`` comes last, whatever its position.

    :param repositories: the repositories.
    :param cache_dir: where the indexes are kept; None keeps them in memory.
    :param build_index: computes facts; replaced in tests.
    :param on_build: called with the number of recipes before facts are computed.
    :param of_index: recipes of projects on the package index, for nodes only.

    The indexes are read, checked (one stat for each recipe) and updated when the first
    question is asked, and not again: one object represents one moment.
    """

    def __init__(
        self,
        repositories: Iterable[Repository],
        cache_dir: Path | None,
        *,
        build_index: FactsBuilder | None = None,
        on_build: Callable[[int], None] | None = None,
        of_index: IndexRepository | None = None,
    ) -> None:
        self.repositories: Sequence[Repository] = tuple(repositories)
        self._cache_dir = cache_dir
        self._build = build_index
        self._on_build = on_build
        self.of_index = of_index
        self._indexes: list[RepositoryIndex] | None = None
        self._identity: str | None = None
        self._recipes: dict[str, Recipe | None] = {}
        self._providers: dict[str, tuple[str, ...]] | None = None
        self._projects: dict[str, str] | None = None
        self._reader: RecipeReader | None = None

    # The indexes.

    def indexes(self) -> list[RepositoryIndex]:
        """Return the indexes of the repositories, up to date.

        :raises RecipeError: the process that computes facts failed.
        """
        if self._indexes is None:
            self._indexes = self._load()
        return self._indexes

    def _load(self) -> list[RepositoryIndex]:
        engine = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        code = engine_fingerprint([os.path.join(engine, name) for name in _ENGINE])
        own = [engine_fingerprint([str(r.root / "build_systems")]) for r in self.repositories]
        surroundings = "\n".join((*own, *(str(r.root) for r in self.repositories)))
        indexes = [
            RepositoryIndex(
                repository, self._directory(repository), f"{code}\n{systems}", surroundings
            )
            for repository, systems in zip(self.repositories, own)
        ]
        stale = [index.stale() for index in indexes]
        scans = [
            Scans.of(index.repository, changed, os.path.join(engine, "build_systems"))
            for index, (changed, _) in zip(indexes, stale)
        ]
        work = [(number, name) for number, scan in enumerate(scans) for name in scan.at_once]
        rows = self._read_many(work)
        for number, (index, scan, (_, removed)) in enumerate(zip(indexes, scans, stale)):
            new = rows.get(number, ())
            if removed or new or scan.later or index.refreshed:
                index.update(new, removed, scan.later, scan.outer)
        states = [index.state for index in indexes]
        self._identity = "\n".join([code, surroundings, *states]) if all(states) else None
        return indexes

    def _read_many(self, work: Sequence[tuple[int, str]]) -> dict[int, list[Any]]:
        """Return the rows of recipes by the numbers of their repositories."""
        rows: dict[int, list[Any]] = {}
        if work:
            if self._on_build is not None:
                self._on_build(len(work))
            for row in self._builder()([r.root for r in self.repositories], work):
                rows.setdefault(row[0], []).append(row)
        return rows

    def _read_all(self) -> None:
        """Read the recipes that no question has been about."""
        indexes = self.indexes()
        work = [(i, name) for i, index in enumerate(indexes) for name in index.unread()]
        for number, rows in self._read_many(work).items():
            indexes[number].update(rows, ())

    def _read(self, index: RepositoryIndex, directory: str) -> None:
        """Read one recipe, if that has not been done."""
        if not index.is_unread(directory):
            return
        if self._reader is None:
            from spack.repo.recipe_reader import RecipeReader  # start-up: seldom

            self._reader = RecipeReader([r.root for r in self.repositories])
        row = self._reader.row(self.indexes().index(index), directory)
        index.take_now(row)
        if row[6]:
            self._providers = None

    def close(self) -> None:
        """Write what was read for single questions, and end the process that read it."""
        if self._reader is not None:
            self._reader.close()
            for index in self._indexes or ():
                index.keep()

    def identity(self) -> str | None:
        """Return a text that changes with any recipe; None if they are not on disk."""
        self.indexes()
        return self._identity

    def _builder(self) -> FactsBuilder:
        if self._build is not None:
            return self._build
        from spack.repo.facts_process import (
            compute_facts,  # start-up: not needed with a fresh index
        )

        return compute_facts

    def _directory(self, repository: Repository) -> Path | None:
        if self._cache_dir is None:
            return None
        # Of repositories with one namespace the first defines what recipes of all import.
        earlier = self.repositories[: self.repositories.index(repository)]
        same = [r for r in earlier if r.namespace == repository.namespace]
        roots = "\n".join(str(r.root) for r in (repository, *same))
        key = checksum(roots.encode("utf-8", "surrogateescape"))
        return self._cache_dir / f"{repository.namespace}-{key:08x}"

    # Questions.

    def names(self) -> tuple[str, ...]:
        """Return the sorted names of all packages, also of those whose recipe cannot be used."""
        found = {package_name(d) for index in self.indexes() for d in index.entries}
        return tuple(sorted(found))

    def exists(self, name: str) -> bool:
        """Return whether some repository has a recipe of this name (virtual packages included)."""
        return self._find(name) is not None

    def get(self, name: str) -> Recipe | None:
        """Return the facts of a package, ``namespace.name`` asks one repository; None when unknown.

        :raises RecipeError: its recipe cannot be used.
        """
        if name not in self._recipes:
            found = self._find(name)
            if found is None:
                return None
            index, directory = found
            error = self._error(index, directory)
            if error is not None:
                message, hint = error
                raise RecipeError(message, hint=hint, facts={"package": package_name(directory)})
            self._recipes[name] = index.recipe(directory)
        return self._recipes[name]

    def is_broken(self, name: str) -> bool:
        """Return whether the recipe of package *name* cannot be used."""
        found = self._find(name)
        return found is not None and self._error(*found) is not None

    def _error(self, index: RepositoryIndex, directory: str) -> tuple[str, str | None] | None:
        self._read(index, directory)
        return index.errors.get(directory)

    def of_node(self, spec: ConcreteSpec) -> Recipe | None:
        """Return the facts of a node's package; None when no repository has it.

        :raises RecipeError: its recipe cannot be used.
        """
        if spec.namespace == INDEX_NAMESPACE and self.of_index is not None:
            return self.of_index.recipe(spec.name)
        return self.get(building_name(spec.fullname)) or self.get(spec.name)

    def with_roots(self) -> tuple[tuple[str, str], ...]:
        """Return namespace and root of every repository that nodes may come from."""
        rows = [(repository.namespace, str(repository.root)) for repository in self.repositories]
        if self.of_index is not None and self.of_index.root.is_dir():
            rows.append((INDEX_NAMESPACE, str(self.of_index.root)))
        return tuple(rows)

    def providers(self, virtual: str) -> tuple[str, ...]:
        """Return the sorted names of the packages that provide *virtual* under some condition."""
        return self._provider_table().get(virtual, ())

    def virtual_names(self) -> tuple[str, ...]:
        """Return the sorted names of all virtual packages."""
        named = {package_name(d) for index in self.indexes() for d in index.virtual}
        provided = {v for v in self._provider_table() if not self._is_package(v)}
        return tuple(sorted(named | provided))

    def is_virtual(self, name: str) -> bool:
        """Return whether *name* is a virtual package: described as one, or only provided."""
        found = self._find(name)
        if found is not None:
            return found[1] in found[0].virtual
        return name in self._provider_table()

    def suggestions(self, name: str) -> list[str]:
        """Return the names of packages that resemble *name*."""
        return suggest_names(name, (*self.names(), *self.virtual_names()))

    def errors(self) -> dict[str, tuple[str, str | None]]:
        """Return the packages whose recipe cannot be used: name to (message, hint). Reads all."""
        self._read_all()
        return {
            package_name(directory): error
            for index in reversed(self.indexes())
            for directory, error in index.errors.items()
        }

    def package_of_project(self, project: str) -> str:
        """Return the package of a project of the package index: ``py-NAME`` where none is.

        The recipe of that name counts, unless it names another project; then the one that names
        the project, whatever its own name is.

        :param project: normalized (:pep:`503`).
        """
        if self._projects is None:
            self._projects = {}
            for index in reversed(self.indexes()):
                for directory, named in index.projects.items():
                    self._projects[named] = package_name(directory)
        usual = f"py-{project}"
        found = self._find(usual)
        if found is not None and found[0].projects.get(found[1], project) == project:
            return usual
        return self._projects.get(project, usual)

    def repository_of(self, name: str) -> Repository:
        """Return the repository that answers for package *name*.

        :raises RecipeError: there is none.
        """
        found = self._find(name)
        if found is None:
            raise self.unknown(name)
        return found[0].repository

    def unknown(self, name: str) -> RecipeError:
        """Return the error for a package that does not exist, with suggestions."""
        suggestions = self.suggestions(name)
        hint = (
            f"did you mean {' or '.join(suggestions[:3])}?" if suggestions else "see 'spack list'."
        )
        if not any(_is_upstream(repository) for repository in self.repositories):
            hint += f" Upstream's recipes are not registered: spack repo add {UPSTREAM}"
        facts = {"package": name, "near": suggestions}
        return RecipeError(f"there is no package {name!r}", facts=facts, hint=hint)

    def load_class(self, name: str) -> Any:
        """Return the package class, for build workers and explicit commands: this runs the recipe.

        :raises RecipeError: there is no such package, or its recipe fails.
        """
        # start-up: the import machinery of recipes, which only this needs
        from spack.repo.finder import install_finder
        from spack.repo.load_class import load_class

        directory = directory_name(name.rpartition(".")[2])
        for repository in self._candidates(name):
            if (repository.packages / directory / "package.py").is_file():
                install_finder(self.repositories)
                return load_class(repository, directory)
        raise RecipeError(f"there is no package {name!r}", facts={"package": name})

    # Details.

    def _candidates(self, name: str) -> list[Repository]:
        namespace, _, bare = name.rpartition(".")
        found = [r for r in self.repositories if not namespace or r.namespace == namespace]
        if directory_name(bare) in ENGINE_RECIPES:
            found.sort(key=_is_upstream)
        return found

    def _find(self, name: str) -> tuple[RepositoryIndex, str] | None:
        namespace, _, bare = name.rpartition(".")
        directory = directory_name(bare)
        indexes = self.indexes()
        if directory in ENGINE_RECIPES:
            indexes = sorted(indexes, key=lambda index: _is_upstream(index.repository))
        for index in indexes:
            if directory in index.entries and namespace in ("", index.repository.namespace):
                return index, directory
        return None

    def _is_package(self, name: str) -> bool:
        found = self._find(name)
        return found is not None and found[1] not in found[0].virtual

    def _provider_table(self) -> dict[str, tuple[str, ...]]:
        if self._providers is None:
            table: dict[str, set[str]] = {}
            for index in self.indexes():
                for virtual, names in providers_of(index).items():
                    # Only the recipe that answers for a name counts.
                    visible = {n for n in names if (self._find(n) or (None,))[0] is index}
                    table.setdefault(virtual, set()).update(visible)
            self._providers = {v: tuple(sorted(names)) for v, names in table.items() if names}
        return self._providers


def _is_upstream(repository: Repository) -> bool:
    return repository.namespace == "builtin"

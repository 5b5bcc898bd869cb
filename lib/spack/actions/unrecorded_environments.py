"""Run environments of packages whose install records have none.

Spack does not record what ``setup_run_environment`` of recipes changes: it asks the recipe whenever
a package is used. Here it is asked once, and what it says is kept, as it is of builds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.spec import RUN_TIME, ConcreteSpec, dump
from spack.util.filesystem import atomic_write
from spack.util.frozen import frozen
from spack.util.hashing import sha256_hex
from spack.util.json_input import parse_json

if TYPE_CHECKING:
    from spack.repo import RepoPath
    from spack.store import Store

__all__ = ["UnrecordedEnvironments"]

_OWN, _OF_DEPENDENTS = "setup_run_environment", "setup_dependent_run_environment"

#: What these say is for extensions without a virtual environment; a view is one.
_PYTHONS = frozenset(("python", "python-venv"))

#: As ``EnvironmentModifications.to_json`` gives them.
_Changes = Sequence[Mapping[str, str]]


@frozen
class UnrecordedEnvironments:
    """What recipes say of packages that another tool installed.

    :param folder: where their answers are kept. :param recipes: opened only for what is new.
    :param library_path: what a child needs on ``sys.path``.
    """

    folder: Path
    recipes: Callable[[], RepoPath]
    library_path: tuple[str, ...]

    def of(self, nodes: Sequence[ConcreteSpec], store: Store) -> dict[str, _Changes]:
        """Return the changes of installed *nodes*, by hash; none where there is no recipe.

        :raises ViewError: a recipe failed, with its line.
        """
        files = {node.dag_hash(): self._file(node, store) for node in nodes}
        known = {digest: _kept(path) for digest, path in files.items()}
        found = {digest: changes for digest, changes in known.items() if changes is not None}
        new = [node for node in nodes if node.dag_hash() not in found]
        answers = self._asked(new, store) if new else {}
        for digest, changes in answers.items():
            _keep(files[digest], changes)
        return {**found, **answers}

    def _file(self, node: ConcreteSpec, store: Store) -> Path:
        digest = node.dag_hash()
        return self.folder / digest[:2] / f"{digest}-{sha256_hex(str(store.prefix(node)))[:8]}.json"

    def _asked(self, nodes: Iterable[ConcreteSpec], store: Store) -> dict[str, _Changes]:
        path = self.recipes()
        answers: dict[str, _Changes] = {}
        asked: dict[str, tuple[ConcreteSpec, list[str]]] = {}
        for node in nodes:
            recipe = path.of_node(node)
            if recipe is None:
                continue
            below = [x.dag_hash() for x in _runtime(node) if _has(path, x, _OF_DEPENDENTS)]
            if node.name not in _PYTHONS and (below or _OWN in recipe.hooks):
                asked[node.dag_hash()] = node, below
            else:
                answers[node.dag_hash()] = ()
        if not asked:
            return answers
        from spack.view.hooks import HookContext, ask_run_environments  # start-up: few are new

        specs = [node for node, _ in asked.values()]
        every = {x.dag_hash(): x for spec in specs for x in spec.traverse()}
        context = HookContext(
            dump(specs),
            {digest: str(store.prefix(node)) for digest, node in every.items()},
            path.with_roots(),
            self.library_path,
        )
        rows = {digest: below for digest, (_, below) in asked.items()}
        return {**answers, **ask_run_environments(context, rows)}


def _runtime(node: ConcreteSpec) -> Iterable[ConcreteSpec]:
    return (x for x in node.traverse(RUN_TIME, root=False, order="post") if x.name not in _PYTHONS)


def _has(recipes: RepoPath, node: ConcreteSpec, hook: str) -> bool:
    recipe = recipes.of_node(node)
    return recipe is not None and hook in recipe.hooks


def _kept(path: Path) -> _Changes | None:
    try:
        data: Any = parse_json(path.read_bytes())
        return [dict(row) for row in data]
    except (OSError, ValueError, TypeError):
        return None


def _keep(path: Path, changes: _Changes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(changes))
    except OSError:  # a cache that cannot be written: it is computed again
        pass

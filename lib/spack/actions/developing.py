"""Packages that are built from a developer's directory: starting, ending, and when to build again.

What is installed remembers from which state of its directory it was built
(:func:`spack.fetch.develop_sources.fingerprint`); the next install compares.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

from spack.actions.notices import SourcesChanged
from spack.errors import FetchError, SpecError, UsageError
from spack.fetch.develop_sources import check_directory, fingerprint
from spack.spec import VariantValue, Version, VersionList
from spack.util.filesystem import remove_tree

if TYPE_CHECKING:
    # What fetches is imported when sources are to be fetched.
    from spack.build.options import BuildOptions
    from spack.environment import DevelopSpec, Environment
    from spack.recipe.records import Recipe
    from spack.spec import ConcreteSpec, Spec
    from spack.store import Store
    from spack.util.report import Reporter, Task

__all__ = [
    "DEVELOPED",
    "DevelopPath",
    "make_fetcher_for",
    "developed_spec",
    "is_editable",
    "need_directory",
    "outdated",
    "directory_of",
    "source_directory",
    "state_of",
]

#: The fact of an install record that identifies the state of a directory that was built.
DEVELOPED = "developed"

#: A dependent that is built with a package must be rebuilt with it; one that runs it need not.
_BUILT_WITH = frozenset({"build", "link"})


def source_directory(spec: ConcreteSpec) -> Path:
    """Return the developer's directory that a node is built from."""
    return Path(spec.variants["dev_path"].values[0])


def is_editable(spec: ConcreteSpec) -> bool:
    """Return whether the install of a developed node refers to its directory."""
    return spec.is_develop and spec.satisfies("+editable")


def state_of(spec: ConcreteSpec, excluded_directories: Sequence[Path]) -> str:
    """Return a text that differs when the directory of a developed node has changed.

    :param excluded_directories: directories of the engine among the sources; not sources.
    """
    return fingerprint(
        source_directory(spec), editable=is_editable(spec), without=excluded_directories
    )


def outdated(
    roots: Iterable[ConcreteSpec],
    store: Store,
    excluded_directories: Callable[[], Sequence[Path]],
    reporter: Reporter,
) -> frozenset[str]:
    """Return hashes of installed nodes whose directory has changed, and of those built with them.

    :param excluded_directories: see :func:`state_of`; asked when something is developed.

    A missing directory changes nothing: what was installed from it is still installed.
    """
    nodes = {node.dag_hash(): node for root in roots for node in root.traverse()}
    developed = [node for node in nodes.values() if node.is_develop]
    locations = excluded_directories() if developed else ()
    changed: set[str] = set()
    for node in developed:
        record = store.database.record(node.dag_hash())
        if record is None or not record.installed:
            continue
        try:
            check_directory(source_directory(node), node.name)
        except FetchError as error:
            reporter.warning(f"{error.message}; it stays as it was installed")
            continue
        if record.facts.get(DEVELOPED) != state_of(node, locations):
            reporter.report(SourcesChanged(node.short, source_directory(node)))
            changed.add(node.dag_hash())
    return frozenset(changed.union(_built_with(changed, list(nodes.values()), store)))


def _built_with(changed: set[str], nodes: Sequence[ConcreteSpec], store: Store) -> Iterator[str]:
    """Yield installed nodes that were built with one of *changed*, directly or indirectly."""
    reached, news = set(changed), bool(changed)
    while news:
        news = False
        for node in nodes:
            digest = node.dag_hash()
            if digest not in reached and any(
                edge.spec.dag_hash() in reached and edge.deptypes & _BUILT_WITH
                for edge in node.edges
            ):
                news = True
                reached.add(digest)
                record = store.database.record(digest)
                if record is not None and record.installed and node.external is None:
                    yield digest


def developed_spec(spec: Spec, environment: Environment, recipe: Recipe, editable: bool) -> Spec:
    """Return the entry to write into ``spack.yaml``: the spec with the version that is developed.

    It is the one that *spec* names, else that of the environment, else the recipe's highest.

    :raises SpecError: there is no version, or the environment has several.
    """
    from spack.environment.develop_specs import spec_with_version  # start-up: few commands edit

    if editable:
        value = VariantValue.boolean("editable", True)
        spec = spec.replace(variants={**spec.variants, "editable": value})
    if spec.dependencies or "dev_path" in spec.variants:
        raise SpecError(
            f"'{spec}': only a version and variants of {spec.name} can be developed",
            hint=f"spack develop -p DIRECTORY {spec.name}@VERSION",
            ref="develop-spec",
        )
    ready = spec_with_version(spec)
    if ready is not None:
        return ready
    if not spec.versions.is_any:
        raise SpecError(
            f"'{spec}' is a range of versions, and a directory has one",
            hint=f"name the version that the directory is to count as: {spec.name}@=1.0",
            ref="develop-version",
        )
    locked = {
        node.version
        for root in environment.roots()
        for node in root.traverse()
        if node.name == spec.name and node.satisfies(spec)
    }
    if len(locked) > 1:
        found = ", ".join(map(str, sorted(locked)))
        raise SpecError(
            f"{spec.name} is in the environment with the versions {found}",
            hint=f"say which is developed: {spec.name}@={max(locked)}",
            ref="develop-version",
        )
    known = locked or {Version(row.version) for row in recipe.versions}
    if not known:
        raise SpecError(
            f"the recipe of {spec.name} has no version",
            hint=f"say what the directory counts as: {spec.name}@=1.0",
            ref="develop-version",
        )
    return spec.replace(versions=VersionList([max(known)]))


class DevelopPath(NamedTuple):
    """A developer's directory.

    :ivar written: as ``spack.yaml`` names it.
    """

    path: Path
    written: str


def directory_of(
    given: str, name: str, environment: Environment, cwd: Path, developed: Sequence[DevelopSpec]
) -> DevelopPath:
    """Return the directory that ``-p`` names, from the user's directory or the environment's.

    :param developed: what the environment develops already.

    A directory in the environment's is written relative to it, so that both can be moved.
    """
    folder = environment.path
    if not given:
        rows = [row for row in developed if row.name == name]
        path = Path(rows[0].path) if rows else folder / name
    else:
        nearby = [
            Path(os.path.abspath(location / Path(given).expanduser())) for location in (cwd, folder)
        ]
        path = next((location for location in nearby if location.exists()), nearby[1])
    inside = path != folder and folder in path.parents
    return DevelopPath(path, str(path.relative_to(folder)) if inside else str(path))


def make_fetcher_for(spec: Spec, path: Path, build_options: BuildOptions, task: Task) -> None:
    """Put the sources of *spec* into the directory *path*, replacing its content.

    :raises FetchError: the sources cannot be fetched, and *path* is as it was.
    """
    import shutil  # start-up: only this command moves sources

    recipe = build_options.recipes.get(spec.name or "")
    assert recipe is not None  # the command has looked
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.parent / f".{path.name}.new"
    _remove(staging)
    try:
        stage = build_options.fetcher.stage(
            recipe,
            str(spec.versions.concrete),
            staging,
            progress=lambda done, total: task.progress(done, total or 0),
        )
        _remove(path)
        shutil.move(str(stage.source_path), str(path))
    finally:
        _remove(staging)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif os.path.lexists(path):
        remove_tree(path)


def need_directory(path: Path, name: str, hint: str) -> None:
    """Refuse a *path* that cannot be built from.

    :raises UsageError: *path* cannot be built from; *hint* says how to name another.
    """
    try:
        check_directory(path, name)
    except FetchError as error:
        raise UsageError(
            f"{path}: there is no directory to develop {name} in",
            hint=hint,
            ref="develop-directory",
        ) from error

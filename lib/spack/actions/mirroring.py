"""Mirrors of sources: filled with verified files, for machines without a network.

A mirror has the layout of the source cache (:mod:`spack.fetch.source_cache`), so a fetcher whose
cache is the mirror fills it, and a fetcher that has it among its mirrors reads it. States of git
repositories are not mirrored: nothing in such an archive shows that it is the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from spack.actions.staging import patches_of, pinned_of, resources_of
from spack.errors import FetchError, SpackError, UsageError
from spack.fetch.fetcher import Fetcher
from spack.fetch.source import (
    GitSource,
    Pinned,
    Source,
    patch_source,
    resource_source,
    source_for,
)
from spack.recipe.records import PatchRecord, Recipe, ResourceRecord
from spack.repo import RepoPath
from spack.spec import ConcreteSpec, Spec, Version
from spack.util.filesystem import remove_tree
from spack.util.frozen import frozen

__all__ = [
    "MirrorReport",
    "Mirrored",
    "destroy",
    "every_version",
    "fill",
    "further_versions",
    "of_nodes",
]

#: What shows that a directory is a mirror of sources.
_CACHE = "_source-cache"


@frozen
class Mirrored:
    """One version of a package, with what its builds need beside its own source."""

    recipe: Recipe
    version: str
    resources: tuple[ResourceRecord, ...] = ()
    patches: tuple[tuple[Recipe, PatchRecord], ...] = ()
    pinned: Pinned = None

    @property
    def name(self) -> str:
        """``name@version``."""
        return f"{self.recipe.name}@{self.version}"

    def sources(self) -> Iterator[Source]:
        """Yield all that is downloaded for it.

        :raises FetchError: a source is of a kind that is not supported, or missing.
        """
        if self.recipe.attributes.get("has_code", True):
            yield source_for(self.recipe, self.version, self.pinned)
        for record in self.resources:
            yield resource_source(self.recipe, record)
        for owner, patch in self.patches:
            found = patch_source(owner, patch)
            if not isinstance(found, Path):
                yield found


@frozen
class MirrorReport:
    """What filling a mirror did, by packages; an item of *failed* has its error."""

    present: tuple[str, ...]
    added: tuple[str, ...]
    from_git: tuple[str, ...]
    failed: tuple[tuple[str, SpackError], ...]


def of_nodes(
    nodes: Iterable[ConcreteSpec], recipes: RepoPath, exclude: Sequence[Spec] = ()
) -> list[Mirrored]:
    """Return what concrete nodes are built from, each once; externals are not built.

    Patches that dependents add to their dependencies are among them.
    """

    def recipe_of(node: ConcreteSpec) -> Recipe:
        found = recipes.of_node(node)
        if found is None:
            raise recipes.unknown(node.name)
        return found

    every = list({node.dag_hash(): node for node in nodes}.values())
    dependents: dict[str, list[ConcreteSpec]] = {}
    for node in every:
        for edge in node.edges:
            dependents.setdefault(edge.spec.dag_hash(), []).append(node)
    found = []
    for node in sorted(every):
        if node.external is not None or node.is_develop or any(node.satisfies(x) for x in exclude):
            continue
        recipe = recipe_of(node)
        patches = patches_of(node, recipe, dependents.get(node.dag_hash(), ()), recipe_of)
        found.append(
            Mirrored(
                recipe,
                str(node.version),
                tuple(resources_of(recipe, node, recipe_of)),
                tuple(patches),
                pinned_of(node),
            )
        )
    return found


def further_versions(
    specs: Iterable[Spec], recipes: RepoPath, count: int | None, exclude: Sequence[Spec] = ()
) -> list[Mirrored]:
    """Return the newest *count* versions (all with None) that each of *specs* allows."""
    found: list[Mirrored] = []
    for spec in specs:
        recipe = recipes.get(spec.name or "")
        if recipe is None:
            raise recipes.unknown(spec.name or "")
        versions = sorted((Version(x.version) for x in recipe.versions), reverse=True)
        allowed = [x for x in versions if x in spec.versions and not _excluded(recipe, x, exclude)]
        found += [_any_configuration(recipe, version) for version in allowed[:count]]
    return found


def every_version(recipes: Iterable[Recipe], exclude: Sequence[Spec] = ()) -> list[Mirrored]:
    """Return all versions of *recipes*."""
    return [
        _any_configuration(recipe, Version(record.version))
        for recipe in recipes
        for record in recipe.versions
        if not _excluded(recipe, Version(record.version), exclude)
    ]


def _excluded(recipe: Recipe, version: Version, exclude: Sequence[Spec]) -> bool:
    return any(x.name == recipe.name and version in x.versions for x in exclude)


def _any_configuration(recipe: Recipe, version: Version) -> Mirrored:
    """Return a version with the resources and patches that some variants of it need."""

    def may_hold(when: str) -> bool:
        return not when or version in Spec.parse(when).versions

    return Mirrored(
        recipe,
        str(version),
        tuple(x for x in recipe.resources if may_hold(x.when)),
        tuple((recipe, x) for x in recipe.patches if may_hold(x.when)),
    )


def fill(
    items: Sequence[Mirrored],
    fetcher: Fetcher,
    root: Path,
    *,
    jobs: int = 1,
    unstable: bool = True,
    on_item: Callable[[str, str], None] = lambda name, outcome: None,
) -> MirrorReport:
    """Put the sources of *items* into the mirror at *root*, each verified by its checksum.

    :param fetcher: finds what the mirror lacks: its cache, its mirrors, the index, the network.
    :param unstable: False leaves out versions whose source has no checksum.
    :param on_item: called for each item that is done, with its name and ``present``, ``added``,
        ``git`` or ``failed``; from any thread.
    """

    def fill_one(item: Mirrored) -> str | SpackError:
        outcome = _fill_one(item, target, unstable)
        on_item(item.name, "failed" if isinstance(outcome, SpackError) else outcome)
        return outcome

    target = fetcher.into(root)
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        outcomes = list(pool.map(fill_one, items))
    names: dict[str, list[str]] = {"present": [], "added": [], "git": []}
    failed = []
    for item, outcome in zip(items, outcomes):
        if isinstance(outcome, SpackError):
            failed.append((item.name, outcome))
        elif outcome:
            names[outcome].append(item.name)
    return MirrorReport(
        tuple(names["present"]), tuple(names["added"]), tuple(names["git"]), tuple(failed)
    )


def _fill_one(item: Mirrored, target: Fetcher, unstable: bool) -> str | SpackError:
    """Return whether the item was ``present``, was ``added`` or is from ``git``; "" for nothing."""
    git = fresh = False
    count = 0
    try:
        for source in item.sources():
            if isinstance(source, GitSource):
                git = True
                continue
            if source.checksum is None and not unstable:
                continue
            count += 1
            fresh |= not target.has(source)
            target.fetch(source)
    except SpackError as error:
        return error
    if fresh:
        return "added"
    return "git" if git else "present" if count else ""


def destroy(root: Path) -> None:
    """Remove the mirror in a directory.

    :raises UsageError: the directory is not a mirror.
    :raises FetchError: it cannot be removed.
    """
    if not (root / _CACHE).is_dir():
        raise UsageError(
            f"{root} is not a mirror of sources, so it is not removed",
            hint=f"a mirror has a directory {_CACHE}",
            ref="mirror-directory",
        )
    try:
        remove_tree(root)
    except OSError as error:
        raise FetchError(
            f"cannot remove the mirror {root}: {error.strerror}",
            hint="make it writable",
            ref="mirror-directory",
        ) from error

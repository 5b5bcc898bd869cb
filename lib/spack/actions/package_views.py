"""Views of packages that the user names, in a directory of the user's: ``spack view symlink``.

What such a view shows is in its own records: adding makes it show more, removing less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from spack.actions.views import ViewParts, make_view
from spack.config.schema import Origin
from spack.environment import Environment, ViewDescriptor
from spack.errors import EnvironmentFileError, StoreError, UsageError, ViewError
from spack.spec import ConcreteSpec
from spack.spec.deptypes import RUN_TIME
from spack.view.apply import ViewResult, remove_view
from spack.view.view_manifest import is_view, load_head

__all__ = [
    "PackageView",
    "add_packages",
    "packages_of",
    "plain_view",
    "remove_packages",
    "view_of_environment",
]


class PackageView(NamedTuple):
    """A view of packages, and what making it needs.

    :ivar root: its directory, absolute.
    :ivar dependencies: whether what packages need at run time comes and goes with them.
    :ivar exclude: regular expressions of names that are left out.
    """

    root: str
    parts: ViewParts
    dependencies: bool = True
    exclude: tuple[str, ...] = ()


def packages_of(view: PackageView) -> list[ConcreteSpec]:
    """Return the nodes that the view shows, by name; none where there is no view yet.

    :raises StoreError: the install tree does not know one of them any more.
    """
    head = load_head(view.root) if is_view(view.root) else None
    if head is None:
        return []
    hashes = [owner.hash for owner in head.owners]
    specs = view.parts.store.database.specs(hashes)
    lost = [owner.name for owner in head.owners if owner.hash not in specs]
    if lost:
        raise StoreError(
            f"the view {view.root} shows packages that are not installed: {', '.join(lost)}",
            facts={"view": view.root, "packages": lost},
            hint="install them again, or remove the whole view: spack view remove --all DIR",
            ref="view-missing",
        )
    return [specs[digest] for digest in hashes]


def add_packages(
    view: PackageView,
    specs: Sequence[ConcreteSpec],
    link_type: str,
    *,
    projections: Mapping[str, str] | None = None,
    ignore_conflicts: bool = False,
) -> ViewResult:
    """Show *specs* too.

    :param projections: spec text -> format of the folder, as in ``spack.yaml``.
    :param ignore_conflicts: of files that differ take that of the package first in the alphabet.
    :raises ViewError: files conflict; there is something else at the path.
    """
    new = [node for root in specs for node in _with_dependencies(root, view)]
    nodes = _distinct([*packages_of(view), *(x for x in new if not _is_excluded(x, view))])
    return _made(view, nodes, link_type, projections or {}, ignore_conflicts)


def remove_packages(
    view: PackageView, specs: Sequence[ConcreteSpec], *, dependents: bool = True
) -> ViewResult:
    """Show *specs* no more, nor (unless *dependents* is false) what needs them.

    What only they needed goes too. A view that shows nothing any more is removed.

    :raises ViewError: there is no view.
    """
    _need_view(view)
    shown = packages_of(view)
    leaving = {node.dag_hash() for node in specs if not _is_excluded(node, view)}
    if dependents:
        leaving |= {
            node.dag_hash()
            for node in shown
            if any(x.dag_hash() in leaving for x in node.traverse(RUN_TIME))
        }
    stays = [node for node in shown if node.dag_hash() not in leaving]
    if view.dependencies:
        below = {
            x.dag_hash()
            for node in shown
            if node.dag_hash() in leaving
            for x in node.traverse(RUN_TIME)
        }
        roots = [node for node in stays if node.dag_hash() not in below]
        needed = {x.dag_hash() for node in roots for x in node.traverse(RUN_TIME)}
        stays = [node for node in stays if node.dag_hash() in needed]
    if not stays:
        return remove_view(view.root)
    head = load_head(view.root)
    return _made(view, stays, head.link_type if head is not None else "symlink", {}, False)


def plain_view(root: str) -> ViewDescriptor:
    """Return the view at *root* that an environment has where ``spack.yaml`` says nothing of it."""
    return ViewDescriptor("view", root, Origin("command line"))


def view_of_environment(
    environment: Environment, root: str, link_type: str, parts: ViewParts
) -> ViewResult:
    """Show what an environment has at *root*, as its default view would; update what is there.

    The environment stays as it is, and so do its own views: it may be one that Spack has installed.

    :raises EnvironmentFileError: it is not concretized.
    :raises ViewError: packages are not installed, or conflict; there is something else at the path.
    """
    if environment.lockfile is None:
        raise EnvironmentFileError(
            f"{environment.name} is not concretized",
            hint=f"spack -e {environment.name} install",
            ref="not-concretized",
        )
    descriptor = plain_view(root)._replace(link_type=link_type)
    try:
        return make_view(descriptor, environment.roots(), parts, prompt=environment.name)
    except ViewError as error:
        if error.ref != "view-missing":
            raise
        hint = (
            "spack install; if Spack has installed them, name its install tree: "
            "spack upstream add NAME PATH"
        )
        raise error.replaced(hint=hint) from error


def _need_view(view: PackageView) -> None:
    if not is_view(view.root):
        raise ViewError(
            f"there is no view at {view.root}",
            facts={"path": view.root},
            hint="spack view symlink DIR SPEC makes one",
            ref="view-missing",
        )


def _with_dependencies(root: ConcreteSpec, view: PackageView) -> Iterable[ConcreteSpec]:
    return root.traverse(RUN_TIME) if view.dependencies else (root,)


def _is_excluded(node: ConcreteSpec, view: PackageView) -> bool:
    try:
        return any(re.search(pattern, node.name) for pattern in view.exclude)
    except re.error as error:
        raise UsageError(
            f"cannot read the pattern of --exclude: {error}",
            hint="--exclude takes regular expressions of package names, such as '^py-'",
            ref="view-exclude",
        ) from error


def _distinct(nodes: Iterable[ConcreteSpec]) -> list[ConcreteSpec]:
    return list({node.dag_hash(): node for node in nodes}.values())


def _made(
    view: PackageView,
    nodes: Sequence[ConcreteSpec],
    link_type: str,
    projections: Mapping[str, str],
    ignore_conflicts: bool,
) -> ViewResult:
    # Externals have no files, and the view's Python looks for the modules of some of them.
    external = [x for node in nodes for x in node.traverse(RUN_TIME) if x.external is not None]
    every = _distinct([*nodes, *external])
    descriptor = ViewDescriptor(
        "view",
        view.root,
        Origin("command line"),
        link="roots",
        link_type=link_type,
        projections=projections,
    )
    try:
        return _updated(view, descriptor, every)
    except ViewError as error:
        if error.ref != "view-conflict":
            raise
        if not ignore_conflicts:
            hint = (
                "--ignore-conflicts takes the file of the first package; --exclude leaves one out"
            )
            raise error.replaced(hint=hint) from error
        winners = {x["path"]: x["owners"][0].partition("@")[0] for x in error.facts["conflicts"]}
        return _updated(view, descriptor._replace(winners=winners), every)


def _updated(
    view: PackageView, descriptor: ViewDescriptor, nodes: Sequence[ConcreteSpec]
) -> ViewResult:
    return make_view(descriptor, nodes, view.parts)

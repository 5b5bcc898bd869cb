"""What compiled packages link to without saying so: the runtime of their compiler, the C library.

A package that gcc compiles links to gcc-runtime, of the version of that gcc, which has copies of
the compiler's libraries, so that it runs where there is no compiler; and to the C library of the
machine. Both follow from the compilers, so the solver does not decide on them: they are added to
its answer, where recipes for them are known. One graph builds one runtime of each compiler, the
newest that is needed, and those that newer compilers of the graph need themselves; what is reused
keeps its own, which must not be newer than what links it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from spack.recipe.compiler_runtimes import C_LIBRARY, RUNTIMES
from spack.solver.drafts import Draft, Node
from spack.spec import Spec, Version
from spack.spec.languages import LANGUAGE_NAMES

if TYPE_CHECKING:
    from spack.solver.candidates import Catalog

__all__ = ["add_runtimes"]


def add_runtimes(catalog: Catalog, drafts: dict[Node, Draft]) -> None:
    """Add runtimes and the C library, and the edges to them, to the built nodes of *drafts*."""
    compiled = [(node, list(_compilers(draft))) for node, draft in sorted(drafts.items())]
    compiled = [(node, compilers) for node, compilers in compiled if compilers]
    library = _c_library(catalog, drafts) if compiled else None
    for compiler, package in RUNTIMES.items():
        users = [n for n, compilers in compiled if any(c[0] == compiler for c in compilers)]
        if users and package not in (node[0] for node in users):
            _add_runtime(catalog, drafts, users, compiler, library)
    for node, _ in compiled:
        if library is not None:
            drafts[node].depend(library, "link", virtuals=(C_LIBRARY,))


def _compilers(draft: Draft) -> Iterator[Node]:
    """Yield the compilers of a node that is built."""
    if draft.external is not None or draft.reused is not None:
        return
    for child in draft.children:
        if not draft.virtuals.get(child[0], set()).isdisjoint(LANGUAGE_NAMES):
            yield child


def _add_runtime(
    catalog: Catalog,
    drafts: dict[Node, Draft],
    users: list[Node],
    compiler: str,
    library: Node | None,
) -> None:
    package = RUNTIMES[compiler]
    recipe = catalog.recipe(package)
    if recipe is None:
        return
    used = {child for user in users for child in drafts[user].children if child[0] == compiler}
    newest_first = sorted(used, key=lambda node: _version(catalog, drafts, node), reverse=True)
    provided = [Spec.parse(text).name for row in recipe.provides for text in row.virtuals]
    waiting = [user for user in users if all(c[0] != package for c in drafts[user].children)]
    for node in newest_first:
        # what the compiler itself needs has the runtime of an older one, which made it
        below = _below(drafts, node)
        served = [user for user in waiting if user not in below]
        waiting = [user for user in waiting if user in below]
        if not served:
            continue
        runtime = _runtime(catalog, drafts, node, served, library)
        for user in served:
            draft = drafts[user]
            fortran = "fortran" in draft.virtuals[compiler]
            draft.depend(runtime, "link", virtuals=provided if fortran else ())


def _below(drafts: Mapping[Node, Draft], start: Node) -> set[Node]:
    """Return *start* and everything that it depends on."""
    found = {start}
    queue = [start]
    while queue:
        for child in drafts[queue.pop()].children:
            if child not in found:
                found.add(child)
                queue.append(child)
    return found


def _runtime(
    catalog: Catalog,
    drafts: dict[Node, Draft],
    compiler: Node,
    users: list[Node],
    library: Node | None,
) -> Node:
    """Return the node of the runtime of *compiler*, made if there is none."""
    package = RUNTIMES[compiler[0]]
    version = _version(catalog, drafts, compiler)
    runtime = _existing(catalog, drafts, package, version)
    if runtime is not None and _below(drafts, runtime).isdisjoint(users):
        return runtime
    runtime = _free(drafts, package)
    drafts[runtime] = draft = Draft(version=catalog.get(package).index(version))
    draft.target = _common_target(catalog, [drafts[user].target for user in users])
    recipe = catalog.recipe(package)
    for record in recipe.dependencies if recipe is not None else ():
        wanted = Spec.parse(record.spec).name
        if wanted == compiler[0]:
            draft.depend(compiler, *record.types)
        elif wanted == C_LIBRARY and library is not None:
            draft.depend(library, "link", virtuals=(C_LIBRARY,))
    return runtime


def _existing(
    catalog: Catalog, drafts: dict[Node, Draft], package: str, version: Version
) -> Node | None:
    """Return the node of a runtime that the graph has, or that is installed."""
    for node in drafts:
        if node[0] == package and _version(catalog, drafts, node) == version:
            return node
    if catalog.problem.reuse is False:
        return None
    targets = (catalog.problem.host.target, *catalog.problem.host.targets)
    for spec in catalog.installed(package):
        if spec.version == version and spec.target in targets:
            node = _free(drafts, package)
            drafts[node] = Draft(reused=spec.dag_hash())
            return node
    return None


def _version(catalog: Catalog, drafts: Mapping[Node, Draft], node: Node) -> Version:
    draft = drafts[node]
    if draft.reused is not None:
        return catalog.by_hash(draft.reused)[0].version
    return catalog.get(node[0]).versions[draft.version].version


def _free(drafts: Mapping[Node, Draft], package: str) -> Node:
    number = 0
    while (package, number) in drafts:
        number += 1
    return (package, number)


def _common_target(catalog: Catalog, targets: list[str | None]) -> str | None:
    """Return the most general of *targets*; None for the one that all nodes have."""
    known = [target for target in targets if target is not None]
    order = list(catalog.problem.host.targets)
    return max(known, key=lambda name: order.index(name) if name in order else -1, default=None)


def _c_library(catalog: Catalog, drafts: dict[Node, Draft]) -> Node | None:
    """Return the node of the machine's C library, the one in the graph first."""
    names = catalog.providers(C_LIBRARY)
    for name in names:
        if (name, 0) in drafts:
            return (name, 0)
    for name in names:
        for external in catalog.get(name).externals if catalog.externals(name) else ():
            version = external.mask.bit_length() - 1
            drafts[name, 0] = Draft(external=external.index, version=version)
            return (name, 0)
    return None

"""Compiler flags of nodes: those that the model gives, those that are passed on, in their order.

The order is upstream's, later flags being stronger for most compilers: flags of the compiler's
configuration, then what dependents ask for (those further up first), then requirements, then what
the user asks for. Within a source flags keep their order; of repeated flags the last one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from spack.solver.drafts import Draft, Node
from spack.spec import FLAG_NAMES, Edge, Spec
from spack.spec.algebra import split_flags
from spack.spec.deptypes import RUN_TIME
from spack.spec.languages import LANGUAGE_NAMES, LANGUAGES

if TYPE_CHECKING:
    from spack.solver.candidates import Catalog
    from spack.solver.problem import Root

__all__ = ["NodeFlags"]

Flags = Mapping[str, Sequence[str]]

#: The languages whose compilers take a kind of flags.
_LANGUAGES_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(FLAG_NAMES, LANGUAGE_NAMES),
    **{language.flags: (language.name,) for language in LANGUAGES},
}


class NodeFlags:
    """Flags of the nodes of one model.

    :param drafts: what the model says of each node.
    """

    def __init__(
        self, catalog: Catalog, drafts: Mapping[Node, Draft], roots: Sequence[Root]
    ) -> None:
        self.catalog = catalog
        self.drafts = drafts
        self.roots = roots
        self._parents: dict[Node, list[Node]] | None = None
        self._passed = _passed_on(roots, drafts)

    def of(
        self, node: Node, given: Iterable[tuple[str, str]], edges: Sequence[Edge]
    ) -> dict[str, tuple[str, ...]]:
        """Return the flags of *node* by kind.

        :param given: kind and text of each flag that the model gives it, in any order.
        """
        texts: dict[str, list[str]] = {}
        for kind, text in given:
            texts.setdefault(kind, []).append(text)
        groups = [_compiler_flags(edges)]
        if texts:
            own = [*self._of_dependents(node), *self._required(node[0]), *self._asked(node[0])]
            groups.append(texts)
            groups += [
                {k: flags for k, flags in group.items() if set(flags) <= set(texts.get(k, ()))}
                for group in own
            ]
        groups.append(self._passed.get(node, {}))
        return _joined(groups)

    def _required(self, name: str) -> Iterator[Flags]:
        for section in ("all", name):
            settings = self.catalog.settings(section)
            for group in (*settings.require, *settings.prefer) if settings is not None else ():
                yield from (_texts(Spec.parse(text)) for text in group.specs)

    def _asked(self, name: str) -> Iterator[Flags]:
        develop = self.catalog.problem.develop.get(name)
        for root in (*self.roots, *([develop] if develop is not None else ())):
            yield from (_texts(spec) for spec in root.spec.traverse() if spec.name == name)

    def _of_dependents(self, node: Node) -> Iterator[Flags]:
        """Yield what the packages that depend on *node* ask for, those further up first."""
        asking = self.drafts[node].flagged
        for parent in self._topological(node) if asking else ():
            for text in sorted(text for dependent, text in asking if dependent == parent):
                yield _texts(Spec.parse(text))

    def _all_parents(self) -> dict[Node, list[Node]]:
        if self._parents is None:
            self._parents = {}
            for parent in sorted(self.drafts):
                for child in self.drafts[parent].children:
                    self._parents.setdefault(child, []).append(parent)
        return self._parents

    def _topological(self, node: Node) -> list[Node]:
        """Return all nodes above *node*, each after those above it."""
        parents = self._all_parents()
        done: dict[Node, None] = {}
        stack = [node]
        while stack:
            waiting = [n for n in parents.get(stack[-1], ()) if n not in done]
            if waiting:
                stack.append(waiting[0])
            else:
                done.setdefault(stack.pop())
        return list(done)[:-1]


def _joined(groups: Iterable[Flags]) -> dict[str, tuple[str, ...]]:
    """Return all flags by kind; of repeated ones the last stays."""
    found: dict[str, list[str]] = {}
    for group in groups:
        for kind, flags in group.items():
            found.setdefault(kind, []).extend(flags)
    return {kind: tuple(reversed(dict.fromkeys(reversed(flags)))) for kind, flags in found.items()}


def _texts(spec: Spec) -> Flags:
    return {kind: [str(flag) for flag in flags] for kind, flags in spec.flags.items()}


def _compiler_flags(edges: Sequence[Edge]) -> Flags:
    """Return the flags that external compilers are configured with, for what they compile."""
    found: dict[str, list[str]] = {}
    for edge in edges:
        configured = edge.spec.extra_attributes.get("flags") if "build" in edge.deptypes else None
        for kind, text in (configured or {}).items():
            if kind in FLAG_NAMES and set(edge.virtuals).intersection(_LANGUAGES_OF[kind]):
                found.setdefault(kind, []).extend(map(str, split_flags(str(text))))
    return found


def _passed_on(
    roots: Sequence[Root], drafts: Mapping[Node, Draft]
) -> dict[Node, dict[str, list[str]]]:
    """Return the flags that ``cflags==`` of a root passes on, by node.

    They reach what is linked or run and compiled by the same compilers, unless the user asks for
    flags of that kind there.
    """
    found: dict[Node, dict[str, list[str]]] = {}
    asked = {(s.name, kind) for root in roots for s in root.spec.traverse() for kind in s.flags}
    for root in roots:
        source = (root.spec.name, 0)
        for kind, flags in root.spec.flags.items():
            passed = [str(flag) for flag in flags if getattr(flag, "propagate", False)]
            for node in _linked(source, drafts) if passed else ():
                same = _compilers(drafts[source]).items() <= _compilers(drafts[node]).items()
                if same and (node[0], kind) not in asked:
                    found.setdefault(node, {}).setdefault(kind, []).extend(passed)
    return found


def _linked(source: Node, drafts: Mapping[Node, Draft]) -> dict[Node, None]:
    """Return what *source* links to or runs with, at any depth."""
    found: dict[Node, None] = {}
    queue = [source] if source in drafts else []
    for node in queue:
        draft = drafts[node]
        for child in draft.children:
            if child not in found and draft.types[child[0]] & RUN_TIME:
                found[child] = None
                queue.append(child)
    return found


def _compilers(draft: Draft) -> dict[str, Node]:
    """Return what compiles a node, by language."""
    found: dict[str, Node] = {}
    for child in draft.children:
        for virtual in draft.virtuals.get(child[0], ()):
            if virtual in LANGUAGE_NAMES:
                found[virtual] = child
    return found

"""What a model says of each node, before specs are made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from spack.recipe.records import PatchRecord

__all__ = ["Draft", "Node"]

Node = tuple[str, int]


@dataclass
class Draft:
    """What the model says of one node."""

    values: dict[str, list[str]] = field(default_factory=dict)
    version: int = -1
    target: str | None = None
    external: int | None = None
    reused: str | None = None
    given: list[int] = field(default_factory=list)
    patches: list[PatchRecord] = field(default_factory=list)
    #: Dependents that ask for flags, and what they say.
    flagged: list[tuple[Node, str]] = field(default_factory=list)
    children: dict[Node, None] = field(default_factory=dict)
    types: dict[str, set[str]] = field(default_factory=dict)
    virtuals: dict[str, set[str]] = field(default_factory=dict)

    def depend(self, child: Node, *types: str, virtuals: Iterable[str] = ()) -> None:
        """Add an edge, or types and virtual packages to the one that is there."""
        self.children[child] = None
        self.types.setdefault(child[0], set()).update(types)
        if virtuals:
            self.virtuals.setdefault(child[0], set()).update(virtuals)

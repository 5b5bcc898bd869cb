"""What is asked of the solver, and what it answers.

A :class:`Problem` holds everything that may influence a solution and nothing else: no clock, no
environment, no path of the machine. Equal problems have equal solutions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import (
    TYPE_CHECKING,
    Any,
    NamedTuple,
    Protocol,
)

if TYPE_CHECKING:
    from spack.config.wheel_policy import WheelPolicy
    from spack.errors import SpackError
    from spack.recipe.records import Recipe
    from spack.recipe.wheel_offers import WheelTable
    from spack.solver.spec_pool import ReusableSpecs
    from spack.spec import ConcreteSpec, Spec

__all__ = [
    "ExternalLike",
    "HeldBackRoot",
    "HostLike",
    "NamedRecipes",
    "PackageLike",
    "Problem",
    "RecipeSource",
    "RequirementLike",
    "Root",
    "Solution",
    "Statistics",
    "WheelSource",
]


class RecipeSource(Protocol):
    """Facts of packages by name; loading one must not cost loading all."""

    def get(self, name: str) -> Recipe | None:
        """Return the facts of package *name*; None when no repository has it."""

    def providers(self, virtual: str) -> Sequence[str]:
        """Return the names of the packages that can provide *virtual*, in a stable order."""

    def is_virtual(self, name: str) -> bool:
        """Return whether *name* is a virtual package."""

    def suggestions(self, name: str) -> Sequence[str]:
        """Return known names that look like *name*, best first."""


class NamedRecipes(RecipeSource, Protocol):
    """Facts of packages that users name."""

    def exists(self, name: str) -> bool:
        """Return whether there is a package *name*."""

    def unknown(self, name: str) -> SpackError:
        """Return the error for a package that does not exist."""


class ExternalLike(Protocol):
    """One entry of ``packages:<name>:externals``."""

    @property
    def spec(self) -> str: ...
    @property
    def prefix(self) -> str | None: ...
    @property
    def modules(self) -> Sequence[str]: ...
    @property
    def extra_attributes(self) -> Mapping[str, Any]: ...
    @property
    def edges(self) -> Sequence[ExternalEdgeLike]: ...
    @property
    def origin(self) -> Any: ...


class ExternalEdgeLike(Protocol):
    """A dependency of an external on the external *position* of the package *name*."""

    @property
    def name(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def deptypes(self) -> Sequence[str]: ...
    @property
    def virtuals(self) -> Sequence[str]: ...


class RequirementLike(Protocol):
    """One group of ``require``, ``prefer`` or ``conflict``."""

    @property
    def specs(self) -> Sequence[str]: ...
    @property
    def policy(self) -> str: ...
    @property
    def when(self) -> str: ...
    @property
    def message(self) -> str | None: ...
    @property
    def origin(self) -> Any: ...


class PackageLike(Protocol):
    """Settings of one package, or of ``all``; see :mod:`spack.config`."""

    @property
    def buildable(self) -> bool | None: ...
    @property
    def externals(self) -> Sequence[ExternalLike]: ...
    @property
    def version(self) -> Sequence[str]: ...
    @property
    def variants(self) -> Sequence[str]: ...
    @property
    def require(self) -> Sequence[RequirementLike]: ...
    @property
    def prefer(self) -> Sequence[RequirementLike]: ...
    @property
    def conflict(self) -> Sequence[RequirementLike]: ...
    @property
    def providers(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def target(self) -> Sequence[str]: ...
    @property
    def origin(self) -> Any: ...


class HostLike(Protocol):
    """The machine that is solved for; see :mod:`spack.host`."""

    @property
    def platform(self) -> str: ...
    @property
    def os(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def targets(self) -> Sequence[str]: ...
    @property
    def family(self) -> str: ...
    def runs(self, target: str) -> bool: ...
    def compiler_ranges(self, target: str) -> Mapping[str, Sequence[str]]: ...


class WheelSource(Protocol):
    """Wheels of the package index by project; asking for one must not cost asking for all."""

    def project(self, recipe: Recipe) -> str | None:
        """Return the project of the index that a recipe names; None for one that names none."""

    def start(self, project: str) -> None:
        """Begin to look a project up: :meth:`table` will be asked for it soon."""

    def table(self, project: str) -> WheelTable | str:
        """Return the wheels of a project, or why the index could not be asked."""


@dataclass(frozen=True)
class Root:
    """One spec that is asked for.

    :param origin: where it was asked, ``"command line"`` or ``file:line``.
    """

    spec: Spec
    origin: str = "command line"


@dataclass(frozen=True)
class Problem:
    """The whole input of :func:`spack.solver.concretize`.

    :param packages: by package name or virtual name, and ``"all"``.
    :param host: ``targets`` are the compatible ones, best first.
    :param reusable: installed specs, and specs that other solutions fixed. Those that reuse
        does not allow can still be named by hash.
    :param reuse: True, False, or ``"dependencies"`` (all but the roots).
    :param unify: True (one graph), False (a graph per root) or ``"when_possible"``.
    :param deprecated: whether deprecated versions may be chosen.
    :param tests: True, or the names of the packages whose test dependencies are wanted.
    :param max_duplicates: instances of one build tool that one graph may hold.
    :param most_instances: the same by package name, and for all other packages as ``default``.
    :param develop: by package name, what every node of a package must be that is built from a
        developer's directory: its version, ``dev_path`` and variants.
    :param compiler_mixing: whether what is linked or run together may be compiled by several
        compilers for one language, or the names of the packages that may differ.
    :param python: ``"available"``: no Python is built while one that is there satisfies the roots;
        ``"newest"``: the newest roots decide.
    :param wheels: where wheels are looked up; None has none.
    :param workers: processes that solve roots apart (``unify: false``) at the same time.
    :param seconds: bound on the time of the whole solution, 0 for none; see
        :func:`spack.solver.concretize`.
    """

    roots: tuple[Root, ...]
    recipes: RecipeSource
    host: HostLike
    packages: Mapping[str, PackageLike] = field(default_factory=dict)
    reusable: Sequence[ConcreteSpec] | ReusableSpecs = ()
    reuse: bool | str = True
    unify: bool | str = True
    deprecated: bool = False
    tests: bool | frozenset[str] = False
    max_duplicates: int = 4
    most_instances: Mapping[str, int] = field(default_factory=dict)
    develop: Mapping[str, Root] = field(default_factory=dict)
    compiler_mixing: bool | Sequence[str] = True
    python: str = "available"
    seconds: float = 0.0
    workers: int = 1
    wheels: WheelSource | None = None
    wheel_policy: WheelPolicy = "never"

    def instances(self, name: str) -> int:
        """Return how many instances of package *name* one graph may hold."""
        fallback = self.most_instances.get("default", self.max_duplicates)
        return self.most_instances.get(name, fallback) if self.max_duplicates > 1 else 1


@dataclass(frozen=True)
class Statistics:
    """How a solution was found; seconds are wall-clock."""

    rounds: int = 0
    expanded: int = 0
    possible: int = 0
    facts: int = 0
    duplicates: tuple[str, ...] = ()
    optimal: bool = True
    cost: tuple[tuple[str, int], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


class HeldBackRoot(NamedTuple):
    """A root has *version* instead of *newer*, which needs the interpreter to be *needs*."""

    name: str
    version: str
    newer: str
    needs: str


@dataclass(frozen=True)
class Solution:
    """Concrete specs, one a root, in the order of the problem's roots.

    :ivar held_back: roots that are older than they could be with another interpreter.
    """

    roots: tuple[ConcreteSpec, ...]
    stats: Statistics = field(default_factory=Statistics)
    held_back: tuple[HeldBackRoot, ...] = ()

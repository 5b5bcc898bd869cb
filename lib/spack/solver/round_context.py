"""What is known of the packages that take part in one round; see :class:`RoundContext`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spack.solver.candidates import Candidates, Catalog
from spack.solver.compiler_targets import limits
from spack.solver.expansion import Expansion, dependency_records
from spack.solver.possible_paths import PossiblePaths
from spack.solver.problem import Root
from spack.spec import ConcreteSpec, Spec, target_satisfies

__all__ = ["Learned", "RoundContext"]


class Learned(NamedTuple):
    """What the answers of earlier rounds have shown.

    :ivar opened: virtual packages all of whose providers are looked at.
    :ivar assumed: packages that answers took to be below placeholders: they are demanded now, as
        what a root names is.
    """

    opened: frozenset[str] = frozenset()
    assumed: frozenset[str] = frozenset()


class RoundContext:
    """The packages of one round: which builds are expanded, and their candidates.

    :param multi: packages that may have several instances, and how many.
    :param paths: what recipes declare, for demands below placeholders.
    :param relaxed: for explaining: every guard can be taken back, and a package whose guard
        ``domain`` is taken back may be anything.
    :param learned: what earlier rounds have found out.
    """

    def __init__(
        self,
        catalog: Catalog,
        roots: Sequence[Root],
        plan: Expansion,
        multi: Mapping[str, int],
        *,
        paths: PossiblePaths,
        relaxed: bool = False,
        learned: Learned = Learned(),  # noqa: B008 - it is frozen
    ) -> None:
        self.catalog = catalog
        self.problem = catalog.problem
        self.roots = roots
        self.root_names = {root.spec.name for root in roots}
        self.plan = plan
        self.multi = multi
        self.relaxed = relaxed
        self.learned = learned
        self.paths = paths
        self._direct: dict[str, set[str]] = {}
        self._possible_versions: dict[str, int] = {}
        self._hashes: dict[str, list[ConcreteSpec]] = {}
        self.targets = self._target_choice()

    def relaxed_to(self, expanded: set[str]) -> RoundContext:
        """Return the round for explaining, with only these packages expanded."""
        return RoundContext(
            self.catalog,
            self.roots,
            Expansion(expanded),
            self.multi,
            paths=self.paths,
            relaxed=True,
            learned=self.learned,
        )

    def expanded(self, name: str) -> bool:
        """Return whether the build of *name* is looked at."""
        return name in self.plan.expanded

    def available(self, name: str) -> bool:
        """Return whether there is an external or an installed spec of *name*."""
        return bool(self.catalog.externals(name)) or bool(self.hashes(name))

    def candidates(self, name: str) -> Candidates:
        """Return all candidates for *name*."""
        return self.catalog.get(name)

    def may_be_placeholder(self, name: str) -> bool:
        """Return whether *name* may be a placeholder."""
        if self.relaxed:
            return True
        return not self.expanded(name) and self.catalog.fixed(name) is None

    def possible_versions(self, name: str) -> int:
        """Return the versions that any node of *name*, other than a placeholder, may have."""
        known = self._possible_versions.get(name)
        if known is None:
            known = 0
            expanded = self.expanded(name)
            if expanded or self.available(name):
                candidates = self.catalog.get(name)
                known = candidates.external_mask
                for spec in self.hashes(name):
                    known |= 1 << candidates.index(spec.version)
                if expanded:
                    known |= candidates.buildable
                if not self.relaxed:
                    known &= self.plan.possible_versions.get(name, -1)
            self._possible_versions[name] = known
        return known

    def may_have(self, name: str, dependency: str) -> bool:
        """Return whether a build of *name* may depend directly on *dependency*."""
        if not self.expanded(name):
            return False
        direct = self._direct.get(name)
        if direct is None:
            direct = self._direct[name] = set()
            for record in dependency_records(self.catalog, name):
                target = Spec.parse(record.spec).name
                direct.add(target)
                if self.catalog.is_virtual(target):
                    direct.update(self.catalog.providers(target))
        return dependency in direct

    def hashes(self, name: str) -> list[ConcreteSpec]:
        """Return installed specs that a node of *name* may be."""
        known = self._hashes.get(name)
        if known is None:
            reuse = self.problem.reuse
            installed = self.catalog.installed(name)
            known = [spec for spec in installed if self.catalog.wheels.may_reuse(spec)]
            if len(known) < len(installed):
                named = self._named_hashes()
                known = [s for s in installed if s in known or s.dag_hash() in named]
            if reuse is False or (reuse == "dependencies" and name in self.root_names):
                named = self._named_hashes()
                known = [spec for spec in known if spec.dag_hash() in named]
            self._hashes[name] = known
        return known

    def _named_hashes(self) -> set[str]:
        """Return hashes that a root names, with everything below them."""
        found: set[str] = set()
        for root in self.roots:
            for spec in root.spec.traverse():
                if spec.hash_prefix:
                    for concrete in self.catalog.by_hash(spec.hash_prefix):
                        found.update(s.dag_hash() for s in concrete.traverse(("link", "run")))
        return found

    @property
    def unasked_target(self) -> str | None:
        """The target of externals that name none: any machine's; None if targets are asked for."""
        return None if any(self._asked_targets()) else self.problem.host.targets[-1]

    def _asked_targets(self) -> list[str | None]:
        asked = [
            spec.arch.target for root in self.roots for spec in root.spec.traverse() if spec.arch
        ]
        for settings in self.problem.packages.values():
            for group in (*settings.require, *settings.prefer, *settings.conflict):
                asked += [Spec.parse(text).arch.target for text in group.specs if "target=" in text]
            asked += settings.target
        return asked

    def _target_choice(self) -> tuple[str, ...]:
        """Return the targets to choose from: one, unless the input names another.

        What is asked for by name may be more special than the host's granularity.
        """
        host = self.problem.host
        preferred = self._preferred_target()
        asked = [*self._asked_targets(), *self.catalog.pool.targets()]
        wanted = [target for target in asked if target and target != preferred]
        if not wanted and not limits(self.catalog, self.roots, preferred):
            return (preferred,)
        compatible = [preferred, *(t for t in host.targets if t != preferred)]
        if host.target not in compatible:
            compatible.append(host.target)
        compatible += [t for t in dict.fromkeys(wanted) if t not in compatible and host.runs(t)]
        return tuple(compatible)

    def _preferred_target(self) -> str:
        everything = self.problem.packages.get("all")
        known = (self.problem.host.target, *self.problem.host.targets)
        for target in everything.target if everything is not None else ():
            for name in known:
                if target_satisfies(name, target):
                    return name
        return self.problem.host.target

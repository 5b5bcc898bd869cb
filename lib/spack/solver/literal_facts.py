"""Facts about literals: the versions that are distinguished, and when a literal is true."""

from __future__ import annotations

from typing import Any

from spack.solver.compiler_targets import compilers
from spack.solver.cycles import reachable
from spack.solver.facts import FactSink
from spack.solver.quoting import quote
from spack.solver.virtual_facts import VirtualFacts, rest_of
from spack.spec import Spec, VersionList, target_satisfies

__all__ = ["LiteralFacts"]


class LiteralFacts:
    """Writes what the other parts have only named; comes last."""

    def __init__(self, sink: FactSink, virtuals: VirtualFacts) -> None:
        self.sink = sink
        self.virtuals = virtuals
        self.context = sink.context
        self.conditions = sink.conditions
        self.emit = sink.emit

        #: Versions that the program knows, by package.
        self._kept: dict[str, int] = {}

    def write(self) -> None:
        """Emit all of it."""
        self._versions()
        self._literals()
        self._below()
        self._demanded()
        # Where every package may be a placeholder, conditions on the one target are literals too.
        if len(self.context.targets) > 1 or self.context.relaxed:
            self._target_facts()

    def _versions(self) -> None:  # noqa: C901 - one pass over the candidates: inner loop of encoding
        """Write the candidates of each package: of those that look alike, the best."""
        masks: dict[str, list[int]] = {}
        for literal in self.conditions.literals:
            if literal.key[0] == "v":
                masks.setdefault(literal.package, []).append(literal.key[2])
        for name in self.sink.universe:
            if self.context.available(name):
                candidates = self.context.candidates(name)
                self._kept[name] = candidates.external_mask | candidates.installed_mask
            if not self.context.expanded(name):
                continue
            candidates = self.context.catalog.get(name)
            p, distinguished = quote(name), sorted(set(masks.get(name, ())))
            usable = candidates.buildable & self.context.possible_versions(name)
            kinds: set[tuple[bool, ...]] = set()
            cost = 0
            for index in range(len(candidates.versions)):
                if not candidates.buildable >> index & 1:
                    continue
                if usable >> index & 1:
                    deprecated = bool(candidates.deprecated >> index & 1)
                    kind = (deprecated, *(bool(mask >> index & 1) for mask in distinguished))
                    if kind not in kinds:
                        kinds.add(kind)
                        self._kept[name] = self._kept.get(name, 0) | 1 << index
                        self.emit(f"bver({p},{index}).")
                        if cost:
                            self.emit(f"bcost({p},{index},{cost}).")
                        if deprecated:
                            self.emit(f"deprecated({p},{index}).")
                cost += 1

    def _literals(self) -> None:
        """Write the meaning of the literals, and the conditions made of them."""
        writers: dict[str, Any] = {
            "b": lambda p, n, key: self.emit(f"lval({p},{n},{quote(key[1])},{quote(key[2])})."),
            "h": lambda p, n, key: self.emit(f"lhas({p},{n},{quote(key[1])})."),
            "x": self._exact_literal,
            "o": lambda p, n, key: self.emit(f"lother({p},{n},{quote(key[1])},{quote(key[2])})."),
            "t": lambda p, n, key: self.emit(*(f"ltgt({p},{n},{quote(t)})." for t in key[1])),
            "s": lambda p, n, key: self.emit(f"lset({p},{n})."),
            "H": lambda p, n, key: None,
            "n": lambda p, n, key: self.emit(*([f"lfree({p},{n})."] if key[2] else [])),
            "c": lambda p, n, key: self.emit(f"limplies({p},{n},{key[1]},{key[2]})."),
            "d": self._dependency_literal,
            "V": self._virtual_literal,
        }
        for literal in self.conditions.literals:
            p = quote(literal.package)
            if self.context.may_be_placeholder(literal.package):
                self.emit(f"lit({p},{literal.number}).")
            if literal.key[0] == "v":
                self._version_literal(p, literal.number, literal.key[2], literal.package)
            else:
                writers[literal.key[0]](p, literal.number, literal.key)
            for spec in self.context.hashes(literal.package):
                if self.conditions.holds_for(literal, spec):
                    self.emit(f"hsat({quote(spec.dag_hash())},{literal.number}).")
        for (package, literals), number in self.conditions.conditions.items():
            self.emit(f"cond({quote(package)},{number}).")
            self.emit(*(f"clit({number},{literal})." for literal in literals))

    def _version_literal(self, p: str, number: int, mask: int, package: str) -> None:
        mask &= self._kept.get(package, 0)
        index = 0
        while mask:
            if mask & 1:
                self.emit(f"lver({p},{number},{index}).")
            mask >>= 1
            index += 1

    def _exact_literal(self, p: str, number: int, key: tuple[str, str, tuple[str, ...]]) -> None:
        self.emit(f"lonly({p},{number},{quote(key[1])}).")
        self.emit(*(f"lonlyval({number},{quote(value)})." for value in key[2]))

    def _dependency_literal(
        self,
        p: str,
        number: int,
        key: tuple[str, str, bool, int, tuple[str, ...], tuple[str, ...]],
    ) -> None:
        _, name, direct, condition, virtuals, types = key
        q = quote(name)
        self.emit(f"ldep({p},{number},{q},{'direct' if direct else 'below'}).")
        if condition:
            self.emit(f"ldepcond({number},{q},{condition}).")
        self.emit(*(f"ldepvirt({number},{quote(virtual)})." for virtual in virtuals))
        if direct and not virtuals and self._is_compiler(name):
            self.emit(f"whole_compiler({number}).")
        if direct:
            self.emit(*(f"ldeptype({number},{kind})." for kind in types))

    def _is_compiler(self, name: str) -> bool:
        return name in compilers(self.context.catalog)

    def _virtual_literal(self, p: str, number: int, key: tuple[Any, ...]) -> None:
        _, virtual, direct, versions, providers, asked = key
        self.emit(f"ldepvirt({number},{quote(virtual)}).")
        wanted = Spec.of(virtual, versions=VersionList.parse(versions)) if versions else None
        if wanted is not None and not asked:
            self.emit(f"lvprov({number}).")
        known = [row for row in providers if row[0] in self.sink.universe]
        if len(known) < len(providers):
            known.append((rest_of(virtual), 0))
        for name, condition in known:
            q = quote(name)
            self.emit(f"ldep({p},{number},{q},{'direct' if direct else 'below'}).")
            if condition:
                self.emit(f"ldepcond({number},{q},{condition}).")
            if wanted is not None:
                predicate = "lvbad" if asked else "lvfits"
                for term in self.virtuals.provided(name, wanted, within=not asked):
                    self.emit(f"{predicate}({number},{term}).")

    def _below(self) -> None:
        """Write the pairs of packages for which the program has to look below."""
        for package, target in sorted(self.conditions.wanted):
            self.emit(f"want({quote(package)},{quote(target)}).")
        for target in sorted({target for _, target in self.conditions.wanted}):
            reach = reachable({target}, self.sink.links)
            for name in sorted(reach - {target}):
                self.emit(f"wantdeep({quote(name)},{quote(target)}).")

    def _demanded(self) -> None:
        """Write what is demanded below a node, and which placeholders can lead to it."""
        wanted = {target for _, target in self.conditions.wanted}
        placeholders = [n for n in self.sink.universe if self.context.may_be_placeholder(n)]
        rests = self.virtuals.rests()
        for target in sorted(self.sink.demanded & wanted):
            known = target if target in self.sink.universe else None
            q = quote(target)
            if known is None:
                continue
            self.emit(f"demanded({q}).")
            starts = [*placeholders, *(name for group in rests.values() for name in group)]
            leading = self.context.paths.leading(starts, target)
            for name in placeholders:
                self.emit(*(f"leads({quote(name)},{q},{quote(s)})." for s in leading.get(name, ())))
            for rest, group in rests.items():
                steps = set().union(*(leading.get(name, ()) for name in group))
                self.emit(*(f"leads({quote(rest)},{q},{quote(s)})." for s in steps))

    def _target_facts(self) -> None:
        self.emit("targets.")
        names = list(self.context.targets)
        for weight, name in enumerate(names):
            self.emit(f"target({quote(name)},{weight}).")
        known = set(names) | set(self.context.catalog.pool.targets())
        for name in sorted(known):
            for other in sorted(known):
                if name == other or target_satisfies(other, f"{name}:"):
                    self.emit(f"runs_on({quote(name)},{quote(other)}).")
        for name in self.sink.universe:
            for spec in self.context.hashes(name):
                self.emit(f"htgt({quote(spec.dag_hash())},{quote(str(spec.target))}).")
            if self.context.catalog.externals(name):
                for external in self.context.catalog.get(name).externals:
                    # without one it fits whatever target is asked for
                    target = external.spec.arch.target or self.context.unasked_target
                    if target:
                        self.emit(f"xtgt({quote(name)},{external.index},{quote(target)}).")

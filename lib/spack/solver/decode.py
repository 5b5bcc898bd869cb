"""From the atoms of a model to concrete specs, dependencies first.

The program leaves out what cannot matter: variants that no constraint mentions, and the patches
of a package. Both are added here, with conditions tested on the node itself, which by then has
its version, its other variants and its dependencies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spack.recipe.records import Recipe, VariantRecord
from spack.solver.candidates import Catalog, ExternalCandidate
from spack.solver.drafts import Draft, Node
from spack.solver.driver import Row
from spack.solver.encode import Encoding
from spack.solver.node_flags import NodeFlags
from spack.solver.round_context import RoundContext
from spack.solver.runtimes import add_runtimes
from spack.solver.variant_facts import default_values, preferred_variants
from spack.spec import FLAG_NAMES, ConcreteSpec, Edge, External, VariantValue
from spack.spec.wheel import BINARY

__all__ = ["decode"]


class _Decoder:
    def __init__(
        self,
        catalog: Catalog,
        encoding: Encoding,
        atoms: Mapping[str, Sequence[Row]],
        context: RoundContext,
    ) -> None:
        self.catalog = catalog
        self.encoding = encoding
        self.target, self.external_target = context.targets[0], context.unasked_target
        self.drafts: dict[Node, Draft] = {}
        self._read(atoms)
        add_runtimes(catalog, self.drafts)
        self.flags = NodeFlags(catalog, self.drafts, context.roots)

    def _read(self, atoms: Mapping[str, Sequence[Row]]) -> None:  # noqa: C901 - one loop for each predicate of a model
        drafts = self.drafts
        for package, instance in atoms.get("build", ()):
            drafts[package, instance] = Draft()
        for package, instance, index in atoms.get("external", ()):
            drafts[package, instance] = Draft(external=index)
        for package, instance, digest in atoms.get("reuse", ()):
            drafts[package, instance] = Draft(reused=digest)
        for package, instance, version in atoms.get("pick", ()):
            drafts[package, instance].version = version
        for package, instance, name, value in atoms.get("val", ()):
            drafts[package, instance].values.setdefault(name, []).append(value)
        for package, instance, target in atoms.get("tgt", ()):
            drafts[package, instance].target = target
        for package, instance, literal in atoms.get("set", ()):
            drafts[package, instance].given.append(literal)
        for package, instance, child, other in atoms.get("edge", ()):
            drafts[package, instance].children[child, other] = None
        for package, instance, child, kind in atoms.get("etype", ()):
            drafts[package, instance].types.setdefault(child, set()).add(kind)
        for package, instance, virtual, child, _ in atoms.get("vedge", ()):
            drafts[package, instance].virtuals.setdefault(child, set()).add(virtual)
        for number, package, instance in atoms.get("patched", ()):
            record = self.encoding.dependencies[number][1]
            drafts[package, instance].patches.extend(record.patches)
        for number, parent, other, package, instance in atoms.get("flagged", ()):
            record = self.encoding.dependencies[number][1]
            drafts[package, instance].flagged.append(((parent, other), record.spec))

    def specs(self) -> dict[Node, ConcreteSpec]:
        """Return all nodes, made from the leaves upwards."""
        done: dict[Node, ConcreteSpec] = {}
        entered: set[Node] = set()
        for start in sorted(self.drafts):
            stack = [start]
            while stack:
                node = stack[-1]
                if node in done:
                    stack.pop()
                    continue
                draft = self.drafts[node]
                waiting = [child for child in draft.children if child not in done]
                if waiting and draft.reused is None:
                    assert node not in entered, f"{node} depends on itself"
                    entered.add(node)
                    stack.extend(waiting)
                    continue
                done[node] = self._spec(node, draft, done)
                stack.pop()
        return done

    def _spec(self, node: Node, draft: Draft, done: Mapping[Node, ConcreteSpec]) -> ConcreteSpec:
        if draft.reused is not None:
            return self.catalog.by_hash(draft.reused)[0]
        name = node[0]
        candidates = self.catalog.get(name)
        recipe, host = candidates.recipe, self.catalog.problem.host
        binary = draft.values.get("build_system") == [BINARY] and draft.external is None
        external = None if draft.external is None else candidates.externals[draft.external]
        version = candidates.versions[draft.version].version
        edges = []
        for child in sorted(draft.children):
            virtuals = tuple(sorted(draft.virtuals.get(child[0], ())))
            edges.append(Edge(done[child], frozenset(draft.types[child[0]]), virtuals))
        spec = ConcreteSpec(
            name,
            recipe.namespace if recipe is not None else None,
            version,
            {},
            flags=self._flags(node, draft, external, edges),
            platform=host.platform,
            os=(external.spec.arch.os if external is not None else None) or host.os,
            # A wheel is for any machine of the family.
            target=host.family
            if binary
            else draft.target or self._external_target(external) or self.target,
            edges=edges,
            external=_external(external),
            package_hash=recipe.content_hash if recipe is not None and external is None else None,
        )
        variants = self._variants(spec, draft, recipe, external)
        if binary:
            python = next(edge.spec for edge in edges if edge.spec.name == "python")
            wheel = self.catalog.wheels.choose(name, version.string, python)
            variants.update(wheel.variants())
        patches: tuple[str, ...] = ()
        if external is None and recipe is not None and not binary:
            patches = _patches(spec, draft, recipe, variants)
        if patches:
            variants["patches"] = VariantValue.multi("patches", patches)
        return spec.replace(variants=dict(sorted(variants.items())), patch_order=patches)

    def _external_target(self, external: ExternalCandidate | None) -> str | None:
        if external is None:
            return None
        return external.spec.arch.target or self.external_target

    def _variants(
        self,
        spec: ConcreteSpec,
        draft: Draft,
        recipe: Recipe | None,
        external: ExternalCandidate | None,
    ) -> dict[str, VariantValue]:
        given = dict(external.spec.variants) if external is not None else {}
        found: dict[str, VariantValue] = {}
        for name, value in given.items():
            found[name] = VariantValue(name, _kind(value), value.values, exact=True)
        definitions: dict[str, list[VariantRecord]] = {}
        for record in recipe.variants if recipe is not None else ():
            definitions.setdefault(record.name, []).append(record)
        waiting = []
        for name, records in definitions.items():
            if name in draft.values:
                found[name] = _value(records[-1], draft.values[name])
            elif name in given:
                found[name] = _value(records[-1], given[name].values)
            elif (spec.name, name) not in self.encoding.conditions.mentioned:
                waiting.append((name, records))
        for literal in draft.given:
            _, name, text = self.encoding.conditions.literals[literal - 1].key[:3]
            if name not in FLAG_NAMES:
                known = found[name].values if name in found else ()
                kind = {"patches": "multi", "editable": "bool"}.get(name, "single")
                found[name] = VariantValue(name, kind, (*known, text), exact=True)
        self._defaults(spec, waiting, found)
        return found

    def _defaults(
        self,
        spec: ConcreteSpec,
        waiting: list[tuple[str, list[VariantRecord]]],
        found: dict[str, VariantValue],
    ) -> None:
        """Set the variants that no constraint mentions; those without conditions come first."""
        concretize_options = preferred_variants(self.catalog, spec.name)
        waiting.sort(key=lambda row: any(record.when for record in row[1]))
        for _ in range(2):  # a condition may be about a variant that comes later
            for name, records in waiting:
                probe: ConcreteSpec | None = None
                found.pop(name, None)
                for record in reversed(records):
                    if record.when:
                        probe = probe or spec.replace(variants=dict(found))
                        if not probe.satisfies(record.when):
                            continue
                    values = default_values(record, concretize_options.get(name))
                    found[name] = _value(record, values)
                    break
            if not any(record.when for _, records in waiting for record in records):
                break

    def _flags(
        self, node: Node, draft: Draft, external: ExternalCandidate | None, edges: Sequence[Edge]
    ) -> dict[str, tuple[str, ...]]:
        if external is not None:
            return {name: tuple(map(str, values)) for name, values in external.spec.flags.items()}
        keys = [self.encoding.conditions.literals[literal - 1].key for literal in draft.given]
        given = [(str(key[1]), str(key[2])) for key in keys if key[1] in FLAG_NAMES]
        return self.flags.of(node, given, edges)


def decode(
    catalog: Catalog,
    encoding: Encoding,
    atoms: Mapping[str, Sequence[Row]],
    context: RoundContext,
) -> tuple[ConcreteSpec, ...]:
    """Return the concrete spec of each root.

    :param atoms: shown atoms of a model without placeholders.
    :param context: the round that was solved.
    """
    nodes = _Decoder(catalog, encoding, atoms, context).specs()
    return tuple(nodes[root.spec.name, 0] for root in context.roots)


def _patches(
    spec: ConcreteSpec, draft: Draft, recipe: Recipe, variants: Mapping[str, VariantValue]
) -> tuple[str, ...]:
    """Return the sha256 of the patches of *spec* with *variants*, in the order of the recipes."""
    if not recipe.patches and not draft.patches:
        return ()
    probe = spec.replace(variants=dict(variants))
    sums = [
        record.sha256
        for record in (*recipe.patches, *draft.patches)
        if record.sha256 and (not record.when or probe.satisfies(record.when))
    ]
    return tuple(dict.fromkeys(sums))


def _external(candidate: ExternalCandidate | None) -> External | None:
    if candidate is None:
        return None
    entry = candidate.entry
    return External(entry.prefix, tuple(entry.modules), entry.extra_attributes)


def _value(record: VariantRecord, values: Sequence[str]) -> VariantValue:
    """Return the value in the form of its definition."""
    if record.kind == "bool":
        return VariantValue.boolean(record.name, tuple(values) == ("true",))
    if record.kind == "single":
        return VariantValue.single(record.name, values[0])
    return VariantValue.multi(record.name, tuple(values))


def _kind(value: VariantValue) -> str:
    return value.kind if value.kind in ("bool", "single", "multi") else "single"

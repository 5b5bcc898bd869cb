"""Quick checks before anything is solved.

Most impossible requests are typing errors: a package, a version or a variant that does not
exist. :func:`precheck` finds them without grounding anything.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from spack.errors import RecipeError, SpackError, SpecError, UnsatisfiableError
from spack.solver.candidates import Candidates, Catalog
from spack.solver.conditions import FREE_KEYS
from spack.solver.explain_text import FEW, domain, either, fixed_hint
from spack.solver.problem import Root
from spack.solver.wheel_choices import can_be_wheel
from spack.spec import Dependency, Spec, VariantValue, Version, VersionRange
from spack.spec.wheel import BINARY

__all__ = ["suggest_versions", "precheck"]


def precheck(catalog: Catalog, roots: Sequence[Root]) -> tuple[Root, ...]:
    """Return roots ready to be solved: hashes and virtual packages have become package names.

    :raises SpackError: everything that cannot be, all at once.
    """
    problems: list[SpackError] = []
    available = []
    for root in roots:
        try:
            resolved = Root(_resolved_below(catalog, _resolved(catalog, root), root), root.origin)
            available.append(resolved)
            problems.extend(_impossible(catalog, resolved))
            problems.extend(_contradicting_values(resolved))
        except SpackError as error:
            problems.append(error)
    for root in catalog.problem.develop.values():
        problems.extend(_impossible(catalog, root))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise UnsatisfiableError(
            f"{len(problems)} of the things asked for do not exist",
            causes=problems,
            ref="unsatisfiable-input",
        )
    return tuple(available)


def _resolved(catalog: Catalog, root: Root) -> Spec:
    spec = root.spec
    if spec.hash_prefix:
        return _named_by_hash(catalog, spec, root)
    if not spec.name:
        raise SpecError(
            f"'{spec}' names no package",
            facts={"origin": root.origin},
            hint="write the name of a package first, for instance: spack spec py-black@24:",
            ref="anonymous-root",
        )
    if catalog.is_virtual(spec.name):
        return _provider_of(catalog, root)
    return spec


def _named_by_hash(catalog: Catalog, spec: Spec, root: Root) -> Spec:
    """Return *spec* with the name of the installed spec that its hash means."""
    found = catalog.by_hash(spec.hash_prefix or "")
    if spec.name:
        found = [concrete for concrete in found if concrete.name == spec.name]
    if not found:
        raise SpecError(
            f"no installed spec has the hash /{spec.hash_prefix}",
            facts={"origin": root.origin, "hash": spec.hash_prefix},
            hint="spack find -L lists the hashes of what is installed",
            ref="unknown-hash",
        )
    if len(found) > 1:
        raise SpecError(
            f"the hash /{spec.hash_prefix} fits {len(found)} installed specs: "
            + ", ".join(concrete.short for concrete in found[:FEW]),
            facts={"origin": root.origin, "hash": spec.hash_prefix},
            hint="give more characters of the hash",
            ref="ambiguous-hash",
        )
    return spec if spec.name else spec.with_name(found[0].name)


def _resolved_below(catalog: Catalog, spec: Spec, root: Root) -> Spec:
    """Return *spec* with names in place of hashes alone: ``^/hash``, ``%/hash``."""
    if not any(dependency.spec.hash_prefix for dependency in spec.dependencies):
        return spec
    dependencies = tuple(
        Dependency(
            _named_by_hash(catalog, below.spec, root) if below.spec.hash_prefix else below.spec,
            below.direct,
            below.deptypes,
            below.virtuals,
            propagate=below.propagate,
            when=below.when,
        )
        for below in spec.dependencies
    )
    return spec.replace(dependencies=dependencies)


def _provider_of(catalog: Catalog, root: Root) -> Spec:
    """Return the preferred available provider of a virtual root."""
    for name in catalog.providers(root.spec.name):
        candidates = catalog.get(name)
        if candidates.buildable or candidates.externals or candidates.installed:
            asked = root.spec.replace(name=name, versions=Spec.parse("").versions)
            return _as_required(catalog, root, asked)
    raise UnsatisfiableError(
        f"nothing can provide the virtual package {root.spec.name}",
        facts={"origin": root.origin, "virtual": root.spec.name},
        hint=f"spack providers {root.spec.name} lists the packages that could",
        ref="no-provider",
    )


def _as_required(catalog: Catalog, root: Root, asked: Spec) -> Spec:
    """Return a virtual root with what is required of its provider.

    :raises UnsatisfiableError: the user asks for something else.
    """
    settings = catalog.settings(root.spec.name)
    for group in settings.require if settings is not None else ():
        required = Spec.parse(group.specs[0])
        if len(group.specs) > 1 or group.when or required.name != asked.name:
            continue
        try:
            asked = asked.constrain(required)
        except SpecError as error:
            raise UnsatisfiableError(
                f"{root.spec} is asked for ({root.origin}), but {root.spec.name} must be "
                f"{group.specs[0]} ({group.origin})",
                facts={"origin": root.origin, "virtual": root.spec.name},
                hint="change this requirement of the configuration",
                ref="virtual-requirement",
                causes=(error,),
            ) from error
    return asked


def _impossible(catalog: Catalog, root: Root) -> Iterable[SpackError]:
    for spec in root.spec.traverse():
        if not spec.name or catalog.is_virtual(spec.name):
            continue
        recipe = catalog.recipe(spec.name)
        if recipe is None and not catalog.has_available(spec.name):
            yield _unknown_package(catalog, spec.name, root.origin)
            continue
        candidates = catalog.get(spec.name)
        if not candidates.versions:
            yield UnsatisfiableError(
                f"{spec.name} has no version ({root.origin})",
                facts={"package": spec.name, "origin": root.origin},
                hint=f"its recipe declares none; register an external {spec.name}",
                ref="no-version",
            )
            continue
        error = _no_version(catalog, candidates, spec, root)
        if error is not None:
            yield error
        error = _no_wheel(catalog, candidates, spec, root)
        if error is not None:
            yield error
            continue
        for value in spec.variants.values():
            error = _no_variant(candidates, value, root)
            if error is not None:
                yield error
        if "editable" in spec.variants:
            yield from _not_editable(catalog, candidates, spec, root)


def _no_wheel(
    catalog: Catalog, candidates: Candidates, spec: Spec, root: Root
) -> UnsatisfiableError | None:
    """Return the error where the index has no wheel for what is asked as one; else None."""
    asked = spec.variants.get("build_system")
    if asked is None or BINARY not in asked.values or not can_be_wheel(candidates.recipe):
        return None
    mask = candidates.mask(spec.versions)
    found = catalog.wheels.of(candidates.name)
    versions = [row.version.string for i, row in enumerate(candidates.versions) if mask >> i & 1]
    if not versions or not found.fitting.keys().isdisjoint(versions):
        return None
    return UnsatisfiableError(
        f"{candidates.name} cannot be a wheel of the index ({root.origin})",
        catalog.wheels.reason(candidates.name, versions[0]),
        facts={"package": candidates.name, "version": versions[0], "origin": root.origin},
        hint=f"leave build_system={BINARY} out to build it, or name another version or index",
        ref="no-wheel",
    )


def _contradicting_values(root: Root) -> Iterator[SpackError]:
    """Refuse values that ``++x`` passes on to where the root says something else."""
    nodes = [spec for spec in root.spec.traverse() if spec.name]
    for above, below in itertools.combinations(nodes, 2):
        for name, value in above.variants.items():
            other = below.variants.get(name)
            if other is None or other.values == value.values or value.kind == "any":
                continue
            if value.propagate and (other.propagate or above is nodes[0]):
                yield UnsatisfiableError(
                    f"{above.name} passes on {value}, but {below.name} is asked for with {other} "
                    f"({root.origin})",
                    facts={"variant": name, "packages": [above.name, below.name]},
                    hint=f"leave {other} out, or write {name} once for each package that has it",
                    ref="contradicting-values",
                )


def _not_editable(
    catalog: Catalog, candidates: Candidates, spec: Spec, root: Root
) -> Iterator[SpackError]:
    """Refuse ~editable and +editable for all but developed Python packages."""
    recipe = candidates.recipe
    values = [
        value
        for record in (recipe.variants if recipe is not None else ())
        if record.name == "build_system"
        for value, _ in record.values or ()
    ]
    facts = {"package": spec.name, "origin": root.origin}
    is_developed = "dev_path" in spec.variants or spec.name in catalog.problem.develop
    if not spec.satisfies("+editable"):
        if not is_developed:
            yield UnsatisfiableError(
                f"{spec.name} is not editable anyway ({root.origin})",
                facts=facts,
                hint="leave ~editable out: only what is built from a local directory can be",
                ref="not-editable",
            )
    elif "python_wheel" not in values:
        yield UnsatisfiableError(
            f"{spec.name} cannot be editable: it is not built as a Python wheel ({root.origin})",
            facts=facts,
            hint="leave +editable out; after a change of its sources `spack install` builds it",
            ref="not-editable",
        )
    elif not is_developed:
        yield UnsatisfiableError(
            f"{spec.name} cannot be editable without a directory to edit ({root.origin})",
            facts=facts,
            hint=f"spack develop --editable -p DIRECTORY {spec.name}, in an environment",
            ref="not-editable",
        )


def _unknown_package(catalog: Catalog, name: str, origin: str) -> RecipeError:
    suggestions = list(catalog.problem.recipes.suggestions(name))[:5]
    return RecipeError(
        f"there is no package named {name}",
        facts={"package": name, "near": suggestions, "origin": origin},
        hint=f"did you mean {either(suggestions)}?"
        if suggestions
        else "spack list shows all packages",
        ref="unknown-package",
    )


def _no_version(
    catalog: Catalog, candidates: Candidates, spec: Spec, root: Root
) -> UnsatisfiableError | None:
    if spec.versions.is_any or spec.hash_prefix:
        return None
    name, mask = candidates.name, candidates.mask(spec.versions)
    if mask & (candidates.buildable | candidates.external_mask | candidates.installed_mask):
        return None
    facts = {"package": name, "versions": str(spec.versions), "origin": root.origin}
    asked = f"{name}@{spec.versions}"
    if mask & candidates.deprecated and candidates.fixed is None:
        return UnsatisfiableError(
            f"{asked} is deprecated ({root.origin})",
            facts=facts,
            hint="ask for another version, or allow it: spack -c config:deprecated:true ...",
            ref="deprecated-version",
        )
    if candidates.available_only:
        return UnsatisfiableError(
            f"{asked} is asked for ({root.origin}), but {domain(candidates)}",
            "\n".join(_unfit(catalog, root, spec)) or None,
            facts={**facts, "externals": [str(e.version) for e in candidates.externals]},
            hint=fixed_hint(candidates),
            ref="not-buildable",
        )
    suggestions = suggest_versions(spec, candidates)
    return UnsatisfiableError(
        f"{name} has no version {spec.versions} ({root.origin})",
        facts={**facts, "near": suggestions},
        hint=f"near versions are {', '.join(suggestions)}; spack versions {name} lists all"
        if suggestions
        else f"the recipe of {name} declares no version",
        ref="unknown-version",
    )


def _unfit(catalog: Catalog, root: Root, spec: Spec) -> Iterator[str]:
    """Yield dependencies of the root that would not take the version either."""
    recipe = catalog.recipe(root.spec.name)
    usable = catalog.get(root.spec.name).mask(root.spec.versions)
    for record in recipe.dependencies if recipe is not None else ():
        needed, when = Spec.parse(record.spec), Spec.parse(record.when)
        if needed.name != spec.name or needed.versions.intersects(spec.versions):
            continue
        if catalog.get(root.spec.name).mask(when.versions) & usable:
            condition = f" when {record.when}" if record.when else ""
            location = f"{recipe.path}:{record.line}" if recipe is not None else ""
            yield f"{root.spec.name} depends on {record.spec}{condition} ({location})"


def suggest_versions(spec: Spec, candidates: Candidates) -> list[str]:
    """Return versions around the one that was asked for, and the newest."""
    ends = [end for part in spec.versions for end in _ends(part)]
    wanted = max(ends) if ends else None
    known = sorted(
        row.version
        for index, row in enumerate(candidates.versions)
        if candidates.buildable >> index & 1 or not row.declared
    )
    if wanted is None or not known:
        return [str(version) for version in reversed(known[-3:])]
    below = [version for version in known if version < wanted]
    above = [version for version in known if not version < wanted]
    chosen = {*below[-2:], *above[:2], known[-1]}
    return [str(version) for version in sorted(chosen, reverse=True)]


def _ends(part: Version | VersionRange) -> list[Version]:
    if isinstance(part, Version):
        return [part]
    return [end for end in (part.lo, part.hi) if end is not None]


def _no_variant(
    candidates: Candidates, value: VariantValue, root: Root
) -> UnsatisfiableError | None:
    recipe = candidates.recipe
    if recipe is None or value.name in FREE_KEYS or value.propagate:
        return None
    # An older recipe may have had it, or the configuration says that an external has.
    if any(value.name in spec.variants for spec in candidates.installed):
        return None
    if any(value.name in external.spec.variants for external in candidates.externals):
        return None
    definitions = [record for record in recipe.variants if record.name == value.name]
    facts = {"package": recipe.name, "variant": value.name, "origin": root.origin}
    if not definitions:
        known = sorted({record.name for record in recipe.variants})
        return UnsatisfiableError(
            f"{recipe.name} has no variant {value.name} ({root.origin})",
            facts={**facts, "known": known},
            hint=f"its variants are {', '.join(known)}" if known else "it has no variants",
            ref="unknown-variant",
        )
    allowed: dict[str, None] = {}
    for record in definitions:
        if record.values is None and record.kind != "bool":
            return None
        values = ("true", "false") if record.kind == "bool" else [v for v, _ in record.values or ()]
        allowed.update((text, None) for text in values)
    strange = [text for text in value.values if text not in allowed]
    if not strange:
        return None
    return UnsatisfiableError(
        f"the variant {value.name} of {recipe.name} cannot be {', '.join(strange)} ({root.origin})",
        facts={**facts, "allowed": list(allowed)},
        hint=f"it can be {either(list(allowed))}",
        ref="unknown-variant-value",
    )

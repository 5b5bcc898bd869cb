"""Words for what there is of a package."""

from __future__ import annotations

from collections.abc import Sequence

from spack.recipe.package_names import INDEX_NAMESPACE
from spack.solver.candidates import Candidates
from spack.solver.conditions import FREE_KEYS
from spack.spec import Spec

__all__ = ["FEW", "deprecated_hint", "domain", "either", "fixed_hint", "missing", "variant_reasons"]

#: How many versions an explanation lists.
FEW = 6


def domain(candidates: Candidates) -> str:
    """Return the candidates of a package as text."""
    name = candidates.name
    externals = [
        f"{external.version}" + (f" ({external.entry.prefix})" if external.entry.prefix else "")
        for external in candidates.externals
    ]
    installed = [spec.short for spec in candidates.installed if spec.external is None][:FEW]
    if candidates.recipe is None and not externals and not installed:
        return f"there is no package named {name}"
    recipe = candidates.recipe
    if candidates.available_only and recipe is not None and recipe.namespace == INDEX_NAMESPACE:
        project = name.partition("-")[2]
        return f"the package index has no wheel of {project} that can be used here"
    if candidates.available_only:
        why = "may not be built" if candidates.fixed is not None else "has no version to build"
        if not externals and not installed:
            return f"{name} {why}, and no external is known"
        return f"{name} {why}, and there is only {either([*externals, *installed])}"
    versions = [
        str(row.version)
        for index, row in enumerate(candidates.versions)
        if candidates.buildable >> index & 1
    ]
    if not versions:
        return f"{name} has no version that can be built"
    text = f"{name} has the versions {', '.join(versions[:FEW])}"
    if len(versions) == 1:
        text = f"{name} has only the version {versions[0]}"
    if len(versions) > FEW:
        text += f" and {len(versions) - FEW} more"
    deprecated = bin(_left_out(candidates)).count("1")
    return text + (f" (deprecated and left out: {deprecated})" if deprecated else "")


def missing(candidates: Candidates, spec: Spec) -> str | None:
    """Return what *spec* names that the package does not have at all, or None."""
    usable = candidates.buildable | candidates.external_mask | candidates.installed_mask
    if not spec.versions.is_any and not candidates.mask(spec.versions) & usable:
        return domain(candidates)
    recipe = candidates.recipe
    for value in spec.variants.values():
        definitions = [row for row in recipe.variants if row.name == value.name] if recipe else []
        if recipe is None or value.name in FREE_KEYS:
            continue
        if not definitions:
            return f"{candidates.name} has no variant {value.name}"
        allowed = {text for row in definitions for text, _ in row.values or ()}
        if any(row.values is None or row.kind == "bool" for row in definitions):
            continue
        strange = [text for text in value.values if text not in allowed]
        if strange:
            return f"its variant {value.name} has the values {either(sorted(allowed))}"
    return None


def deprecated_hint(candidates: Candidates, wanted: Sequence[Spec]) -> str | None:
    """Return the hint for a deprecated version that would be all that is *wanted*; else None."""
    fitting = _left_out(candidates)
    for spec in wanted:
        fitting &= candidates.mask(spec.versions)
    for index, row in enumerate(candidates.versions):
        if fitting >> index & 1:
            node = f"{candidates.name}@{row.version}"
            return f"{node} is deprecated; allow it: spack -c config:deprecated:true ..."
    return None


def _left_out(candidates: Candidates) -> int:
    return candidates.deprecated & ~candidates.buildable


def fixed_hint(candidates: Candidates) -> str:
    """Return the hint for a package that may not be built."""
    hint = f"let spack external find {candidates.name} search for more"
    if candidates.fixed is not None:
        hint += f", or set packages:{candidates.name}:buildable to true"
    return hint


def either(texts: Sequence[str]) -> str:
    """Return ``a, b or c``."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} or {texts[-1]}"


def variant_reasons(candidates: Candidates, wanted: Sequence[Spec]) -> list[str]:
    """Return why requested variants are not possible: conditions and groups of values."""
    found: list[str] = []
    recipe = candidates.recipe
    for value in [value for spec in wanted for value in spec.variants.values()]:
        definitions = [v for v in recipe.variants if v.name == value.name] if recipe else []
        if not definitions:
            found.append(f"{candidates.name} has no variant {value.name}")
            continue
        whens = [record.when for record in definitions]
        if all(whens):
            found.append(
                f"the variant {value.name} of {candidates.name} exists only when {either(whens)}"
            )
        for record in definitions:
            conditions = dict(record.values or ())
            for text in value.values:
                if conditions.get(text):
                    found.append(
                        f"{value.name}={text} of {candidates.name} exists only when "
                        f"{conditions[text]}"
                    )
            if record.sets and not any(set(value.values) <= set(g) for g in record.sets):
                groups = ["{" + ", ".join(group) + "}" for group in record.sets]
                found.append(
                    f"the values of the variant {value.name} of {candidates.name} come from one "
                    f"of the groups {either(groups)}"
                )
            if record.sticky:
                found.append(
                    f"the variant {value.name} of {candidates.name} is only changed on demand"
                )
    return list(dict.fromkeys(found))

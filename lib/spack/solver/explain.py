"""Why there is no solution: quick checks before solving, and the minimal clash afterwards.

Most impossible requests are typing errors: a package, a version or a variant that does not
exist. :func:`precheck` finds them without grounding anything. The rest is a contradiction
between things that somebody wrote; :func:`conflict_of` says which, each with its place.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from spack.errors import RecipeError, SpackError, SpecError, UnsatisfiableError
from spack.solver.candidates import Candidates, Catalog
from spack.solver.causes import Guard
from spack.solver.conditions import FREE_KEYS
from spack.solver.encode import Encoding
from spack.solver.problem import Root
from spack.spec import Spec, VariantValue

__all__ = ["conflict_of", "near_versions", "precheck"]

#: How many versions an explanation lists.
FEW = 6


def precheck(catalog: Catalog, roots: Sequence[Root]) -> Tuple[Root, ...]:
    """Roots ready to be solved: hashes and virtual packages have become package names.

    :raises SpackError: everything that cannot be, all at once.
    """
    problems: List[SpackError] = []
    ready = []
    for root in roots:
        try:
            resolved = Root(_resolved(catalog, root), root.origin)
            ready.append(resolved)
            for error in _impossible(catalog, resolved):
                problems.append(error)
        except SpackError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise UnsatisfiableError(
            f"{len(problems)} of the things asked for do not exist",
            "\n".join(f"- {problem.message}" for problem in problems),
            causes=problems,
            hint=problems[0].hint,
            ref="unsatisfiable-input",
        )
    return tuple(ready)


def _resolved(catalog: Catalog, root: Root) -> Spec:
    spec = root.spec
    if spec.hash_prefix:
        found = catalog.by_hash(spec.hash_prefix)
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


def _provider_of(catalog: Catalog, root: Root) -> Spec:
    """A virtual root stands for its preferred provider that can be had."""
    for name in catalog.providers(root.spec.name):
        candidates = catalog.get(name)
        if candidates.buildable or candidates.externals or candidates.installed:
            return root.spec.replace(name=name, versions=Spec.parse("").versions)
    raise UnsatisfiableError(
        f"nothing can provide the virtual package {root.spec.name}",
        facts={"origin": root.origin, "virtual": root.spec.name},
        hint=f"spack providers {root.spec.name} lists the packages that could",
        ref="no-provider",
    )


def _impossible(catalog: Catalog, root: Root) -> Iterable[SpackError]:
    for spec in root.spec.traverse():
        if not spec.name or catalog.is_virtual(spec.name):
            continue
        recipe = catalog.recipe(spec.name)
        if recipe is None and not catalog.has_ready(spec.name):
            yield _unknown_package(catalog, spec.name, root.origin)
            continue
        candidates = catalog.get(spec.name)
        error = _no_version(candidates, spec, root)
        if error is not None:
            yield error
        for value in spec.variants.values():
            error = _no_variant(candidates, value, root)
            if error is not None:
                yield error


def _unknown_package(catalog: Catalog, name: str, origin: str) -> RecipeError:
    near = list(catalog.problem.recipes.near(name))[:5]
    return RecipeError(
        f"there is no package named {name}",
        facts={"package": name, "near": near, "origin": origin},
        hint=f"did you mean {_either(near)}?" if near else "spack list shows all packages",
        ref="unknown-package",
    )


def _no_version(candidates: Candidates, spec: Spec, root: Root) -> Optional[UnsatisfiableError]:
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
    if candidates.fixed is not None:
        return UnsatisfiableError(
            f"{asked} is asked for ({root.origin}), but {_domain(candidates)}",
            facts={**facts, "externals": [str(e.version) for e in candidates.externals]},
            hint=_fixed_hint(candidates),
            ref="not-buildable",
        )
    near = near_versions(spec, candidates)
    return UnsatisfiableError(
        f"{name} has no version {spec.versions} ({root.origin})",
        facts={**facts, "near": near},
        hint=f"near versions are {', '.join(near)}; spack versions {name} lists all"
        if near
        else f"the recipe of {name} declares no version",
        ref="unknown-version",
    )


def near_versions(spec: Spec, candidates: Candidates) -> List[str]:
    """Versions around the one that was asked for, and the newest."""
    wanted = spec.versions.highest() or spec.versions.lowest()
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


def _no_variant(
    candidates: Candidates, value: VariantValue, root: Root
) -> Optional[UnsatisfiableError]:
    recipe = candidates.recipe
    if recipe is None or value.name in FREE_KEYS or value.propagate:
        return None
    if candidates.installed or candidates.externals:
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
    allowed: Dict[str, None] = {}
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
        hint=f"it can be {_either(list(allowed))}",
        ref="unknown-variant-value",
    )


# -- after solving ------------------------------------------------------------------------------


def conflict_of(
    catalog: Catalog, roots: Sequence[Root], encoding: Encoding, core: Sequence[int]
) -> UnsatisfiableError:
    """The error for a minimal set of guards that contradict each other."""
    guards = [encoding.guards[number] for number in core]
    absent = [guard for guard in guards if _is_absent(guard, guards)]
    shown = [
        guard
        for guard in guards
        if guard.kind != "domain" or (not absent and _worth_showing(catalog, guard, guards))
    ]
    order = {"root": 0, "require": 1, "forbid": 1, "domain": 3}
    shown.sort(key=lambda guard: order.get(guard.kind, 2))
    causes = [_cause(catalog, guard, guard in absent) for guard in shown]
    asked = ", ".join(dict.fromkeys(str(root.spec) for root in roots))
    lines = [f"{place}. {cause.message}" for place, cause in enumerate(causes, 1)]
    hints = [cause.hint for cause in causes if cause.hint]
    return UnsatisfiableError(
        f"{asked} cannot be had: " + _headline(catalog, shown),
        "\n".join(lines),
        facts={"roots": [str(root.spec) for root in roots], "causes": [c.facts for c in causes]},
        hint=hints[0] if hints else "loosen one of these constraints",
        causes=causes,
    )


def _headline(catalog: Catalog, shown: Sequence[Guard]) -> str:
    if not shown:
        return "the constraints of its packages contradict each other"
    subjects = [_subject(guard) for guard in shown]
    common = max(dict.fromkeys(subjects), key=subjects.count)
    count = len(shown)
    if count == 1:
        return f"this constraint on {common} cannot be satisfied"
    return f"these {count} constraints contradict each other, about {common}"


def _subject(guard: Guard) -> str:
    """The package that a guard constrains."""
    if guard.kind == "dependency":
        return Spec.parse(guard.text).name
    if guard.kind == "root":
        below = Spec.parse(guard.text).dependencies
        return below[0].spec.name if below else guard.package
    return guard.package


def _is_absent(guard: Guard, guards: Sequence[Guard]) -> bool:
    """Whether a root asks for a dependency that nothing in the contradiction brings."""
    below = Spec.parse(guard.text).dependencies if guard.kind == "root" else ()
    if not below:
        return False
    name = below[0].spec.name
    return not any(
        other.package == name
        or (other.kind == "dependency" and Spec.parse(other.text).name == name)
        for other in guards
        if other is not guard
    )


def _worth_showing(catalog: Catalog, guard: Guard, guards: Sequence[Guard]) -> bool:
    """A package's list of versions explains nothing where two constraints exclude each other."""
    name = guard.package
    if catalog.fixed(name) is not None or catalog.recipe(name) is None:
        return True
    about = [
        spec
        for other in guards
        for spec in _constraints(other)
        if other is not guard and spec.name == name
    ]
    if any(not a.intersects(b) for a in about for b in about):
        return False
    for other in guards:
        if other is not guard and other.kind != "root" and other.package == name:
            return False
    return bool(about)


def _constraints(guard: Guard) -> List[Spec]:
    if guard.kind == "dependency":
        return [Spec.parse(guard.text)]
    if guard.kind == "root":
        return list(Spec.parse(guard.text).traverse())
    return []


def _cause(catalog: Catalog, guard: Guard, absent: bool = False) -> UnsatisfiableError:
    text, hint = guard.text, None
    if guard.kind == "root":
        message, hint = f"{text} is asked for", f"ask for something else than {text}"
        if absent:
            name = Spec.parse(text).dependencies[0].spec.name
            direct = Spec.parse(text).dependencies[0].direct
            message += f", but {guard.package if direct else f'nothing below {guard.package}'}"
            message += f" depends on {name}" if not direct else f" does not depend on {name}"
            hint = (
                f"leave {name} out; what only the builds of dependencies use cannot be named with ^"
            )
    elif guard.kind == "dependency":
        when = guard.data.when
        message = f"{guard.package} depends on {text}" + (f" when {when}" if when else "")
    elif guard.kind == "conflict":
        message = f"{guard.package} conflicts with {text}"
    elif guard.kind == "requires":
        when = guard.data.when
        message = f"{guard.package} requires {text}" + (f" when {when}" if when else "")
    elif guard.kind == "require":
        message, hint = f"{guard.package} must be {text}", "change this requirement"
    elif guard.kind == "forbid":
        message, hint = f"{guard.package} must not be {text}", "change this rule"
    elif guard.kind == "prefer":
        message = f"{guard.package} should be {text}"
    else:
        candidates = catalog.get(guard.package)
        message = _domain(candidates)
        hint = _fixed_hint(candidates) if candidates.fixed is not None else None
    if guard.message:
        message += f": {guard.message}"
    origin = guard.origin
    return UnsatisfiableError(
        f"{message} ({origin})" if origin else message,
        facts={"kind": guard.kind, "package": guard.package, "origin": origin, "text": text},
        hint=hint,
    )


def _domain(candidates: Candidates) -> str:
    """What there is of a package."""
    name = candidates.name
    externals = [
        f"{external.version}" + (f" ({external.entry.prefix})" if external.entry.prefix else "")
        for external in candidates.externals
    ]
    installed = [concrete.short for concrete in candidates.installed[:FEW]]
    if candidates.recipe is None and not externals and not installed:
        return f"there is no package named {name}"
    if candidates.fixed is not None:
        if not externals and not installed:
            return f"{name} may not be built and has no external"
        return f"{name} may not be built, and there is only {_either([*externals, *installed])}"
    versions = [
        str(row.version)
        for index, row in enumerate(candidates.versions)
        if candidates.buildable >> index & 1
    ]
    if not versions:
        return f"{name} has no version that can be built"
    more = f" and {len(versions) - FEW} more" if len(versions) > FEW else ""
    return f"{name} has the versions {', '.join(versions[:FEW])}{more}"


def _fixed_hint(candidates: Candidates) -> str:
    name = candidates.name
    return (
        f"let spack external find {name} look for others, or set packages:{name}:buildable to true"
    )


def _either(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} or {texts[-1]}"

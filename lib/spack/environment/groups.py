"""Groups of specs in ``spack.yaml``: each is concretized by itself, after those that it needs.

::

    specs:
    - zlib                      # in the group "default", with the other plain specs
    - group: compilers
      specs: [gcc@12]
    - group: apps
      needs: [compilers]        # what that group's specs became may be used here
      specs: [hdf5, $libraries]
      override:                 # configuration for this group only, above that of the file
        packages:
          c: {prefer: [gcc@12]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from spack.config.schema import Tree, suggestion
from spack.environment.definitions import DEFAULT_GROUP, expand
from spack.errors import ConfigError

if TYPE_CHECKING:
    from spack.config.schema import Origin
    from spack.environment.definitions import Lists, UserSpec

__all__ = ["SpecGroup", "read_groups", "solve_order"]


class SpecGroup(NamedTuple):
    """Specs that are concretized together.

    :ivar needs: names of groups that are concretized before; what they became may be used.
    :ivar override: sections of configuration for this group, or None.
    :ivar explicit: whether its specs count as requested by the user when they are installed.
    """

    name: str
    specs: tuple[UserSpec, ...]
    origin: Origin
    needs: tuple[str, ...] = ()
    override: Tree | None = None
    explicit: bool = True


def read_groups(items: Tree, lists: Lists) -> tuple[SpecGroup, ...]:
    """Return the groups of a checked list of specs in order; each spec is once in its group.

    :raises ConfigError: two groups of one name, or a needed one that is not there.
    :raises SpecError: a malformed cell of a matrix.
    """
    plain = Tree([x for x in items.value if not _is_group(x)], items.origin)
    found = {DEFAULT_GROUP: SpecGroup(DEFAULT_GROUP, _unique(expand(plain, lists)), items.origin)}
    for item in filter(_is_group, items.value):
        entry: Mapping[str, Tree] = item.value
        name = str(entry["group"].value)
        if name in found:
            raise _refused(
                item.origin, f"the group '{name}' is there already", "rename one of them"
            )
        specs = expand(entry["specs"], lists) if "specs" in entry else []
        needs = tuple(str(x.value) for x in entry["needs"].value) if "needs" in entry else ()
        marked = [spec._replace(group=name) for spec in specs]
        found[name] = SpecGroup(
            name,
            _unique(marked),
            item.origin,
            needs,
            override=entry.get("override"),
            explicit="explicit" not in entry or bool(entry["explicit"].value),
        )
    for group in found.values():
        for name in group.needs:
            if name not in found:
                hint = suggestion(name, found) or "its groups: " + ", ".join(found)
                raise _refused(
                    group.origin, f"'{group.name}' needs '{name}': there is no such group", hint
                )
    return tuple(group for group in found.values() if group.specs or group.name != DEFAULT_GROUP)


def solve_order(groups: Sequence[SpecGroup]) -> tuple[SpecGroup, ...]:
    """Return the groups so that each comes after all that it needs.

    :raises ConfigError: groups need each other.
    """
    ordered: dict[str, SpecGroup] = {}
    waiting = list(groups)
    empty = {DEFAULT_GROUP} - {group.name for group in groups}
    while waiting:
        ready = [group for group in waiting if {*ordered, *empty}.issuperset(group.needs)]
        if not ready:
            names = ", ".join(f"'{group.name}'" for group in waiting)
            raise _refused(
                waiting[0].origin,
                f"groups need each other: {names}",
                "remove one of the names below 'needs:'",
            )
        ordered.update((group.name, group) for group in ready)
        waiting = [group for group in waiting if group.name not in ordered]
    return tuple(ordered.values())


def _is_group(item: Tree) -> bool:
    return isinstance(item.value, dict) and "group" in item.value


def _unique(specs: Sequence[UserSpec]) -> tuple[UserSpec, ...]:
    first: dict[str, UserSpec] = {}
    for spec in specs:
        first.setdefault(spec.text, spec)
    return tuple(first.values())


def _refused(origin: Origin, text: str, hint: str) -> ConfigError:
    return ConfigError(
        f"{origin}: {text}", facts={"file": origin.file, "line": origin.line}, hint=hint
    )

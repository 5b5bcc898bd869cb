"""One value of a configuration file, added, removed or changed by its path ``section:key:value``.

The file is checked by the tables of :mod:`spack.config.keys` before it is written: one that was
good stays good.
"""

from __future__ import annotations

from collections.abc import MutableMapping as Mapping
from collections.abc import Sequence
from typing import Any, Callable

from spack.config.edit import SectionFile
from spack.config.keys import SECTIONS
from spack.config.schema import key_name, suggestion
from spack.config.scopes import split_setting
from spack.errors import ConfigError, UsageError
from spack.spec import Spec

__all__ = [
    "add_data",
    "add_value",
    "changed_requirements",
    "overridden",
    "parse_path",
    "remove_value",
]

Change = Callable[[SectionFile], None]


def parse_path(text: str) -> tuple[tuple[str, ...], Any]:
    """Return the keys and the value of ``section:key:value``; what is left of a list is one key.

    :raises UsageError: there is no value, or no such section.
    """
    keys, value = split_setting(text)
    if not keys:
        raise UsageError(
            f"cannot read the path {text!r}",
            hint="write section:key:value, as in config:build_jobs:4",
            ref="config-setting",
        )
    section = key_name(keys[0])
    if section not in SECTIONS:
        raise UsageError(
            f"there is no configuration section {section}",
            hint=suggestion(section, SECTIONS) or "sections: " + ", ".join(sorted(SECTIONS)),
            ref="config-section",
        )
    return tuple(keys), value


def add_value(file: SectionFile, keys: Sequence[str], value: Any) -> None:
    """Put *value* at *keys* (the section's name first) and write the file.

    Mappings and lists are merged, a list's new items first. A key that ends in ``:`` replaces
    what lower scopes say, as in files.

    :raises ConfigError: the key or the value is not one that the section has.
    """
    try:
        file.changed(lambda: _put(file, keys, value))
    except ConfigError:
        if isinstance(value, (list, Mapping)):
            raise
        try:
            file.changed(lambda: _put(file, keys, [value]))
        except ConfigError:
            file.changed(lambda: _put(file, keys, value))  # this error names what was written


def add_data(file: SectionFile, data: Any) -> None:
    """Merge *data* into the section and write the file.

    :raises ConfigError: as :func:`add_value`.
    """
    file.changed(lambda: _put(file, (file.section,), data))


def _put(file: SectionFile, keys: Sequence[str], value: Any) -> None:
    if len(keys) == 1:
        if isinstance(value, (list, Mapping)) and not keys[0].endswith(":"):
            file.replace(_merged(file.data or None, value))
        else:
            file.replace(value)
        return
    location = file.data
    if not isinstance(location, Mapping):
        raise _no_mapping(file, keys[:1])
    for depth, key in enumerate(keys[1:-1], 1):
        name = _written(location, key)
        below = location.get(name)
        if below is None:
            location[name] = {}
            below = location[name]
        if not isinstance(below, Mapping):
            raise _no_mapping(file, keys[: depth + 1])
        location = below
    name = _written(location, keys[-1])
    replaces = keys[-1].endswith(":")
    location[name] = value if replaces else _merged(location.get(name), value)


def _written(location: Any, key: str) -> str:
    """Return *key* as the mapping has it; one with a suffix of its own takes its path over."""
    for known in list(location):
        if key_name(str(known)) == key_name(key) and str(known) != key:
            if key == key_name(key):
                return str(known)
            del location[known]
    return key


def _merged(old: Any, new: Any) -> Any:
    """Return *old*, changed in place where it can be, with *new* over it."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in new.items():
            name = _written(old, str(key))
            old[name] = _merged(old.get(name), value)
        return old
    if isinstance(old, list):
        items = new if isinstance(new, list) else [new]
        for index, item in enumerate(x for x in items if x not in old):
            old.insert(index, item)
        return old
    return new


def remove_value(file: SectionFile, text: str) -> None:
    """Remove what the path *text* names, a key or an item of a list, and write the file.

    :raises UsageError: the file does not have it.
    """
    keys, value = parse_path(text) if ":" in text else ((text,), None)

    def remove() -> None:
        if not _removed(file, [*keys[1:]], value):
            raise UsageError(
                f"{file.path} does not have {text}",
                hint=f"`spack config blame {file.section}` shows where values come from",
                ref="config-value",
            )

    file.changed(remove)


def _removed(file: SectionFile, keys: Sequence[str], value: Any) -> bool:
    parent: Any = None
    location = file.data
    name: Any = None
    for key in keys:
        if not isinstance(location, Mapping):
            return False
        parent, name = location, _known(location, key)
        if name is None:
            return False
        location = parent[name]
    if isinstance(location, list):
        items = value if isinstance(value, list) else [value]
        if not all(item in location for item in items):
            return False
        for item in items:
            location.remove(item)
        return True
    if isinstance(location, Mapping):
        found = _known(location, str(value))
        if found is not None:
            del location[found]
        return found is not None
    if parent is not None and location == value:
        del parent[name]
        return True
    return False


def _known(location: Any, key: str) -> Any:
    return next((x for x in location if key_name(str(x)) == key_name(key)), None)


def changed_requirements(
    file: SectionFile, package: str, spec: Spec, match: Spec | None = None
) -> bool:
    """Let the requirements of *package* in a ``packages`` section ask for *spec*; write the file.

    Of each requirement that excludes *spec*, what excludes it is replaced.

    :param match: only requirements that satisfy it.
    :returns: whether anything has changed.
    :raises ConfigError: the result is not a requirement.
    """
    wanted = spec.with_name(package)
    changed = False

    def one(text: Any) -> Any:
        nonlocal changed
        if isinstance(text, Mapping):
            for key in ("one_of", "any_of", "spec"):
                if key in text:
                    old = text[key]
                    new = [one(x) for x in old] if isinstance(old, list) else one(old)
                    text[key] = new
            return text
        old = Spec.parse(str(text))
        whole = old.with_name(package)
        if (match is not None and not whole.satisfies(match)) or whole.intersects(wanted):
            return text
        changed = True
        return str(overridden(whole, wanted).with_name(old.name))

    def change() -> None:
        data = file.data
        row = data.get(file.key(package)) if isinstance(data, Mapping) else None
        if not isinstance(row, Mapping) or row.get("require") is None:
            return
        required = row["require"]
        if isinstance(required, list):
            required[:] = [one(item) for item in required]
        else:
            row["require"] = one(required)

    file.changed(change)
    return changed


def overridden(spec: Spec, change: Spec) -> Spec:
    """Return *spec* with everything that *change* says instead of what it says of the same."""
    below = {(edge.spec.name, edge.direct): edge for edge in spec.dependencies}
    below.update({(edge.spec.name, edge.direct): edge for edge in change.dependencies})
    return spec.replace(
        name=change.name or spec.name,
        namespace=change.namespace or spec.namespace,
        versions=spec.versions if change.versions.is_any else change.versions,
        variants={**spec.variants, **change.variants},
        flags={**spec.flags, **change.flags},
        arch=type(spec.arch)(
            change.arch.platform or spec.arch.platform,
            change.arch.os or spec.arch.os,
            change.arch.target or spec.arch.target,
        ),
        dependencies=tuple(below.values()),
    )


def _no_mapping(file: SectionFile, keys: Sequence[str]) -> UsageError:
    return UsageError(
        f"{file.path}: {':'.join(keys)} has no keys",
        hint=f"`spack config get {file.section}` shows what it is",
        ref="config-value",
    )

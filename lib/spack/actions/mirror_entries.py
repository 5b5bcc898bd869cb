"""The mirrors of a configuration file: added, changed, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spack.config.edit import SectionFile
from spack.errors import UsageError

__all__ = ["add_mirror", "change_mirror"]


def add_mirror(
    file: SectionFile, name: str, url: str, options: Mapping[str, Any] | None = None
) -> None:
    """Put a mirror first.

    :param options: further keys of its entry, such as ``source: false``.
    :raises UsageError: the name is taken.
    :raises ConfigError: the entry is not one that mirrors have.
    """
    if any(str(key) == name for key in file.data):
        raise UsageError(
            f"{file.path} already has a mirror {name}",
            hint=f"spack mirror set-url {name} URL, or choose another name",
            ref="mirror-name",
        )
    value: Any = {"url": url, **options} if options else url

    def add() -> None:
        data = file.data
        if hasattr(data, "insert"):  # ruamel's mapping: what is added comes first
            data.insert(0, name, value)
        else:
            file.replace({name: value, **data})

    file.changed(add)


def change_mirror(file: SectionFile, name: str, changes: Mapping[str, Any]) -> bool:
    """Change keys of a mirror's entry; return whether anything is different then.

    :raises UsageError: the file has no such mirror.
    """
    if file.data.get(name) is None:
        raise UsageError(
            f"{file.path} has no mirror {name}",
            hint="`spack mirror list` shows all; --scope names the file",
            ref="mirror-name",
        )
    old = file.data[name]
    entry = {"url": old} if isinstance(old, str) else old
    fresh = {key: value for key, value in changes.items() if entry.get(key) != value}
    if not fresh:
        return False

    def change() -> None:
        if isinstance(file.data[name], str):
            only = {"url": file.data[name], **fresh}
            file.data[name] = only["url"] if set(only) == {"url"} else only
        else:
            file.data[name].update(fresh)

    file.changed(change)
    return True

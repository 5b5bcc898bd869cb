"""Copies of a ``spack.yaml`` for another directory.

A relative path in a ``spack.yaml`` starts at the directory of the file. In a copy that is in
another directory these paths are absolute, so that both files mean the same files. Views are left
as they are: they belong to the environment, and a copy has views of its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spack.config.keys import ENVIRONMENT
from spack.config.schema import ConfigReport, key_name
from spack.util import yaml

__all__ = ["manifest_for_elsewhere", "manifest_of_roots"]

#: Sections of ``spack.yaml`` whose paths are the environment's own.
_OWN = frozenset({"view"})


def manifest_for_elsewhere(path: Path, text: str) -> str:
    """Return the text of the ``spack.yaml`` at *path* with its relative paths made absolute.

    :raises ConfigError: the file is malformed.
    """
    loaded = yaml.load(str(path), text)
    report = ConfigReport()
    ENVIRONMENT.check(loaded.tree, loaded.file, (), report)
    report.raise_if_any()
    folder = os.path.abspath(path.parent)
    relative = [(keys, value) for keys, value in report.paths if _is_relative(keys, value)]
    document = yaml.round_trip(path, text)
    unnamed = [(n, row) for n, row in _developed(document.data).items() if row.get("path") is None]
    for name, row in unnamed:
        row["path"] = os.path.join(folder, str(name))
    for keys, value in relative:
        _replace(document.data, keys, os.path.normpath(os.path.join(folder, value)))
    return document.text() if relative or unnamed else text


def manifest_of_roots(text: str, roots: Sequence[str], path: Path) -> str:
    """Return the text of a ``spack.yaml`` with *roots* in its empty list of specs."""
    document = yaml.round_trip(path, text)
    items = document.data["spack"]["specs"]
    items.fa.set_block_style()
    document.extend(items, roots)
    return document.text()


def _is_relative(keys: tuple[str, ...], value: str) -> bool:
    if keys[1:2] and keys[1] in _OWN:
        return False
    return not (os.path.isabs(value) or value[:1] in ("$", "~") or "://" in value)


def _developed(data: Any) -> Any:
    spack = data["spack"] or {}
    key = next((key for key in spack if key_name(str(key)) == "develop"), "develop")
    return spack.get(key) or {}


def _replace(data: Any, keys: Sequence[str], value: str) -> None:
    *above, last = keys
    for key in above:
        data = data[_key_of(data, key)]
    data[_key_of(data, last)] = value


def _key_of(data: Any, name: str) -> Any:
    """Return the key or index that the schema calls *name*: without suffix, or ``[2]``."""
    if isinstance(data, list):
        return int(name[1:-1])
    return next(key for key in data if key_name(str(key)) == name)

"""The manifests of prefixes that Spack installed."""

from __future__ import annotations

import stat
from base64 import b32decode
from collections.abc import Iterator, Mapping
from typing import Any

from spack.store.layout import METADATA
from spack.util.hashing import SHA1

__all__ = ["is_of_spack", "spack_entries"]


def is_of_spack(data: Mapping[str, Any]) -> bool:
    """Return whether the content of a manifest's file is in Spack's form: paths and what they are.

    :raises AttributeError: it is not an object.
    """
    return bool(data) and all(path.startswith("/") for path in data)


def spack_entries(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, int, str, int]]]:
    """Yield the relative paths in a manifest, sorted, with kind, mode, content and size.

    The paths may name the prefix before it was moved: it is what they have in common. The content
    of a file is its SHA-1, marked as such (:data:`spack.util.hashing.SHA1`).

    :raises KeyError: the manifest is damaged; so do :exc:`ValueError` and :exc:`TypeError`.
    """
    prefix = min(data, key=len, default="/")
    start = len(prefix) + 1
    if not all(path.startswith(f"{prefix}/") for path in data if path != prefix):
        raise ValueError("the paths have no prefix in common")
    for path in sorted(data):
        relative = path[start:]
        if not relative or relative.split("/")[0] == METADATA:
            continue
        row = data[path]
        mode = stat.S_IMODE(row["mode"])
        if "dest" in row:
            yield relative, ("link", 0o777, row["dest"], len(row["dest"]))
        elif "hash" in row:
            content = SHA1 + b32decode(row["hash"]).hex()
            yield relative, ("file", mode, content, int(row["size"]))
        else:
            yield relative, ("dir", mode, "", 0)

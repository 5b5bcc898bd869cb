"""Wheels of the package index that nodes are installed from.

A node with ``build_system=python_binary`` is one file of the index and no other. Which one is kept
in values of the node beside its variants, as ``commit`` and ``patches`` are: so it is part of the
hash, of lock files and of everything that reads Spack's form of specs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from spack.errors import SpecError
from spack.spec.variant import VariantValue

__all__ = ["BINARY", "WHEEL_KEYS", "ChosenWheel", "names_wheel", "wheel_of"]


#: The value of ``build_system`` of what is installed from a wheel of the index.
BINARY = "python_binary"

#: Names of the values that say which wheel it is: file name, sha256, size in bytes.
WHEEL_KEYS = ("wheel", "wheel_sha256", "wheel_size")

_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]*\.whl")


class _Node(Protocol):
    """What is read of a concrete spec."""

    name: str
    version: Any
    variants: Mapping[str, VariantValue]


class ChosenWheel(NamedTuple):
    """One file of the index.

    :ivar sha256: lower-case hex. :ivar size: in bytes; None where the index does not say it.
    """

    filename: str
    sha256: str
    size: int | None = None

    def variants(self) -> Mapping[str, VariantValue]:
        """Return the values of the node that :func:`wheel_of` reads."""
        texts = (self.filename, self.sha256, "" if self.size is None else str(self.size))
        return {key: VariantValue.single(key, text) for key, text in zip(WHEEL_KEYS, texts) if text}


def names_wheel(variants: Mapping[str, VariantValue]) -> bool:
    """Return whether :data:`WHEEL_KEYS` among *variants* say which wheel a node is.

    Recipes may have variants of their own that are called ``wheel``.
    """
    system = variants.get("build_system")
    return system is not None and BINARY in system.values and "wheel" in variants


def wheel_of(spec: _Node) -> ChosenWheel | None:
    """Return the wheel that *spec* is installed from; None for what is built from source.

    :raises SpecError: what is stored of it is incomplete or malformed.
    """
    if not names_wheel(spec.variants):
        return None
    filename, digest, size = (
        spec.variants[key].values[0] if key in spec.variants else "" for key in WHEEL_KEYS
    )
    wrong = None
    if not _FILENAME.fullmatch(filename):
        wrong = f"invalid file name {filename!r}"
    elif not re.fullmatch(r"[0-9a-f]{64}", digest):
        wrong = f"invalid sha256 {digest!r}"
    elif size and not size.isdigit():
        wrong = f"invalid size {size!r}"
    if wrong is not None:
        raise SpecError(
            f"cannot read the wheel of {spec.name}@{spec.version}: {wrong}",
            facts={"package": spec.name, "wheel": filename},
            hint="concretize it again: spack concretize --force",
            ref="spec-wheel",
        )
    return ChosenWheel(filename, digest, int(size) if size else None)

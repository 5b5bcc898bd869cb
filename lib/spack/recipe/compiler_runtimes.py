"""The packages with the libraries that compiled code loads."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COMPILERS_OF_RUNTIMES", "C_LIBRARY", "RUNTIMES"]

#: The virtual package of the C library.
C_LIBRARY = "libc"

#: The packages with the libraries of compilers.
RUNTIMES: Mapping[str, str] = {
    "gcc": "gcc-runtime",
    "intel-oneapi-compilers": "intel-oneapi-runtime",
}

COMPILERS_OF_RUNTIMES: Mapping[str, str] = {package: name for name, package in RUNTIMES.items()}

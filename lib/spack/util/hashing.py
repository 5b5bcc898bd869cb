"""SHA-256 in the forms that the project uses.

``hashlib`` loads OpenSSL, which costs more than everything else here together; for short texts
the interpreter's own SHA-256 does (as it does for :mod:`random` in the standard library), and
files, for which OpenSSL is several times faster, load it when they are first hashed.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["SHA1", "checksum", "hash_file", "sha256_hex"]

_CHUNK = 1 << 20

#: Begins a digest that is none of SHA-256: manifests of Spack have SHA-1.
SHA1 = "sha1:"


def sha256_hex(data: bytes | str) -> str:
    """Return lower-case hex digest of ``data``; text is encoded as UTF-8."""
    digest: str = _own_sha256()(data.encode("utf-8") if isinstance(data, str) else data).hexdigest()
    return digest


@cache
def _own_sha256() -> Any:
    # A module that is not there is looked for again at each import: 0.2 ms.
    for module in ("_sha2", "_sha256"):  # from Python 3.12 on, and before
        try:
            return import_module(module).sha256
        except ImportError:
            continue
    return import_module("hashlib").sha256


def hash_file(path: str | os.PathLike[str], like: str = "") -> str:
    """Return SHA-256 of a file's content in lower-case hex, read in chunks.

    :param like: a digest that the result is compared with: if that begins with :data:`SHA1`, the
        result is of the same kind.

    :raises OSError: the file cannot be read.
    """
    import hashlib  # start-up: loads OpenSSL, 10 ms

    of_spack = like.startswith(SHA1)
    digest = hashlib.sha1(usedforsecurity=False) if of_spack else hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        buffer = bytearray(_CHUNK)
        view = memoryview(buffer)
        while True:
            count = stream.readinto(buffer)
            if not count:
                return SHA1 + digest.hexdigest() if of_spack else digest.hexdigest()
            digest.update(view[:count])


def checksum(data: bytes) -> int:
    """Return CRC-32 of ``data``: finds damage in cache files, protects against no attacker."""
    import binascii  # start-up: a C module of its own

    return binascii.crc32(data)

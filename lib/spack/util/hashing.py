"""SHA-256 in the forms that the project uses.

``hashlib`` loads OpenSSL, which costs more than everything else here together; it is
imported when a digest is first asked for.
"""

from __future__ import annotations

import os
from typing import Union

__all__ = ["checksum", "hash_file", "sha256_hex"]

_CHUNK = 1 << 20


def sha256_hex(data: Union[bytes, str]) -> str:
    """Lower-case hex digest of ``data``; text is encoded as UTF-8."""
    import hashlib  # start-up: loads OpenSSL, 10 ms

    return hashlib.sha256(data.encode("utf-8") if isinstance(data, str) else data).hexdigest()


def hash_file(path: Union[str, os.PathLike[str]]) -> str:
    """SHA-256 of a file's content in lower-case hex, read in chunks.

    :raises OSError: the file cannot be read.
    """
    import hashlib  # start-up: loads OpenSSL, 10 ms

    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        buffer = bytearray(_CHUNK)
        view = memoryview(buffer)
        while True:
            count = stream.readinto(buffer)
            if not count:
                return digest.hexdigest()
            digest.update(view[:count])


def checksum(data: bytes) -> int:
    """CRC-32 of ``data``: finds damage in cache files, protects against nobody."""
    import binascii  # start-up: a C module of its own

    return binascii.crc32(data)

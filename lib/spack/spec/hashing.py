"""Hashes of concrete specs: sha256 of canonical JSON, as 32 characters of base 32.

The alphabet is RFC 4648's, in lower case; 32 characters keep 160 bits. Hashes are part of
prefixes and of lock files: what goes into them is fixed by :func:`node_hash` alone.
"""

from __future__ import annotations

from typing import Any

__all__ = ["HASH_LENGTH", "node_hash"]

#: Characters of a full hash.
HASH_LENGTH = 32


def node_hash(data: Any) -> str:
    """The hash of plain *data* (dicts, lists, texts, numbers); the order of keys is no matter."""
    # start-up: commands that only read hashes from the database import none of these
    from base64 import b32encode
    from hashlib import sha256
    from json import dumps

    text = dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = sha256(text.encode("ascii")).digest()
    return b32encode(digest).decode("ascii").lower()[:HASH_LENGTH]

"""Public keys in a cache: those of OpenSSH in one file, those of GnuPG as Spack publishes them.

Nothing here makes a key trusted: a reader decides (``spack buildcache keys --install``).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from spack.binary.cache_manifest import KEY, KEY_INDEX, Blob, CacheManifest, refused
from spack.binary.cache_storage import CacheStorage, MissingInCacheError
from spack.binary.signing_keys import PublicKey

__all__ = ["publish_gpg_key", "publish_ssh_key", "read_keys"]

_FOLDER = "v3/manifests/key"
_SSH = f"{_FOLDER}/ssh-keys.json"
_INDEX = f"{_FOLDER}/keys.manifest.json"

#: Where they are in layout version 2.
_EARLIER = "build_cache/_pgp"

#: Most keys that are read.
_MOST = 100


def publish_ssh_key(storage: CacheStorage, key: PublicKey) -> None:
    """Add a key of OpenSSH to those of the cache.

    :raises BinaryCacheError: the cache cannot be written.
    """
    keys = _ssh_keys(storage)
    if key.data not in {known.data for known in keys}:
        data = {"keys": [str(known) for known in (*keys, key)]}
        storage.write(_SSH, (json.dumps(data, indent=1) + "\n").encode())


def publish_gpg_key(storage: CacheStorage, fingerprint: str, key: bytes) -> None:
    """Add a key of GnuPG to those of the cache, as Spack does.

    :raises BinaryCacheError: the cache cannot be written.
    """
    known = _fingerprints(storage)
    if fingerprint in known:
        return
    _write_blob(storage, f"{_FOLDER}/{fingerprint}.key.manifest.json", KEY, key)
    index: dict[str, Any] = {"keys": {x: {} for x in sorted((*known, fingerprint))}}
    _write_blob(storage, _INDEX, KEY_INDEX, json.dumps(index).encode())


def read_keys(storage: CacheStorage) -> tuple[list[PublicKey], dict[str, bytes]]:
    """Return the keys of OpenSSH, and those of GnuPG by fingerprint.

    :raises BinaryCacheError: they cannot be read.
    """
    found = {}
    for fingerprint in _fingerprints(storage):
        found[fingerprint] = _read_blob(storage, f"{_FOLDER}/{fingerprint}.key.manifest.json", KEY)
    if not found:
        found = _earlier_keys(storage)
    return _ssh_keys(storage), found


def _earlier_keys(storage: CacheStorage) -> dict[str, bytes]:
    """Return the keys of GnuPG of a cache of layout version 2."""
    try:
        content = storage.read(f"{_EARLIER}/index.json")
    except MissingInCacheError:
        return {}
    names = _names_in(content, f"the index of keys of the cache {storage.url}")
    return {name: storage.read(f"{_EARLIER}/{name}.pub") for name in names}


def _ssh_keys(storage: CacheStorage) -> list[PublicKey]:
    origin = f"the list of keys of the cache {storage.url}"
    try:
        data: Any = json.loads(storage.read(_SSH))
        lines = data["keys"][:_MOST]
        return [PublicKey.parse(str(line), origin) for line in lines]
    except MissingInCacheError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise refused(origin, f"it cannot be read: {error}") from error


def _fingerprints(storage: CacheStorage) -> list[str]:
    try:
        content = _read_blob(storage, _INDEX, KEY_INDEX)
    except MissingInCacheError:
        return []
    return _names_in(content, f"the index of keys of the cache {storage.url}")


def _names_in(content: bytes, origin: str) -> list[str]:
    """Return the fingerprints in an index of keys."""
    try:
        data: Any = json.loads(content)
        found = list(map(str, data["keys"]))[:_MOST]
    except (ValueError, KeyError, TypeError) as error:
        raise refused(origin, f"it cannot be read: {error}") from error
    if not all(re.fullmatch("[0-9A-F]{40}", x) for x in found):
        raise refused(origin, "it names what is not a fingerprint")
    return found


def _read_blob(storage: CacheStorage, name: str, media_type: str) -> bytes:
    origin = f"{name} of the cache {storage.url}"
    text = storage.read(name).decode("utf-8", "replace")
    blob = CacheManifest.from_json(text, origin).one(media_type, origin)
    content = storage.read(blob.path)
    if hashlib.sha256(content).hexdigest() != blob.digest:
        raise refused(origin, "its blob does not have the digest of its manifest")
    return content


def _write_blob(storage: CacheStorage, name: str, media_type: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    blob = Blob(len(content), media_type, "none", digest)
    storage.write(blob.path, content)
    storage.write(name, CacheManifest((blob,)).to_json().encode())

"""Signatures of manifests: which are required, how they are made and verified.

A manifest is signed in one of two ways:

* as Spack does: the text is a clear-signed message of GnuPG (RFC 4880, 7);
* with an ed25519 key of OpenSSH (PROTOCOL.sshsig): the manifest has a list ``signatures``. What is
  signed is the hash of the package and the manifest in canonical form, so that the manifest of
  one package cannot be given for another.

In both cases nothing is used but what was signed.
"""

from __future__ import annotations

import json
from typing import Protocol

from spack.binary.cache_manifest import CacheManifest, refused
from spack.binary.cache_storage import CacheStorage
from spack.binary.published_keys import publish_gpg_key, publish_ssh_key
from spack.binary.signing_keys import KeyRing

__all__ = ["AnyKey", "NoSignatures", "Trust", "TrustedKeys"]

#: How clear-signed texts of GnuPG begin.
CLEAR_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"

_ENDING = "\n-----BEGIN PGP SIGNATURE-----"

#: The key of a manifest that has OpenSSH's signatures.
SIGNATURES = "signatures"


class Trust(Protocol):
    """Verifies and makes signatures of manifests."""

    def verified(self, text: str, spec_hash: str, origin: str) -> CacheManifest:
        """Return the manifest in *text*.

        :raises BinaryCacheError: it is not signed by a key that is trusted, or damaged.
        """

    def publish(self, storage: CacheStorage) -> None:
        """Offer the public key that signs, if there is one, to readers of the cache."""

    def signed(self, manifest: CacheManifest, spec_hash: str) -> str:
        """Return the text of *manifest*, with a signature.

        :raises BinaryCacheError: it cannot be signed.
        """


class NoSignatures:
    """Takes every manifest (``signed: false``), and signs none."""

    def verified(self, text: str, spec_hash: str, origin: str) -> CacheManifest:
        return CacheManifest.from_json(_without_signature(text, origin), origin)

    def publish(self, storage: CacheStorage) -> None:
        pass

    def signed(self, manifest: CacheManifest, spec_hash: str) -> str:
        return manifest.to_json()


class TrustedKeys:
    """Takes what a trusted key has signed, and signs with the user's own.

    :param gpg_key: of GnuPG, to sign with; None takes the user's key of OpenSSH, else the only
        secret key of GnuPG.
    """

    def __init__(self, keys: KeyRing, gpg_key: str | None = None) -> None:
        self._keys = keys
        self._gpg_key = gpg_key

    def verified(self, text: str, spec_hash: str, origin: str) -> CacheManifest:
        if text.startswith(CLEAR_SIGNED):
            return CacheManifest.from_json(self._keys.gpg_verified(text, origin), origin)
        manifest = CacheManifest.from_json(text, origin)
        signatures = json.loads(text).get(SIGNATURES)
        if not isinstance(signatures, list) or not signatures:
            raise refused(
                origin,
                "it is not signed",
                "`spack mirror set --unsigned NAME` trusts every user that may write to the mirror",
            )
        payload = _payload(manifest, spec_hash)
        if not any(self._keys.ssh_verifies(payload, str(one)) for one in signatures):
            raise refused(
                origin,
                "no trusted key has signed it",
                "`spack buildcache keys` lists the keys that are trusted and those of the caches",
            )
        return manifest

    def publish(self, storage: CacheStorage) -> None:
        """Offer the public key that signs to readers of the cache.

        :raises BinaryCacheError: the cache cannot be written.
        """
        own = self._keys.own_key() if self._gpg_key is None else None
        if own is not None:
            publish_ssh_key(storage, own)
        else:
            key = self._gpg_key or self._keys.only_gpg_key()
            publish_gpg_key(storage, *self._keys.gpg_public(key))

    def signed(self, manifest: CacheManifest, spec_hash: str) -> str:
        text = manifest.to_json()
        key = self._gpg_key
        if key is None and self._keys.has_ssh_key:
            data = json.loads(text)
            data[SIGNATURES] = [self._keys.ssh_signature(_payload(manifest, spec_hash))]
            return json.dumps(data, indent=0, separators=(",", ":"))
        return self._keys.gpg_signed(text, key or self._keys.only_gpg_key())


class AnyKey(TrustedKeys):
    """Signs as :class:`TrustedKeys`, and takes every manifest."""

    def verified(self, text: str, spec_hash: str, origin: str) -> CacheManifest:
        return NoSignatures().verified(text, spec_hash, origin)


def _payload(manifest: CacheManifest, spec_hash: str) -> bytes:
    return f"{spec_hash}\n{manifest.to_json()}".encode()


def _without_signature(text: str, origin: str) -> str:
    """Return the text of a clear-signed message, or *text* if it is none.

    :raises BinaryCacheError: the message is damaged.
    """
    if not text.startswith(CLEAR_SIGNED):
        return text
    _, _, rest = text.partition("\n\n")
    body, found, _ = rest.partition(_ENDING)
    if not found:
        raise refused(origin, "its signature is damaged")
    lines = [line[2:] if line.startswith("- ") else line for line in body.split("\n")]
    return "\n".join(lines)

"""Signatures of manifests, and the keys that are trusted."""

from __future__ import annotations

from typing import Protocol

from spack.binary.cache_manifest import refused

__all__ = ["NoSignatures", "SignaturesRequired", "Trust"]

#: How gpg's clear-signed texts begin.
CLEAR_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"


class Trust(Protocol):
    """Verifies and makes signatures of manifests."""

    def verified(self, text: str, origin: str) -> str:
        """Return the manifest in *text*, without its signature.

        :raises BinaryCacheError: it is not signed by a key that is trusted.
        """

    def signed(self, text: str) -> str:
        """Return *text* with a signature.

        :raises BinaryCacheError: it cannot be signed.
        """


class NoSignatures:
    """Takes every manifest (``signed: false``), and signs none."""

    def verified(self, text: str, origin: str) -> str:
        return without_signature(text, origin)

    def signed(self, text: str) -> str:
        return text


class SignaturesRequired(NoSignatures):
    """Refuses every manifest: there are no keys."""

    def verified(self, text: str, origin: str) -> str:
        raise refused(
            origin,
            "it is not signed",
            "`spack mirror set --unsigned NAME` trusts every user that may write to the mirror",
        )


def without_signature(text: str, origin: str) -> str:
    """Return the text of a clear-signed message (RFC 4880, 7), or *text* if it is none.

    :raises BinaryCacheError: the message is damaged.
    """
    if not text.startswith(CLEAR_SIGNED):
        return text
    _, _, rest = text.partition("\n\n")
    body, found, _ = rest.partition("\n-----BEGIN PGP SIGNATURE-----")
    if not found:
        raise refused(origin, "its signature is damaged")
    lines = [line[2:] if line.startswith("- ") else line for line in body.split("\n")]
    return "\n".join(lines)

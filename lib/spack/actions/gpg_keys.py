"""The key ring of GnuPG whose keys sign binaries as Spack does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from spack.binary.cache_storage import CacheStorage
from spack.binary.published_keys import publish_gpg_key
from spack.binary.signing_keys import KeyRing
from spack.errors import BinaryCacheError
from spack.util.frozen import frozen

__all__ = [
    "NewKey",
    "create_key",
    "export_keys",
    "import_keys",
    "publish_keys",
    "remove_keys",
    "sign_file",
    "verify_file",
]


@frozen
class NewKey:
    """What a key is made for.

    :param expires: a day or a duration as gpg takes it; ``0`` is never.
    """

    name: str
    email: str
    comment: str = ""
    expires: str = "0"

    @property
    def user(self) -> str:
        comment = f" ({self.comment})" if self.comment else ""
        return f"{self.name}{comment} <{self.email}>"


def create_key(ring: KeyRing, key: NewKey) -> str:
    """Make a key that signs, without a passphrase; return its fingerprint.

    :raises BinaryCacheError: gpg cannot make it.
    """
    before = set(ring.gpg_secret_keys())
    words = ["--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key"]
    ring.gpg_run([*words, key.user, "ed25519", "sign", key.expires])
    (made,) = set(ring.gpg_secret_keys()) - before
    return made


def import_keys(ring: KeyRing, files: Sequence[Path]) -> None:
    """Trust the keys in *files*.

    :raises BinaryCacheError: one cannot be read, or holds no key.
    """
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise BinaryCacheError(
                f"cannot read the key {file}: {os.strerror(error.errno or 0)}",
                hint="name a file that `gpg --export` has written",
                ref="binary-key",
            ) from error
        ring.gpg_import(content)


def remove_keys(ring: KeyRing, keys: Sequence[str], *, secret: bool) -> None:
    """Trust *keys* no more.

    :param secret: remove their secret part too; without it a key that has one stays.
    :raises BinaryCacheError: there is no such key, or it has a secret part.
    """
    for key in keys:
        fingerprint, _ = ring.gpg_public(key)
        kind = "--delete-secret-and-public-key" if secret else "--delete-keys"
        ring.gpg_run(["--yes", kind, fingerprint])


def export_keys(ring: KeyRing, keys: Sequence[str], target: Path, *, secret: bool = False) -> None:
    """Write *keys*, or all of them, to a file that must not be there if they are secret.

    :raises BinaryCacheError: there is no such key, or it cannot be written.
    """
    command = "--export-secret-keys" if secret else "--export"
    text = ring.gpg_run(["--armor", command, *keys])
    if not text:
        raise BinaryCacheError(
            f"there are no keys to export: {' '.join(keys) or 'the key ring has none'}",
            hint="spack gpg list",
            ref="binary-key",
        )
    mode, flags = (0o600, os.O_EXCL) if secret else (0o644, os.O_TRUNC)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | flags, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    except OSError as error:
        raise BinaryCacheError(
            f"{target} cannot be written: {os.strerror(error.errno or 0)}",
            hint="name another file",
            ref="binary-export",
        ) from error


def publish_keys(ring: KeyRing, keys: Sequence[str], storage: CacheStorage) -> list[str]:
    """Offer the public part of *keys*, or of all that sign, in a cache; return fingerprints.

    :raises BinaryCacheError: there is no such key, or the cache cannot be written.
    """
    found = [ring.gpg_public(key) for key in keys or ring.gpg_secret_keys()]
    for fingerprint, text in found:
        publish_gpg_key(storage, fingerprint, text)
    return [fingerprint for fingerprint, _ in found]


def sign_file(ring: KeyRing, file: Path, target: Path, key: str, *, clear: bool) -> None:
    """Write the signature of a file, or with *clear* the file with it.

    :param key: ``""`` is the only key that signs.
    :raises BinaryCacheError: there is no such key, or a file cannot be used.
    """
    words = ["--yes", "--armor", "--local-user", key or ring.only_gpg_key()]
    kind = "--clearsign" if clear else "--detach-sign"
    ring.gpg_run([*words, "--output", str(target), kind, str(file)])


def verify_file(ring: KeyRing, file: Path, signature: Path) -> None:
    """Check the signature of a file.

    :raises BinaryCacheError: it is not right, or of an unknown key.
    """
    ring.gpg_run(["--verify", str(signature), str(file)])

"""Keys that sign binaries: files of OpenSSH, and a key ring of GnuPG.

The programs ``ssh-keygen`` (8.2 or newer) and ``gpg`` do all that is cryptography.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.binary.cache_manifest import refused
from spack.errors import BinaryCacheError
from spack.util.filesystem import atomic_write

__all__ = ["KeyRing", "PublicKey"]

#: What signatures of OpenSSH are made for, so that those for other purposes do not count.
NAMESPACE = "spack-binary"
#: The principal of all keys in the file of allowed signers.
_PRINCIPAL = "spack"

_PUBLIC_KEY = re.compile(r"(ssh-ed25519) ([A-Za-z0-9+/=]{60,200})(?: ([^\x00-\x1f\x7f]*))?\Z")

#: Seconds; far more than the programs need.
_PATIENCE = 60


class PublicKey(NamedTuple):
    """A public key of OpenSSH."""

    kind: str
    data: str
    comment: str

    @classmethod
    def parse(cls, text: str, origin: str) -> PublicKey:
        """Read the line of a ``.pub`` file.

        :raises BinaryCacheError: it is none, or of another kind than ed25519.
        """
        match = _PUBLIC_KEY.match(text.strip())
        if match is None:
            raise BinaryCacheError(
                f"{origin} is not a public ed25519 key of OpenSSH",
                hint="`spack buildcache keys --create` makes one, and prints its public part",
                ref="binary-key",
            )
        return cls(match.group(1), match.group(2), match.group(3) or "")

    def __str__(self) -> str:
        return " ".join(filter(None, self))


class KeyRing:
    """The keys of a user.

    :param folder: of OpenSSH's keys. :param gnupg: GnuPG's directory (``GNUPGHOME``).
    :param environ: for the programs; they are found on its PATH.
    """

    def __init__(self, folder: Path, gnupg: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._gnupg = gnupg
        self._environ = {"PATH": environ.get("PATH", os.defpath), "LC_ALL": "C"}

    # -- OpenSSH -----------------------------------------------------------------------------

    @property
    def _private(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def _signers(self) -> Path:
        return self.folder / "allowed_signers"

    @property
    def has_ssh_key(self) -> bool:
        """Whether the user has a key to sign with."""
        return self._private.is_file()

    def create(self, comment: str) -> PublicKey:
        """Make the user's key, and trust it.

        :raises BinaryCacheError: there is one, or it cannot be made.
        """
        if self.has_ssh_key:
            raise BinaryCacheError(
                f"there is a key in {self._private}",
                hint="remove it first, if it is not to be used any more",
                ref="binary-key",
            )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        arguments = ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(self._private)]
        self._run("ssh-keygen", arguments)
        key = self.own_key()
        assert key is not None
        self.trust([key])
        return key

    def read(self, path: Path) -> PublicKey:
        """Return the public key in a file.

        :raises BinaryCacheError: it cannot be read, or is of another kind.
        """
        try:
            return PublicKey.parse(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise BinaryCacheError(
                f"cannot read the key {path}: {error}",
                hint="name the .pub file of an ed25519 key",
                ref="binary-key",
            ) from error

    def own_key(self) -> PublicKey | None:
        """Return the public part of the user's key, or None."""
        path = self._private.with_suffix(".pub")
        if not path.is_file():
            return None
        return PublicKey.parse(path.read_text(encoding="utf-8"), str(path))

    def trusted(self) -> list[PublicKey]:
        """Return the keys that are trusted."""
        try:
            lines = self._signers.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        keys = (line.partition(' namespaces="')[2].partition('" ')[2] for line in lines)
        return [PublicKey.parse(key, str(self._signers)) for key in keys if key]

    def trust(self, keys: Sequence[PublicKey]) -> list[PublicKey]:
        """Trust further *keys*; return those that were not trusted before."""
        known = self.trusted()
        data = {key.data for key in known}
        new = list({key.data: key for key in keys if key.data not in data}.values())
        lines = [f'{_PRINCIPAL} namespaces="{NAMESPACE}" {key}\n' for key in (*known, *new)]
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic_write(self._signers, "".join(lines))
        return new

    def ssh_signature(self, payload: bytes) -> str:
        """Return the user's signature of *payload*.

        :raises BinaryCacheError: it cannot be made.
        """
        arguments = ["-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(self._private)]
        return self._run("ssh-keygen", arguments, payload).decode("ascii")

    def ssh_verifies(self, payload: bytes, signature: str) -> bool:
        """Return whether a trusted key has made *signature* of *payload*.

        :raises BinaryCacheError: ssh-keygen is missing.
        """
        if not self._signers.is_file():
            return False
        with tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
            file.write(signature)
            file.flush()
            arguments = ["-q", "-Y", "verify", "-n", NAMESPACE, "-I", _PRINCIPAL]
            arguments += ["-f", str(self._signers), "-s", file.name]
            return self._call("ssh-keygen", arguments, payload).returncode == 0

    # -- GnuPG -------------------------------------------------------------------------------

    def gpg_verified(self, text: str, origin: str) -> str:
        """Return what is signed in a clear-signed *text*, if the key ring has the key.

        :raises BinaryCacheError: no such key, an expired or revoked one, or a wrong signature.
        """
        done = self._gpg(["--status-fd", "2", "--decrypt"], text.encode())
        status = re.findall(r"^\[GNUPG:\] (\w+)", done.stderr.decode("utf-8", "replace"), re.M)
        if done.returncode or "VALIDSIG" not in status or "GOODSIG" not in status:
            reason = next((_REASONS[word] for word in status if word in _REASONS), _NO_KEY)
            raise refused(
                origin, reason, f"`gpg --homedir {self._gnupg} --import FILE` trusts a key"
            )
        return done.stdout.decode("utf-8", "replace")

    def gpg_signed(self, text: str, key: str) -> str:
        """Return *text* clear-signed by the secret key *key*.

        :raises BinaryCacheError: there is no such key.
        """
        done = self._gpg(["--yes", "--clearsign", "--armor", "--local-user", key], text.encode())
        if done.returncode:
            raise BinaryCacheError(
                f"gpg cannot sign with the key {key}: {_last_line(done.stderr)}",
                hint=f"`gpg --homedir {self._gnupg} --list-secret-keys` lists those that it has",
                ref="binary-key",
            )
        return done.stdout.decode("utf-8")

    def only_gpg_key(self) -> str:
        """Return the fingerprint of the only secret key.

        :raises BinaryCacheError: there is none, or several.
        """
        found = self._fingerprints("sec") if self._gnupg.is_dir() else []
        if len(found) != 1:
            raise BinaryCacheError(
                f"there are {len(found)} keys to sign binaries with, not one",
                hint="`spack buildcache keys --create` makes one, `--key` names one of gpg's, "
                "`--unsigned` signs nothing",
                ref="binary-key",
            )
        return found[0]

    def gpg_keys(self) -> list[str]:
        """Return the fingerprints of the public keys in the key ring."""
        return self._fingerprints("pub") if self._gnupg.is_dir() else []

    def gpg_public(self, key: str) -> tuple[str, bytes]:
        """Return the fingerprint of a key, and its public part, armored.

        :raises BinaryCacheError: there is no such key.
        """
        rows = self._gpg(["--with-colons", "--list-keys", key]).stdout.decode("utf-8", "replace")
        fingerprint = re.search(r"^fpr:{9}([0-9A-F]{40}):", rows, re.M)
        if fingerprint is None:
            raise BinaryCacheError(
                f"gpg has no key {key}",
                hint=f"`gpg --homedir {self._gnupg} --list-keys` lists those that it has",
                ref="binary-key",
            )
        found = fingerprint.group(1)
        return found, self._gpg(["--armor", "--export", found]).stdout

    def gpg_import(self, key: bytes) -> None:
        """Add public keys to the key ring; binaries that they have signed are trusted then.

        :raises BinaryCacheError: it is not a key.
        """
        self._gnupg.mkdir(parents=True, exist_ok=True, mode=0o700)
        done = self._gpg(["--import"], key)
        if done.returncode:
            raise BinaryCacheError(
                f"gpg cannot import the key: {_last_line(done.stderr)}",
                hint="name a file that `gpg --export` or `spack gpg export` has written",
                ref="binary-key",
            )

    def gpg_run(self, arguments: Sequence[str], data: bytes = b"") -> bytes:
        """Run gpg with the key ring; return what it prints.

        :raises BinaryCacheError: it fails.
        """
        self._gnupg.mkdir(parents=True, exist_ok=True, mode=0o700)
        done = self._gpg(arguments, data)
        if done.returncode:
            raise BinaryCacheError(
                f"gpg failed: {_last_line(done.stderr)}",
                hint=f"`gpg --homedir {self._gnupg} --list-keys` lists the keys that it has",
                ref="binary-key",
            )
        return done.stdout

    def gpg_secret_keys(self) -> list[str]:
        """Return the fingerprints of the secret keys in the key ring."""
        return self._fingerprints("sec") if self._gnupg.is_dir() else []

    def _fingerprints(self, kind: str) -> list[str]:
        option = "--list-secret-keys" if kind == "sec" else "--list-keys"
        rows = self._gpg(["--with-colons", option]).stdout.decode("utf-8", "replace").splitlines()
        found, wanted = [], False
        for row in rows:
            fields = row.split(":")
            if fields[0] in ("sec", "pub"):
                wanted = True
            elif fields[0] == "fpr" and wanted:
                found.append(fields[9])
                wanted = False
        return found

    def _gpg(
        self, arguments: Sequence[str], data: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        common = ["--homedir", str(self._gnupg), "--batch", "--no-tty"]
        return self._call("gpg", [*common, *arguments], data)

    # -- programs ----------------------------------------------------------------------------

    def _run(self, program: str, arguments: Sequence[str], data: bytes = b"") -> bytes:
        done = self._call(program, arguments, data)
        if done.returncode:
            raise BinaryCacheError(
                f"{program} failed: {_last_line(done.stderr)}",
                hint=f"look at the keys in {self.folder}",
                ref="binary-key",
            )
        return done.stdout

    def _call(
        self, program: str, arguments: Sequence[str], data: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        found = shutil.which(program, path=self._environ["PATH"])
        if found is None:
            raise BinaryCacheError(
                f"signatures of binaries need the program {program}, which is not on PATH",
                hint=f"install {program} with the system's package manager",
                ref="binary-program",
            )
        return subprocess.run(
            [found, *arguments],
            input=data,
            capture_output=True,
            env=self._environ,
            timeout=_PATIENCE,
        )


_NO_KEY = "no trusted key has signed it"
#: What GnuPG's status words mean (its doc/DETAILS).
_REASONS = {
    "BADSIG": "its signature is not of this text",
    "EXPKEYSIG": "the key that signed it has expired",
    "EXPSIG": "its signature has expired",
    "REVKEYSIG": "the key that signed it was revoked",
}


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"

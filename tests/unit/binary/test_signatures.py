"""Signatures of manifests: what is trusted, and what is refused with the reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kits.specs import make_spec
from spack.actions.buildcache import known_keys, trust_keys
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_manifest import ARCHIVE, Blob, CacheManifest
from spack.binary.cache_storage import DirectoryStorage
from spack.binary.published_keys import read_keys
from spack.binary.signatures import NoSignatures, TrustedKeys
from spack.binary.signing_keys import KeyRing, PublicKey
from spack.errors import BinaryCacheError

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None or shutil.which("gpg") is None,
    reason="ssh-keygen and gpg are not both installed",
)

MANIFEST = CacheManifest((Blob(7, ARCHIVE, "gzip", "a" * 64),))
HASH = make_spec("pack@1").dag_hash()


@pytest.fixture
def ring_at(tmp_path: Path) -> Iterator[Callable[[str], KeyRing]]:
    """Make the keys of a user; the agents of gpg are ended."""
    made: list[Path] = []

    def make(name: str) -> KeyRing:
        # Paths of sockets are short.
        gnupg = tmp_path / name / "g"
        made.append(gnupg)
        return KeyRing(tmp_path / name / "keys", gnupg, os.environ)

    yield make
    for path in made:
        if path.is_dir():
            arguments = ["gpgconf", "--homedir", str(path), "--kill", "gpg-agent"]
            subprocess.run(arguments, check=True)


def gpg_key(ring: KeyRing, *options: str) -> str:
    """Make a secret key without a passphrase; returns its fingerprint."""
    home = ring.folder.parent / "g"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
    subprocess.run(
        [*command, *options, "--quick-gen-key", "Builder <b@example.com>", "ed25519", "sign", "1d"],
        check=True,
        capture_output=True,
    )
    return ring.only_gpg_key()


def refusal(trust: TrustedKeys, text: str, spec_hash: str = HASH) -> str:
    with pytest.raises(BinaryCacheError) as caught:
        trust.verified(text, spec_hash, "the manifest")
    assert caught.value.hint
    return str(caught.value)


def test_keys_of_openssh(ring_at: Callable[[str], KeyRing]) -> None:
    builder, reader = ring_at("b"), ring_at("r")
    key = builder.create("builder of x")
    text = TrustedKeys(builder).signed(MANIFEST, HASH)
    assert CacheManifest.from_json(text, "x") == MANIFEST  # Spack reads it, too
    assert TrustedKeys(builder).verified(text, HASH, "x") == MANIFEST
    assert NoSignatures().verified(text, HASH, "x") == MANIFEST
    assert "no trusted key has signed it" in refusal(TrustedKeys(reader), text)
    reader.create("reader")
    assert "no trusted key has signed it" in refusal(TrustedKeys(reader), text)
    assert reader.trust([key]) == [key]
    assert reader.trust([key]) == []
    assert [x.comment for x in reader.trusted()] == ["reader", "builder of x"]
    assert TrustedKeys(reader).verified(text, HASH, "x") == MANIFEST

    other = make_spec("pack@2").dag_hash()
    assert "no trusted key has signed it" in refusal(TrustedKeys(reader), text, other)
    changed = text.replace("a" * 64, "b" * 64)
    assert "no trusted key has signed it" in refusal(TrustedKeys(reader), changed)
    wrong: list[object] = [[], "x", ["x"], [7], {}]
    for signatures in wrong:
        data = {**json.loads(text), "signatures": signatures}
        assert "signed" in refusal(TrustedKeys(reader), json.dumps(data))
    assert "it is not signed" in refusal(TrustedKeys(reader), MANIFEST.to_json())


def test_signatures_for_other_purposes_do_not_count(
    ring_at: Callable[[str], KeyRing], tmp_path: Path
) -> None:
    ring = ring_at("b")
    ring.create("x")
    (tmp_path / "data").write_bytes(b"data")
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", ring.folder / "id_ed25519", "data"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert not ring.ssh_verifies(b"data", (tmp_path / "data.sig").read_text())
    assert ring.ssh_verifies(b"data", ring.ssh_signature(b"data"))


def test_keys_of_gnupg(ring_at: Callable[[str], KeyRing]) -> None:
    builder, reader = ring_at("b"), ring_at("r")
    fingerprint = gpg_key(builder)
    text = TrustedKeys(builder).signed(MANIFEST, HASH)
    assert text.startswith("-----BEGIN PGP SIGNED MESSAGE-----")
    assert TrustedKeys(builder, fingerprint).verified(text, HASH, "x") == MANIFEST
    assert NoSignatures().verified(text, HASH, "x") == MANIFEST
    assert "no trusted key has signed it" in refusal(TrustedKeys(reader), text)
    reader.gpg_import(builder.gpg_public(fingerprint)[1])
    assert TrustedKeys(reader).verified(text, HASH, "x") == MANIFEST
    changed = text.replace("a" * 64, "b" * 64)
    assert "its signature is not of this text" in refusal(TrustedKeys(reader), changed)
    before = text.replace("-----BEGIN PGP SIGNED", '{"version": 3}\n-----BEGIN PGP SIGNED')
    assert "cannot be read" in refusal(TrustedKeys(reader), before)
    with pytest.raises(BinaryCacheError, match="its signature is damaged"):
        NoSignatures().verified(text.replace("BEGIN PGP SIGNATURE", "x"), HASH, "x")


def test_keys_of_gnupg_that_have_expired(ring_at: Callable[[str], KeyRing]) -> None:
    ring = ring_at("b")
    # Its day was over long ago.
    fingerprint = gpg_key(ring, "--faked-system-time", "20200101T000000")
    home = str(ring.folder.parent / "g")
    command = ["gpg", "--homedir", home, "--batch", "--faked-system-time", "20200101T010000"]
    signed = subprocess.run(
        [*command, "--clearsign", "--local-user", fingerprint],
        input=MANIFEST.to_json().encode(),
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert "the key that signed it has expired" in refusal(TrustedKeys(ring), signed)


def test_keys_that_caches_offer(ring_at: Callable[[str], KeyRing], tmp_path: Path) -> None:
    builder, reader = ring_at("b"), ring_at("r")
    storage = DirectoryStorage(tmp_path / "cache")
    cache = BinaryCache("site", storage, tmp_path / "local", NoSignatures())
    assert read_keys(storage) == ([], {})
    assert known_keys([cache], reader) == []
    key = builder.create("builder")
    for _ in range(2):
        TrustedKeys(builder).publish(storage)
    fingerprint = gpg_key(builder)
    for _ in range(2):
        TrustedKeys(builder, fingerprint).publish(storage)
    shown = [(x.state, x.origin, x.text) for x in known_keys([cache], reader)]
    assert shown == [("unknown", "site", str(key)), ("unknown", "site", f"gpg {fingerprint}")]
    expected = [("site", str(key)), ("site", f"gpg {fingerprint}")]
    assert trust_keys([cache], reader) == expected
    assert trust_keys([cache], reader) == []
    assert {x.state for x in known_keys([cache], reader)} == {"trusted"}


def test_keys_that_cannot_be_used(ring_at: Callable[[str], KeyRing], tmp_path: Path) -> None:
    ring = ring_at("b")
    with pytest.raises(BinaryCacheError, match="there are 0 keys to sign binaries with"):
        TrustedKeys(ring).signed(MANIFEST, HASH)
    ring.create("x")
    with pytest.raises(BinaryCacheError, match="there is a key in"):
        ring.create("x")
    for text in ("", "ssh-rsa AAAA x", "ssh-ed25519 x", "ssh-ed25519 " + "A" * 68 + " a\nb"):
        with pytest.raises(BinaryCacheError, match="is not a public ed25519 key"):
            PublicKey.parse(text, "x.pub")
    with pytest.raises(BinaryCacheError, match=r"cannot read the key .*nowhere"):
        ring.read(tmp_path / "nowhere")
    (tmp_path / "b" / "g").mkdir(mode=0o700)
    with pytest.raises(BinaryCacheError, match="gpg cannot sign with the key ABC"):
        TrustedKeys(ring, "ABC").signed(MANIFEST, HASH)
    with pytest.raises(BinaryCacheError, match="gpg has no key ABC"):
        ring.gpg_public("ABC")
    with pytest.raises(BinaryCacheError, match="gpg cannot import the key"):
        ring.gpg_import(b"no key")
    poor = KeyRing(ring.folder, tmp_path, {"PATH": str(tmp_path)})
    with pytest.raises(BinaryCacheError, match="need the program ssh-keygen"):
        poor.ssh_verifies(b"", "")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("ssh-keys.json", "{", "it cannot be read"),
        ("ssh-keys.json", '{"keys": ["x"]}', "is not a public ed25519 key"),
        ("keys.manifest.json", "{", "it cannot be read"),
    ],
)
def test_lists_of_keys_that_are_damaged(tmp_path: Path, name: str, text: str, reason: str) -> None:
    storage = DirectoryStorage(tmp_path / "cache")
    storage.write(f"v3/manifests/key/{name}", text.encode())
    with pytest.raises(BinaryCacheError, match=reason):
        read_keys(storage)

"""``spack gpg``: keys of GnuPG, made, passed on, and used for caches."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kits.command import Command

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")


@pytest.fixture
def rings() -> Iterator[list[dict[str, str]]]:
    """Return variables that name two key rings, in short paths: their sockets need that."""
    with tempfile.TemporaryDirectory(prefix="s") as folder:
        paths = [Path(folder) / name for name in "ab"]
        try:
            yield [{"SPACK_GNUPGHOME": str(path)} for path in paths]
        finally:
            for path in filter(Path.is_dir, paths):
                words = ["gpgconf", "--homedir", str(path), "--kill", "gpg-agent"]
                subprocess.run(words, check=True)


def test_keys_of_a_builder_and_of_a_user(
    small: Command, other: Command, rings: list[dict[str, str]], tmp_path: Path
) -> None:
    builder, user = rings
    assert "there are no keys" in small("gpg", "list", environ=builder).out
    created = small(
        *("gpg", "create", "--comment", "of the site", "--export", tmp_path / "builder.key"),
        *("--export-secret", tmp_path / "secret", "Site builder", "builder@example.org"),
        environ=builder,
    )
    (key,) = created.lines
    assert small("gpg", "list", environ=builder).lines == [f"trusted  {key}", f"signing  {key}"]
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    small("buildcache", "push", "--key", key, tmp_path / "c", "base", environ=builder)
    other("mirror", "add", "--type=binary", "site", tmp_path / "c")
    refused = other.fails("install", "--cache-only", "base", environ=user).err
    assert "no trusted key has signed it" in refused
    assert (
        "trusted the keys in 1 file" in other("gpg", "init", "--from", tmp_path, environ=user).text
    )
    assert other("gpg", "list", "--trusted", environ=user).lines == [f"trusted  {key}"]
    other("install", "--cache-only", "base", environ=user)
    other("gpg", "untrust", "builder@example.org", environ=user)
    assert "there are no keys" in other("gpg", "list", environ=user).out
    other("gpg", "trust", tmp_path / "builder.key", environ=user)
    again = small.fails("gpg", "export", "--secret", tmp_path / "secret", environ=builder).err
    assert "cannot be written: File exists" in again
    assert "offers 1 key" in small("gpg", "publish", "-d", tmp_path / "d", environ=builder).out
    assert list((tmp_path / "d").rglob(f"{key}.key.manifest.json"))


def test_files_are_signed_and_verified(
    small: Command, rings: list[dict[str, str]], tmp_path: Path
) -> None:
    environ = rings[0]
    small("gpg", "create", "Someone", "one@example.org", environ=environ)
    (tmp_path / "file").write_text("text\n")
    small("gpg", "sign", "file", environ=environ, cwd=tmp_path)
    assert "is signed by a trusted key" in (
        small("gpg", "verify", "file", environ=environ, cwd=tmp_path).out
    )
    small("gpg", "sign", "--clearsign", "--output", "clear", "file", environ=environ, cwd=tmp_path)
    assert "BEGIN PGP SIGNED MESSAGE" in (tmp_path / "clear").read_text()
    (tmp_path / "file").write_text("other\n")
    refused = small.fails("gpg", "verify", "file", environ=environ, cwd=tmp_path).err
    assert "gpg failed: " in refused
    for words, reason in (
        (("trust", "none"), "cannot read the key"),
        (("trust", "file"), "gpg cannot import the key"),
        (("untrust", "absent@example.org"), "gpg has no key"),
        (("export", "x", "absent@example.org"), "there are no keys to export"),
    ):
        assert reason in small.fails("gpg", *words, environ=environ, cwd=tmp_path).err
    assert "a subcommand is required" in small.fails("gpg", code=2).err
    nothing = small.fails("gpg", "init", "--from", tmp_path, code=2).err
    assert "there are no keys in" in nothing

"""Caches of binaries: pushed on one machine, installed on another under another path."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, prefixes, snapshot
from kits.file_server import serve
from kits.recipe_repository import RecipeRepository
from kits.registry import REGISTRY, run_registry
from kits.specs import make_spec
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_storage import DirectoryStorage
from spack.binary.catalogue import CachedPackage
from spack.binary.signatures import NoSignatures

MakeSpack = Callable[[Path], Command]


def add(spack: Command, cache: Path, *words: str) -> None:
    spack("mirror", "add", "--type", "binary", *(words or ("--unsigned",)), "site", cache)


def test_a_pushed_package_is_installed_elsewhere(
    small: Command, other: Command, cache: Path
) -> None:
    add(other, cache)
    shown = other("buildcache", "list", "-l").out
    assert "py-sweet@1.0" in shown and "==> 5 cached packages" in shown
    dry = other("install", "--dry-run", "top", "prog").lines
    assert sum(line.startswith("[b] binary") for line in dry) == 3
    result = other("install", "--cache-only", "top", "prog", "py-sweet")
    assert "==> 0 packages to build, 5 from caches" in result.text
    names = ("base", "prog", "py-sweet", "python-venv", "top")
    found = other("find", "--no-externals", "--format", "{name}{/hash}").lines
    assert found == small("find", "--format", "{name}{/hash}", *names).lines
    assert "0 with differences" in other("verify", "manifest", "-a").text
    subprocess.run([other.prefix("prog") / "bin" / "prog"], check=True)
    assert str(small.home.store) not in (other.prefix("top") / "bin" / "top").read_text()
    assert other("install", "top").out == other("install", "--no-cache", "top").out


def test_a_push_adds_only_what_is_new(small: Command, cache: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    first = small("buildcache", "push", "--unsigned", "--only", "package", copy, "top").out
    assert "pushed 1 package" in first
    before = snapshot(copy, ".index.lock")
    again = small("buildcache", "push", "--unsigned", copy, "top").out
    assert "pushed 1 package" in again and "1 were there" in again
    after = snapshot(copy, ".index.lock")
    index = "v3/manifests/index/index.manifest.json"
    assert {k: v for k, v in before.items() if k != index}.items() <= after.items()
    again = small("buildcache", "push", "--unsigned", "--force", copy, "top").out
    assert "pushed 2 packages" in again
    assert {k: v for k, v in snapshot(copy, ".index.lock").items() if k != index} == {
        k: v for k, v in after.items() if k != index
    }


def test_what_caches_do_not_have_is_built(
    other: Command, cache: Path, small: Command, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    small("buildcache", "push", "--unsigned", "--only", "package", copy, "base")
    add(other, copy)
    refused = other.fails("install", "--cache-only", "top").err
    assert "not installed, and not to be built: top@1.0" in refused
    result = other("install", "top").text
    assert "1 package to build, 1 from caches" in result


def test_unsigned_binaries_are_not_trusted_by_default(other: Command, cache: Path) -> None:
    add(other, cache, "--signed")
    refused = other.fails("install", "--cache-only", "base").err
    assert "the manifest of base@1.0" in refused and "it is not signed" in refused
    assert other.names() == []
    assert prefixes(other.home.store) == {}
    built = other("install", "base").text
    assert "it is not signed; the next source is tried" in built.replace("\n  ", " ")
    assert "1 package to build" in built
    other("uninstall", "-y", "base")
    other("buildcache", "install", "--unsigned", "base")
    assert other.names() == ["base"]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_signed_binaries_over_http(small: Command, other: Command, tmp_path: Path) -> None:
    """The keys of both users are in their HOME: no other user's are looked at."""
    made = small("buildcache", "keys", "--create", "builder of small").lines[-1]
    assert "there is a key" in small.fails("buildcache", "keys", "--create").err
    small("buildcache", "push", "--signed", tmp_path / "c", "top", "prog", "py-sweet")
    with serve(tmp_path / "c") as server:
        other("mirror", "add", "--type", "binary", "site", server.url)
        refused = other.fails("install", "--cache-only", "top", "prog", "py-sweet").err
        assert "no trusted key has signed it" in refused
        assert made in other("buildcache", "keys").out
        server.requests.clear()
        other("buildcache", "keys", "--install", "--trust")
        assert other("buildcache", "keys").out.count("trusted") == 2
        server.requests.clear()
        result = other("buildcache", "install", "top", "prog", "py-sweet").text
        assert "5 from caches" in result
        assert len(server.metadata()) <= 5 and len(server.requests) == 6
    (tmp_path / "key.pub").write_text(made)
    assert "trusted 0 new keys" in other("buildcache", "keys", "--add", tmp_path / "key.pub").text
    assert "cannot read the key" in other.fails("buildcache", "keys", "--add", "none").err


def test_a_damaged_archive_leaves_nothing(other: Command, cache: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(cache, copy)
    for path in (copy / "blobs").rglob("*"):
        if path.is_file() and b"catalogue" not in path.read_bytes():
            with open(path, "r+b") as file:
                file.seek(-4, os.SEEK_END)
                file.write(b"abcd")
    # The index is intact, so that the damage is found by the archive's digest.
    index = (copy / "v3/manifests/index/index.manifest.json").read_text()
    digest = index.rpartition('"checksum": "')[2][:64]
    shutil.copy(cache / f"blobs/sha256/{digest[:2]}/{digest}", copy / f"blobs/sha256/{digest[:2]}")
    add(other, copy)
    refused = other.fails("buildcache", "install", "prog").err
    assert "the binary of base@1.0" in refused and "is refused" in refused
    assert prefixes(other.home.store) == {}
    built = other("install", "prog").text
    assert "packages to build" in built or "package to build" in built


def test_a_cache_that_cannot_be_read_is_left_out(other: Command, tmp_path: Path) -> None:
    (tmp_path / "broken" / "v3" / "manifests" / "index").mkdir(parents=True)
    (tmp_path / "broken" / "v3" / "manifests" / "index" / "index.manifest.json").write_text("{")
    add(other, tmp_path / "broken")
    result = other("install", "base").text
    assert "the cache site is not used: the index of the cache site is refused" in result


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "a subcommand is required"),
        (("push", "nowhere", "base"), "there is no mirror and no directory nowhere"),
        (("push", "./c", "none"), "none matches no installed package"),
        (("push", "./c"), "needs an active environment"),
        (
            ("push", "s9://cache/x", "base"),
            "its scheme is none of file, http, https, oci, oci+http, s3",
        ),
        (("list",), "no caches of binaries are configured"),
        (("install", "base"), "no caches of binaries are configured"),
    ],
)
def test_what_buildcache_cannot_do(small: Command, words: tuple[str, ...], message: str) -> None:
    code = 1 if message.startswith("its") else 2
    assert message in small.fails("buildcache", *words, code=code).err


def test_names_that_several_cached_packages_have(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    for version in ("1.0", "2.0"):
        recipes.plain("twice", version=version)
        spack("install", f"twice@{version}")
    spack("buildcache", "push", "--unsigned", tmp_path / "c", "twice")
    add(spack, tmp_path / "c")
    spack("uninstall", "-y", "--all", "twice")
    assert "twice matches 2 packages" in spack.fails("buildcache", "install", "twice", code=2).err
    assert "no cache has none" in spack.fails("buildcache", "install", "none", code=2).err
    spack("buildcache", "install", "--multiple", "twice")
    assert spack.names() == ["twice", "twice"]


def test_the_solver_takes_what_caches_have(
    spack: Command, recipes: RecipeRepository, make_spack: MakeSpack, tmp_path: Path
) -> None:
    recipes.plain("oven", version="1.0")
    recipes.plain("cake", "oven")
    spack("install", "cake")
    spack("buildcache", "push", "--unsigned", tmp_path / "c", "cake")
    other = make_spack(tmp_path / "other")
    shutil.copy(spack.home.config / "repos.yaml", other.home.config)
    recipes.plain("oven", version="2.0")
    assert "oven@2.0" in other("spec", "cake").out
    add(other, tmp_path / "c")
    assert "oven@1.0" in other("spec", "cake").out
    assert "oven@2.0" in other("spec", "--fresh", "cake").out
    from_local = "concretizer:reuse:{from: [{type: local}]}"
    assert "oven@2.0" in other("-c", from_local, "spec", "cake").out
    assert "oven@2.0" in other("install", "--no-cache", "cake", "--dry-run").out
    result = other("install", "cake").text
    assert "2 from caches" in result and "oven@1.0" in other("find", "-v").out


@pytest.mark.skipif(REGISTRY is None, reason="docker-registry is not installed")
def test_a_registry_is_a_cache(small: Command, other: Command, tmp_path: Path) -> None:
    with run_registry(tmp_path / "registry") as host:
        url = f"oci+http://{host}/team/small"
        pushed = small("buildcache", "push", "--unsigned", "--update-index", url, "py-sweet").out
        assert "pushed 2 packages" in pushed
        again = small("buildcache", "push", "--unsigned", url, "py-sweet").out
        assert "pushed 0 packages" in again and "2 were there" in again
        login = ("--oci-username", "me", "--oci-password-variable", "SECRET")
        other("mirror", "add", "--type", "binary", "--unsigned", *login, "site", url)
        assert "takes its secret from $SECRET, which is not set" in (
            other.fails("buildcache", "list").err
        )
        environ = {"SECRET": "x"}
        other("buildcache", "install", "py-sweet", environ=environ)
        assert "2 cached packages" in other("buildcache", "list", environ=environ).out
    other("uninstall", "-y", "py-sweet", environ=environ)
    result = other.fails("buildcache", "install", "py-sweet", environ=environ).err
    assert "the registry oci+http://" in result and "cannot be used" in result
    wrong = other.fails("mirror", "set", "--oci-username", "me", "site", code=2).err
    assert "a login is a user and the variable that has the password" in wrong


def test_what_is_built_is_pushed_to_mirrors_that_want_it(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("inner")
    recipes.plain("outer", "inner")
    recipes.plain("bad", install='raise InstallError("no")\n')
    spack("mirror", "add", "--type", "binary", "--unsigned", "--autopush", "c", tmp_path / "c")
    spack("install", "outer", "bad", check=False)
    assert "2 cached packages" in spack("buildcache", "list").out
    spack("uninstall", "-y", "--all", "inner", "outer", "-R", check=False)
    spack("uninstall", "-y", "--all", check=False)
    assert "2 from caches" in spack("install", "outer").text
    spack("mirror", "set", "--no-autopush", "c")
    recipes.plain("later")
    spack("install", "later")
    assert "2 cached packages" in spack("buildcache", "list").out
    (tmp_path / "file").write_text("")
    spack("mirror", "set", "--autopush", "--url", tmp_path / "file", "c")
    recipes.plain("last")
    assert "not pushed to the cache c" in spack("install", "last").text


def test_upkeep_of_a_cache(small: Command, other: Command, tmp_path: Path) -> None:
    cache, copy = tmp_path / "c", tmp_path / "copy"
    small("buildcache", "push", "--unsigned", cache, "top", "prog")
    index = cache / "v3/manifests/index/index.manifest.json"
    index.unlink()
    assert "lists 3 packages" in other("buildcache", "update-index", cache).text
    assert "application/vnd.spack.db.v8+json" in index.read_text()
    add(other, cache)
    assert "the caches have all of it" in other("buildcache", "check", "top").out
    lacks = other(
        "buildcache", "check", "-m", cache, "-o", "l", "py-sweet", check=False, cwd=tmp_path
    )
    assert lacks.code == 1 and "py-sweet@1.0" in lacks.out and "is in no cache" in lacks.out
    assert len((tmp_path / "l").read_text().split()) == 2
    sound = "==> 3 packages examined, 0 with problems"
    assert sound in other("buildcache", "check-index", "--verify", "all", "--", "site").out

    synced = other("buildcache", "sync", "site", copy).out
    assert "copied 3 packages" in synced and "0 were there" in synced
    assert "copied 0 packages" in other("buildcache", "sync", "site", copy).out
    keep = small("find", "--format", "{hash}", "base").out
    (tmp_path / "keep").write_text(keep)
    words = ("buildcache", "prune", "--keeplist", tmp_path / "keep", copy)
    assert "would remove 2 packages" in other(*words, "--dry-run").out
    assert "removed 2 packages and" in other(*words).out
    assert "removed 0 packages and 0 blobs" in other("buildcache", "prune", copy).out
    other("mirror", "set-url", "site", copy)
    assert "==> 1 cached package" in other("buildcache", "list").out
    assert (
        "cannot read the list"
        in other.fails("buildcache", "prune", "--keeplist", "none", copy, code=2).err
    )

    blob = max((copy / "blobs").rglob("*"), key=lambda x: x.stat().st_size if x.is_file() else 0)
    blob.write_bytes(b"x" * blob.stat().st_size)
    for name in copy.rglob("*.spec.manifest.json"):
        path = name
    broken = other("buildcache", "check-index", "--verify", "blobs", "--", copy, check=False)
    assert broken.code == 1 and "does not have its digest" in broken.out
    path.write_text("{")
    again = other("buildcache", "update-index", copy, check=False)
    assert again.code == 1 and "cannot be read" in again.out


def test_kept_wheels_become_an_index(small: Command, uv: str, tmp_path: Path) -> None:
    index = tmp_path / "simple"
    made = small("buildcache", "push", "--wheels", index, "py-sweet").text
    assert "1 new wheel in" in made and "0 were there" in made
    before = snapshot(index)
    again = small("buildcache", "push", "--wheels", index, "py-sweet", "top").text
    assert "0 new wheels in" in again and "1 were there" in again
    assert snapshot(index) == before
    (wheel,) = (index / "sweet").glob("*.whl")
    assert re.fullmatch(r"sweet-1\.0\+spack\.[0-9a-f]{8}-py3-none-any\.whl", wheel.name)
    assert (index / "sweet" / f"{wheel.name}.metadata").read_text().count("Version: 1.0+spack") == 1
    venv = tmp_path / "venv"
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    for command in (
        (uv, "venv", "-q", venv, "-p", sys.executable),
        (
            uv,
            "pip",
            "install",
            "-q",
            "--offline",
            "-p",
            venv,
            "--index-url",
            index.as_uri(),
            "sweet",
        ),
    ):
        subprocess.run(command, check=True, env=environ)
    shown = subprocess.check_output(
        [uv, "pip", "list", "-p", venv, "--format", "freeze"], env=environ, text=True
    )
    assert re.search(r"^sweet==1\.0\+spack\.[0-9a-f]{8}$", shown, re.MULTILINE)
    verified = subprocess.run(
        [uv, "pip", "check", "-p", venv], env=environ, capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stderr
    (tmp_path / "file").write_text("")
    assert (
        "cannot be written"
        in small.fails("buildcache", "push", "--wheels", tmp_path / "file" / "x", "py-sweet").err
    )
    assert "no cache is named" in small.fails("buildcache", "push", code=2).err


def test_two_pushes_at_one_time(small: Command, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    push = ("buildcache", "push", "--unsigned", "--only", "package", cache)
    with small.start(*push, "base") as one, small.start(*push, "prog") as two:
        for process in (one, two):
            out, _ = process.communicate(timeout=60)
            assert process.returncode == 0, out
    small("buildcache", "check-index", "--verify", "blobs", "--", cache)
    assert "2 packages examined" in small("buildcache", "check-index", cache).out


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_a_cache_that_spack_has_made(make_spack: MakeSpack, root: Path, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="s") as short:
        _install_what_spack_has_made(make_spack(Path(short) / "h"), root, Path(short))


def _install_what_spack_has_made(spack: Command, root: Path, short: Path) -> None:
    # A path in a binary has room for short ones only; nor are those of gpg's sockets long.
    environ = {"SPACK_GNUPGHOME": str(short / "g")}
    spack("mirror", "add", "--type", "binary", "site", root / "tests/cases/binary/spack-cache")
    assert "==> 2 cached packages" in spack("buildcache", "list", "-a").out
    refused = spack.fails("buildcache", "install", "-o", "envelope", environ=environ).err
    assert "no trusted key has signed it" in refused
    try:
        assert "trusted gpg 5ADFBD40" in spack("buildcache", "keys", "-it", environ=environ).text
        spack("buildcache", "install", "-o", "envelope", environ=environ)
    finally:
        if (short / "g").is_dir():
            arguments = ["gpgconf", "--homedir", str(short / "g"), "--kill", "gpg-agent"]
            subprocess.run(arguments, check=True)
    prefix, letter = spack.prefix("envelope"), spack.prefix("letter")
    assert subprocess.check_output([prefix / "bin" / "envelope"], text=True) == "a letter\n"
    assert os.readlink(prefix / "share" / "link") == f"{letter}/share/text"
    path = (prefix / "share" / "data").read_bytes().strip(b"\0")
    assert os.path.normpath(path) == os.fsencode(f"{letter}/share/text")
    assert "0 with differences" in spack("verify", "manifest", "-a").text
    loaded = spack("load", "--sh", "envelope").out + "envelope\n"
    assert subprocess.check_output(["sh", "-c", loaded], text=True) == "a letter\n"


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_a_longer_path_than_a_binary_has_room_for(
    make_spack: MakeSpack, root: Path, tmp_path: Path
) -> None:
    far = make_spack(tmp_path / ("a-very-long-name-of-a-home" * 4))
    cache = root / "tests/cases/binary/spack-cache"
    far("mirror", "add", "--type", "binary", "--unsigned", "site", cache)
    refused = far.fails("buildcache", "install", "-o", "envelope").err
    assert "envelope@2.0/cgnpite cannot be moved" in refused
    assert "share/data names /opt/spack-recorded" in refused and "padded_length" in refused
    assert far.names() == ["letter"]


def test_a_binary_for_another_machine(other: Command, tmp_path: Path) -> None:
    storage = DirectoryStorage(tmp_path / "c")
    cache = BinaryCache("c", storage, tmp_path / "local", NoSignatures())
    cache.add_to_index([CachedPackage(make_spec("heavy", target="m68k", os="other9"), "{}")])
    add(other, tmp_path / "c")
    refused = other.fails("buildcache", "install", "heavy", code=2).err
    assert "the binaries of heavy are for other machines: linux-other9-m68k" in refused
    assert "==> 0 cached packages" in other("buildcache", "list").out
    assert "heavy@1.0" in other("buildcache", "list", "--allarch").out

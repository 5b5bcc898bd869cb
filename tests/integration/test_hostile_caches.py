"""Caches of a hostile owner, without signatures: what is refused, with the reason, and what stays.

The owner can write whatever is wanted: digests, manifests and index fit to each other.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kits.command import Command, prefixes
from kits.file_server import serve
from kits.hostile_cache import HostileCache, Members
from kits.recipe_repository import RecipeRepository
from spack.util.frozen import replace

Attack = Callable[[HostileCache], None]


def member(name: str, data: bytes = b"x", **attributes: object) -> Attack:
    """Add a member to the archive of ``base``; TOP in texts is its prefix."""

    def add(members: Members) -> Members:
        top = next(x.name for x, _ in members if x.name.endswith("/.spack"))[: -len("/.spack")]
        row = tarfile.TarInfo(name.replace("TOP", top))
        for key, value in attributes.items():
            setattr(row, key, value.replace("TOP", top) if isinstance(value, str) else value)
        return [*members, (row, data)]

    return lambda cache: cache.change_archive("base", add)


def other_package(cache: HostileCache) -> None:
    cache.replace_archive("base", cache.archive("prog").read_bytes())


def other_manifest(cache: HostileCache) -> None:
    cache.replace_manifest("base", cache.package("prog").manifest)


def truncated(cache: HostileCache) -> None:
    path = cache.archive("base")
    os.truncate(path, path.stat().st_size - 20)


def changed(cache: HostileCache) -> None:
    path = cache.archive("base")
    data = bytearray(path.read_bytes())
    data[4] ^= 1  # a time in the header of gzip, which nothing else looks at
    path.write_bytes(data)


def half_pushed(cache: HostileCache) -> None:
    cache.archive("base").unlink()


def larger(cache: HostileCache) -> None:
    cache.change_row("base", lambda row: replace(row, size=row.size + 5))


def endless(cache: HostileCache) -> None:
    with open(cache.archive("base"), "ab") as file:
        file.write(b"\0" * 1000)


ATTACKS: dict[str, tuple[Attack, str]] = {
    "traversal": (member("TOP/../../../evil"), "would land outside"),
    "absolute path": (member("//etc/evil"), "would land outside"),
    "beside the prefix": (member("evil"), "is outside of"),
    "link out": (
        member("TOP/a", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "is a link to '/etc/passwd', which is outside",
    ),
    "hard link out": (
        member("TOP/a", b"", type=tarfile.LNKTYPE, linkname="etc/passwd"),
        "is outside of",
    ),
    "device": (member("TOP/a", b"", type=tarfile.CHRTYPE), "is a device or pipe"),
    "archive of another package": (other_package, "its archive is of prog/"),
    "manifest of another package": (other_manifest, "its archive is of prog/"),
    "truncated": (truncated, "it is damaged|bytes too early"),
    "changed": (changed, "does not have the digest of its manifest"),
    "half pushed": (half_pushed, "its archive is missing"),
    "larger than it is": (larger, "ends 5 bytes too early"),
    "longer than it says": (endless, "is longer than its manifest says"),
    "no archive": (lambda cache: cache.replace_archive("base", b"text"), "it is damaged"),
    "no manifest": (lambda cache: cache.replace_manifest("base", "[]"), "it cannot be read"),
    "two archives": (
        lambda cache: cache.replace_manifest("base", '{"version": 3, "data": []}'),
        "it names 0 blobs",
    ),
}


@pytest.fixture
def hostile(cache: Path, tmp_path: Path) -> HostileCache:
    return HostileCache(Path(shutil.copytree(cache, tmp_path / "hostile")), tmp_path / "local")


def test_what_is_refused_leaves_nothing(other: Command, cache: Path, tmp_path: Path) -> None:
    """One command for each attack, in one install tree, which stays empty."""
    for number, (name, (attack, reason)) in enumerate(ATTACKS.items()):
        copy = Path(shutil.copytree(cache, tmp_path / f"hostile-{number}"))
        attack(HostileCache(copy, tmp_path / f"local-{number}"))
        mirror = f"mirrors:site:{{url: {copy}, signed: false}}"
        refused = other.fails("-c", mirror, "install", "--cache-only", "base").err
        assert re.search(reason, " ".join(refused.split())), f"{name}: {refused}"
        assert prefixes(other.home.store) == {}, name
        assert not (tmp_path / "evil").exists()
    assert other.names() == []
    built = other("-c", mirror, "install", "base").text
    assert "the next source is tried" in " ".join(built.split()) and other.names() == ["base"]


def test_set_id_bits_are_dropped(other: Command, hostile: HostileCache) -> None:
    member("TOP/bin/root-shell", mode=0o6755)(hostile)
    mirror = f"mirrors:site:{{url: {hostile.root}, signed: false}}"
    other("-c", mirror, "install", "--cache-only", "base")
    mode = (other.prefix("base") / "bin" / "root-shell").stat().st_mode
    assert mode & 0o7000 == 0 and mode & 0o111


def test_an_older_or_changed_index(other: Command, hostile: HostileCache) -> None:
    older = (hostile.root / "v3/manifests/index/index.manifest.json").read_bytes()
    mirror = ("-c", f"mirrors:site:{{url: {hostile.root}, signed: false}}")
    hostile.change_index(lambda data: {**data, "serial": data["serial"] + 1})
    assert "5 cached packages" in other(*mirror, "buildcache", "list").out
    (hostile.root / "v3/manifests/index/index.manifest.json").write_bytes(older)
    refused = other.fails(*mirror, "buildcache", "list").err
    assert "it is older than the one that was seen before" in refused
    assert "spack clean -m" in refused
    other("clean", "-m")
    hostile.change_index(lambda data: {**data, "data": data["data"] * 9})
    assert "is not the manifest of an index" in other.fails(*mirror, "buildcache", "list").err


def test_servers_that_refuse_and_stop(other: Command, cache: Path) -> None:
    """A login that is wanted, an archive that is not there, a busy server, and one that stops."""
    answers: list[int] = []

    def trick(handler: BaseHTTPRequestHandler) -> bool:
        if "/blobs/" not in handler.path or not answers:
            return False
        handler.send_response(answers.pop(0))
        handler.send_header("retry-after", "0")
        handler.send_header("content-length", "0")
        handler.end_headers()
        return True

    with serve(cache) as server:
        mirror = ("-c", f"mirrors:site:{{url: '{server.url}', signed: false}}")
        other(*mirror, "buildcache", "list")
        server.trick = trick
        for status, reason in ((401, "access_pair"), (404, "its archive is missing")):
            answers[:] = [status]
            refused = other.fails(*mirror, "install", "--cache-only", "base").err
            assert reason in refused and prefixes(other.home.store) == {}
        answers[:] = [429, 503]
        other(*mirror, "install", "--cache-only", "base")
    assert other.names() == ["base"]


def test_a_disk_that_is_full_while_unpacking(
    spack: Command, recipes: RecipeRepository, namespace: tuple[str, ...], tmp_path: Path
) -> None:
    """With more room the same command succeeds."""
    recipes.plain(
        "big",
        install='with open(prefix.big, "wb") as stream:\n    stream.write(b"x" * (16 << 20))\n',
    )
    spack("install", "big")
    spack("buildcache", "push", "--unsigned", tmp_path / "c", "big")
    spack("mirror", "add", "--type=binary", "--unsigned", "site", tmp_path / "c")
    spack("uninstall", "-y", "big")
    command = " ".join(spack.argv(["install", "--cache-only", "big"]))
    store = spack.home.store
    script = (
        f"mount -t tmpfs -o size=8m none {store}\n{command}; code=$?\n"
        f"find {store} -name big | sed 's/^/left: /'\nmount -o remount,size=64m {store}\n"
        f"{command} && {store}/*/big-*/bin/big && exit $code"
    )
    done = subprocess.run(
        [*namespace, "sh", "-c", script], env=spack.variables(), capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "No space left on device" in done.stderr and "hint: " in done.stderr
    assert done.stdout.splitlines()[-1] == "big 1.0" and "left: " not in done.stdout

"""Unpacking: what archives may hold, and what is refused with nothing left behind."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest

from spack.errors import FetchError
from spack.fetch.extract import Limits, kind_of, pack, unpack

GOOD = {"foo-1.0/setup.py": b"print(1)\n", "foo-1.0/src/run.sh": b"#!/bin/sh\n"}
LIMITS = Limits(least=100_000, ratio=1, entries=50, metadata=40_000)


def _tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def _refused(archive: Path, tmp_path: Path, **options: Any) -> FetchError:
    stage = tmp_path / "stage"
    with pytest.raises(FetchError) as caught:
        unpack(archive, stage / "src", limits=LIMITS, **options)
    assert not stage.exists() or os.listdir(stage) == []
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_one_directory_at_the_top_becomes_the_target(
    tmp_path: Path, tarball: Any, put: Any, compression: str
) -> None:
    archive = put("a", tarball(GOOD, compression))
    source = unpack(archive, tmp_path / "src", filename="foo-1.0.tar")
    assert _tree(source) == {"setup.py": b"print(1)\n", "src/run.sh": b"#!/bin/sh\n"}


@pytest.mark.parametrize("program", ["zstd", "lzip", "xz"])
def test_compressions_by_a_program(tmp_path: Path, tarball: Any, put: Any, program: str) -> None:
    found = shutil.which(program)
    if found is None:
        archive = put("a.tar.zst", b"\x28\xb5\x2f\xfd" + b"0" * 600)
        with pytest.raises(FetchError, match=r"zstd|damaged"):
            unpack(archive, tmp_path / "src", search_path="")
        return
    plain = put("a.tar", tarball(GOOD, ""))
    with open(plain, "rb") as data:
        packed = subprocess.run([found, "-c"], stdin=data, stdout=-1, check=True).stdout
    source = unpack(put("a.packed", packed), tmp_path / "src", search_path=os.environ["PATH"])
    assert set(_tree(source)) == {"setup.py", "src/run.sh"}


def test_modes_are_sane_and_times_kept(tmp_path: Path, tarball: Any, put: Any) -> None:
    old = os.umask(0o077)
    try:
        source = unpack(put("a.tgz", tarball(GOOD)), tmp_path / "src")
    finally:
        os.umask(old)
    modes = {
        str(path.relative_to(source)): stat.S_IMODE(path.stat().st_mode)
        for path in source.rglob("*")
    }
    assert modes == {"setup.py": 0o644, "src": 0o755, "src/run.sh": 0o755}
    assert (source / "setup.py").stat().st_mtime == 1_600_000_000


def test_several_entries_at_the_top_stay(tmp_path: Path, tarball: Any, put: Any) -> None:
    source = unpack(put("a.tgz", tarball({"a": b"1", "b/c": b"2"})), tmp_path / "src")
    assert _tree(source) == {"a": b"1", "b/c": b"2"}


def test_a_later_entry_replaces_an_earlier_one(tmp_path: Path, put: Any) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for content in (b"old", b"newer"):
            info = tarfile.TarInfo("x/a")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert _tree(unpack(put("a.tar", data.getvalue()), tmp_path / "src")) == {"a": b"newer"}


def test_a_compressed_single_file(tmp_path: Path, put: Any) -> None:
    source = unpack(put("x", gzip.compress(b"data")), tmp_path / "src", filename="table.csv.gz")
    assert _tree(source) == {"table.csv": b"data"}


def test_links_that_stay_inside(tmp_path: Path, tarball: Any, put: Any, entry: Any) -> None:
    links = (
        entry("foo-1.0/s", tarfile.SYMTYPE, "src/run.sh"),
        entry("foo-1.0/src/up", tarfile.SYMTYPE, "../setup.py"),
        entry("foo-1.0/dangling", tarfile.SYMTYPE, "not/yet"),
        entry("foo-1.0/hard", tarfile.LNKTYPE, "foo-1.0/setup.py"),
    )
    source = unpack(put("a.tgz", tarball(GOOD, extra=links)), tmp_path / "src")
    assert (source / "src/up").read_bytes() == (source / "hard").read_bytes() == b"print(1)\n"
    assert os.readlink(source / "dangling") == "not/yet"


HOSTILE: dict[str, tuple[tuple[str, bytes, str], ...]] = {
    "is a link to '/etc/passwd', which is outside": (("x/l", tarfile.SYMTYPE, "/etc/passwd"),),
    "is a link to '../../up', which is outside": (("x/l", tarfile.SYMTYPE, "../../up"),),
    "is a link to 'a/b/l/..', which is outside": (
        ("x/a", tarfile.DIRTYPE, ""),
        ("x/a/b", tarfile.DIRTYPE, ""),
        ("x/a/b/l", tarfile.SYMTYPE, "../.."),
        ("x/m", tarfile.SYMTYPE, "a/b/l/.."),
    ),
    "'../../etc/passwd' would land outside": (("x/l", tarfile.LNKTYPE, "../../etc/passwd"),),
    "is a hard link to 'x/nothing'": (("x/l", tarfile.LNKTYPE, "x/nothing"),),
    "'x/null' is a device or pipe": (("x/null", tarfile.CHRTYPE, ""),),
    "'x/pipe' is a device or pipe": (("x/pipe", tarfile.FIFOTYPE, ""),),
    "is below the link 'x/l'": (
        ("x/l", tarfile.SYMTYPE, "y"),
        ("x/l/file", tarfile.REGTYPE, ""),
    ),
    "'../up' would land outside": (("../up", tarfile.REGTYPE, ""),),
    "'x/../../up' would land outside": (("x/../../up", tarfile.REGTYPE, ""),),
    "is an absolute name": (("/tmp/up", tarfile.REGTYPE, ""),),
    "has control characters": (("x/a\nb", tarfile.REGTYPE, ""),),
    "has a part of more than 255 bytes": (("x/" + "n" * 256, tarfile.REGTYPE, ""),),
    "is a name of more than 2048 bytes": (("x/" + "d/" * 1100 + "f", tarfile.REGTYPE, ""),),
    "is there as link and as file": (
        ("x/l", tarfile.SYMTYPE, "y"),
        ("x/l", tarfile.REGTYPE, ""),
    ),
}


@pytest.mark.parametrize("reason", HOSTILE)
def test_hostile_entries_are_refused(
    tmp_path: Path, tarball: Any, put: Any, entry: Any, reason: str
) -> None:
    extra = tuple(entry(*row) for row in HOSTILE[reason])
    error = _refused(put("evil.tar.gz", tarball({"x/ok": b""}, extra=extra)), tmp_path)
    assert reason in error.message
    assert error.message.startswith("evil.tar.gz is refused")
    assert error.ref == "hostile-archive"


def test_names_that_differ_by_case_only(tmp_path: Path, tarball: Any, put: Any) -> None:
    archive = put("a.tgz", tarball({"x/README": b"1", "x/readme": b"2"}))
    error = _refused(archive, tmp_path, distinct_case=True)
    assert "'x/README' and 'x/readme' differ by case only" in error.message
    assert len(_tree(unpack(archive, tmp_path / "src"))) == 2


def test_strange_names_that_do_no_harm(tmp_path: Path, tarball: Any, put: Any) -> None:
    """Unpacked as they are: a leading dash or dot, blanks, bytes that are no UTF-8."""
    names = {"-rf", ".hidden", " ", "a b", "CON", "\udcff\udcfe"}
    archive = put("a.tgz", tarball({f"x/{name}": b"1" for name in names}))
    assert set(os.listdir(unpack(archive, tmp_path / "tar"))) == names
    plain = sorted(names - {"\udcff\udcfe"})
    archive = _zip(put, *((f"x/{name}", 0o100644, b"1") for name in plain))
    assert sorted(os.listdir(unpack(archive, tmp_path / "zip"))) == plain


def test_names_in_a_zip_that_differ_by_case_only(tmp_path: Path, put: Any) -> None:
    archive = _zip(put, ("x/README", 0o100644, b""), ("x/readme", 0o100644, b""))
    error = _refused(archive, tmp_path, distinct_case=True)
    assert "'x/README' and 'x/readme' differ by case only" in error.message


def test_bombs(tmp_path: Path, tarball: Any, put: Any, entry: Any) -> None:
    error = _refused(put("bomb.tar.gz", tarball({"x/zeros": bytes(5_000_000)})), tmp_path)
    assert "unpacks to far more than its size" in error.message
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x/zeros", bytes(5_000_000))
    error = _refused(put("bomb.zip", zipped.getvalue()), tmp_path)
    assert "unpacks to far more than its size" in error.message
    many = {f"x/{number}": b"" for number in range(60)}
    assert "more than 50 entries" in _refused(put("many.tar", tarball(many, "")), tmp_path).message
    long = entry("x/" + "n" * 80_000, tarfile.REGTYPE)
    for members in ({}, {"x/first": b"1"}):
        error = _refused(put("long.tar.gz", tarball(members, extra=(long,))), tmp_path)
        assert "a header in it is too long" in error.message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tar.gz", b"<!DOCTYPE html>"),
        ("a.tar.gz", gzip.compress(b"no tar in here" * 100)),
        ("a.tar.gz", gzip.compress(os.urandom(4000))[:900]),
        ("a.zip", b"PK\x03\x04" + b"x" * 100),
        ("a.tar.xz", b"\xfd7zXZ\x00" + b"x" * 100),
        ("a.tar.bz2", b"BZh9" + b"x" * 100),
        ("a.tar.gz", b""),
    ],
    ids=["page", "no-tar", "cut-short", "zip", "xz", "bz2", "empty"],
)
def test_damaged_archives(tmp_path: Path, put: Any, name: str, content: bytes) -> None:
    error = _refused(put(name, content), tmp_path)
    assert error.message.startswith(f"{name} cannot be unpacked")
    assert error.ref == "corrupt-archive"


@pytest.mark.parametrize("cut", [100, 300, -20, -3])
def test_cut_archives(tmp_path: Path, put: Any, tarball: Any, cut: int) -> None:
    content = tarball({"x/random": os.urandom(3000), "x/more": os.urandom(100)})
    assert _refused(put("a.tar.gz", content[:cut]), tmp_path).ref == "corrupt-archive"


def test_what_follows_the_compressed_data_is_ignored(
    tmp_path: Path, put: Any, tarball: Any
) -> None:
    source = unpack(put("a.tar.gz", tarball(GOOD) + b"signature" * 99), tmp_path / "src")
    assert "setup.py" in _tree(source)


def _zip(put: Callable[[str, bytes], Path], *entries: tuple[str, int, bytes]) -> Path:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, mode, content in entries:
            info = zipfile.ZipInfo(name, (2020, 5, 4, 3, 2, 0))
            info.create_system = 3
            info.external_attr = mode << 16
            file.writestr(info, content)
    return put("a.zip", data.getvalue())


def test_zip(tmp_path: Path, put: Any) -> None:
    archive = _zip(
        put,
        ("p/run", 0o104755, b"#!"),
        ("p/data", 0o100600, b"x"),
        ("p/plain", 0, b"y"),
        ("p/link", 0o120777, b"data"),
    )
    source = unpack(archive, tmp_path / "src")
    assert _tree(source) == {"run": b"#!", "data": b"x", "plain": b"y", "link": b"x"}
    modes = {name: stat.S_IMODE((source / name).stat().st_mode) for name in ("run", "data")}
    assert modes == {"run": 0o755, "data": 0o644}


@pytest.mark.parametrize(
    ("name", "mode", "content", "reason"),
    [
        ("../up", 0o100644, b"", "would land outside"),
        ("/up", 0o100644, b"", "absolute"),
        ("a\\..\\up", 0o100644, b"", "backslash"),
        ("l", 0o120777, b"/etc/passwd", "outside"),
        ("l", 0o120777, b"../up", "outside"),
        ("l", 0o120777, b"x" * 5000, "endless"),
        ("d", 0o020644, b"", "device"),
        ("a\nb", 0o100644, b"", "has control characters"),
        ("n" * 256, 0o100644, b"", "has a part of more than 255 bytes"),
        ("d/" * 1100 + "f", 0o100644, b"", "is a name of more than 2048 bytes"),
    ],
)
def test_hostile_zip(
    tmp_path: Path, put: Any, name: str, mode: int, content: bytes, reason: str
) -> None:
    archive = _zip(put, ("ok", 0o100644, b""), (name, mode, content))
    assert reason in _refused(archive, tmp_path).message


def test_unwritable_location(tmp_path: Path, put: Any, tarball: Any) -> None:
    location = put("file", b"")
    with pytest.raises((FetchError, OSError)):
        unpack(put("a.tgz", tarball(GOOD)), location / "src")


def test_full_disk(tmp_path: Path, put: Any, tarball: Any) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("this user may not mount a tmpfs")
    try:
        with pytest.raises(FetchError, match="the disk is full") as caught:
            unpack(put("a.tgz", tarball({"x/y": os.urandom(200_000)})), small / "src")
        assert caught.value.hint and "build_stage" in caught.value.hint
        assert os.listdir(small) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_kind_is_reported_by_content(put: Any, tarball: Any) -> None:
    assert kind_of(put("a.zip", tarball(GOOD))) == "gz"
    assert kind_of(put("a.tar.gz", tarball(GOOD, ""))) == "tar"
    assert kind_of(put("a.txt", b"text")) is None


def test_pack_and_unpack(tmp_path: Path, put: Any) -> None:
    put("tree/a/b.txt", b"1")
    os.symlink("a/b.txt", tmp_path / "tree/l")
    pack(tmp_path / "tree", tmp_path / "t.tar.gz")
    source = unpack(tmp_path / "t.tar.gz", tmp_path / "src")
    assert os.readlink(source / "l") == "a/b.txt"
    assert (source / "a/b.txt").read_bytes() == b"1"

"""Wheels that name prefixes in the run paths of their libraries, kept and changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from spack.api.elf import parse_elf
from spack.build.job import BuildJob
from spack.build.wheel_cache import BUILT, keep_wheel, kept_wheel, reusable_wheel
from spack.build.wheel_run_paths import moved_wheel, named_paths
from spack.util.record_file import RecordedFile, corrected_record

OLD = "/opt/install-tree/linux/needed-1.0-abcdef"
OWN = "/opt/install-tree/linux/pack-1.0-fedcba"
RECORD = "pack-1.0.dist-info/RECORD"

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


def library(folder: Path, text: str = "", flags: tuple[str, ...] = ()) -> bytes:
    """Return a library with run paths; *text* is in its data."""
    source, target = folder / "x.c", folder / "x.so"
    source.write_text(f'const char text[] = "{text}";\n')
    run_path = f"-Wl,-rpath,{OLD}/lib:{OWN}/lib64"
    command = ["gcc", "-shared", "-fPIC", *flags, run_path, "-o", str(target), str(source)]
    subprocess.run(command, check=True, cwd=folder)
    return target.read_bytes()


def wheel(folder: Path, files: dict[str, bytes]) -> str:
    path = folder / "pack-1.0-py3-none-any.whl"
    rows = "".join(f"{name},sha256=x,1\n" for name in files) + f"{RECORD},,\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(RECORD, rows)
    return str(path)


def run_path(wheel: str, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive, archive.open(name) as stream:
        return parse_elf(stream, dynamic_section=True).dt_rpath_str.decode()  # type: ignore[arg-type]


def test_what_names_a_path_where(tmp_path: Path) -> None:
    plain = wheel(tmp_path, {"a.py": b"x"})
    assert named_paths(plain, (OLD, OWN)) == (False, False)
    bound = wheel(tmp_path, {"a.so": library(tmp_path), "b.py": b"x"})
    assert named_paths(bound, (OLD, OWN)) == (True, False)
    assert named_paths(bound, ("/usr",)) == (False, False)
    for files in (
        {"a.so": library(tmp_path, text=f"{OLD}/share")},
        {"a.so": library(tmp_path), "b.py": OWN.encode()},
        {"a.so": b"\x7fELF" + OLD.encode()},
    ):
        assert named_paths(wheel(tmp_path, files), (OLD, OWN)) == (True, True)


def test_the_stage_in_what_debuggers_read_counts_for_nothing(tmp_path: Path) -> None:
    stage = tmp_path / "stage" / "of" / "a-build"
    stage.mkdir(parents=True)
    data = library(stage, flags=("-g", "-gz=none"))
    assert os.fsencode(stage) in data
    assert named_paths(wheel(tmp_path, {"a.so": data}), (str(stage), OLD)) == (True, False)


def test_run_paths_are_those_of_another_tree(tmp_path: Path) -> None:
    path = wheel(tmp_path, {"a.so": library(tmp_path), "b.py": b"x"})
    changes = {OLD: "/s/needed", OWN: "/s/pack", "/opt/install-tree/linux/other": None}
    moved = moved_wheel(path, changes, tmp_path / "moved")
    assert moved is not None and Path(moved).name == Path(path).name
    text = run_path(moved, "a.so")
    assert text == f"{'/s/needed'.ljust(len(OLD), '/')}/lib:{'/s/pack'.ljust(len(OWN), '/')}/lib64"
    with zipfile.ZipFile(moved) as archive:
        files = {"a.so": RecordedFile.of(archive.read("a.so"))}
        record = archive.read(RECORD)
        assert archive.read("b.py") == b"x" and archive.testzip() is None
    assert corrected_record(record, "", files) == record and b"b.py,sha256=x,1\n" in record


@pytest.mark.parametrize(
    "changes",
    [
        {OLD: f"{OLD}-and-longer", OWN: OWN},
        {OLD: None, OWN: OWN},
    ],
)
def test_what_has_no_room_or_is_not_known(tmp_path: Path, changes: dict[str, str | None]) -> None:
    path = wheel(tmp_path, {"a.so": library(tmp_path)})
    assert moved_wheel(path, changes, tmp_path / "moved") is None


def test_a_path_elsewhere_is_not_changed(tmp_path: Path) -> None:
    path = wheel(tmp_path, {"a.so": library(tmp_path), "b.py": OLD.encode()})
    assert moved_wheel(path, {OLD: "/s/needed"}, tmp_path / "moved") is None
    longer = wheel(tmp_path, {"b.py": f"{OLD}-of-another".encode()})
    assert moved_wheel(longer, {OLD: "/s/needed"}, tmp_path / "moved") is not None


def job(stage: Path, root: str) -> BuildJob:
    stage.mkdir(parents=True, exist_ok=True)
    return BuildJob(
        spec={},
        hash="own",
        prefixes={"own": f"{root}/pack-1.0-fedcba", "needed": f"{root}/needed-1.0-abcdef"},
        stage_path=str(stage),
        source_path=None,
        log_path="",
        result_path="",
        repositories=(),
        wheels=str(stage.parent / "wheels"),
    )


def test_a_wheel_with_run_paths_is_kept_for_other_trees(tmp_path: Path) -> None:
    first = job(tmp_path / "first", "/opt/install-tree/linux")
    key = "0" * 64
    built = tmp_path / "first" / BUILT
    built.mkdir()
    wheel(built, {"a.so": library(tmp_path)})
    named = reusable_wheel(first, key)
    assert named == f"{key}/pack-1.0-py3-none-any.whl:run-paths"
    keep_wheel(first, str(tmp_path / "wheels"), named)
    kept = kept_wheel(first, key)
    assert kept == str(tmp_path / "wheels" / key / "pack-1.0-py3-none-any.whl")
    moved = kept_wheel(job(tmp_path / "second", "/s"), key)
    assert moved is not None and moved.startswith(str(tmp_path / "second"))
    assert run_path(moved, "a.so").startswith("/s/needed-1.0-abcdef//")
    assert kept_wheel(job(tmp_path / "third", f"/opt/{'far/' * 20}away"), key) is None
    (tmp_path / "wheels" / key / "prefixes.json").write_text("[")
    assert kept_wheel(first, key) is None
    Path(kept).write_bytes(b"other")
    assert kept_wheel(first, key) is None


def test_a_wheel_that_names_its_stage_is_not_kept(tmp_path: Path) -> None:
    own = job(tmp_path / "stage" / "of" / "it", "/opt/install-tree/linux")
    built = Path(own.stage_path) / BUILT
    built.mkdir()
    wheel(built, {"a.py": os.fsencode(own.stage_path)})
    assert reusable_wheel(own, "0" * 64) == ""

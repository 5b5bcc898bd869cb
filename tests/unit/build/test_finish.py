"""The virtual environment of a build, and what is repaired after it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spack.build.build_venv import BaseInterpreter, BuildVenv, interpreter_of, shebang_script
from spack.build.post_install import correct_records, replace_interpreter
from spack.errors import InstallError

BASE = BaseInterpreter("/opt/py/bin/python3.13t", "3.13.0", "lib/python3.13t/site-packages", "")


def base(platlib: str = "lib/python3.13t/site-packages") -> BaseInterpreter:
    """Return a free-threaded interpreter."""
    return BaseInterpreter(BASE.executable, BASE.version, BASE.purelib, platlib)


def test_it_is_missing_again_without_a_trace(tmp_path: Path) -> None:
    venv = BuildVenv(str(tmp_path / "p"), base(), sites=("/d/a b", "/d/c"))
    venv.create()
    assert os.readlink(tmp_path / "p/bin/python3") == "/opt/py/bin/python3.13t"
    assert os.readlink(tmp_path / "p/bin/python3.13t") == "python3"
    assert "include-system-site-packages = false" in (tmp_path / "p/pyvenv.cfg").read_text()
    venv.remove()
    assert list((tmp_path / "p").iterdir()) == []


def test_what_the_build_installed_stays(tmp_path: Path) -> None:
    venv = BuildVenv(str(tmp_path), base("lib64/python3.13t/site-packages"))
    venv.create()
    (tmp_path / "lib64/python3.13t/site-packages/module.py").write_text("")
    (tmp_path / "bin/python").unlink()
    (tmp_path / "bin/python").write_text("own")
    venv.remove()
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == [
        *("bin", "bin/python", "lib", "lib/python3.13t", "lib/python3.13t/site-packages"),
        "lib/python3.13t/site-packages/module.py",
    ]


def test_the_interpreter_of_a_plain_venv_is_found(tmp_path: Path) -> None:
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to("/usr/bin/env")
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    found = interpreter_of(str(tmp_path))
    assert found.version == "3.11.2" and found.purelib == "lib/python3.11/site-packages"
    assert found.executable == os.path.realpath("/usr/bin/env")


def test_a_prefix_without_venv_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="no virtual environment"):
        interpreter_of(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "python", "expected"),
    [
        (b"#!/v/bin/python3\nx", "/n/bin/python3", b"#!/n/bin/python3\nx"),
        (b"#!/v/bin/python3.11 -I\nx", "/n/bin/python3", b"#!/n/bin/python3 -I\nx"),
        (b"#!/usr/bin/env /v/bin/python3\nx", "/n/bin/python3", b"#!/n/bin/python3\nx"),
        (
            b"#!/usr/bin/env -S A=1 /v/bin/python3 -s\nx",
            "/n/bin/python3",
            b"#!/usr/bin/env -S A=1 /n/bin/python3 -s\nx",
        ),
        (b"#!/bin/sh\nexec /v/bin/python3 -m x\n", "/n", b"#!/bin/sh\nexec /n -m x\n"),
        (b"#!/other/bin/python3\n/v/bin/python", "/n", b"#!/other/bin/python3\n/v/bin/python"),
        (
            b"#!/v/bin/python3\nx",
            "/a b/bin/python3",
            b"#!/bin/sh\n'''exec' \"/a b/bin/python3\" \"$0\" \"$@\"\n' '''\nx",
        ),
        (
            b"#!/bin/sh\n'''exec' /v/bin/python3 \"$0\" \"$@\"\n' '''\nx",
            "/n/bin/python3",
            b"#!/bin/sh\n'''exec' /n/bin/python3 \"$0\" \"$@\"\n' '''\nx",
        ),
    ],
)
def test_first_lines(text: bytes, python: str, expected: bytes) -> None:
    assert shebang_script(text, ["/v"], python) == expected


def test_text_anywhere_names_the_other_interpreter(tmp_path: Path) -> None:
    prefix, root = tmp_path, "/build/root"
    for name, text in {
        "bin/tool": f"#!{root}/bin/python3\nprint()\n",
        "share/kernel.json": f'["{root}/bin/python3.11", "-m"]',
        "share/other": f"{root}/bin/python-config",
        ".spack/log": f"{root}/bin/python3",
    }.items():
        path = prefix / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (prefix / "lib").mkdir()
    (prefix / "lib/binary").write_bytes(b"\0" + f"{root}/bin/python3".encode())
    (prefix / "bin/tool").chmod(0o555)
    changed = replace_interpreter(str(prefix), root, "/venv")
    assert changed == [str(prefix / "bin/tool"), str(prefix / "share/kernel.json")]
    assert (prefix / "bin/tool").read_text().startswith("#!/venv/bin/python3\n")
    assert (prefix / "share/kernel.json").read_text() == '["/venv/bin/python3.11", "-m"]'
    assert (prefix / "bin/tool").stat().st_mode & 0o777 == 0o555


def test_records_stay_true(tmp_path: Path) -> None:
    site = tmp_path / "lib/site-packages"
    info = site / "x-1.dist-info"
    (info / "licenses").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/x").write_text("changed")
    (info / "INSTALLER").write_text("pip\n")
    (info / "direct_url.json").write_text("{}")
    (info / "RECORD").write_text(
        '../../bin/x,sha256=old,1\n"a,b.py",sha256=kept,2\n'
        "x-1.dist-info/INSTALLER,sha256=old,4\nx-1.dist-info/direct_url.json,sha256=old,2\n"
        "x-1.dist-info/RECORD,,\n"
    )
    correct_records(str(tmp_path), ["lib/site-packages"] * 2, [str(tmp_path / "bin/x")])
    assert not (info / "direct_url.json").exists()
    rows = (info / "RECORD").read_text().splitlines()
    assert rows[0].startswith("../../bin/x,sha256=") and rows[0].endswith(",7")
    assert rows[1] == '"a,b.py",sha256=kept,2'
    assert rows[2].startswith("x-1.dist-info/INSTALLER,sha256=") and rows[2].endswith(",6")
    assert rows[3:] == ["x-1.dist-info/RECORD,,"]

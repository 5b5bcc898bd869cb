"""Own dependencies: fetched once, verified, complete or not there at all."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spack.bootstrap import own_dependencies
from spack.bootstrap.wheels import Interpreter, best
from spack.errors import FetchError


def provide(copy: Any, stream: Any = None, **more: str) -> str:
    return own_dependencies.provide(str(copy.root), copy.environ(**more), stream or io.StringIO())


def test_fetched_once(copy: Any) -> None:
    root, environ = str(copy.root), copy.environ()
    assert own_dependencies.locate(root, environ) is None
    location = provide(copy)
    assert own_dependencies.locate(root, environ) == location
    assert copy.locations() == [os.path.basename(location)]
    files = {
        str(path.relative_to(location)) for path in Path(location).rglob("*") if path.is_file()
    }
    compiled = {name for name in files if name.endswith(".pyc")}
    assert files - compiled == {"dep.py", "plat.py", "dep-1.0.dist-info/METADATA"}
    assert len(compiled) == 2
    assert (Path(location) / "dep.py").stat().st_mode & 0o777 == 0o444
    stream = io.StringIO()
    assert provide(copy, stream) == location
    assert stream.getvalue() == ""


def test_bytecode_names_the_final_location_and_survives_a_copy(copy: Any) -> None:
    import marshal

    location = provide(copy)
    (compiled,) = Path(location).glob("__pycache__/dep.*.pyc")
    data = compiled.read_bytes()
    assert data[4:8] == b"\x01\0\0\0"  # PEP 552: unchecked hash
    assert marshal.loads(data[16:]).co_filename == f"{location}/dep.py"


def test_new_lock_file_new_directory(copy: Any, make_wheel: Any) -> None:
    first = provide(copy)
    copy.offer("more", make_wheel({"more.py": b""}))
    assert own_dependencies.locate(str(copy.root), copy.environ()) is None
    assert provide(copy) != first
    assert len(copy.locations()) == 2


def test_no_lock_file_means_installed_by_pip(copy: Any) -> None:
    copy.lock.unlink()
    assert own_dependencies.locate(str(copy.root), copy.environ()) == ""
    assert copy.run("x").stdout.startswith("['x'] None")


def test_user_cache(copy: Any, tmp_path: Path) -> None:
    (copy.root / "var").write_text("in the way")
    environ = {"SPACK_USER_CACHE_PATH": str(tmp_path / "cache")}
    assert provide(copy).startswith(f"{copy.home}/.spack/deps/")
    location = provide(copy, **environ)
    assert location.startswith(f"{tmp_path}/cache/deps/")
    assert own_dependencies.locate(str(copy.root), copy.environ(**environ)) == location


def test_no_location_at_all(copy: Any, tmp_path: Path) -> None:
    (copy.root / "var").write_text("in the way")
    with pytest.raises(FetchError, match="no directory is writable") as caught:
        provide(copy, SPACK_USER_CACHE_PATH=str(copy.root / "var" / "x"))
    assert "var/spack/deps: Not a directory" in str(caught.value.long_message)
    assert caught.value.hint and "SPACK_USER_CACHE_PATH" in caught.value.hint


def test_missing_wheel(copy: Any) -> None:
    (copy.wheels / "dep-1.0-py3-none-any.whl").unlink()
    done = copy.run("x")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (
        "spack's own dependencies are missing: cannot fetch dep-1.0-py3-none-any.whl" in done.stderr
    )
    assert "find-links: PIP_FIND_LINKS" in done.stderr
    assert "hint: with a network, run the command again; PIP_INDEX_URL" in done.stderr
    assert copy.locations() == []


def test_no_network(copy: Any) -> None:
    done = copy.run(
        "x",
        PIP_NO_INDEX="",
        PIP_FIND_LINKS="",
        PIP_INDEX_URL="http://me:word@127.0.0.1:9/simple",
        PIP_RETRIES="0",
    )
    assert done.returncode == 1
    assert "http://****@127.0.0.1:9/simple/dep/ cannot be read: " in done.stderr
    assert "word" not in done.stderr
    assert "index: PIP_INDEX_URL" in done.stderr
    assert copy.locations() == []


def test_wrong_checksum(copy: Any, make_wheel: Any) -> None:
    copy.offer("evil", make_wheel({"evil.py": b""}), "0" * 64)
    with pytest.raises(FetchError) as caught:
        provide(copy)
    assert "its sha256 is" in str(caught.value.long_message)
    assert "0" * 64 in str(caught.value.long_message)
    assert copy.locations() == []


HOSTILE = [
    ({"../up.py": b""}, {}, "would land outside"),
    ({"/up.py": b""}, {}, "would land outside"),
    ({"a\\..\\up.py": b""}, {}, "would land outside"),
    ({"x.data/purelib/../up.py": b""}, {}, "would land outside"),
    ({}, {"link.py": "/etc/passwd"}, "is not a regular file"),
    ({"dep.py": b""}, {}, "is there twice"),
]


@pytest.mark.parametrize(("members", "links", "message"), HOSTILE)
def test_hostile_wheels(copy: Any, make_wheel: Any, members: Any, links: Any, message: str) -> None:
    copy.offer("evil", make_wheel(members, links))
    with pytest.raises(FetchError, match=message):
        provide(copy)
    assert copy.locations() == []
    assert not list(copy.root.rglob("up.py"))


def test_no_zip_at_all(copy: Any) -> None:
    copy.offer("evil", b"<html>")
    with pytest.raises(FetchError, match=r"the wheel evil-1\.0-py3-none-any\.whl cannot be used"):
        provide(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text + " ", "was edited"),
        (lambda _: "{", "is damaged"),
        (lambda _: "[]", "is damaged"),
    ],
)
def test_changed_lock_file(copy: Any, change: Any, message: str) -> None:
    copy.lock.write_text(change(copy.lock.read_text()))
    done = copy.run("x")
    assert done.returncode == 1
    assert message in done.stderr and "relock.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_wheel_for_this_interpreter(copy: Any) -> None:
    copy.rows[0]["wheels"] = {"dep-1.0-cp27-cp27m-win32.whl": "0" * 64}
    copy.write_lock()
    with pytest.raises(FetchError, match=r"no wheel of dep 1\.0 fits cp3") as caught:
        provide(copy)
    assert caught.value.hint and "SPACK_PYTHON" in caught.value.hint


def test_two_first_runs_at_once(copy: Any) -> None:
    argv = [str(copy.root / "bin" / "spack"), "x"]
    runs = [
        subprocess.Popen(argv, env=copy.environ(), stdout=-1, stderr=-1, text=True)
        for _ in range(4)
    ]
    said = []
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert (run.returncode, out.splitlines()[0]) == (1, "['x'] own 1 1"), err
        said.append(err)
    assert sum("Fetching" in text for text in said) == 1
    assert len(copy.locations()) == 1


def test_killed_run_leaves_nothing_that_counts(copy: Any) -> None:
    provide(copy)
    (location,) = copy.locations()
    remains = copy.deps / f"{location}.part-killed"
    os.rename(copy.deps / location, remains)
    assert own_dependencies.locate(str(copy.root), copy.environ()) is None
    provide(copy)
    assert copy.locations() == [location]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress(copy: Any, make_wheel: Any) -> None:
    for name in ("one", "two"):
        copy.offer(name, make_wheel({f"{name}.py": b""}))
    stream = io.StringIO()
    location = provide(copy, stream)
    text = f"==> Fetching spack's own dependencies, once: 3 wheels into {location}\n"
    assert stream.getvalue() == text
    copy.offer("three", make_wheel({"three.py": b""}))
    terminal = Terminal()
    provide(copy, terminal)
    assert "4/4 three 1.0" in terminal.getvalue()
    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_the_real_lock_file(root: Path) -> None:
    """Its digest holds, and it serves every supported Python on every supported system."""
    lock = own_dependencies._read_lock(root / own_dependencies.LOCK)
    names = {package["name"] for package in lock["packages"]}
    assert {"clingo", "archspec", "ruamel-yaml", "packaging", "rich"} <= names
    systems = [
        ("linux", "x86_64", ("glibc", 2, 28)),
        ("linux", "aarch64", ("glibc", 2, 28)),
        ("macosx", "arm64", ("macos", 14, 0)),
    ]
    for minor in range(9, 15):
        for system, machine, libc in systems:
            interpreter = Interpreter((3, minor), f"cp3{minor}", system, machine, libc)
            chosen = {row[0] for row in own_dependencies._choose(lock, interpreter)}
            assert names - {"tomli", "truststore"} <= chosen | {"tomli"}
            assert ("tomli" in chosen) == (minor < 11)
    for package in lock["packages"]:
        for filename, digest in package["wheels"].items():
            assert filename.endswith(".whl") and re.fullmatch("[0-9a-f]{64}", digest)
    assert "://" not in json.dumps(lock)


LINUX = Interpreter((3, 11), "cp311", "linux", "x86_64", ("glibc", 2, 31))
MUSL = Interpreter((3, 11), "cp311", "linux", "x86_64", ("musl", 1, 2))
THREADS = Interpreter((3, 14), "cp314t", "linux", "x86_64", ("glibc", 2, 31))
MAC = Interpreter((3, 11), "cp311", "macosx", "arm64", ("macos", 13, 0))


@pytest.mark.parametrize(
    ("interpreter", "tag", "fits"),
    [
        (LINUX, "cp311-cp311-manylinux_2_28_x86_64", True),
        (LINUX, "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        (LINUX, "cp311-cp311-manylinux2010_x86_64", True),
        (LINUX, "cp311-cp311-manylinux_2_34_x86_64", False),
        (LINUX, "cp311-cp311-manylinux_2_28_aarch64", False),
        (LINUX, "cp311-cp311-musllinux_1_2_x86_64", False),
        (LINUX, "cp310-cp310-manylinux_2_28_x86_64", False),
        (LINUX, "cp39-abi3-manylinux_2_28_x86_64", True),
        (LINUX, "cp312-abi3-manylinux_2_28_x86_64", False),
        (LINUX, "py2.py3-none-any", True),
        (LINUX, "py312-none-any", False),
        (LINUX, "py3-none-win_amd64", False),
        (LINUX, "py3-none-manylinux1_x86_64", True),
        (MUSL, "cp311-cp311-musllinux_1_1_x86_64", True),
        (MUSL, "cp311-cp311-manylinux_2_17_x86_64", False),
        (MUSL, "cp311-cp311-manylinux2014_x86_64", False),
        (THREADS, "cp314-cp314t-manylinux_2_28_x86_64", True),
        (THREADS, "cp314-cp314-manylinux_2_28_x86_64", False),
        (THREADS, "cp39-abi3-manylinux_2_28_x86_64", False),
        (MAC, "cp311-cp311-macosx_11_0_arm64", True),
        (MAC, "cp311-cp311-macosx_11_0_universal2", True),
        (MAC, "cp311-cp311-macosx_14_0_arm64", False),
        (MAC, "cp311-cp311-macosx_10_9_x86_64", False),
    ],
)
def test_tags(interpreter: Interpreter, tag: str, fits: bool) -> None:
    assert (interpreter.fit(f"x-1.0-{tag}.whl") is not None) == fits


def test_the_most_specific_wheel() -> None:
    names = [
        "x-1.0-py3-none-any.whl",
        "x-1.0-cp39-abi3-manylinux_2_17_x86_64.whl",
        "x-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "x-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    ]
    for expected in (names[2], names[1], names[0], None):
        assert best(names, LINUX) == expected
        names = [name for name in names if name != expected]


def test_running_interpreter() -> None:
    from spack.bootstrap.wheels import running

    found = running()
    assert found.version == sys.version_info[:2]
    packaging_tags = pytest.importorskip("packaging.tags")
    supported = set(map(str, packaging_tags.sys_tags()))
    for tag in supported:
        if tag.startswith(("cp3", "py3")) and "-linux_" not in tag and "-abi3-" not in tag:
            name = f"x-1-{tag}.whl"
            python = tag.split("-")[0]
            if python in (f"cp3{found.version[1]}", "py3") and "-none-" not in tag:
                assert found.fit(name) is not None, tag


@pytest.mark.network
def test_first_run_from_the_configured_index(root: Path, tmp_path: Path) -> None:
    """The real lock file on the real index, with an interpreter that has neither pip nor site."""
    import shutil

    for name in ("bin", "lib", "share/bootstrap"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, tmp_path / "root" / name, ignore=ignored)
    code = "import clingo, archspec.cpu, ruamel.yaml, rich.console; print(clingo.__file__)"
    (tmp_path / "root/lib/spack/cli/main.py").write_text(
        f"def main(argv):\n    {code}\n    return 0\n"
    )
    network = ("PIP_", "SSL_", "http_proxy", "https_proxy", "HTTP", "no_proxy", "NO_PROXY")
    kept = [name for name in os.environ if name.startswith(network)]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}
    environ.update({name: os.environ[name] for name in kept}, SPACK_PYTHON=sys.executable)
    argv = [str(tmp_path / "root/bin/spack"), "x"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "root/var/spack/deps/"))

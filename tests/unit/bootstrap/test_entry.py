"""bin/spack and __main__: which Python runs, and what it can see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def old_python(path: Path, version: str = "(3, 6, 8)") -> Path:
    """Return a python that takes itself for an older one."""
    code = f"import sys; sys.version_info = {version}; sys.argv = sys.argv[1:]; "
    code += "exec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'), {'__name__': '__main__', "
    code += "'__file__': sys.argv[0]})"
    return script(path, f'shift 2\nexec "{sys.executable}" -I -S -c "{code}" "$@"\n')


def test_version_needs_no_dependencies(copy: Any) -> None:
    done = copy.run("--version", PIP_FIND_LINKS="/none")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(".") == 2
    assert copy.locations() == []
    assert copy.run("-V").stdout == done.stdout


def test_version_imports_nothing_else(root: Path) -> None:
    argv = [sys.executable, "-I", "-S", "-v", str(root / "lib/spack/__main__.py"), "--version"]
    log = subprocess.run(argv, capture_output=True, text=True, check=True).stderr
    imported = [line.split("'")[1] for line in log.splitlines() if line.startswith("import 'spack")]
    assert imported == ["spack"]


def test_arguments_and_exit_code(copy: Any) -> None:
    done = copy.run("a b", "", "*")
    assert done.stdout.splitlines()[0] == "['a b', '', '*'] own 1 1"
    assert done.returncode == 3
    assert done.stdout.splitlines()[1] == "[]"


def test_nothing_around_can_poison_it(copy: Any, tmp_path: Path) -> None:
    poison = tmp_path / "poison"
    poison.mkdir()
    for name in ("argparse", "sitecustomize", "usercustomize", "json", "dep", "spack"):
        (poison / f"{name}.py").write_text("raise SystemExit('poisoned')\n")
    user = copy.home / ".local/lib/python3/site-packages"
    user.mkdir(parents=True)
    done = copy.run(
        cwd=poison,
        PYTHONPATH=str(poison),
        PYTHONHOME="/none",
        PYTHONSTARTUP=str(poison / "json.py"),
        PYTHONUSERBASE=str(copy.home / ".local"),
        PYTHONWARNINGS="error",
        PYTHONOPTIMIZE="2",
        PYTHONSAFEPATH="",
        VIRTUAL_ENV=str(poison),
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "[] own 1 1")
    assert done.stderr.startswith("==> Fetching spack's own dependencies, once")


@pytest.mark.parametrize("kind", ["link", "chain", "directory", "relative", "sh"])
def test_called_through_links(copy: Any, tmp_path: Path, kind: str) -> None:
    program = copy.root / "bin" / "spack"
    location = tmp_path / "other place"
    location.mkdir()
    if kind == "directory":
        os.symlink(program.parent, location / "b")
        done = copy.run("--version", program=str(location / "b" / "spack"))
    elif kind == "relative":
        done = copy.run("--version", program="./spack", cwd=program.parent)
    elif kind == "sh":
        done = copy.run("spack", "--version", program="/bin/sh", cwd=program.parent)
    else:
        os.symlink(program if kind == "link" else "../a copy/bin/spack", location / "one")
        os.symlink("one", location / "two")
        path = f"{location}:/usr/bin:/bin"
        done = copy.run("-c", "two --version", program="/bin/sh", PATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_shims_are_passed_over(copy: Any, tmp_path: Path) -> None:
    script(tmp_path / "x/shims/python3", "echo shim\n")
    script(tmp_path / "bin/python3", f'exec "{sys.executable}" "$@"\n')
    path = f"{tmp_path}/x/shims:{tmp_path}/bin"
    assert "shim" not in copy.run("--version", SPACK_PYTHON="", PATH=path).stdout
    only_shim = f"{tmp_path}/x/shims:{tmp_path}/y"
    script(tmp_path / "y/readlink", "")
    assert copy.run("--version", SPACK_PYTHON="", PATH=only_shim).stdout == "shim\n"


def test_named_versions_when_there_is_no_python3(copy: Any, tmp_path: Path) -> None:
    script(tmp_path / "bin/python3.10", f'exec "{sys.executable}" "$@"\n')
    done = copy.run("--version", SPACK_PYTHON="", PATH=str(tmp_path / "bin"))
    assert (done.returncode, done.stderr) == (0, "")


def test_no_python_at_all(copy: Any, tmp_path: Path) -> None:
    done = copy.run("--version", SPACK_PYTHON="", PATH=str(tmp_path))
    assert done.returncode == 127
    assert done.stderr == (
        "spack: no python3 on PATH; spack needs Python 3.9 or newer (SPACK_PYTHON names one)\n"
    )


def test_spack_python_that_cannot_run(copy: Any) -> None:
    done = copy.run("--version", SPACK_PYTHON="/none/python3")
    assert (done.returncode, done.stderr) == (
        127,
        "spack: SPACK_PYTHON=/none/python3 cannot be run\n",
    )


def test_old_python_looks_for_a_newer_one(copy: Any, tmp_path: Path) -> None:
    old_python(tmp_path / "bin/python3")
    script(tmp_path / "shims/python3.14", "echo shim\n")
    script(tmp_path / "more/python3.11", f'exec "{sys.executable}" "$@"\n')
    path = f"{tmp_path}/bin:{tmp_path}/shims:{tmp_path}/more"
    done = copy.run("x", SPACK_PYTHON="", PATH=path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "['x'] own 1 1")


@pytest.mark.parametrize("named", [True, False])
def test_old_python_alone(copy: Any, tmp_path: Path, named: bool) -> None:
    old = old_python(tmp_path / "bin/python3")
    done = copy.run("x", SPACK_PYTHON=str(old) if named else "", PATH=str(tmp_path / "bin"))
    assert done.returncode == 1
    assert done.stderr.startswith("spack: Python 3.9 or newer is needed, and ")
    assert "is Python 3.6\nhint: " in done.stderr


def test_main_parses_everywhere(root: Path) -> None:
    """Its syntax is Python 2.7's, so that any Python can say what is wrong."""
    import ast

    text = (root / "lib/spack/__main__.py").read_text()
    tree = ast.parse(text)
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Nonlocal)
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None and not node.args.kwonlyargs
            assert all(argument.annotation is None for argument in node.args.args)
    assert "from __future__" not in text
    text.encode("ascii")


def test_read_only_copy_keeps_its_bytecode_elsewhere(copy: Any) -> None:
    bound: list[str] = []
    if os.geteuid() == 0:  # root writes everywhere unless it gives that up
        bound = ["setpriv", "--bounding-set=-dac_override"]
        if subprocess.run([*bound, "true"], check=False, stderr=subprocess.DEVNULL).returncode:
            pytest.skip("this root may not give up its capabilities")
    subprocess.run(["chmod", "-R", "a-w", str(copy.root)], check=True)
    try:
        for start in (1, 2):
            argv = [*bound, str(copy.root / "bin/spack")]
            done = subprocess.run(
                argv, env=copy.environ(), capture_output=True, text=True, check=False, cwd="/"
            )
            assert done.stdout.splitlines()[:1] == ["[] own 1 1"], done.stderr
            assert ("Fetching" in done.stderr) == (start == 1)
        assert sorted(os.listdir(copy.home / ".spack")) == ["deps", "pycache"]
        assert copy.locations() == []
        assert not list(copy.root.rglob("__pycache__"))
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(copy.root)], check=True)

"""Views of a Python that is itself in the store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from spack.view.inspect import status
from spack.view.plan_types import LINK_TYPES, ViewSource
from spack.view.view_manifest import FOLDER

from .conftest import INTERPRETERS, Make, Python, Store, demo_sources, run, scan

EVERY_TYPE = pytest.mark.parametrize("link_type", LINK_TYPES)

pytestmark = pytest.mark.slow

#: What a Python does without in these tests.
LEFT_OUT = {"test", "idlelib", "lib2to3", "site-packages", "__pycache__", "turtledemo", "tkinter"}


def base_python() -> tuple[Path, Python]:
    """Return the prefix of an interpreter that has a prefix of its own, and what it is."""
    for python in INTERPRETERS:
        prefix = Path(os.path.realpath(python.executable)).parents[1]
        name = python.purelib.split("/")[1]
        if prefix != Path("/usr") and (prefix / "lib" / name / "os.py").is_file():
            return prefix, python
    pytest.skip("there is no interpreter here with a prefix of its own (not /usr)")


def patched(content: bytes, old: bytes) -> bytes:
    """Return an ELF file whose search path *old* is replaced by one relative to it, as long."""
    new = b"$ORIGIN/../lib"
    assert len(new) <= len(old), "the prefix of this interpreter is too short to be replaced"
    return content.replace(old + b"\0", new + b"\0" * (len(old) - len(new) + 1))


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Python]:
    """Return a Python that may be moved: a copy of a prefix, with a relative search path."""
    prefix, python = base_python()
    name = python.purelib.split("/")[1]
    root = tmp_path_factory.mktemp("python") / "store/python-3.x-hash"
    (root / "bin").mkdir(parents=True)
    for path in (prefix / "bin").glob(f"{name}*"):
        shutil.copy2(path, root / "bin", follow_symlinks=False)
    (root / "bin/python3").symlink_to(name)
    shutil.copytree(
        prefix / "lib" / name, root / "lib" / name, symlinks=True,
        ignore=lambda folder, names: LEFT_OUT.intersection(names),
    )  # fmt: skip
    (root / "lib" / name / "site-packages").mkdir()
    for path in (prefix / "lib").glob("libpython*"):
        shutil.copy2(path, root / "lib", follow_symlinks=False)
    shutil.copytree(prefix / "lib/pkgconfig", root / "lib/pkgconfig", symlinks=True)
    for path in [root / "bin" / name, *(root / "lib").glob("libpython*.so*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.write_bytes(patched(path.read_bytes(), os.fsencode(prefix / "lib")))
            path.chmod(mode)
    for path in root.rglob("*"):
        # As an install into this prefix would have written it.
        if path.is_file() and not path.is_symlink() and path.suffix in (".py", ".pc", ""):
            content = path.read_bytes()
            if os.fsencode(prefix) in content and b"\0" not in content:
                mode = path.stat().st_mode
                path.write_bytes(content.replace(os.fsencode(prefix), os.fsencode(root)))
                path.chmod(mode)
    script = root / "bin/pydoc3"
    script.write_text(f"#!{root}/bin/{name}\nimport pydoc\npydoc.cli()\n")
    script.chmod(0o755)
    return root, replace(python, executable=str(root / "bin" / name))


@pytest.fixture
def own_python(tmp_path: Path, copied: tuple[Path, Python]) -> tuple[ViewSource, Store]:
    """Return a store with that Python in it."""
    root, python = copied
    location = tmp_path / "prefixes" / root.name
    store = Store(
        tmp_path / "prefixes",
        replace(python, executable=str(location / "bin" / Path(python.executable).name)),
    )
    subprocess.run(["cp", "-a", root, location], check=True)
    for path in location.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix in (".py", ".pc", ""):
            content = path.read_bytes()
            if os.fsencode(root) in content and b"\0" not in content:
                path.write_bytes(content.replace(os.fsencode(root), os.fsencode(location)))
    files = scan(location)
    return ViewSource("python", "3", "h" * 32, str(location), lambda: files, "1", "python"), store


def facts(view: Path) -> dict[str, str]:
    code = (
        "import sys, os, sysconfig, ssl, json; print(json.dumps(dict(prefix=sys.prefix, "
        "base=sys.base_prefix, os=os.__file__, executable=sys.executable, "
        "purelib=sysconfig.get_paths()['purelib'], "
        "config=sysconfig.get_config_var('prefix'), libdir=sysconfig.get_config_var('LIBDIR'))))"
    )
    result: dict[str, str] = json.loads(run(view / "bin/python", "-c", code))
    return result


def without_bytecode(store: Store) -> dict[str, str]:
    """Return the store's files.

    A Python without byte-code writes that of its library, as root can.
    """
    return {path: value for path, value in store.snapshot().items() if "__pycache__" not in path}


@EVERY_TYPE
def test_views_of_a_python_in_the_store(
    tmp_path: Path, own_python: tuple[ViewSource, Store], make: Make, link_type: str
) -> None:
    source, store = own_python
    base = Path(source.prefix)
    view = tmp_path / "old place/view"
    sources = [source, *demo_sources(store)]
    before = without_bytecode(store)
    make(view, sources, link_type=link_type, python=store.python)
    for number, location in enumerate(
        ["old place/view", "moved", "a \"q\" 's' $d/view", "l" * 200]
    ):
        new = tmp_path / location
        new.parent.mkdir(exist_ok=True)
        if new != view:
            view.rename(new)
            view = new
        home = view if link_type == "copy" else base
        found = facts(view)
        assert found["prefix"] == str(view) and found["base"] == str(home)
        assert found["executable"] == str(view / "bin/python")
        assert found["os"] == str(home / store.python.purelib.split("/site")[0] / "os.py")
        assert found["purelib"].startswith(f"{view}/")
        assert found["libdir"] == f"{home}/lib", number
        assert run(view / "bin/tool") == f"1 2 {view}"
        assert f"{home}/lib" in run(view / "bin/pydoc3", "os.path")
        run(view / "bin/python3", "-m", "venv", "--without-pip", "--clear", tmp_path / "nested")
        nested = run(tmp_path / "nested/bin/python", "-c", "import sys; print(sys.base_prefix)")
        assert nested == str(home)
        assert not make(view, sources, link_type=link_type, python=store.python).changed
    assert without_bytecode(store) == before
    if link_type == "copy" and shutil.which("pkg-config"):
        pc = view / "lib/pkgconfig/python3.pc"
        shown = run("pkg-config", "--variable=prefix", pc)
        assert os.path.realpath(shown) == str(view)
    makefile = next(view.glob("lib/python3*/config-*/Makefile"), None)
    if link_type == "copy" and makefile is not None and shutil.which("make"):
        (tmp_path / "show").write_text(f"include {makefile}\nshow:\n\t@echo $(prefix)\n")
        assert run("make", "-s", "-f", tmp_path / "show", "show") == str(view)
    if link_type == "copy":
        texts = [
            path
            for path in view.rglob("*")
            if path.is_file() and not path.is_symlink() and FOLDER not in path.parts
            if path.suffix in (".py", ".pc", ".cfg", "")
        ]
        named = {path.name for path in texts if os.fsencode(base) in path.read_bytes()}
        # A shell script that finds its own location at run time and replaces what it names.
        assert named <= {f"{Path(source.prefix, 'bin/python3').resolve().name}-config"}


def test_a_copied_view_needs_no_store(
    tmp_path: Path, own_python: tuple[ViewSource, Store], make: Make
) -> None:
    source, store = own_python
    view = tmp_path / "view"
    make(view, [source, *demo_sources(store)], link_type="copy", python=store.python)
    store.root.rename(tmp_path / "gone")
    assert facts(view)["base"] == str(view)
    assert run(view / "bin/tool") == f"1 2 {view}"
    now = status(str(view))
    assert (
        now.interpreter_there and len(now.missing_owners) == len(now.packages) and now.state.whole
    )

"""A build that writes outside of its prefix fails, is named, and leaves nothing behind.

Each case is tried where the kernel refuses such writes and where they are undone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command, Snapshot
from kits.recipe_repository import RecipeRepository

#: What the configuration calls the two ways.
GUARDS = ["prevent", "undo"]

#: Extends Python; gets the prefix of python-venv, and that of the package ``base``.
BODY = """
{source}
depends_on("base", type=("build", "run"))
extends("python")
"""

CMAKE_LISTS = """\
cmake_minimum_required(VERSION 3.16)
project(stray LANGUAGES NONE)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(WRITE ${CMAKE_BINARY_DIR}/stray.py "x = 1")
install(FILES ${CMAKE_BINARY_DIR}/stray.py DESTINATION ${Python3_SITEARCH})
"""


def install(spack: Any, guard: str, spec: str, **options: Any) -> Any:
    return spack("-c", f"config:build_env:outside:{guard}", "install", spec, **options)


def check_refused(spack: Any, guard: str, name: str, path: Path, what_is_there: Any) -> Any:
    """Installing *name* fails, names *path*, and changes nothing in the install tree."""
    install(spack, guard, "base")
    install(spack, guard, "py-first")
    before = what_is_there()
    result = install(spack, guard, name, check=False)
    assert result.code == 1
    assert "outside of its prefix" in result.err
    assert str(path) in result.err
    assert "config:build_env:write" in result.err
    assert what_is_there() == before
    assert not path.exists()
    assert name not in spack.names()
    return result


@pytest.fixture
def small_store(
    spack: Command, recipes: RecipeRepository, packages_of: Callable[[Path], Snapshot]
) -> Any:
    """Return ``base``, and a Python package, so that python-venv is there."""
    recipes.plain("base")
    recipes.python_project("first", {"first.py": "x = 1\n"})
    return lambda: {
        path: facts
        for path, facts in packages_of(spack.home.store).items()
        if "__pycache__" not in path
    }


@pytest.mark.parametrize("guard", GUARDS)
def test_cmake_that_takes_the_shared_interpreter(
    spack: Command, recipes: RecipeRepository, small_store: Any, guard: str
) -> None:
    """``${Python3_SITEARCH}`` of python-venv's own interpreter: all environments would see it."""
    source = recipes.archive("stray-1.0", {"CMakeLists.txt": CMAKE_LISTS})
    recipes.add(
        "stray",
        BODY.format(source=f'version("1.0", {source})')
        + """
def cmake_args(self):
    shared = self.spec["python-venv"].prefix.bin.python3
    return [f"-DPython3_EXECUTABLE={shared}", f"-DPython_EXECUTABLE={shared}"]
""",
        base="CMakePackage",
    )
    spack("install", "py-first")
    site = next(spack.prefix("python-venv").glob("lib/python3*/site-packages"))
    check_refused(spack, guard, "stray", site / "stray.py", small_store)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_makefile_that_installs_into_a_dependency(
    spack: Command, recipes: RecipeRepository, small_store: Any, guard: str
) -> None:
    makefile = "all:\n\ttrue\ninstall:\n\tmkdir -p $(OTHER)/etc\n\tcp Makefile $(OTHER)/etc/stray\n"
    source = recipes.archive("stray-1.0", {"Makefile": makefile})
    recipes.add(
        "stray",
        BODY.format(source=f'version("1.0", {source})')
        + """
@property
def install_targets(self):
    return ["install", "OTHER=" + self.spec["base"].prefix]
""",
        base="MakefilePackage",
    )
    spack("install", "base")
    check_refused(spack, guard, "stray", spack.prefix("base") / "etc", small_store)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_backend_that_writes_beside_its_dependencies(
    spack: Command, recipes: RecipeRepository, small_store: Any, guard: str
) -> None:
    backend = """
        import pathlib, sys
        scripts = pathlib.Path(sys.prefix).parent
        for place in scripts.glob("python-venv-*/lib/python3*/site-packages"):
            (place / "stray.py").write_text("x = 1")
    """
    recipes.python_project("stray", {"a.py": ""}, backend=backend)
    spack("install", "py-first")
    site = next(spack.prefix("python-venv").glob("lib/python3*/site-packages"))
    check_refused(spack, guard, "py-stray", site / "stray.py", small_store)


SETUP = """\
import sysconfig
from setuptools import setup

prefix = {"base": "@BASE@", "platbase": "@BASE@"}
site = sysconfig.get_path("purelib", "posix_prefix", prefix)
with open(site + "/stray.pth", "w") as stream:
    stream.write("import stray\\n")
setup(name="stray", version="1.0", py_modules=["stray"])
"""


def test_a_setup_script_that_writes_beside_the_base_interpreter(
    spack: Command, recipes: RecipeRepository, copied_python: Callable[[Path], Path], tmp_path: Path
) -> None:
    """All that is run with that Python would see it, whatever installs packages there.

    So what a build has written there, where nothing prevents it, is named and left to its owner.
    """
    base = tmp_path / "python"
    site = copied_python(base)
    spack("external", "find", "--path", base / "bin", "python")
    source = recipes.archive(
        "stray-1.0", {"setup.py": SETUP.replace("@BASE@", str(base)), "stray.py": "x = 1\n"}
    )
    needs = 'depends_on("py-setuptools", type="build")\n'
    recipes.add("py-stray", f'version("1.0", {source})\n{needs}', base="PythonPackage")
    reported = {}
    for guard in GUARDS:
        result = install(spack, guard, "py-stray", check=False)
        assert result.code == 1
        assert "py-stray" not in spack.names()
        reported[guard] = result.err
        assert (site / "stray.pth").exists() is (guard == "undo")
    assert f"it may not write outside of its prefix: {site}/stray.pth" in reported["prevent"]
    assert f"wrote outside of its prefix: {site}/stray.pth" in reported["undo"]
    assert f"still there: {site}/stray.pth" in reported["undo"]


def test_modified_files_are_named_where_nothing_prevents_it(
    spack: Command, recipes: RecipeRepository, small_store: Any
) -> None:
    recipes.plain(
        "stray",
        "base",
        install='file = self.spec["base"].prefix.bin.base\n'
        '__import__("os").chmod(file, 0o755)\nopen(file, "w").write("x")\n',
    )
    spack("install", "base")
    file = spack.prefix("base") / "bin" / "base"
    result = install(spack, "undo", "stray", check=False)
    assert f"modified, and to be installed again: {file}" in result.err


#: Statements of ``install`` that write somewhere; ``{location}`` is outside.
STATEMENTS: Mapping[str, str] = {
    "open": 'open("{location}/stray", "w")',
    "mkdir": 'mkdirp("{location}/stray")',
    "shell": 'Executable("sh")("-c", "echo x > {location}/stray")',
    "bash": 'Executable("bash")("-c", "echo x > {location}/stray")',
    "cp": 'Executable("cp")("/bin/true", "{location}/stray")',
    "install": 'Executable("install")("-D", "/bin/true", "{location}/stray/true")',
    "link": 'os.symlink("x", "{location}/stray")',
    "rename": 'os.rename("{location}/there", "{location}/stray")',
    "remove": 'os.unlink("{location}/there")',
    "thread": (
        'import threading; t = threading.Thread(target=os.mkdir, args=("{location}/stray",)); '
        't.start(); t.join(); os.mkdir("{location}/stray")'
    ),
}


def test_every_way_to_write_is_refused_and_named(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    location = tmp_path / "somewhere else"
    location.mkdir()
    (location / "there").write_text("there")
    simple = tmp_path / "elsewhere"  # shells do not quote the path that they complain of
    simple.symlink_to(location)
    named = {}
    for way, statement in STATEMENTS.items():
        stray = tmp_path / ("elsewhere" if way in ("shell", "bash") else location)
        recipes.plain(f"{way}-stray", install=f"import os\n{statement.format(location=stray)}\n")
        named[way] = f"{stray}/{'there' if way in ('remove', 'rename') else 'stray'}"
    shown = ("-c", f"config:build_env:read:[{tmp_path}]")
    result = spack(*shown, "install", *(f"{way}-stray" for way in STATEMENTS), check=False)
    assert result.code == 1
    reported = dict(
        re.findall(
            r"(\w+)-stray@\S+ failed .*it may not write outside of its prefix: (.*)", result.err
        )
    )
    assert {way: path in reported.get(way, "") for way, path in named.items()} == dict.fromkeys(
        STATEMENTS, True
    )
    assert sorted(path.name for path in location.iterdir()) == ["there"]
    assert spack.names() == []


def test_what_builds_may_write_to(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    """Their streams, the system's devices, their home and temporary directories."""
    recipes.plain(
        "busy",
        install="""\
            import os, tempfile
            run = Executable("bash")
            run("-ec", "echo x > /dev/null; echo out | tee /dev/stderr > /dev/stdout")
            run("-ec", "echo x > ~/x; mktemp; cat <<< here; mkdir a; mv a $TMPDIR/b")
            run("-ec", f"mkdir {prefix}/share; mv $TMPDIR/b {prefix}/share; mv ~/x {prefix}/x")
            os.close(tempfile.mkstemp()[0])
        """,
    )
    spack("install", "busy")
    assert (spack.prefix("busy") / "share" / "b").is_dir()
    assert (spack.prefix("busy") / "x").read_text() == "x\n"


def test_the_configuration_opens_further_locations(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    location = tmp_path / "cache"
    location.mkdir()
    recipes.plain("cached", install=f'open("{location}/kept", "w").close()\n')
    spack("install", "cached", check=False)
    assert not (location / "kept").exists()
    spack("-c", f"config:build_env:write:[{location}]", "install", "cached")
    assert (location / "kept").exists()
    (location / "kept").unlink()
    spack("-c", "config:build_env:outside:allow", "install", "--overwrite", "cached")
    assert (location / "kept").exists()


def test_a_refusal_that_the_build_passes_over_is_reported(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    location = tmp_path / "elsewhere"
    location.mkdir()
    recipes.plain("lax", install=f'Executable("sh")("-c", "echo x > {location}/stray || true")\n')
    result = spack("-c", f"config:build_env:read:[{location}]", "install", "lax")
    assert f"could not write outside of its prefix: {location}/stray" in result.text
    assert not (location / "stray").exists()


@pytest.mark.parametrize("guard", [[], ["--dirty"]])
def test_builds_in_ones_own_environment_have_ones_home(
    spack: Command, recipes: RecipeRepository, guard: list[str]
) -> None:
    """``--dirty`` gives a build the user's HOME, so it may write there."""
    recipes.plain("homely", install='Executable("sh")("-c", "echo x > $HOME/kept")\n')
    spack("install", *guard, "homely")
    assert (spack.home.path / "kept").exists() is bool(guard)

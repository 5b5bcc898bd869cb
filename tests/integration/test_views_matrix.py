"""Views through the command: every link type, several Pythons, moved and used in real shells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest

from kits.recipe_repository import RecipeRepository

if TYPE_CHECKING:
    from kits.command import Command
    from kits.recipe_repository import RecipeRepository

pytestmark = pytest.mark.slow

LINK_TYPES = ("symlink", "hardlink", "copy")

#: What each view goes through, in this order; the view and its environment are at all of them.
LOCATIONS = ("in place", "moved", "l" * 120 + "/" + "m" * 140, 'it\'s "so" $x and ü')

SHELLS = {
    "bash": "set -eu; . {activate}; {use}; deactivate; {after}",
    "zsh": "setopt err_exit no_unset; . {activate}; {use}; deactivate; {after}",
    "dash": "set -eu; . {activate}; {use}; deactivate; {after}",
    "fish": "source {activate}.fish; {use}; deactivate; {after}",
    "tcsh": "source {activate}.csh; {use}; eval deactivate; {after}",
    # Nushell reads the file before it runs anything, so its path cannot come from a variable.
    "nu": 'overlay use "{literal}.nu"; {use}; deactivate; print ($env.PATH | str join ":")',
}


def interpreters() -> Iterator[tuple[Path, str]]:
    """Return (executable, version) of the system's Python and others, each once.

    Programs that only choose an interpreter are passed by: their directory is called "shims", and
    what they choose from is beside it.
    """
    found: dict[str, tuple[Path, str]] = {}
    locations = ["/usr/bin/python3", sys.executable]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if os.path.basename(folder) == "shims":
            locations += sorted(map(str, Path(folder).parent.glob("versions/3.*/bin/python3")))
        locations += [os.path.join(folder, f"python3.{minor}") for minor in range(8, 16)]
    code = "import sys; print(sys._base_executable, '%d.%d.%d' % sys.version_info[:3])"
    for location in locations:
        if not os.access(location, os.X_OK) or "/shims/" in location:
            continue
        done = subprocess.run([location, "-ISc", code], capture_output=True, text=True)
        words = done.stdout.split()
        if done.returncode == 0 and tuple(map(int, words[1].split("."))) >= (3, 8):
            real = os.path.realpath(words[0])
            found.setdefault(words[1].rpartition(".")[0], (Path(real), words[1]))
    return iter(found.values())


ALL = list(interpreters())
OWN = [
    (path, version)
    for path, version in ALL
    if path.parents[1] != Path("/usr")
    and (path.parents[1] / "lib" / f"python{version.rpartition('.')[0]}" / "os.py").exists()
]
BASES = [f"external {version}" for _, version in ALL] + [f"store {own}" for _, own in OWN[:1]]


def configure(base: str, spack: Command, recipes: RecipeRepository) -> None:
    """Let *base* be the Python of all packages."""
    kind, version = base.split()
    path = next(path for path, found in ALL if found == version)
    if kind == "store":
        recipes.store_python(path.parents[1], version)
        spack.let_builds_read(path.parents[1])
        packages = f"  python:\n    require: ['@={version}']\n    buildable: true\n"
    else:
        spack("external", "find", "--path", path.parent, "python")
        packages = (spack.home.config / "packages.yaml").read_text().partition("\n")[2]
        packages += f"    require: ['@={version}']\n"
        assert f"python@{version}" in packages, packages
    (spack.home.config / "packages.yaml").write_text(f"packages:\n{packages}")


def environment(spack: Command, location: Path, *specs: str) -> Path:
    location.mkdir(parents=True)
    views = "".join(f"    {name}: {{root: {name}, link_type: {name}}}\n" for name in LINK_TYPES)
    (location / "spack.yaml").write_text(f"spack:\n  specs: [{', '.join(specs)}]\n  view:\n{views}")
    spack("-e", location, "install")
    return location


def out(*command: object, env: dict[str, str] | None = None) -> str:
    clean = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **(env or {})}
    done = subprocess.run(
        [str(word) for word in command], env=clean, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.mark.parametrize("base", BASES)
def test_matrix(base: str, spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    """{symlink, hardlink, copy} x Pythons x {in place, moved, long path, space and quotes}."""
    recipes.tool()
    configure(base, spack, recipes)
    location = environment(spack, tmp_path / LOCATIONS[0], "py-tool")
    uses = 0
    for number, name in enumerate(LOCATIONS):
        old, location = location, tmp_path / name
        location.parent.mkdir(parents=True, exist_ok=True)
        if old != location:
            old.rename(location)
            for view in LINK_TYPES:
                assert names_of(location / view, str(old)) == []
        for view in LINK_TYPES:
            check(location / view)
            uses += 1
        if number:
            # The prompt shows the environment's name, which is its directory's.
            spack("-e", location, "env", "view", "regenerate")
            again = spack("-e", location, "env", "view", "regenerate")
            assert again.text.count("is up to date") == len(LINK_TYPES), again.text
    assert uses == len(LINK_TYPES) * len(LOCATIONS)


def names_of(root: Path, text: str) -> list[str]:
    """Files and links below *root* that name *text*, byte-code apart."""
    found = []
    for path in root.rglob("*"):
        if path.is_symlink():
            content = os.fsencode(os.readlink(path))
        elif path.is_file() and path.suffix != ".pyc":
            content = path.read_bytes()
        else:
            continue
        if os.fsencode(text) in content:
            found.append(str(path))
    return found


def check(view: Path) -> None:
    """Everything that a user does with a virtual environment."""
    code = "import sys, tool; print(tool.X, sys.prefix)"
    child = f"import subprocess, sys; subprocess.check_call([sys.executable, '-c', {code!r}])"
    expected = f"42 {view}"
    assert out(view / "bin/python", "-c", code) == expected
    assert out(view / "bin/python3", "-c", child) == expected
    assert out(view / "bin/tool") == expected
    kernel = json.loads((view / "share/jupyter/kernels/tool/kernel.json").read_text())
    argv = [word.replace("{connection_file}", "file") for word in kernel["argv"]]
    assert argv[0] == "python3"
    assert out(view / "bin" / argv[0], *argv[1:]) == "['file']"
    for shell, template in SHELLS.items():
        program = shutil.which(shell)
        if program is None:
            pytest.skip(f"the shell {shell} is not installed")
        quoted = str(view / "bin/activate")
        script = template.format(
            activate='"$ACTIVATE"' if shell not in ("fish", "tcsh") else "$ACTIVATE:q",
            literal=quoted.replace('"', '\\"'),
            use="tool; printenv VIRTUAL_ENV",
            after="echo $PATH",
        )
        script = script.replace("$ACTIVATE:q.csh", '"$ACTIVATE:q".csh')
        script = script.replace("$ACTIVATE:q.fish", "$ACTIVATE.fish")
        flag = [*{"zsh": ["-f"], "tcsh": ["-f"], "nu": ["--no-config-file"]}.get(shell, []), "-c"]
        shown = out(program, *flag, script, env={"ACTIVATE": quoted}).splitlines()
        path = "/usr/bin /bin" if shell == "fish" else "/usr/bin:/bin"
        assert shown == [expected, str(view), path], (shell, shown)


JHALE = '''\
from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class {title}(CMakePackage):
    """Extends Python from CMake."""

    version("1.0", {source})
    extends("python")
'''

CMAKE = """\
cmake_minimum_required(VERSION 3.15)
project({name} LANGUAGES NONE)
{lines}
install(FILES {name}.py DESTINATION "${{site}}")
"""

#: How CMake projects find the directory for their modules.
ASKS = "import sysconfig; print(sysconfig.get_path('platlib'), end='')"
FINDS = {
    "finds": 'find_package(Python REQUIRED)\nset(site "${Python_SITEARCH}")',
    "findsthree": "find_package(Python3 REQUIRED COMPONENTS Interpreter)\n"
    'set(site "${Python3_SITELIB}")',
    "asks": "find_package(PythonInterp REQUIRED)\n"
    f'execute_process(COMMAND ${{PYTHON_EXECUTABLE}} -c "{ASKS}" OUTPUT_VARIABLE site)',
    "runs": f'execute_process(COMMAND python3 -c "{ASKS}" OUTPUT_VARIABLE site)',
    "versioned": "find_package(Python REQUIRED)\nset(site "
    '"lib/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}/site-packages")',
}

#: Directories of those that ask nothing, where no Python would look.
GUESSES = {
    "lib/python3/dist-packages": "guesses",
    "${CMAKE_INSTALL_LIBDIR}/python3.11/dist-packages": "guessestoo",
    "lib64/python2.7/site-packages": "guessesold",
    "lib/python": "guessesshort",
}


def cmake_project(recipes: RecipeRepository, name: str, lines: str) -> None:
    text = CMAKE.format(name=name, lines=lines)
    source = recipes.archive(f"{name}-1.0", {"CMakeLists.txt": text, f"{name}.py": "X = 1\n"})
    recipes.write(name, JHALE.format(title=name.title(), source=source))


def test_cmake_packages_that_extend_python(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    """They land in their own prefix and are imported from the view; or the install says why not."""
    for name, lines in FINDS.items():
        cmake_project(recipes, name, lines)
    location = environment(spack, tmp_path / "env", *FINDS)
    for view in LINK_TYPES:
        for name in FINDS:
            code = f"import {name}; print({name}.X, {name}.__file__)"
            shown = out(location / view / "bin/python", "-c", code)
            assert shown.startswith(f"1 {location / view}/lib/python3"), shown
    for folder, name in GUESSES.items():
        cmake_project(recipes, name, f'include(GNUInstallDirs)\nset(site "{folder}")')
        failed = spack.fails("install", name)
        shown = folder.replace("${CMAKE_INSTALL_LIBDIR}", "lib")
        assert f"{shown}/{name}.py" in failed.text, failed.text
        assert "site-packages" in failed.text


def test_pip_and_uv_leave_the_store_alone(
    spack: Command,
    recipes: RecipeRepository,
    tmp_path: Path,
    packages_of: Callable[[Path], dict[str, tuple[str, ...]]],
    uv: str,
) -> None:
    """install, upgrade and uninstall in a view of each link type; hashes before and after."""
    location = environment(spack, tmp_path / "env", "py-pip", "py-packaging@24.2")
    before = packages_of(spack.home.store)
    network = {k: v for k, v in spack.environ.items() if k not in ("HOME", "PATH")}
    for view in LINK_TYPES:
        for tool in ("pip", "uv"):
            root = location / view
            env = {**network, "VIRTUAL_ENV": str(root), "UV_CACHE_DIR": str(tmp_path / "cache")}
            # The certificates of the system, as pip and spack take them; older uv, newer uv.
            env.update(UV_NATIVE_TLS="1", UV_SYSTEM_CERTS="1")
            env["HOME"] = str(tmp_path / "home")
            command = [root / "bin/pip"] if tool == "pip" else [uv, "pip"]
            yes = ["-y"] if tool == "pip" else []
            out(*command, "install", "-U", "packaging", env=env)
            out(*command, "install", "tomli", env=env)
            out(*command, "uninstall", *yes, "packaging", "tomli", env=env)
            out(*command, "install", "tomli", env=env)
            assert packages_of(spack.home.store) == before, (view, tool)
            said = spack("-e", location, "env", "view", "regenerate").text
            assert "tomli" in said, said
            code = "import packaging, tomli; print(packaging.__version__)"
            assert out(root / "bin/python", "-c", code) == "24.2"
            out(*command, "uninstall", *yes, "tomli", env=env)
            spack("-e", location, "env", "view", "regenerate")
    assert packages_of(spack.home.store) == before


@pytest.mark.skipif(not OWN, reason="there is no interpreter here with a prefix of its own")
def test_packed_with_its_python(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    """The archive works with the store missing, unpacked by tar."""
    recipes.tool()
    configure(f"store {OWN[0][1]}", spack, recipes)
    location = environment(spack, tmp_path / "env", "py-tool")
    said = spack("-e", location, "env", "pack", "--view", "copy", tmp_path / "it.tar.gz")
    assert f"contains its own Python {OWN[0][1]}" in said.text and "store" not in said.text
    spack.home.store.rename(tmp_path / "gone")
    target = tmp_path / "on another 'machine'"
    target.mkdir()
    subprocess.run(["tar", "-xzf", tmp_path / "it.tar.gz", "-C", target], check=True)
    check(target / "env")
    said = spack("env", "unpack", tmp_path / "it.tar.gz", tmp_path / "unpacked")
    check(tmp_path / "unpacked")
    code = "import sys, os; print(sys.base_prefix, os.__file__.startswith(sys.prefix))"
    assert out(tmp_path / "unpacked/bin/python", "-c", code) == f"{tmp_path / 'unpacked'} True"

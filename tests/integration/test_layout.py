"""Whatever builds a package, and whatever Python it is built for: modules go where they belong.

By default each Python and each simulated distribution gets two build tools, the oldest Python
setuptools too, and the system's Python gets all of them; ``SPACK_TEST_LAYOUTS=all`` tries
everything everywhere.

A distribution is simulated by a real interpreter, with a prefix and a standard library of its own,
that is patched as the distribution does it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

# -- distributions --------------------------------------------------------------------------------

_IN_VENV = "sys.prefix != sys.base_prefix"

#: Takes back what the distribution of the base interpreter has done.
PRISTINE = f"""
def get_default_scheme():
    return "venv" if {_IN_VENV} and "venv" in _INSTALL_SCHEMES else "posix_prefix"
_get_default_scheme = get_default_scheme
"""

#: Debian and Ubuntu: see sysconfig.py of their python3.11, ``_get_preferred_schemes``.
DEBIAN = f"""
_INSTALL_SCHEMES["posix_local"] = {{
    key: value.replace("{{base}}", "{{base}}/local").replace("{{platbase}}", "{{platbase}}/local")
    .replace("site-packages", "dist-packages")
    for key, value in _INSTALL_SCHEMES["posix_prefix"].items()
}}
_INSTALL_SCHEMES["deb_system"] = dict(
    _INSTALL_SCHEMES["posix_prefix"], purelib="{{base}}/lib/python3/dist-packages",
    platlib="{{base}}/lib/python3/dist-packages")
def get_default_scheme():
    if {_IN_VENV}:
        return "venv" if "venv" in _INSTALL_SCHEMES else "posix_prefix"
    deb = os.environ.get("DEB_PYTHON_INSTALL_LAYOUT") == "deb"
    return "deb_system" if deb else "posix_local"
_get_default_scheme = get_default_scheme
"""

#: Fedora: 00251-change-user-install-location.patch.
FEDORA = f"""
_INSTALL_SCHEMES["rpm_prefix"] = dict(_INSTALL_SCHEMES["posix_prefix"])
if not ({_IN_VENV} or "RPM_BUILD_ROOT" in os.environ):
    for _key in ("purelib", "platlib", "scripts", "data"):
        _INSTALL_SCHEMES["posix_prefix"][_key] = (
            _INSTALL_SCHEMES["posix_prefix"][_key]
            .replace("{{base}}", "{{base}}/local").replace("{{platbase}}", "{{platbase}}/local"))
"""

#: RHEL 8 and older: no platlibdir; platlib is written out, also for virtual environments.
RHEL = """
for _scheme in _INSTALL_SCHEMES.values():
    if "platlib" in _scheme:
        _scheme["platlib"] = "{platbase}/lib64/python{py_version_short}/site-packages"
"""

LIB64 = "import sys; sys.platlibdir = 'lib64'\n"
FRAMEWORK = "import sys; sys._framework = 'Python'\n"


class Distribution(NamedTuple):
    """How an interpreter differs from the one of python.org.

    :ivar sysconfig: appended to ``sysconfig``.
    :ivar start: runs when the interpreter starts, before ``site``.
    :ivar location: of its prefix, below a directory.
    """

    sysconfig: str = ""
    start: str = ""
    location: str = "usr"


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "debian": Distribution(DEBIAN),
    "fedora": Distribution(FEDORA, LIB64),
    "rhel": Distribution(RHEL),
    "suse": Distribution("", LIB64),
    "conda": Distribution(location="miniforge3/envs/base env"),
    "framework": Distribution("", FRAMEWORK, "Library/Frameworks/Python.framework/Versions/3"),
}

#: Free-threaded builds, as 3.13 and newer lay them out.
THREADS = Distribution(start="import sys; sys.abiflags = 't'\n")

THREADS_DATA = """
import importlib
_plain = importlib.import_module("{plain}").build_time_vars
build_time_vars = dict(_plain, ABIFLAGS="t", Py_GIL_DISABLED=1)
"""

NEEDED = "import sys, sysconfig; print(sys.base_prefix, '%d.%d' % sys.version_info[:2], sep='|')"


def make(root: Path, base: str, how: Distribution, suffix: str = "") -> str:
    """Return an interpreter below *root* like that of a distribution; made from *base*.

    :param suffix: of the name of the standard library's directory.
    """
    reported = subprocess.check_output([base, "-I", "-S", "-c", NEEDED], text=True).strip()
    prefix, _, version = reported.partition("|")
    name = f"python{version}"
    location = root / how.location
    own = location / "lib" / (name + suffix)
    source = Path(prefix, "lib", name)
    (location / "bin").mkdir(parents=True)
    own.mkdir(parents=True)
    shutil.copy2(os.path.realpath(base), location / "bin" / (name + suffix))
    (location / "bin" / "python3").symlink_to(name + suffix)
    (location / "include").symlink_to(Path(prefix, "include"))
    if "platlibdir" in how.start:
        (location / "lib64").symlink_to("lib")
    patched = {"sysconfig", "sysconfig.py", "encodings"}
    for entry in source.iterdir():
        if entry.name not in {*patched, "site-packages", "dist-packages", "__pycache__"}:
            (own / entry.name).symlink_to(entry)
    for entry in filter(Path.exists, (source / file for file in patched)):
        copy = shutil.copytree if entry.is_dir() else shutil.copy2
        copy(entry, own / entry.name)
    _append(own / "sysconfig.py", own / "sysconfig" / "__init__.py", text=PRISTINE + how.sysconfig)
    _append(own / "encodings" / "__init__.py", text=how.start)
    if suffix:  # the interpreter itself does not know of it
        (location / "lib" / name).symlink_to(name + suffix)
        (data,) = source.glob("_sysconfigdata__*.py")
        text = THREADS_DATA.format(plain=data.stem)
        (own / data.name.replace("data__", f"data_{suffix}_")).write_text(text)
    (own / "site-packages").mkdir()
    return str(location / "bin" / "python3")


def _append(*locations: Path, text: str) -> None:
    location = next(filter(Path.exists, locations))
    head, guard, tail = location.read_text().partition("\nif __name__ ==")
    location.write_text(head + "\n" + text + guard + tail)


# -- interpreters ---------------------------------------------------------------------------------


def interpreters() -> dict[str, str]:
    """Pythons of this machine that are managed (3.8 and newer), each once, by their names."""
    locations = [Path("/usr/bin"), Path(sys.base_prefix, "bin")]
    locations += sorted(Path(os.environ.get("PYENV_ROOT", "/nonexistent")).glob("versions/*/bin"))
    found: dict[str, str] = {}
    for location in locations:
        for name in ("python3", "python3t", "python3d"):
            path = location / name
            if path.exists() and os.path.realpath(path) not in found.values():
                version = subprocess.check_output([path, "-I", "-S", "-V"], text=True).split()[1]
                if int(version.split(".")[1]) >= 8:
                    flags = name[len("python3") :]
                    found[f"{version}{flags} in {location}"] = os.path.realpath(path)
    return found


INTERPRETERS = interpreters()
BASE = next(iter(INTERPRETERS.values()))
OLDEST = min(INTERPRETERS, key=lambda name: int(name.split(".")[1]))
NEWEST = max(INTERPRETERS, key=lambda name: int(name.split(".")[1]))

#: All that is tried: the interpreter, the distribution, the suffix.
CASES: dict[str, tuple[str, Distribution | None, str]] = {
    **{name: (path, None, "") for name, path in INTERPRETERS.items()},
    **{name: (BASE, how, "") for name, how in DISTRIBUTIONS.items()},
}
if int(NEWEST.split(".")[1]) >= 13:
    CASES["free-threaded"] = (INTERPRETERS[NEWEST], THREADS, "t")

# -- packages -------------------------------------------------------------------------------------

ONE_LINER = """\
SITE := $(shell python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
all:
install:
\tmkdir -p $(SITE)
\techo x = 1 > $(SITE)/{name}.py
"""

CMAKE = """\
cmake_minimum_required(VERSION 3.5)
project({name} LANGUAGES NONE)
{find}
file(WRITE ${{CMAKE_BINARY_DIR}}/{name}.py "x = 1")
install(FILES ${{CMAKE_BINARY_DIR}}/{name}.py DESTINATION ${{SITE}})
"""

FIND_INTERP = """\
if(POLICY CMP0148)
  cmake_policy(SET CMP0148 OLD)
endif()
find_package(PythonInterp 3 REQUIRED)
execute_process(
  COMMAND ${PYTHON_EXECUTABLE} -c
    "import sysconfig; print(sysconfig.get_path('platlib'))"
  OUTPUT_VARIABLE SITE OUTPUT_STRIP_TRAILING_WHITESPACE)"""

MESON = """\
project('meson_tool')
python = import('python').find_installation()
python.install_sources('meson_tool.py')
install_data('meson_dir.py', install_dir: python.get_install_dir(pure: false))
"""

CONFIGURE = """\
AC_INIT([am_tool], [1.0])
AM_INIT_AUTOMAKE([foreign])
AM_PATH_PYTHON([3.6])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"""

AUTOMAKE = """\
python_PYTHON = am_tool.py
pyexec_PYTHON = am_exec.py
"""

SETUP = """\
from setuptools import Extension, setup
setup(name="{name}", version="1.0", py_modules=["{name}"],
      ext_modules=[Extension("{name}_c", ["{name}.c"])])
"""

EXTENSION = """\
#include <Python.h>
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "{name}", NULL, -1, NULL}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&module); }}
"""

SCIKIT = """\
cmake_minimum_required(VERSION 3.15)
project(${SKBUILD_PROJECT_NAME} LANGUAGES C)
find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)
python_add_library(scikit_c MODULE scikit_c.c WITH_SOABI)
install(TARGETS scikit_c DESTINATION .)
"""

SCIKIT_PROJECT = """\
[build-system]
requires = ["scikit-build-core"]
build-backend = "scikit_build_core.build"
[project]
name = "scikit"
version = "1.0"
"""


class Package(NamedTuple):
    """A package that is built with some tool.

    :ivar modules: what it installs.
    :ivar body: of the recipe, after ``version`` and ``extends``.
    """

    base: str
    files: Mapping[str, str]
    modules: tuple[str, ...]
    body: str = ""


def _cmake(name: str, find: str) -> Package:
    return Package("CMakePackage", {"CMakeLists.txt": CMAKE.format(name=name, find=find)}, (name,))


def _setuptools(name: str, build_system: str) -> Package:
    files = {
        "setup.py": SETUP.format(name=name),
        f"{name}.py": "x = 1\n",
        f"{name}.c": EXTENSION.format(name=f"{name}_c"),
    }
    needs = 'depends_on("c", type="build")\ndepends_on("py-setuptools", type="build")\n'
    body = f'{needs}build_system("{build_system}", default="{build_system}")\n'
    return Package("PythonPackage", files, (name, f"{name}_c"), body)


#: By name; those of :data:`EVERYWHERE` are tried in all cases.
PACKAGES: Mapping[str, Package] = {
    "one-liner": Package(
        "MakefilePackage", {"Makefile": ONE_LINER.format(name="one_liner")}, ("one_liner",)
    ),
    "find-python": _cmake(
        "find_python",
        "find_package(Python REQUIRED COMPONENTS Interpreter)\nset(SITE ${Python_SITEARCH})",
    ),
    "find-python3": _cmake(
        "find_python3",
        "find_package(Python3 REQUIRED COMPONENTS Interpreter)\nset(SITE ${Python3_SITELIB})",
    ),
    "find-interp": _cmake("find_interp", FIND_INTERP),
    "am-path": Package(
        "AutotoolsPackage",
        {
            "configure.ac": CONFIGURE,
            "Makefile.am": AUTOMAKE,
            "am_tool.py": "x = 1\n",
            "am_exec.py": "x = 1\n",
        },
        ("am_tool", "am_exec"),
    ),
    "meson-tool": Package(
        "MesonPackage",
        {"meson.build": MESON, "meson_tool.py": "x = 1\n", "meson_dir.py": "x = 1\n"},
        ("meson_tool", "meson_dir"),
    ),
    "py-wheel-tool": _setuptools("wheel_tool", "python_wheel"),
    "py-pip-tool": _setuptools("pip_tool", "python_pip"),
    "py-scikit": Package(
        "PythonPackage",
        {
            "pyproject.toml": SCIKIT_PROJECT,
            "CMakeLists.txt": SCIKIT,
            "scikit_c.c": EXTENSION.format(name="scikit_c"),
        },
        ("scikit_c",),
        "".join(
            f'depends_on("{name}", type="build")\n'
            for name in ("c", "py-scikit-build-core", "cmake", "ninja")
        ),
    ),
}

EVERYWHERE = ("one-liner", "find-python")

_ALL = os.environ.get("SPACK_TEST_LAYOUTS") == "all"

#: By default all tools are tried with Debian's real Python, which lays out the most strangely.
#: The oldest Python has a setuptools of its own, that nothing newer takes.
SELECTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(CASES, EVERYWHERE),
    OLDEST: (*EVERYWHERE, "py-wheel-tool"),
    **dict.fromkeys(CASES if _ALL else [next(iter(INTERPRETERS))], tuple(PACKAGES)),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, str]]:
    """Return the files of each package; of ``am-path`` with its generated ``configure``."""
    location = tmp_path_factory.mktemp("am-path")
    files = dict(PACKAGES["am-path"].files)
    for name, text in files.items():
        (location / name).write_text(text)
    subprocess.run(["autoreconf", "-fi"], cwd=location, check=True, capture_output=True)
    for path in location.iterdir():
        if path.is_file():
            files[path.name] = path.read_text(errors="surrogateescape")
    return {name: row.files for name, row in PACKAGES.items()} | {"am-path": files}


def write_recipes(recipes: Any, sources: Mapping[str, Mapping[str, str]]) -> None:
    for name, row in PACKAGES.items():
        source = recipes.archive(f"{name}-1.0", sources[name])
        extends = "" if row.base == "PythonPackage" else 'extends("python")\n'
        body = f'version("1.0", {source})\n{extends}{row.body}'
        recipes.add(name, body, base=row.base)


def modules_below(prefix: Path) -> Iterator[str]:
    """Relative paths of modules in *prefix*, also of those in wrong locations."""
    for path in prefix.rglob("*"):
        relative = path.relative_to(prefix)
        if path.suffix in (".py", ".so") and ".spack" not in relative.parts:
            yield str(relative)


FACTS = """
import json, os, sys, sysconfig
paths = {k: os.path.relpath(v, sys.prefix) for k, v in sysconfig.get_paths().items()}
paths = {key: paths[key] for key in ("purelib", "platlib", "scripts", "data")}
print(json.dumps([paths, sys.path, sys.version.split()[0]]))
"""


@pytest.mark.parametrize("case", CASES)
def test_modules_are_where_they_belong(
    spack: Command,
    recipes: RecipeRepository,
    sources: Mapping[str, Mapping[str, str]],
    tmp_path: Path,
    case: str,
) -> None:
    base, how, suffix = CASES[case]
    executable = base if how is None else make(tmp_path / "machine", base, how, suffix)
    write_recipes(recipes, sources)
    names = SELECTED[case]
    if suffix:  # the simulation has no free-threaded ABI, and CMake compares
        names = tuple(name for name in names if name != "py-scikit")
    spack("external", "find", "--path", os.path.dirname(executable), "python")
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "spack.yaml").write_text(
        textwrap.dedent(
            f"""\
            spack:
              specs: {json.dumps(list(names))}
              view: view
              packages:
                python:
                  buildable: false
                  require: "@{_version(executable)}{_kind(executable)}"
            """
        )
    )
    debian = {"DEB_PYTHON_INSTALL_LAYOUT": "deb"}  # of the user's, and of no concern
    spack("-e", environment, "install", environ=debian)

    rows = spack("find", "--format", "{name} {prefix}").lines
    prefixes = {name: Path(prefix) for name, prefix in (row.split(" ", 1) for row in rows)}
    venv = prefixes["python-venv"]
    record = json.loads((venv / ".spack" / "python.json").read_text())
    said = subprocess.check_output([venv / "bin" / "python3", "-I", "-c", FACTS], text=True)
    paths, search, version = json.loads(said)
    assert {key: record[key] for key in paths} == paths
    assert record["version"] == version
    assert os.path.realpath(record["executable"]) == os.path.realpath(executable)
    assert str(venv / record["purelib"]) in search
    assert not set(record["purelib"].split("/")) & {"local", "dist-packages"}

    right = {record["purelib"], record["platlib"]}
    wrong = {}
    for name in names:
        found = list(modules_below(prefixes[name]))
        assert found, name
        wrong[name] = [path for path in found if os.path.dirname(path) not in right]
    assert wrong == {name: [] for name in names}
    imports = ", ".join(module for name in names for module in PACKAGES[name].modules)
    python = environment / "view" / "bin" / "python3"
    subprocess.run([python, "-I", "-c", f"import {imports}"], check=True)


def test_old_setuptools_build_themselves_with_an_old_python(spack: Command) -> None:
    """Install setuptools that bundle importlib_metadata, with Python 3.9.

    The bundled copy fails on metadata of another finder's, and pip, which calls the hooks, has one.
    """
    executable = INTERPRETERS[OLDEST]
    spack("external", "find", "--path", os.path.dirname(executable), "python")
    specs = [
        "py-setuptools@69.5.1 build_system=python_wheel",
        "py-setuptools@63.4.3 build_system=python_wheel",
        "py-setuptools@69.5.1 build_system=python_pip",
    ]
    python = f"packages:python:require:'@{_version(executable)}'"
    for spec in specs:
        spack("-c", python, "install", spec)
        version = spec.partition("@")[2].partition(" ")[0]
        info = f"lib/python3*/site-packages/setuptools-{version}.dist-info"
        assert list(spack.prefix(spec).glob(info))


def _kind(executable: str) -> str:
    return "+debug" if executable.endswith("d") else "~debug"


def _version(executable: str) -> str:
    command = [executable, "-I", "-S", "-V"]
    return subprocess.check_output(command, text=True).split()[1]

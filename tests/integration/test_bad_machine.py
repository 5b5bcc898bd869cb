"""Full disks, missing permissions, poor interpreters: a hint, and nothing is changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kits.command import Command, Result, Snapshot, TakeSnapshot
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def unprivileged() -> tuple[str, ...]:
    """Words before a command that make permissions count, also for root."""
    if os.getuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing, and root may write everywhere")
    drop = "-dac_override,-dac_read_search,-fowner"
    return ("setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}")


# -- the disk ----------------------------------------------------------------------------------

BIG = """\
with open(prefix.big, "wb") as stream:
    for _ in range(16):
        stream.write(b"x" * (1 << 20))
"""


@pytest.mark.parametrize("full", ["store", "stages"])
def test_a_full_disk(
    spack: Command, recipes: RecipeRepository, namespace: tuple[str, ...], full: str, tmp_path: Path
) -> None:
    """The error says so, nothing is left behind, and with more room the same command succeeds."""
    where = getattr(spack.home, full)
    where.mkdir(exist_ok=True)
    recipes.plain("base")
    if full == "store":
        recipes.plain("big", "base", install=BIG)
    else:
        recipes.plain("big", "base", install=BIG.replace("prefix.big", "'big'"))
    command = " ".join(spack.argv(["install", "big"]))
    report = tmp_path / "report"
    script = textwrap.dedent(
        f"""\
        mount -t tmpfs -o size=8m none {where}
        {command} >{report}.1 2>&1
        echo $? >{report}.code
        find {spack.home.store} -not -path '*/.spack-db/*' >{report}.tree
        {spack.argv(["find"])[0]} find --format '{{name}}' >{report}.found
        mount -t tmpfs -o remount,size=64m none {where}
        {command} >{report}.2 2>&1 && {spack.argv(["find"])[0]} verify >>{report}.2 2>&1
        """
    )
    done = subprocess.run(
        [*namespace, "sh", "-c", script], env=spack.variables(), capture_output=True, text=True
    )
    first = report.with_name("report.1").read_text()
    print(first)
    assert report.with_name("report.code").read_text() == "1\n", first
    assert "No space left on device" in first
    assert re.search(r"hint: .*space", first)
    assert report.with_name("report.found").read_text() == "base\n"
    assert "/big" not in report.with_name("report.tree").read_text()
    second = report.with_name("report.2").read_text()
    assert done.returncode == 0, second + done.stderr
    assert "Installing base" not in second
    assert "0 with differences" in second


def test_a_limit_on_the_size_of_files(
    spack: Command, recipes: RecipeRepository, packages_of: Callable[[Path], Snapshot]
) -> None:
    """What `ulimit -f` or a quota of a batch system does."""
    recipes.plain("big", install=BIG)
    result = spack.fails("install", "big", under=("sh", "-c", 'ulimit -f 8192; exec "$@"', "sh"))
    assert "File too large" in result.err
    assert packages_of(spack.home.store).keys() <= {"linux-" + "*"} or not [
        name for name in packages_of(spack.home.store) if "/big" in name
    ]


def test_an_install_tree_that_cannot_be_written(
    spack: Command, recipes: RecipeRepository, unprivileged: tuple[str, ...], tree_of: TakeSnapshot
) -> None:
    recipes.plain("one")
    spack.home.store.mkdir()
    spack.home.store.chmod(0o555)
    try:
        result = spack.fails("install", "one", under=unprivileged)
        assert str(spack.home.store) in result.err
        assert re.search(r"hint: .*install_tree", result.err)
        assert tree_of(spack.home.store) == {}
        assert spack("find", under=unprivileged).err == "==> no installed packages\n"
    finally:
        spack.home.store.chmod(0o755)


def test_another_users_install_tree_can_be_read(
    spack: Command, recipes: RecipeRepository, unprivileged: tuple[str, ...], tree_of: TakeSnapshot
) -> None:
    recipes.plain("one")
    recipes.plain("two", "one")
    spack("install", "one")
    subprocess.run(["chmod", "-R", "a-w", spack.home.store], check=True)
    try:
        before = tree_of(spack.home.store)
        assert spack("find", "--format", "{name}", under=unprivileged).lines == ["one"]
        assert spack("location", "-i", "one", under=unprivileged).out.startswith("/")
        assert "[+]" in spack("spec", "-I", "one", under=unprivileged).out
        for words in (("install", "two"), ("uninstall", "-y", "one"), ("reindex",)):
            result = spack.fails(*words, under=unprivileged)
            assert str(spack.home.store) in result.err
        assert tree_of(spack.home.store) == before
    finally:
        subprocess.run(["chmod", "-R", "u+w", spack.home.store], check=True)


def test_a_stage_that_cannot_be_written(
    spack: Command, recipes: RecipeRepository, unprivileged: tuple[str, ...]
) -> None:
    recipes.plain("one")
    spack.home.stages.chmod(0o555)
    try:
        only = f"config:build_stage::[{spack.home.stages}]"
        result = spack.fails("-c", only, "install", "one", under=unprivileged)
        assert str(spack.home.stages) in result.err
        assert re.search(r"hint: .*build_stage", result.err)
    finally:
        spack.home.stages.chmod(0o755)


def test_a_home_that_cannot_be_written(
    spack: Command, recipes: RecipeRepository, unprivileged: tuple[str, ...]
) -> None:
    """Caches are a convenience."""
    recipes.plain("one")
    file = spack.home.config / "config.yaml"
    text = file.read_text()
    file.write_text(re.sub(r" *misc_cache: .*\n", "", text))
    spack.home.config.chmod(0o555)
    try:
        assert "one@1.0" in spack("spec", "one", under=unprivileged).out
    finally:
        spack.home.config.chmod(0o755)


# -- interpreters ------------------------------------------------------------------------------


class Interpreter:
    """A Python in a prefix of its own, made of links, that lacks some of its parts."""

    def __init__(self, prefix: Path, lacks: tuple[str, ...]) -> None:
        import json

        asked = (
            "import json, os, sys, sysconfig; print(json.dumps([sys.version_info[:3], "
            "os.path.realpath(sys.executable), os.path.dirname(os.__file__), "
            "sysconfig.get_config_var('LIBDIR')]))"
        )
        answer = subprocess.run(
            ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "python3", "-I", "-S", "-c", asked],
            capture_output=True,
            check=True,
            text=True,
        )
        version, executable, stdlib, libdir = json.loads(answer.stdout)
        self.version = ".".join(map(str, version))
        self.prefix = prefix
        name = Path(stdlib).name
        library = prefix / "lib" / name
        library.mkdir(parents=True)
        for entry in Path(stdlib).iterdir():
            if entry.name not in lacks:
                (library / entry.name).symlink_to(entry)
        for built in library.glob("_sysconfigdata_*.py"):
            text = built.read_text()
            built.unlink()
            built.write_text(
                f"{text}\nbuild_time_vars['INCLUDEPY'] = '{prefix}/include/{name}'\n"
                "build_time_vars['CONFINCLUDEPY'] = build_time_vars['INCLUDEPY']\n"
            )
        for shared in Path(libdir).glob("libpython3*"):
            (prefix / "lib" / shared.name).symlink_to(shared)
        (prefix / "bin").mkdir()
        shutil.copy(executable, prefix / "bin" / name)
        (prefix / "bin" / "python3").symlink_to(name)


@pytest.fixture
def poor_python(spack: Command, tmp_path: Path) -> Interpreter:
    """Return the only Python that ``spack`` may use: without venv, ensurepip and headers."""
    python = Interpreter(tmp_path / "poor", lacks=("venv", "ensurepip", "distutils"))
    spack("external", "find", "--not-buildable", "--path", python.prefix / "bin", "python")
    written = (spack.home.config / "packages.yaml").read_text()
    assert str(python.prefix) in written
    return python


def test_an_interpreter_without_headers(
    spack: Command,
    recipes: RecipeRepository,
    poor_python: Interpreter,
    packages_of: Callable[[Path], Snapshot],
) -> None:
    source = recipes.archive(
        "ext-1.0",
        {
            "main.c": "#include <Python.h>\n",
            "Makefile": "all:\n\t$(CC) $(PYFLAGS) -c main.c\ninstall:\n",
        },
    )
    recipes.add(
        "ext",
        f'version("1.0", {source})\n'
        'extends("python")\ndepends_on("c", type="build")\n'
        "def setup_build_environment(self, env):\n"
        '    env.set("PYFLAGS", self.spec["python"].headers.include_flags)\n',
        base="MakefilePackage",
    )
    result = spack.fails("install", "ext")
    assert "Python.h" in result.err or "headers" in result.err
    assert re.search(r"hint: .*(headers|python3-dev|development)", result.err)
    assert str(poor_python.prefix) in result.err
    assert not [name for name in packages_of(spack.home.store) if "/ext-" in name]


def test_an_interpreter_without_venv_is_enough(
    spack: Command, recipes: RecipeRepository, poor_python: Interpreter
) -> None:
    """Nothing here needs the module: environments are made without it, and say so."""
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    spack("install", "py-sweet")
    venv = spack.prefix("python-venv")
    ran = subprocess.run(
        [venv / "bin" / "python3", "-c", "import sys; print(sys.prefix, sys.base_prefix)"],
        capture_output=True,
        check=True,
        text=True,
        env={},
    )
    assert ran.stdout.split() == [str(venv), str(poor_python.prefix)]


def test_an_interpreter_that_does_not_run(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    broken = tmp_path / "broken" / "bin" / "python3"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho no libpython >&2\nexit 127\n")
    broken.chmod(0o755)
    (spack.home.config / "packages.yaml").write_text(
        "packages:\n  python:\n    buildable: false\n    externals:\n"
        f"    - spec: python@3.11.2\n      prefix: {broken.parent.parent}\n"
    )
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    result = spack.fails("install", "py-sweet")
    assert str(broken.parent) in result.err


# -- file systems and users --------------------------------------------------------------------

#: Every lock fails as on NFS without lockd.
NO_LOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
int flock(int descriptor, int operation) { errno = ENOLCK; return -1; }
static int call(const char *name, int descriptor, int command, void *argument) {
    int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
    switch (command) {
    case F_SETLK: case F_SETLKW: case F_OFD_SETLK: case F_OFD_SETLKW: errno = ENOLCK; return -1;
    }
    return real(descriptor, command, argument);
}
#define WRAP(name) int name(int descriptor, int command, ...) { va_list rest; \
    va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest); \
    return call(#name, descriptor, command, argument); }
WRAP(fcntl)
WRAP(fcntl64)
"""


@pytest.fixture
def no_locks(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which no file can be locked."""
    source, library = tmp_path / "locks.c", tmp_path / "locks.so"
    source.write_text(NO_LOCKS)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def test_a_file_system_without_locks(
    spack: Command, recipes: RecipeRepository, no_locks: dict[str, str]
) -> None:
    """Reading works at once; writing says what to set, and works then."""
    recipes.plain("one")
    recipes.plain("two")
    spack("install", "one")
    found = spack("find", "--format", "{name}", environ=no_locks, timeout=30)
    assert found.lines == ["one"]
    refused = spack.fails("install", "two", environ=no_locks, timeout=30)
    assert "has no locks" in refused.err and "config:locks:false" in refused.err
    spack("-c", "config:locks:false", "install", "two", environ=no_locks, timeout=60)
    spack("-c", "config:locks:false", "uninstall", "-y", "one", environ=no_locks, timeout=60)
    assert spack.names() == ["two"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be two other users")
def test_two_users_of_one_store(spack: Command, recipes: RecipeRepository, clone: Path) -> None:
    """What one installs or only looks at, the other lists, installs beside, and removes."""
    for number in range(4):
        recipes.plain(f"p{number}")
    area = Path(tempfile.mkdtemp(prefix="users-"))
    try:
        area.chmod(0o755)
        store = area / "store"
        store.mkdir()
        shutil.copytree(recipes.root, area / "tiny", ignore=shutil.ignore_patterns("archives"))
        os.chown(store, 0, 54320)
        store.chmod(0o2775)
        spack("spec", "p0")  # the clone has its own dependencies then
        shutil.copytree(clone, area / "clone", symlinks=True)
        shared = replace(spack, root=area / "clone")

        def user(number: int, umask: str, *words: str) -> Result:
            home = area / f"home{number}"
            if not home.exists():
                (home / ".spack").mkdir(parents=True)
                (home / ".spack" / "repos.yaml").write_text(f"repos: [{area / 'tiny'}]\n")
                (home / ".spack" / "packages.yaml").write_text(
                    "packages:\n  all:\n    permissions: {read: world, write: group}\n"
                )
                for path in (home, *home.rglob("*")):
                    os.chown(path, number, 54320)
            script = f'umask {umask}; cd {home}; exec "$@"'
            who = ("setpriv", f"--reuid={number}", "--regid=54320", "--clear-groups")
            return shared(
                *("-c", f"config:install_tree:root:{store}", *words),
                under=(*who, "sh", "-c", script, "sh"),
                environ={"HOME": str(home), "TMPDIR": "/tmp"},
                cwd=home,
            )

        for umask in ("002", "022", "077"):
            user(54321, umask, "install", "p0", "p1")
            assert user(54322, umask, "find", "--format", "{name}").lines == ["p0", "p1"]
            user(54321, umask, "install", "p2")
            user(54322, umask, "install", "p3")
            user(54322, umask, "uninstall", "-y", "p0")
            user(54321, umask, "uninstall", "-y", "p1", "p2", "p3")
            assert user(54322, umask, "find", "--format", "{name}").lines == []
    finally:
        subprocess.run(["chmod", "-R", "u+w", area], check=False)
        shutil.rmtree(area)


def test_a_compiler_without_headers(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    """It is as if it were not there, and the reason is given."""
    recipes.c_program("prog", "#include <stdio.h>\nint main(void) { return 0; }\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("gcc", "g++"):
        (programs / name).write_text(
            '#!/bin/sh\ncase "$1" in -dump*) echo 99.1.0; exit;; esac\n'
            f'exec /usr/bin/{name} -nostdinc "$@"\n'
        )
        (programs / name).chmod(0o755)
    environ = {"PATH": f"{programs}:/usr/bin:/bin"}
    for words in (("spec", "prog"), ("compiler", "find"), ("install", "prog")):
        text = " ".join(spack(*words, environ=environ).text.split())
        if words != ("install", "prog"):
            assert f"{programs}/gcc is not used: it does not find stdio.h" in text
        assert "99.1.0" not in text

"""The command as a user runs it: real processes, in a copy of this tree, with an empty HOME.

``clone``      a fresh copy of the tracked and new files of this tree, once a session
``style``      README's first command, run in a copy of its own with nothing but HOME and PATH
``spack``      the clone's command with an install tree, configuration and caches of its own
``recipes``    a small repository of test recipes, registered for ``spack``; sources are made by
               the tests and served as ``file://`` urls
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

import pytest

from kits.command import (
    Command,
    Home,
    Snapshot,
    Style,
    TakeSnapshot,
    WaitUntil,
    poor_environment,
    prefixes,
    snapshot,
)
from kits.recipe_repository import RecipeRepository
from kits.version_control import own_files


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Everything here starts with bin/spack, which has its own dependencies first."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("network")


@pytest.fixture(scope="session")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory for the whole session, and the TMPDIR of the commands."""
    area = tmp_path_factory.mktemp("area")
    (area / "tmp").mkdir()
    return area


@pytest.fixture(scope="session")
def copy_tree(root: Path) -> Callable[[Path], Path]:
    """Copy the files of this tree that are, or could be, in version control."""
    listed = own_files(root)

    def copy(location: Path) -> Path:
        for name in listed:
            source, target = root / name, location / name
            if source.is_symlink() or source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        return location

    return copy


@pytest.fixture(scope="session")
def clone(copy_tree: Callable[[Path], Path], area: Path) -> Path:
    """Return a copy of this tree, as from version control."""
    return copy_tree(area / "clone")


@pytest.fixture(scope="session")
def style(copy_tree: Callable[[Path], Path], area: Path) -> Style:
    """README's first command, run in a fresh copy that nothing has run in before."""
    clone = copy_tree(area / "fresh")
    home = area / "style-home"
    spack = Command(clone, poor_environment(home, area / "tmp"), clone, Home(home))
    result = spack("-e", "share/environments/style", "install")
    return Style(spack, clone / "share" / "environments" / "style", result)


@pytest.fixture(scope="session")
def make_spack(clone: Path, area: Path) -> Callable[[Path], Command]:
    """Make a command that keeps everything below a directory, save what can be shared.

    Shared are the clone with its own dependencies, the downloads, and what is known of the host
    and of recipes.
    """

    def make(home: Path) -> Command:
        spack = Command(clone, poor_environment(home, area / "tmp"), home, Home(home))
        spack.home.config.mkdir()
        spack.home.stages.mkdir()
        (spack.home.config / "config.yaml").write_text(
            textwrap.dedent(
                f"""\
                config:
                  install_tree:
                    root: {spack.home.store}
                  build_stage: [{spack.home.stages}]
                  source_cache: {area / "sources"}
                  misc_cache: {area / "misc"}
                  environments_root: {home / "environments"}
                """
            )
        )
        return spack

    return make


@pytest.fixture(scope="session")
def copied_python() -> Callable[[Path], Path]:
    """Make a Python at a location, with a site-packages of its own; gives that."""

    def copy(location: Path) -> Path:
        program = "import os, sys; print(sys.executable, os.__file__)"
        base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
        reported = subprocess.check_output([base, "-I", "-S", "-c", program], text=True).split()
        library = Path(reported[1]).parent
        (location / "bin").mkdir(parents=True)
        shutil.copy2(base, location / "bin" / library.name)
        (location / "bin" / "python3").symlink_to(library.name)
        site = location / "lib" / library.name / "site-packages"
        site.mkdir(parents=True)
        for entry in library.iterdir():
            if entry.name not in ("site-packages", "dist-packages"):
                (site.parent / entry.name).symlink_to(entry)
        return site

    return copy


@pytest.fixture
def spack(make_spack: Callable[[Path], Command], tmp_path: Path) -> Command:
    """Return the command with an install tree of its own."""
    return make_spack(tmp_path / "home")


@pytest.fixture(scope="session")
def make_recipes() -> Callable[[Command, Path], RecipeRepository]:
    """Make a repository that a command reads before this tree's."""

    def make(spack: Command, root: Path) -> RecipeRepository:
        recipes = RecipeRepository(root)
        (spack.home.config / "repos.yaml").write_text(f"repos:\n  tiny: {recipes.root}\n")
        return recipes

    return make


@pytest.fixture
def recipes(
    spack: Command, make_recipes: Callable[[Command, Path], RecipeRepository], tmp_path: Path
) -> RecipeRepository:
    """Return a repository that ``spack`` reads before this tree's own."""
    return make_recipes(spack, tmp_path / "tiny")


@pytest.fixture
def reports(spack: Command, tmp_path: Path) -> Path:
    """Return a directory that builds may write to, to report to the test."""
    directory = tmp_path / "reports"
    directory.mkdir()
    with open(spack.home.config / "config.yaml", "a") as stream:
        stream.write(f"  build_env:\n    write: ['{directory}']\n")
    return directory


@pytest.fixture(scope="session")
def small(
    make_spack: Callable[[Path], Command],
    make_recipes: Callable[[Command, Path], RecipeRepository],
    tmp_path_factory: pytest.TempPathFactory,
) -> Command:
    """Return ``base``, ``top`` that needs it, ``prog`` in C and ``py-sweet``.

    Tests leave it as it is.
    """
    home = tmp_path_factory.mktemp("small")
    spack = make_spack(home)
    recipes = make_recipes(spack, home / "tiny")
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.c_program("prog", "int main(void) { return 0; }\n", "base")
    recipes.python_project("sweet", {"sweet.py": "def main():\n    print('sweet')\n"})
    spack("install", "top", "prog", "py-sweet")
    return spack


@pytest.fixture(scope="session")
def cache(small: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache with what ``small`` has installed. Tests leave it as it is."""
    cache = tmp_path_factory.mktemp("cache") / "binaries"
    pushed = small("buildcache", "push", "--unsigned", cache, "top", "prog", "py-sweet").out
    assert "==> pushed 5 packages" in pushed and "0 were there" in pushed
    return cache


@pytest.fixture
def other(make_spack: Callable[[Path], Command], small: Command, tmp_path: Path) -> Command:
    """Return a command with an empty install tree under a longer path, and the same recipes."""
    spack = make_spack(tmp_path / "another-home-with-a-much-longer-path")
    shutil.copy(small.home.config / "repos.yaml", spack.home.config)
    return spack


@pytest.fixture
def namespace() -> tuple[str, ...]:
    """Words before a command that may then mount; the mounts end with the command."""
    words = ("unshare", "-m") if os.getuid() == 0 else ("unshare", "-rm")
    try:
        tried = subprocess.run(
            [*words, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("unshare is missing")
    if tried.returncode != 0:
        pytest.skip("mounts in a namespace of one's own are not permitted here")
    return words


@pytest.fixture
def tree_of() -> TakeSnapshot:
    """See :func:`snapshot`."""
    return snapshot


@pytest.fixture
def packages_of() -> Callable[[Path], Snapshot]:
    """See :func:`prefixes`."""
    return prefixes


@pytest.fixture
def until() -> WaitUntil:
    """``until(condition, "what")``: waits until it holds, for a minute at most."""

    def wait(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"still not so after {seconds} s: {what}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def processes_of() -> Callable[[Path], list[str]]:
    """Return the command lines of running processes that name a path or work below it."""

    def find(path: Path) -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                location = os.readlink(entry / "cwd")
            except OSError:
                continue
            if str(path) in words or location.startswith(str(path)):
                found.append(words)
        return found

    return find

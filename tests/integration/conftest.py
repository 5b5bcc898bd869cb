"""The command as a person runs it: real processes, in a copy of this tree, with an empty HOME.

``clone``      a fresh copy of the tracked and new files of this tree, once a session
``style``      README's first command, run in a copy of its own with nothing but HOME and PATH
``spack``      the clone's command with an install tree, configuration and caches of its own
``recipes``    a small repository of test recipes, registered for ``spack``; sources are made by
               the tests and served as ``file://`` urls
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

#: What names the package index, and the way to it, in the environment of the tests.
NETWORK = re.compile(r"PIP_.*|.*_proxy|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE", re.I)

#: Seconds; far beyond what any of the commands needs on a slow and busy machine.
LONG = 900


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Everything here starts with bin/spack, which brings its own dependencies first."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("network")


class Result(NamedTuple):
    """How a process ended; ``text`` is everything that it wrote."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass(frozen=True)
class Place:
    """A HOME and what lies in it."""

    home: Path

    @property
    def store(self) -> Path:
        return self.home / "store"

    @property
    def stages(self) -> Path:
        return self.home / "stages"

    @property
    def sources(self) -> Path:
        return self.home / "sources"

    @property
    def config(self) -> Path:
        return self.home / ".spack"


@dataclass(frozen=True)
class Command:
    """``bin/spack`` of a tree, in an environment that has only what is said here.

    :param place: None for the defaults of the tree itself.
    """

    root: Path
    environ: Mapping[str, str]
    cwd: Path
    place: Place

    def __call__(
        self,
        *words: object,
        check: bool = True,
        under: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = LONG,
    ) -> Result:
        """Runs it to its end.

        :param check: fail the test if the exit status is not 0.
        :param under: words before the command, such as a program that limits it.
        :param environ: further variables; an empty value takes one away.
        """
        begin = time.monotonic()
        done = subprocess.run(
            [*under, *self.argv(words)],
            env=self.variables(environ),
            cwd=cwd or self.cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        result = Result(done.returncode, done.stdout, done.stderr, time.monotonic() - begin)
        print(f"$ spack {' '.join(map(str, words))}\n{result.text}[status {result.code}]")
        assert not check or result.code == 0, f"spack {words}: {result.code}\n{result.text}"
        assert "Traceback" not in result.err or "spack/" not in result.err, result.err
        return result

    def fails(self, *words: object, code: int = 1, **options: object) -> Result:
        """Runs it and expects an error message with a hint, and the exit status."""
        result = self(*words, check=False, **options)  # type: ignore[arg-type]  # passed on
        assert result.code == code, f"spack {words}: {result.code}\n{result.text}"
        assert "==> Error: " in result.err, result.text
        assert "hint: " in result.err, result.text
        return result

    @contextmanager
    def start(
        self, *words: object, environ: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Starts it in a process group of its own; whatever is left of that is killed."""
        print(f"$ spack {' '.join(map(str, words))} &")
        process = subprocess.Popen(
            self.argv(words),
            env=self.variables(environ),
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.communicate()

    def argv(self, words: Sequence[object]) -> list[str]:
        return [str(self.root / "bin" / "spack"), *map(str, words)]

    def variables(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        merged = {**self.environ, **(changes or {})}
        return {name: value for name, value in merged.items() if value}

    def prefix(self, spec: str) -> Path:
        return Path(self("location", "-i", spec).out.strip())

    def names(self, *words: str) -> list[str]:
        """Names of the installed packages."""
        return self("find", "--format", "{name}", *words).lines


def network_variables() -> dict[str, str]:
    """What the tests' own environment says of the package index; often nothing."""
    found = {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
    user = Path("~/.config/pip/pip.conf").expanduser()
    if user.is_file():
        found.setdefault("PIP_CONFIG_FILE", str(user))
    return found


@pytest.fixture(scope="session")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for the whole session, and the TMPDIR of the commands."""
    area = tmp_path_factory.mktemp("area")
    (area / "tmp").mkdir()
    return area


@pytest.fixture(scope="session")
def copy_tree(root: Path) -> Callable[[Path], Path]:
    """Copies the files of this tree that are, or could be, in version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")

    def copy(place: Path) -> Path:
        for name in filter(None, listed):
            source, target = root / name, place / name
            if source.is_symlink() or source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        return place

    return copy


@pytest.fixture(scope="session")
def clone(copy_tree: Callable[[Path], Path], area: Path) -> Path:
    """A copy of this tree, as from version control."""
    return copy_tree(area / "clone")


def poor_environment(home: Path, temporary: Path) -> dict[str, str]:
    """``env -i HOME=… PATH=/usr/bin:/bin``, and the way to the index where variables say it."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "TMPDIR": str(temporary),
        **network_variables(),
    }


class Style(NamedTuple):
    """The result of README's first command.

    :ivar spack: the command as it was run.
    :ivar directory: the environment's.
    """

    spack: Command
    directory: Path
    result: Result

    @property
    def view(self) -> Path:
        return self.directory / "view"

    @property
    def store(self) -> Path:
        return self.spack.root / "opt" / "spack"

    def __call__(self, *words: object, **options: object) -> Result:
        return self.spack(*words, **options)  # type: ignore[arg-type]  # passed on


@pytest.fixture(scope="session")
def style(copy_tree: Callable[[Path], Path], area: Path) -> Style:
    """README's first command, run in a fresh copy that nothing has run in before."""
    clone = copy_tree(area / "fresh")
    home = area / "style-home"
    spack = Command(clone, poor_environment(home, area / "tmp"), clone, Place(home))
    result = spack("-e", "share/environments/style", "install")
    return Style(spack, clone / "share" / "environments" / "style", result)


@pytest.fixture(scope="session")
def make_spack(clone: Path, area: Path) -> Callable[[Path], Command]:
    """Makes a command that keeps everything below a directory, save what can be shared.

    Shared are the clone with its own dependencies, the downloads, and what is known of the host
    and of recipes.
    """

    def make(home: Path) -> Command:
        place = Place(home)
        spack = Command(clone, poor_environment(home, area / "tmp"), home, place)
        place.config.mkdir()
        place.stages.mkdir()
        (place.config / "config.yaml").write_text(
            textwrap.dedent(
                f"""\
                config:
                  install_tree:
                    root: {place.store}
                  build_stage: [{place.stages}]
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
    """Makes a Python at a place, with a site-packages of its own; gives that."""

    def copy(place: Path) -> Path:
        program = "import os, sys; print(sys.executable, os.__file__)"
        base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
        told = subprocess.check_output([base, "-I", "-S", "-c", program], text=True).split()
        library = Path(told[1]).parent
        (place / "bin").mkdir(parents=True)
        shutil.copy2(base, place / "bin" / library.name)
        (place / "bin" / "python3").symlink_to(library.name)
        site = place / "lib" / library.name / "site-packages"
        site.mkdir(parents=True)
        for entry in library.iterdir():
            if entry.name not in ("site-packages", "dist-packages"):
                (site.parent / entry.name).symlink_to(entry)
        return site

    return copy


@pytest.fixture
def spack(make_spack: Callable[[Path], Command], tmp_path: Path) -> Command:
    """The command with an install tree of its own."""
    return make_spack(tmp_path / "home")


@pytest.fixture(scope="session")
def make_recipes() -> Callable[[Command, Path], Any]:
    """Makes a repository, see ``recipe_kit.Recipes``, that a command reads before this tree's."""
    place = Path(__file__).with_name("recipe_kit.py")
    spec = importlib.util.spec_from_file_location("recipe_kit", place)
    assert spec is not None and spec.loader is not None
    kit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kit)

    def make(spack: Command, root: Path) -> Any:
        recipes = kit.Recipes(root)
        (spack.place.config / "repos.yaml").write_text(f"repos:\n  tiny: {recipes.root}\n")
        return recipes

    return make


@pytest.fixture
def recipes(spack: Command, make_recipes: Callable[[Command, Path], Any], tmp_path: Path) -> Any:
    """A repository that ``spack`` reads before this tree's own."""
    return make_recipes(spack, tmp_path / "tiny")


@pytest.fixture
def told(spack: Command, tmp_path: Path) -> Path:
    """A directory that builds may write to, to tell the test of themselves."""
    place = tmp_path / "told"
    place.mkdir()
    with open(spack.place.config / "config.yaml", "a") as stream:
        stream.write(f"  build_env:\n    write: ['{place}']\n")
    return place


@pytest.fixture(scope="session")
def small(
    make_spack: Callable[[Path], Command],
    make_recipes: Callable[[Command, Path], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Command:
    """``base``, ``top`` that needs it, ``prog`` in C and ``py-sweet``; tests leave it as it is."""
    home = tmp_path_factory.mktemp("small")
    spack = make_spack(home)
    recipes = make_recipes(spack, home / "tiny")
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.c_program("prog", "int main(void) { return 0; }\n", "base")
    recipes.python_project("sweet", {"sweet.py": "def main():\n    print('sweet')\n"})
    spack("install", "top", "prog", "py-sweet")
    return spack


def snapshot(root: Path, *ignored: str) -> dict[str, tuple[str, ...]]:
    """Everything below *root*: kind, mode and content by relative path.

    :param ignored: names that are left out wherever they stand.
    """
    found: dict[str, tuple[str, ...]] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - set(ignored))
        for name in [*folders, *(name for name in files if name not in ignored)]:
            path = Path(folder, name)
            status = path.lstat()
            mode = oct(stat.S_IMODE(status.st_mode))
            key = str(path.relative_to(root))
            if path.is_symlink():
                found[key] = ("link", os.readlink(path))
            elif path.is_dir():
                found[key] = ("directory", mode)
            elif path.is_file():
                found[key] = ("file", mode, hashlib.sha256(path.read_bytes()).hexdigest())
            else:
                found[key] = ("other", mode)
    return found


def prefixes(store: Path) -> dict[str, tuple[str, ...]]:
    """The packages in an install tree, without its database, locks and logs."""
    return snapshot(store, ".spack-db", ".views")


@pytest.fixture
def tree_of() -> Callable[..., dict[str, tuple[str, ...]]]:
    """See :func:`snapshot`."""
    return snapshot


@pytest.fixture
def packages_of() -> Callable[[Path], dict[str, tuple[str, ...]]]:
    """See :func:`prefixes`."""
    return prefixes


@pytest.fixture
def until() -> Callable[..., None]:
    """``until(condition, "what")``: waits until it holds, for a minute at most."""

    def wait(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"still not so after {seconds} s: {what}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def processes_of() -> Callable[[Path], list[str]]:
    """The command lines of running processes that name a path or work below it."""

    def find(path: Path) -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                place = os.readlink(entry / "cwd")
            except OSError:
                continue
            if str(path) in words or place.startswith(str(path)):
                found.append(words)
        return found

    return find

"""The command as a user runs it: real processes, in an environment that has only what is said."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

#: Variables that name the package index, and the way to it, in the environment of the tests.
NETWORK = re.compile(r"PIP_.*|.*_proxy|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE", re.I)

#: Seconds; far beyond what any of the commands needs on a slow and busy machine.
LONG = 900

#: Kind, mode and content by relative path, see :func:`snapshot`.
Snapshot = dict[str, tuple[str, ...]]


class TakeSnapshot(Protocol):
    """The type of :func:`snapshot`."""

    def __call__(self, root: Path, *ignored: str) -> Snapshot: ...


class WaitUntil(Protocol):
    """Wait until a condition holds, for a minute unless *seconds* says otherwise."""

    def __call__(self, condition: Callable[[], object], what: str, seconds: float = 60) -> None: ...


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
class Home:
    """A HOME directory and the directories of the tool in it."""

    path: Path

    @property
    def store(self) -> Path:
        return self.path / "store"

    @property
    def stages(self) -> Path:
        return self.path / "stages"

    @property
    def sources(self) -> Path:
        return self.path / "sources"

    @property
    def config(self) -> Path:
        return self.path / ".spack"


@dataclass(frozen=True)
class Command:
    """``bin/spack`` of a tree, in an environment that has only what is said here.

    :param home: HOME, and where the tool keeps its files below it.
    """

    root: Path
    environ: Mapping[str, str]
    cwd: Path
    home: Home

    def __call__(
        self,
        *words: object,
        check: bool = True,
        under: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = LONG,
    ) -> Result:
        """Run it to its end.

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
        """Run it and expects an error message with a hint, and the exit status."""
        result = self(*words, check=False, **options)  # type: ignore[arg-type]  # passed on
        assert result.code == code, f"spack {words}: {result.code}\n{result.text}"
        assert "==> Error: " in result.err, result.text
        assert "hint: " in result.err, result.text
        return result

    @contextmanager
    def start(
        self, *words: object, environ: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Start it in a process group of its own; whatever is left of that is killed."""
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

    def let_builds_read(self, path: Path) -> None:
        """Let builds see *path*, wherever it is."""
        with open(self.home.config / "config.yaml", "a") as stream:
            stream.write(f"  build_env:\n    read: ['{path}']\n")

    def names(self, *words: str) -> list[str]:
        """Names of the installed packages."""
        return self("find", "--format", "{name}", *words).lines


def network_variables() -> dict[str, str]:
    """Return what the tests' own environment says of the package index; often nothing."""
    found = {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
    user = Path("~/.config/pip/pip.conf").expanduser()
    if user.is_file():
        found.setdefault("PIP_CONFIG_FILE", str(user))
    return found


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


def change_file(path: Path, text: str) -> None:
    """Change a file that is not to be changed: those of packages are read-only."""
    path.chmod(path.stat().st_mode | stat.S_IWUSR)
    path.write_text(text)


def snapshot(root: Path, *ignored: str) -> Snapshot:
    """Everything below *root*: kind, mode and content by relative path.

    :param ignored: names that are left out wherever they be.
    """
    found: Snapshot = {}
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


def prefixes(store: Path) -> Snapshot:
    """Return the packages in an install tree, without its database, locks and logs."""
    return snapshot(store, ".spack-db", ".views")

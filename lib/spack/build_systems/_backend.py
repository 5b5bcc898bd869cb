"""Source trees with a build backend (PEP 517, PEP 518): what they say, and calling the hooks.

The hooks are called through pyproject-hooks with the interpreter of the build's virtual
environment. One process imports the backend; each hook runs in a fork of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from spack.errors import InstallError
from spack.util.jobserver import inherited_descriptors
from spack.util.toml import parse_toml

__all__ = [
    "LEGACY",
    "BuildSystem",
    "Hooks",
    "build_system_of",
    "parse_build_system",
    "started",
]

#: Frames of a traceback that only look for a module, with the lines of source below each.
_IMPORTING = (
    r'(?m)^  File "(<frozen importlib'
    r'|[^"]*/(importlib/__init__|_in_process|_backend_process)\.py")'
    r".*\n(^    .*\n)*"
)

_PROCESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_backend_process.py")


class BuildSystem(NamedTuple):
    """The table ``[build-system]`` of a source tree.

    :ivar requires: requirements of the build (PEP 508).
    :ivar backend: ``module`` or ``module:object``.
    :ivar path: directories of an in-tree backend, relative to the source tree.
    :ivar declared: False for what PEP 517 says of trees without such a table.
    """

    requires: tuple[str, ...]
    backend: str
    path: tuple[str, ...] = ()
    declared: bool = True


#: Of a tree with nothing but ``setup.py`` (PEP 517, "Source trees").
LEGACY = BuildSystem(("setuptools>=40.8.0",), "setuptools.build_meta:__legacy__", (), False)


def build_system_of(directory: str) -> BuildSystem:
    """Return the build system that the source tree in *directory* declares.

    :raises InstallError: there is nothing to build, or ``pyproject.toml`` is malformed.
    """
    path = os.path.join(directory, "pyproject.toml")
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except FileNotFoundError:
        if os.path.exists(os.path.join(directory, "setup.py")):
            return LEGACY
        raise InstallError(
            f"there is neither pyproject.toml nor setup.py in {directory}",
            hint="if the project is in a subdirectory, let build_directory of the recipe say where",
            ref="no-project",
        ) from None
    return parse_build_system(data, path)


def parse_build_system(data: bytes, path: str) -> BuildSystem:
    """Return the build system that ``pyproject.toml``'s content declares; *path* is for messages.

    :raises InstallError: it is malformed.
    """
    table = _parsed(data, path).get("build-system")
    if table is None:
        return LEGACY
    requires = table.get("requires") if isinstance(table, dict) else None
    backend = table.get("build-backend") if isinstance(table, dict) else None
    locations = table.get("backend-path", []) if isinstance(table, dict) else None
    if (
        not _texts(requires)
        or not _texts(locations)
        or not (backend is None or isinstance(backend, str))
    ):
        raise InstallError(
            f"{path}: [build-system] is not as PEP 518 wants it",
            hint="'requires' and 'backend-path' are lists of texts, 'build-backend' is a text; "
            "let the recipe patch it",
            ref="pyproject",
        )
    assert isinstance(requires, list)
    return BuildSystem(tuple(requires), backend or LEGACY.backend, tuple(locations or ()))


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _parsed(data: bytes, path: str) -> Mapping[str, Any]:
    try:
        return parse_toml(data)
    except ValueError as exc:  # TOMLDecodeError and UnicodeDecodeError are such
        raise InstallError(
            f"{path}: {exc}", hint="let the recipe patch it", ref="pyproject"
        ) from exc


#: What can be done where a backend lacks a hook.
_HINTS = {
    "build_editable": "PEP 660 is newer (setuptools has it from 64 on, flit-core from 3.4): "
    "take a newer one or leave +editable out",
}


class Hooks:
    """The hooks of one source tree.

    :param directory: of the source tree; hooks run there.
    :param requests: standard input of the process that serves them.
    :param answers: descriptor of its answers.
    """

    def __init__(
        self, python: str, directory: str, system: BuildSystem, process: Any, answers: int
    ) -> None:
        from pyproject_hooks import BuildBackendHookCaller  # start-up: only in builds

        self.directory = directory
        #: Where :meth:`_run` lets the process write what the source tree imports.
        self._imports: str | None = None
        self._process = process
        self._answers = answers
        self._backend = system.backend
        self._caller = BuildBackendHookCaller(
            directory, system.backend, system.path, self._run, python
        )

    def _run(
        self,
        cmd: Sequence[str],
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
    ) -> None:
        """Return a runner of pyproject-hooks.

        ``cmd`` is the interpreter, a script and its arguments.
        """
        request: dict[str, Any] = {"argv": list(cmd[1:]), "cwd": cwd}
        request["environ"] = dict(extra_environ or {})
        if self._imports is not None:
            request["imports"] = {"tree": self.directory, "file": self._imports}
        answer = b""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            while not answer.endswith(b"\n"):
                piece = os.read(self._answers, 100)
                if not piece:
                    break
                answer += piece
        status = int(answer) if answer.endswith(b"\n") else self._process.wait()
        if status != 0:
            raise subprocess.CalledProcessError(status, list(cmd))

    def _call(self, name: str, *args: Any) -> Any:
        """Return the result of a hook.

        :raises InstallError: the backend cannot be imported, lacks the hook, or failed.
        """
        import pyproject_hooks  # start-up: only in builds

        try:
            return getattr(self._caller, name)(*args)
        except pyproject_hooks.BackendUnavailable as exc:
            raise InstallError(
                f"the build backend {self._backend} cannot be imported",
                _without_importing(exc.traceback),
                hint="does the recipe depend on it, with type='build'?",
                ref="build-backend",
            ) from None
        except pyproject_hooks.HookMissing:
            raise InstallError(
                f"the build backend {self._backend} has no hook {name}",
                hint=_HINTS.get(name),
                ref="build-backend",
            ) from None
        except subprocess.CalledProcessError as exc:
            how = f"signal {-exc.returncode}" if exc.returncode < 0 else f"{exc.returncode}"
            raise InstallError(
                f"{name} of {self._backend} failed ({how})", ref="build-backend"
            ) from None

    def requirements(self, hook: str, settings: Mapping[str, Any]) -> list[str]:
        """Return the *hook*'s requirements beyond ``requires``.

        Empty for backends known to add none.

        A question that fails is not a failure of the build, whose own hook will report it.
        """
        if not asks_for_more(self.directory, self._backend):
            return []
        try:
            found: list[str] = self._call(f"get_requires_for_{hook}", settings)
        except InstallError:
            return []
        return list(found)

    def build(self, hook: str, directory: str, settings: Mapping[str, Any]) -> Built:
        """Build a wheel in *directory* with ``build_wheel`` or ``build_editable`` (PEP 660)."""
        self._imports = os.path.join(directory, "imports.json")
        try:
            name: str = self._call(hook, directory, settings)
        finally:
            file, self._imports = self._imports, None
        imports: Mapping[str, Any] = {"found": {}, "absent": []}
        with contextlib.suppress(OSError, ValueError), open(file, encoding="utf-8") as stream:
            imports = json.load(stream)
        return Built(os.path.join(directory, os.path.basename(name)), **imports)


class Built(NamedTuple):
    """A wheel.

    :ivar found: what the project's own code has imported to make it: top-level module -> file.
    :ivar absent: modules that it has tried to import without success.
    """

    wheel: str
    found: Mapping[str, str]
    absent: Sequence[str]


#: Backends whose ``get_requires_for_build_*`` is empty, always.
_CONTENT = frozenset(("flit_core.buildapi", "poetry.core.masonry.api", "uv_build"))


def asks_for_more(directory: str, backend: str) -> bool:
    """Return whether the backend may need more than ``requires``.

    setuptools runs ``setup.py`` for the answer, which takes as long as a small build: it is asked
    where the tree speaks of ``setup_requires``.
    """
    if backend in _CONTENT:
        return False
    if backend.partition(":")[0] != "setuptools.build_meta":
        return True
    for name in ("setup.py", "setup.cfg"):
        with contextlib.suppress(OSError), open(os.path.join(directory, name), "rb") as stream:
            if b"setup_requires" in stream.read():
                return True
    return False


@contextlib.contextmanager
def started(python: str, directory: str, system: BuildSystem, jobs: int = 1) -> Iterator[Hooks]:
    """Return the hooks of the source tree in *directory*, served by a process of *python*.

    Standard output and error of the hooks are those of the caller.

    :param jobs: how many compilers setuptools may run at a time.
    """
    # A backend in the tree is found by the hook script only; others are imported at once.
    modules = [] if system.path else [system.backend.partition(":")[0]]
    answers, answers_out = os.pipe()
    try:
        process = subprocess.Popen(
            [python, _PROCESS, str(answers_out), str(jobs), *modules],
            cwd=directory,
            stdin=subprocess.PIPE,
            pass_fds=(answers_out, *inherited_descriptors(os.environ)),
        )
        os.close(answers_out)
        answers_out = -1
        try:
            yield Hooks(python, directory, system, process, answers)
        finally:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait()
    finally:
        os.close(answers)
        if answers_out >= 0:
            os.close(answers_out)


def _without_importing(text: str) -> str | None:
    """Return a traceback without the import system's frames; the last line if none remains."""
    text = re.sub(_IMPORTING, "", text).rstrip()
    title, _, rest = text.partition("\n")
    return (text if rest.startswith(" ") else rest or title) or None

"""Running programs from recipes: :class:`Executable`, :func:`which`, :class:`MakeExecutable`.

Programs get an argument list, never a shell. Without redirection a program writes to the
streams of the process, which in the build worker are the build's log.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import (
    IO,
    Any,
    Literal,
    Union,
    overload,
)

from spack.api import tty
from spack.errors import SpackError
from spack.util.environment_modifications import EnvironmentModifications
from spack.util.jobserver import inherited_descriptors, inherited_jobserver

__all__ = [
    "CommandNotFoundError",
    "Executable",
    "MakeExecutable",
    "ProcessError",
    "ProcessTimeoutError",
    "which",
    "which_string",
]

Environment = Union[Mapping[str, str], EnvironmentModifications]

#: ``str`` captures, ``str.split`` captures and copies, a text names a file, a stream is used.
Redirection = Any

_QUOTED = re.compile(r"^(\".*\"|'.*')$", re.DOTALL)


class ProcessError(SpackError):
    """A program could not be started or ended with a status that is not 0."""

    ref = "command-failed"


class ProcessTimeoutError(ProcessError):
    """A program did not end in time."""

    ref = "command-timeout"


class CommandNotFoundError(SpackError):
    """A program that is needed is in none of the searched directories."""

    ref = "command-not-found"


def is_captured(redirection: Redirection) -> bool:
    """Return whether *redirection* asks for the text as the call's result."""
    return redirection is str or redirection is str.split


class Executable:
    """A program with default arguments and a default environment.

    :ivar exe: program and default arguments.
    :ivar returncode: status of the last call; 1 before the first.
    :ivar ignore_quotes: do not warn about arguments that are quoted as for a shell.
    """

    def __init__(self, name: str | os.PathLike[str]) -> None:
        text = os.fspath(name)
        path = str(Path(text))
        self.exe: list[str] = [os.path.join(".", path) if text.startswith("./") else path]
        self.default_env: dict[str, str] = {}
        self.default_envmod = EnvironmentModifications()
        self.returncode: int = 1
        self.ignore_quotes = False

    def add_default_arg(self, *args: str) -> None:
        """Append to the default arguments."""
        self.exe.extend(str(arg) for arg in args)

    def with_default_args(self, *args: str) -> Executable:
        """Return a copy with further default arguments."""
        new = self.copy()
        new.add_default_arg(*args)
        return new

    def copy(self) -> Executable:
        """Return a copy that shares no mutable state."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.exe = list(self.exe)
        new.default_env = dict(self.default_env)
        new.default_envmod = EnvironmentModifications(self.default_envmod)
        return new

    def add_default_env(self, key: str, value: str) -> None:
        """Set a variable in the environment of every call."""
        self.default_env[key] = str(value)

    def add_default_envmod(self, envmod: EnvironmentModifications) -> None:
        """Change the environment of every call."""
        self.default_envmod.extend(envmod)

    @property
    def command(self) -> str:
        """Program and default arguments as one line, quoted for a POSIX shell."""
        return " ".join(shlex.quote(arg) for arg in self.exe)

    @property
    def name(self) -> str:
        """File name of the program."""
        return os.path.basename(self.path)

    @property
    def path(self) -> str:
        """Path of the program as it was given."""
        return self.exe[0]

    def environment(
        self, env: Environment | None = None, extra_env: Environment | None = None
    ) -> dict[str, str]:
        """Return the environment of a call; *env* replaces the process's own, *extra_env* adds."""
        result = dict(os.environ) if env is None else {}
        self.default_envmod.apply_modifications(result)
        result.update(self.default_env)
        for part in (env, extra_env):
            if isinstance(part, EnvironmentModifications):
                part.apply_modifications(result)
            elif part:
                result.update(part)
        return result

    def __call__(  # noqa: PLR0913 - keywords of independent settings
        self,
        *args: str | os.PathLike[str],
        fail_on_error: bool = True,
        ignore_errors: int | Sequence[int] = (),
        ignore_quotes: bool | None = None,
        timeout: float | None = None,
        env: Environment | None = None,
        extra_env: Environment | None = None,
        input: Redirection = None,
        output: Redirection = None,
        error: Redirection = None,
        _dump_env: MutableMapping[str, str] | None = None,
    ) -> str | None:
        """Run the program and wait for it.

        :param ignore_errors: statuses that count as success.
        :param output: see :data:`Redirection`; likewise *error*. *input* takes a stream or the
            path of a file.
        :return: the captured text (output, then errors), or None when nothing is captured.
        :raises ProcessError: when it cannot be started, or fails and *fail_on_error* is set.
        """
        if input is str:
            raise ValueError("a program's input cannot be the type str")
        command = [*self.exe, *(os.fspath(arg) for arg in args)]
        if not (self.ignore_quotes if ignore_quotes is None else ignore_quotes):
            _warn_of_quotes(command[1:])
        environment = self.environment(env, extra_env)
        if _dump_env is not None:
            _dump_env.clear()
            _dump_env.update(environment)
        line = " ".join(shlex.quote(arg) for arg in command)
        tty.debug(" ".join(shlex.quote(_shown(arg)) for arg in command))
        with _Streams(input, output, error) as (stdin, stdout, stderr):
            text = self._run(
                command,
                line,
                environment,
                stdin,
                stdout=stdout,
                stderr=stderr,
                timeout=timeout,
                output=output,
            )
        ignored = (ignore_errors,) if isinstance(ignore_errors, int) else tuple(ignore_errors)
        if fail_on_error and self.returncode != 0 and self.returncode not in ignored:
            raise ProcessError(
                f"Command exited with status {self.returncode}: {line}",
                text or None,
                facts={"command": command, "status": self.returncode},
            )
        return text if is_captured(output) or is_captured(error) else None

    def _run(  # noqa: PLR0913 - keywords of independent settings
        self,
        command: list[str],
        line: str,
        environment: Mapping[str, str],
        stdin: Any,
        stdout: Any,
        stderr: Any,
        timeout: float | None,
        output: Redirection,
    ) -> str:
        """Start, wait, decode; sets :attr:`returncode`."""
        sys.stdout.flush()
        try:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                pass_fds=inherited_descriptors(environment),
            )
        except OSError as exc:
            self.returncode = 127
            hint = "the program's name contains a space" if " " in self.exe[0] else None
            raise ProcessError(
                f"{self.exe[0]}: {exc.strerror}", f"Command: {line}", hint=hint
            ) from exc
        with process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired as exc:
                process.kill()
                process.communicate()
                self.returncode = 124
                raise ProcessTimeoutError(
                    f"Command did not end within {timeout} seconds", line
                ) from exc
            except BaseException:
                process.kill()
                raise
        self.returncode = process.returncode
        text_out = (out or b"").decode("utf-8", "replace")
        text_err = (err or b"").decode("utf-8", "replace")
        if output is str.split:
            sys.stdout.write(text_out)
            sys.stdout.flush()
        return text_out + text_err

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Executable) and self.exe == other.exe

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.exe)))

    def __repr__(self) -> str:
        return f"<exe: {self.exe}>"

    def __str__(self) -> str:
        return " ".join(self.exe)


class _Streams:
    """Opens what the redirections of one call name, and closes what it opened."""

    def __init__(self, source: Redirection, output: Redirection, error: Redirection) -> None:
        self._wanted: tuple[tuple[Redirection, str], ...] = (
            (source, "rb"),
            (output, "wb"),
            (error, "wb"),
        )
        self._opened: list[IO[bytes]] = []

    def __enter__(self) -> tuple[Any, Any, Any]:
        stdin, stdout, stderr = (self._stream(value, mode) for value, mode in self._wanted)
        return stdin, stdout, stderr

    def _stream(self, value: Redirection, mode: str) -> Any:
        if is_captured(value):
            return subprocess.PIPE
        if isinstance(value, (str, os.PathLike)):
            stream = open(value, mode)  # noqa: SIM115  # closed in __exit__
            self._opened.append(stream)
            return stream
        return value

    def __exit__(self, *exception: object) -> None:
        for stream in self._opened:
            stream.close()


def _shown(argument: str) -> str:
    """Return an argument as the log shows it: a program text is cut."""
    first, newline, _ = argument.strip().partition("\n")
    return f"{first} ..." if newline else argument


def _warn_of_quotes(args: Sequence[str]) -> None:
    quoted = [arg for arg in args if _QUOTED.match(arg)]
    if quoted:
        tty.warn(
            "Arguments are quoted although no shell is used; the program sees the quotes:",
            *quoted,
        )


class MakeExecutable(Executable):
    """``make``, ``ninja`` and the like: adds ``-j<jobs>`` where that is right.

    :param jobs: jobs of this build.
    :param supports_jobserver: the program takes jobs from a job server in ``MAKEFLAGS``.
    """

    def __init__(
        self, name: str | os.PathLike[str], jobs: int = 1, supports_jobserver: bool = True
    ) -> None:
        super().__init__(name)
        self.jobs = jobs
        self.supports_jobserver = supports_jobserver

    def __call__(
        self,
        *args: str | os.PathLike[str],
        parallel: bool = True,
        jobs_env: str | None = None,
        jobs_env_supports_jobserver: bool = False,
        **kwargs: Any,
    ) -> str | None:
        """Run it; *jobs_env* names a variable that is to carry the number of jobs as well."""
        jobs = effective_jobs(self.jobs, parallel, self.supports_jobserver, os.environ)
        server = inherited_jobserver(os.environ) if jobs is not None and jobs > 1 else None
        with server.some_tokens(jobs - 1) if server and jobs else nullcontext(None) as tokens:
            if jobs is not None:
                args = (f"-j{jobs if tokens is None else 1 + tokens}", *args)
            return self._call(args, parallel, jobs_env, jobs_env_supports_jobserver, kwargs=kwargs)

    def _call(
        self,
        args: Sequence[str | os.PathLike[str]],
        parallel: bool,
        jobs_env: str | None,
        jobs_env_supports_jobserver: bool,
        kwargs: dict[str, Any],
    ) -> str | None:
        """Run it with *args*, and with the number of jobs in a variable if there is to be one."""
        if jobs_env:
            count = effective_jobs(self.jobs, parallel, jobs_env_supports_jobserver, os.environ)
            if count is not None:
                extra = EnvironmentModifications()
                given = kwargs.get("extra_env")
                if isinstance(given, EnvironmentModifications):
                    extra.extend(given)
                else:
                    for name, value in (given or {}).items():
                        extra.set(name, value)
                extra.set(jobs_env, str(count))
                kwargs["extra_env"] = extra
        return super().__call__(*args, **kwargs)


def effective_jobs(
    jobs: int, parallel: bool, supports_jobserver: bool, environ: Mapping[str, str]
) -> int | None:
    """Return the number for ``-j``; None when a job server decides instead."""
    if not parallel or jobs <= 1 or environ.get("SPACK_NO_PARALLEL_MAKE"):
        return 1
    if supports_jobserver and "--jobserver" in environ.get("MAKEFLAGS", ""):
        return None
    return jobs


@overload
def which_string(
    *args: str, path: str | Sequence[str] | None = None, required: Literal[True]
) -> str: ...


@overload
def which_string(
    *args: str, path: str | Sequence[str] | None = None, required: bool = False
) -> str | None: ...


def which_string(
    *args: str, path: str | Sequence[str] | None = None, required: bool = False
) -> str | None:
    """Return path of the first of the programs *args* that is found.

    :param path: directories, as a list or as text with ``:``; by default those of ``PATH``.
    :raises CommandNotFoundError: when nothing is found and *required* is set.
    """
    if path is None:
        path = os.environ.get("PATH", "")
    directories = path.split(os.pathsep) if isinstance(path, str) else [str(x) for x in path]
    for name in args:
        locations = [os.getcwd(), *directories] if name.startswith(".") else directories
        for directory in locations:
            candidate = os.path.join(directory, name)
            if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
                return os.path.normpath(candidate)
    if required:
        raise CommandNotFoundError(
            f"the program '{args[0]}' is needed and was not found",
            "Searched: " + os.pathsep.join(directories),
            facts={"programs": args, "directories": directories},
            hint="add the package that provides it as a build dependency",
        )
    return None


@overload
def which(
    *args: str, path: str | Sequence[str] | None = None, required: Literal[True]
) -> Executable: ...


@overload
def which(
    *args: str, path: str | Sequence[str] | None = None, required: bool = False
) -> Executable | None: ...


def which(
    *args: str, path: str | Sequence[str] | None = None, required: bool = False
) -> Executable | None:
    """Return :func:`which_string`'s path as an :class:`Executable`."""
    found = which_string(*args, path=path, required=required)
    return Executable(found) if found is not None else None

"""The contract between the installer and a build: ``BuildJob`` in, ``BuildResult`` out.

Both are plain JSON (:meth:`to_json`, :func:`from_json`): the two sides share no memory, and a job
file can be run again by hand. All paths are absolute.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from spack.build.isolation import Isolation
from spack.errors import InstallError, SpackError
from spack.util.directory_handle import read_regular
from spack.util.json_input import parse_json

__all__ = [
    "BuildFailure",
    "BuildJob",
    "BuildResult",
    "PatchFile",
    "PhaseTime",
    "RepositoryRow",
    "read",
    "write",
]

T = TypeVar("T")

#: What the worker does: build, only report the environment of the build, or test what is installed.
WorkerTask = Literal["build", "environment", "test"]
BUILD: WorkerTask = "build"
ENVIRONMENT: WorkerTask = "environment"
TEST: WorkerTask = "test"

#: The reference of the failure of a build that was to stop.
STOPPED = "stopped"

#: How sources of a developer's directory are built: in a copy, or there.
Development = Literal["", "copy", "in-place"]
COPY: Development = "copy"
IN_PLACE: Development = "in-place"


@dataclass(frozen=True)
class RepositoryRow:
    """A repository of recipes; the first one that has a recipe wins."""

    namespace: str
    root: str


@dataclass(frozen=True)
class PatchFile:
    """A patch to apply, in order.

    :param working_dir: relative to the source directory.
    """

    path: str
    level: int = 1
    working_dir: str = "."
    reverse: bool = False


@dataclass(frozen=True)
class BuildJob:
    """All that a worker needs.

    :param spec: ``spack.spec.concrete.dump`` of the node with all its dependencies.
    :param hash: DAG hash of the node to build.
    :param prefixes: install prefix by DAG hash, for every node, externals included.
    :param stage_path: directory of this build alone; ``home`` and ``tmp`` are made in it.
    :param source_path: the unpacked sources with their resources; None for packages without code.
    :param archive_file: the archive as it was fetched, for wheels and the like.
    :param jobs: how many processes the build may use.
    :param repositories: in order of precedence.
    :param run_tests: run the tests that the package has at build and install time.
    :param log_path: where the process's output goes.
    :param result_path: where the worker writes its ``BuildResult``.
    :param task: :data:`BUILD`, :data:`ENVIRONMENT` or :data:`TEST`.
    :param library_path: directories for ``sys.path`` of the worker, after the standard library.
    :param environment_path: where the environment of the build is written; beside the log when
        None.
    :param wheels: directory of wheels that builds have made, to reuse and to add to.
    :param background: let other builds have the processors first.
    :param writable: paths below which alone the build may write; None leaves it to the system.
    :param until: stop after this phase; "" runs all.
    :param keep_source: copy the patched sources into the prefix.
    :param develop: the sources are a developer's: :data:`COPY` or :data:`IN_PLACE`; else "".
    :param opened: what of the caller's own the build gets, a line of the log each.
    :param isolation: what the build is kept from seeing and reaching; None keeps it from nothing.
    :param keep_venv: leave the build's virtual environment in place (to look at a failure).
    """

    spec: Mapping[str, Any]
    hash: str
    prefixes: Mapping[str, str]
    stage_path: str
    source_path: str | None
    log_path: str
    result_path: str
    repositories: tuple[RepositoryRow, ...] = ()
    archive_file: str | None = None
    patches: tuple[PatchFile, ...] = ()
    jobs: int = 1
    run_tests: bool = False
    task: WorkerTask = BUILD
    library_path: tuple[str, ...] = ()
    environment_path: str | None = None
    keep_venv: bool = False
    wheels: str | None = None
    background: bool = False
    writable: tuple[str, ...] | None = None
    until: str = ""
    keep_source: bool = False
    develop: Development = ""
    opened: tuple[str, ...] = ()
    isolation: Isolation | None = None

    @property
    def prefix(self) -> str:
        """Install prefix of the node to build."""
        return self.prefixes[self.hash]


@dataclass(frozen=True)
class PhaseTime:
    """A phase that has run, with its seconds."""

    name: str
    seconds: float


@dataclass(frozen=True)
class BuildFailure:
    """Why a build failed, as data.

    :param kind: name of the exception's class.
    :param phase: the phase in which it happened; "" outside of phases.
    :param recipe: ``file:line`` of the recipe's line that was running, or None.
    :param excerpt: the lines of the log that say what is wrong.
    :param traceback: of the worker, for errors in a recipe.
    """

    kind: str
    message: str
    long_message: str | None = None
    hint: str | None = None
    phase: str = ""
    recipe: str | None = None
    excerpt: tuple[str, ...] = ()
    traceback: str | None = None
    ref: str = "build"

    def as_error(self, package: str, log_path: str | None = None) -> InstallError:
        """Return the failure as an error for the user; *package* is the short form of the spec."""
        where = f" in phase '{self.phase}'" if self.phase else ""
        lines: list[str] = list(self.excerpt)
        if self.long_message and not lines:
            lines += self.long_message.splitlines()
        if self.recipe:
            lines.append(f"recipe: {self.recipe}")
        if log_path:
            lines.append(f"log: {log_path}")
        return InstallError(
            f"{package} failed{where}: {self.message}",
            "\n".join(lines) or None,
            facts={**asdict(self), "package": package, "log": log_path},
            hint=self.hint,
            ref=self.ref,
        )


@dataclass(frozen=True)
class BuildResult:
    """What came out.

    :param run_environment: ``EnvironmentModifications.to_json`` of what the installed package
        and its dependencies need at run time.
    :param environment: for the task :data:`ENVIRONMENT`, all variables of the build.
    :param messages: facts that the user should see.
    :param requirements: what the build backend needs beyond what the sources say (PEP 517).
    :param tests: for the task :data:`TEST`, each test and ``passed``, ``failed`` or ``skipped``.
    :param undeclared: packages whose modules the project's own code imports to build itself
        although its recipe does not depend on them, each as ``module package``.
    :param wheel: the wheel in the stage that may be kept, as ``key/name``; "" keeps none.
    :param protected: what held the build.
    :param processor: seconds of processors that the build took, all its processes together.
    :param memory: bytes of its largest process.
    :param unprotected: protections that this machine does not offer, with the reasons.
    """

    ok: bool
    failure: BuildFailure | None = None
    phases: tuple[PhaseTime, ...] = ()
    run_environment: tuple[Mapping[str, str], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    tests: tuple[tuple[str, str], ...] = ()
    undeclared: tuple[str, ...] = ()
    wheel: str = ""
    protected: tuple[str, ...] = ()
    unprotected: tuple[str, ...] = ()
    processor: float = 0.0
    memory: int = 0


#: Classes of the items of fields that hold records.
_RECORDS: Mapping[str, type[Any]] = {
    "repositories": RepositoryRow,
    "patches": PatchFile,
    "phases": PhaseTime,
}


def write(path: str, record: BuildJob | BuildResult) -> None:
    """Write *record* as JSON, all or nothing."""
    target = Path(path)
    staging = target.with_name(target.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        staging.unlink()
    staging.write_text(json.dumps(asdict(record)), encoding="utf-8")
    staging.replace(target)


def read(path: str, kind: type[T]) -> T:
    """Return the record of class *kind* that :func:`write` has written.

    :raises SpackError: the file is missing or holds something else.
    """
    try:
        data = parse_json(read_regular(path))
        return _from_data(data, kind)
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise SpackError(f"cannot read {kind.__name__} from {path}: {exc}") from exc


def _from_data(data: Mapping[str, Any], kind: type[T]) -> T:
    values: dict[str, Any] = {}
    for item in fields(kind):  # type: ignore[arg-type]  # kind is one of the dataclasses here
        if item.name not in data:
            continue
        value = data[item.name]
        record = _RECORDS.get(item.name)
        if record is not None:
            value = tuple(record(**row) for row in value)
        elif item.name == "failure" and value is not None:
            value = BuildFailure(**{**value, "excerpt": tuple(value["excerpt"])})
        elif item.name == "isolation" and value is not None:
            lists = {key: tuple(x) for key, x in value.items() if isinstance(x, list)}
            value = Isolation(**{**value, **lists})
        elif isinstance(value, list):
            value = tuple(value)
        values[item.name] = value
    return kind(**values)

"""Wheels of the index from the pool to prefixes, without a worker process.

What a wheel installs is known when it is unpacked, and nothing of it runs; so a node whose recipe
has no say at run time is linked from the pool, with its manifest. Every other one is installed by a
worker, as a build is: recipes with hooks, tests of the install, other permissions.
"""

from __future__ import annotations

import base64
import csv
import io
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from spack.actions.metadata_report import report_findings
from spack.actions.staging import pinned_of
from spack.actions.wheel_pool import PooledBytecode, PooledFile, PooledWheel, WheelPool
from spack.build.build_venv import LAYOUT_FILE, BaseInterpreter, interpreter_of
from spack.build.options import BuildOptions
from spack.build_systems._wheel import (
    WheelScheme,
    check_identity,
    entry_point_script,
    refused_wheels,
)
from spack.errors import InstallError
from spack.fetch.source import IndexSource, source_for
from spack.install.events import Fetching, InPhase
from spack.install.interfaces import BuildOutput, BuildRequest, NodeBuilder, NodeStage, Sources
from spack.install.plan import BUILD, Step
from spack.recipe.records import Recipe
from spack.recipe.wheel_offers import fits_layout, tags_of_layout
from spack.spec import RUN_TIME, ConcreteSpec, Spec
from spack.spec.wheel import ChosenWheel, wheel_of
from spack.store import METADATA, Manifest, ManifestEntry, Modes
from spack.store.prefix_manifest import DIRECTORY, FILE
from spack.util.directory_handle import read_regular
from spack.util.environment_modifications import EnvironmentModifications
from spack.util.file_clones import FileLinker
from spack.util.hashing import sha256_hex
from spack.util.json_input import parse_json
from spack.util.report import Reporter, Task
from spack.util.shebang import first_line

__all__ = ["LinkingBuilder", "PooledSources", "PooledStage"]

#: The permissions that files of the pool have.
_USUAL = Modes()

_SCRIPT_START = b"#!python"

#: Recipes whose hook at the run time of dependents is known: it puts their programs on PATH.
_FIND_PROGRAMS = frozenset(("venv.python-venv",))


@dataclass(frozen=True)
class PooledStage:
    """A wheel in the pool; there is nothing else to build from.

    :ivar path: of a stage, which is not made.
    """

    path: Path
    wheel: PooledWheel

    def destroy(self) -> None:
        """Do nothing: the pool stays."""


@dataclass(frozen=True)
class PooledSources:
    """Puts wheels that can be linked into the pool; all other sources are staged."""

    sources: Sources
    build_options: BuildOptions
    pool: WheelPool

    def stage(self, step: Step, task: Task, cancelled: Callable[[], bool]) -> NodeStage:
        """See :class:`spack.install.interfaces.Sources`."""
        wheel = wheel_of(step.spec)
        if wheel is not None and is_linked(step, self.build_options):
            task.phase(Fetching())
            try:
                pooled = self._pooled(step.spec, wheel, task, cancelled)
                return PooledStage(self.build_options.stage_path(step.spec), pooled)
            except OSError:
                pass  # a pool that cannot be written: installed by a worker
        return self.sources.stage(step, task, cancelled)

    def _pooled(
        self, spec: ConcreteSpec, wheel: ChosenWheel, task: Task, cancelled: Callable[[], bool]
    ) -> PooledWheel:
        def progress(done: int, total: int | None) -> None:
            if cancelled():
                raise InstallError("the fetch was cancelled", ref="install-cancelled")
            task.progress(done, total or 0)

        found = self.pool.find(wheel)
        expected = (wheel.filename.split("-")[0], str(spec.version))
        if found is None:
            recipe = self.build_options.recipe(spec)
            source = source_for(recipe, str(spec.version), pinned_of(spec))
            assert isinstance(source, IndexSource)
            archive = self.build_options.fetcher.fetch(source, progress)
            found = self.pool.add(wheel, archive, expected)
        with refused_wheels(wheel.filename):
            check_identity(found.metadata(), *expected)
        base = _external_interpreter(spec)
        if base is not None:
            # Now, since python-venv may still be built; its layout is that of its interpreter.
            self.pool.bytecode(found, base, _layout(base, "/", ""))
        return found


def is_linked(step: Step, build_options: BuildOptions) -> bool:
    """Return whether a node can be linked from the pool: its install runs nothing of its recipe."""
    spec = step.spec
    wheel = wheel_of(spec)
    name = spec.name
    if (
        wheel is None
        or step.kind != BUILD
        or step.tests
        or build_options.keep_source
        or name in build_options.until
        or not build_options.fetcher.options.checksum
        or build_options.modes(spec) != _USUAL
    ):
        return False
    recipe = build_options.recipe(spec)
    if "setup_run_environment" in recipe.hooks or _checks_files(recipe):
        return False
    below = [build_options.recipes.of_node(x) for x in spec.traverse(RUN_TIME, root=False)]
    return not any(
        x is None
        or ("setup_dependent_run_environment" in x.hooks and x.fullname not in _FIND_PROGRAMS)
        for x in below
    )


def _checks_files(recipe: Recipe) -> bool:
    return any(recipe.attributes.get(f"sanity_check_is_{kind}") for kind in ("file", "dir"))


@dataclass(frozen=True)
class LinkingBuilder:
    """Links what :class:`PooledSources` has put into the pool; all else is built."""

    builder: NodeBuilder
    build_options: BuildOptions
    pool: WheelPool
    reporter: Reporter

    def build(
        self,
        request: BuildRequest,
        task: Task,
        cancelled: threading.Event,
        started: Callable[[int], None],
    ) -> BuildOutput:
        """See :class:`spack.install.interfaces.NodeBuilder`."""
        stage = request.stage
        if not isinstance(stage, PooledStage):
            return self.builder.build(request, task, cancelled, started)
        from spack.actions import metadata  # start-up: not for an install with nothing to do

        task.phase(InPhase("install"))
        wheel = wheel_of(request.spec)
        assert wheel is not None
        base, tags = _interpreter(request)
        _check_version(request.spec, base)
        if tags and not fits_layout(wheel.filename, base.version, tags):
            raise InstallError(
                f"{wheel.filename} is not for {tags[0]} ({tags[1]})",
                facts={"wheel": wheel.filename, "tags": list(tags)},
                hint="concretize again: the interpreter has changed",
                ref="wheel-tags",
            )
        layout = _layout(base, str(request.prefix), _python_prefix(request))
        bytecode = self.pool.bytecode(stage.wheel, base, layout)
        entries = _LinkedInstall(layout).install(stage.wheel, bytecode)
        request.log.write_text(f"==> wheel of the index: {wheel.filename}\n", encoding="utf-8")
        report_findings(
            self.build_options,
            request,
            self.reporter,
            lambda s, r, f: metadata.installed_findings(s, r, f, request.prefix),
        )
        manifest = Manifest({path: entries[path] for path in sorted(entries)})
        programs = EnvironmentModifications()
        if layout.scripts in entries:
            programs.prepend_path("PATH", os.path.join(layout.prefix, layout.scripts))
        return BuildOutput(programs.to_json(), {"wheel": wheel.filename}, manifest=manifest)


def _external_interpreter(spec: ConcreteSpec) -> BaseInterpreter | None:
    """Return the interpreter of *spec* as the configuration of an external describes it."""
    for node in spec.traverse(RUN_TIME, root=False):
        if node.name == "python" and node.external is not None:
            layout = node.extra_attributes.get("layout")
            return None if layout is None else BaseInterpreter.from_json(layout)
    return None


def _python_node(spec: ConcreteSpec) -> ConcreteSpec:
    for name in ("python-venv", "python"):
        for edge in spec.edges:
            if edge.spec.name == name:
                return edge.spec
    raise InstallError(f"{spec.short} has no interpreter", ref="python-venv")


def _check_version(spec: ConcreteSpec, base: BaseInterpreter) -> None:
    """Check that the interpreter is the one that was concretized, for another machine maybe.

    :raises InstallError: it is of another version.
    """
    for edge in spec.edges:
        if edge.spec.name == "python" and not Spec.parse(f"python@{base.version}").satisfies(
            f"python@{edge.spec.version}"
        ):
            raise InstallError(
                f"{base.executable} is Python {base.version}, not {edge.spec.version}",
                facts={"executable": base.executable, "version": base.version},
                hint="concretize again, or install that interpreter where the lock file expects it",
                ref="wheel-python",
            )


def _python_prefix(request: BuildRequest) -> str:
    return str(request.prefixes[_python_node(request.spec).dag_hash()])


def _interpreter(request: BuildRequest) -> tuple[BaseInterpreter, tuple[str, ...]]:
    """Return the base interpreter and the tags of what it can import, as far as recorded.

    :raises InstallError: there is no virtual environment.
    """
    prefix = _python_prefix(request)
    try:
        record: Any = parse_json(read_regular(os.path.join(prefix, LAYOUT_FILE)))
        tags = tags_of_layout(record)
    except (OSError, ValueError, AttributeError):
        tags = ()
    return interpreter_of(prefix), tags


def _layout(base: BaseInterpreter, prefix: str, python_prefix: str) -> WheelScheme:
    """Return where the files of a wheel go, as for one that is built here."""
    major, minor = base.version.split(".")[:2]
    return WheelScheme(
        prefix=prefix,
        purelib=base.purelib,
        platlib=base.platlib,
        headers=f"include/site/python{major}.{minor}",
        interpreter=os.path.join(python_prefix, "bin", "python3"),
        old=(int(major), int(minor)) < (3, 9),
    )


class _LinkedInstall:
    """The files of one wheel in one prefix; what the prefix gets is in :attr:`entries`."""

    def __init__(self, layout: WheelScheme) -> None:
        self._layout = layout
        self._linker = FileLinker()
        self._folders: set[str] = {""}
        self.entries: dict[str, ManifestEntry] = {}

    def install(self, wheel: PooledWheel, bytecode: PooledBytecode) -> Mapping[str, ManifestEntry]:
        """Write everything; return what is in the prefix.

        :raises OSError: it cannot be written.
        :raises InstallError: two files of the wheel have one path.
        """
        locations = {
            scheme: _relative(path, self._layout.prefix)
            for scheme, path in self._layout.locations(wheel.distribution).items()
        }
        record = _RecordRows(locations, locations[wheel.scheme])
        for script in wheel.scripts:
            data = entry_point_script(self._layout, script.module, script.attr)
            entry = self._write(locations["scripts"] + script.name, data, _USUAL.program)
            record.add("scripts", script.name, entry)
        for file in wheel.files:
            record.add(file.scheme, file.path, self._put(wheel, file, locations[file.scheme]))
        for file in bytecode.files:
            self._link(bytecode.location(file), file, locations[file.scheme])
            record.add(file.scheme, file.path, None)
        text = record.text(wheel.record)
        self._write(locations[wheel.scheme] + wheel.record, text, _USUAL.file)
        return self.entries

    def _put(self, wheel: PooledWheel, file: PooledFile, location: str) -> ManifestEntry:
        """Link a file, or write a script with its interpreter."""
        source = wheel.location(file)
        if file.scheme == "scripts":
            data = Path(source).read_bytes()
            if data.startswith(_SCRIPT_START):
                data = first_line(self._layout.interpreter) + b"\n" + data.partition(b"\n")[2]
                return self._write(location + file.path, data, file.mode)
        return self._link(source, file, location)

    def _link(self, source: str, file: PooledFile, location: str) -> ManifestEntry:
        path = self._new(location + file.path)
        self._linker.link(source, os.path.join(self._layout.prefix, path), file.mode)
        return self._enter(path, ManifestEntry(FILE, file.mode, file.digest, file.size))

    def _write(self, path: str, data: bytes, mode: int) -> ManifestEntry:
        path = self._new(path)
        with open(os.path.join(self._layout.prefix, path), "xb") as stream:
            stream.write(data)
            os.fchmod(stream.fileno(), mode)
        return self._enter(path, ManifestEntry(FILE, mode, sha256_hex(data), len(data)))

    def _new(self, path: str) -> str:
        """Return the path of a new file, whose directory is made."""
        path = os.path.normpath(path)
        if path in self.entries or path.startswith(("..", f"{METADATA}/")):
            raise InstallError(f"the wheel has two files for {path}", ref="wheel-twice")
        self._make_folder(os.path.dirname(path))
        return path

    def _make_folder(self, path: str) -> None:
        if path in self._folders:
            return
        self._make_folder(os.path.dirname(path))
        self._folders.add(path)
        location = os.path.join(self._layout.prefix, path)
        os.mkdir(location)
        os.chmod(location, _USUAL.directory)  # whatever the umask says
        self._enter(path, ManifestEntry(DIRECTORY, _USUAL.directory, "", 0))

    def _enter(self, path: str, entry: ManifestEntry) -> ManifestEntry:
        self.entries[path] = entry
        return entry


def _relative(path: str, prefix: str) -> str:
    """Return a directory relative to the prefix as the start of paths in it."""
    relative = os.path.relpath(path, prefix)
    return "" if relative == "." else f"{relative}/"


class _RecordRows:
    """The rows of a ``RECORD``.

    :param locations: directories by scheme. :param root: the one that paths are relative to.
    """

    def __init__(self, locations: Mapping[str, str], root: str) -> None:
        self._starts = {
            scheme: _relative(os.path.join("/", path), os.path.join("/", root))
            for scheme, path in locations.items()
        }
        self._rows: list[tuple[str, str, str]] = []

    def add(self, scheme: str, path: str, entry: ManifestEntry | None) -> None:
        """Add a file; None for bytecode, of which no digest is recorded."""
        digest, size = "", ""
        if entry is not None:
            encoded = base64.urlsafe_b64encode(bytes.fromhex(entry.content))
            digest, size = f"sha256={encoded.rstrip(b'=').decode()}", str(entry.size)
        self._rows.append((self._starts[scheme] + path, digest, size))

    def text(self, record: str) -> bytes:
        """Return the file, in which *record* is its own path."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows(sorted([*self._rows, (record, "", "")]))
        return out.getvalue().encode()

"""What is wrong with this machine for building Python packages, and what mends it.

Each check is a row of :data:`CHECKS`. It changes nothing but temporary files, and yields findings:
what is well, what is worth knowing, and what is wrong, with the command that mends it.
"""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

from spack.build.isolation import namespace_trial
from spack.config.packages import ExternalEntry, PackageSettings
from spack.errors import SpackError
from spack.fetch.fetcher import Fetcher
from spack.fetch.index_names import without_secrets
from spack.fetch.stage import choose_root
from spack.fetch.tls import BUNDLES
from spack.fetch.transport_error import TransportError
from spack.host.distributions import install_command
from spack.host.interpreter import PythonLayout
from spack.util import landlock
from spack.util.helper_process import Runner
from spack.util.lock import FileLock

__all__ = ["CHECKS", "DoctorFinding", "Machine", "diagnose"]

OK, NOTE, WRONG = "ok", "note", "wrong"

_GIB = 1 << 30

#: Free space below which builds of usual packages fail, in bytes.
LEAST_SPACE = 2 * _GIB
#: Free files (inodes) likewise.
LEAST_FILES = 50_000
#: Seconds that clocks may differ before signatures, certificates and make go wrong.
LARGEST_SKEW = 120.0
#: A project that indexes have.
_PROBE_PROJECT = "packaging"


class DoctorFinding(NamedTuple):
    """One result; ``mend`` is the command, or what to do in words."""

    level: str
    text: str
    mend: str = ""


@dataclass(frozen=True)
class Machine:
    """What the checks look at.

    :param packages: configured and detected externals.
    :param system: ``debian12``.
    :param store: root of the install tree.
    :param stages: configured directories for builds.
    :param run: starts a program.
    """

    packages: Mapping[str, PackageSettings]
    system: str
    environ: Mapping[str, str]
    search_path: tuple[str, ...]
    store: Path
    stages: tuple[Path, ...]
    locks: bool
    fetcher: Fetcher
    run: Runner
    user: int

    def install(self, *things: str) -> str:
        """Return the command that installs *things*."""
        return install_command(self.system, *things, root=self.user == 0)

    def externals(self, name: str) -> tuple[ExternalEntry, ...]:
        """Return the externals of a package."""
        settings = self.packages.get(name)
        return settings.externals if settings is not None else ()

    def layouts(self) -> list[PythonLayout]:
        """Return the interpreters that packages can be built for."""
        found = (entry.extra_attributes.get("layout") for entry in self.externals("python"))
        return [PythonLayout.from_json(layout) for layout in found if layout]


def diagnose(machine: Machine, names: Iterable[str] = ()) -> Iterator[tuple[str, DoctorFinding]]:
    """Yield the findings of the checks, each with the name of its check.

    :param names: of the checks; all without any.
    """
    for name in names or CHECKS:
        try:
            for finding in CHECKS[name](machine):
                yield name, finding
        except SpackError as error:
            yield name, DoctorFinding(WRONG, error.message, error.hint or "")


# -- what builds need ---------------------------------------------------------------------------


def _interpreters(machine: Machine) -> Iterator[DoctorFinding]:
    layouts = machine.layouts()
    if not layouts:
        yield DoctorFinding(WRONG, "there is no Python to build for", machine.install("python"))
    for layout in layouts:
        yield DoctorFinding(OK, f"{layout.version} at {layout.executable}")


def _headers(machine: Machine) -> Iterator[DoctorFinding]:
    layouts = machine.layouts()
    without = [layout for layout in layouts if not layout.has_headers]
    for layout in layouts:
        if layout.has_headers:
            yield DoctorFinding(OK, f"{layout.include_dir}/Python.h of {layout.version}")
    for layout in without:
        level = WRONG if len(without) == len(layouts) else NOTE
        text = f"no Python.h of {layout.executable}: extensions in C cannot be built for it"
        yield DoctorFinding(level, text, machine.install("headers"))


def _compilers(machine: Machine) -> Iterator[DoctorFinding]:
    found: dict[str, str] = {}
    for name in ("gcc", "llvm", "intel-oneapi-compilers", "aocc", "nvhpc"):
        for entry in machine.externals(name):
            for language, path in entry.extra_attributes.get("compilers", {}).items():
                found.setdefault(language, path)
    for language, needed in (("c", True), ("cxx", True), ("fortran", False)):
        if language in found:
            yield DoctorFinding(OK, f"{language}: {found[language]}")
        elif needed:
            yield DoctorFinding(WRONG, f"no compiler of {language}", machine.install("c", "cxx"))
    if "c" in found:
        yield from _compiled(machine, found["c"])


def _compiled(machine: Machine, compiler: str) -> Iterator[DoctorFinding]:
    """Compile an extension, which needs the C library's headers and a linker as well."""
    layout = next((layout for layout in machine.layouts() if layout.has_headers), None)
    includes = [f"-I{path}" for path in layout.include_dirs] if layout is not None else []
    head = "#include <Python.h>" if layout is not None else "#include <stdio.h>"
    with tempfile.TemporaryDirectory(prefix="spack-doctor-") as directory:
        source = Path(directory, "probe.c")
        source.write_text(f"{head}\nint probe(void) {{ return 0; }}\n", encoding="ascii")
        words = [
            compiler,
            "-shared",
            "-fPIC",
            *includes,
            str(source),
            "-o",
            f"{directory}/probe.so",
        ]
        done = machine.run(words)
    if done.ok:
        yield DoctorFinding(OK, "an extension module compiles")
        return
    reason = next((x for x in done.stderr.splitlines() if "error" in x), done.stderr.strip()[:200])
    yield DoctorFinding(
        WRONG, f"{compiler} cannot compile: {reason}", machine.install("c", "headers")
    )


def _programs(machine: Machine) -> Iterator[DoctorFinding]:
    path = os.pathsep.join(machine.search_path)
    for name, why in (
        ("git", "sources and recipes from git"),
        ("make", "packages with a Makefile"),
    ):
        found = shutil.which(name, path=path)
        if found:
            yield DoctorFinding(OK, found)
        else:
            yield DoctorFinding(NOTE, f"no {name}, which is for {why}", machine.install(name))


# -- the network --------------------------------------------------------------------------------

#: Variables that name certificates.
_CERTIFICATES = (
    "PIP_CERT",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)


def _certificates(machine: Machine) -> Iterator[DoctorFinding]:
    named = [name for name in _CERTIFICATES if machine.environ.get(name)]
    for name in named:
        path = os.path.expanduser(machine.environ[name])
        if not os.path.exists(path):
            yield DoctorFinding(
                WRONG, f"{name} names {path}, which does not exist", f"unset {name}"
            )
    paths = ssl.get_default_verify_paths()
    system = [x for x in (paths.cafile, paths.capath, *BUNDLES) if x and os.path.exists(x)]
    if system:
        yield DoctorFinding(OK, system[0])
    elif not named:
        yield DoctorFinding(
            WRONG, "no certificates: https cannot be trusted", machine.install("certificates")
        )


def _index(machine: Machine) -> Iterator[DoctorFinding]:
    index, _ = machine.fetcher.connect()
    begin = time.monotonic()
    links = index.links(_PROBE_PROJECT)
    seconds = time.monotonic() - begin
    for location, error in index.failures.items():
        yield DoctorFinding(WRONG, f"{location}: {error.message}", error.hint or _INDEX_HINT)
    asked = ", ".join(map(without_secrets, (*index.find_links, *index.index_urls)))
    if links:
        yield DoctorFinding(OK, f"{asked} answers in {seconds:.1f} s")
    elif not index.failures:
        text = f"{asked or 'no index is configured, which'} has no {_PROBE_PROJECT}"
        yield DoctorFinding(NOTE, text, _INDEX_HINT)


_INDEX_HINT = "name an index: `pip config set global.index-url URL`, or PIP_INDEX_URL"


def _clock(machine: Machine) -> Iterator[DoctorFinding]:
    index, transport = machine.fetcher.connect()
    for url in index.index_urls[:1]:
        try:
            answer = transport.open(url, {})
            answer.close()
        except TransportError:
            continue  # the index is another check
        date = answer.headers.get("date")
        if date:
            yield _skew("the package index", parsedate_to_datetime(date).timestamp())
    with tempfile.NamedTemporaryFile(dir=_existing(machine.store)) as file:
        yield _skew(f"the file system of {machine.store}", os.fstat(file.fileno()).st_mtime)


def _skew(what: str, seconds: float) -> DoctorFinding:
    skew = seconds - time.time()
    if abs(skew) <= LARGEST_SKEW:
        return DoctorFinding(OK, f"{what} has the same time")
    side = "ahead" if skew > 0 else "behind"
    text = f"{what} is {abs(skew):.0f} s {side}: certificates and make go by the time"
    return DoctorFinding(WRONG, text, "set the clock: `sudo timedatectl set-ntp true`")


# -- directories --------------------------------------------------------------------------------


def _existing(path: Path) -> Path:
    """Return *path*, or the nearest directory above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _stage(machine: Machine) -> Path:
    return choose_root(machine.stages, machine.user)


def _directories(machine: Machine) -> Iterator[DoctorFinding]:
    """Look at the install tree and the stages: writable, programs may run, names, links."""
    stage = _stage(machine)
    for what, path, key in (
        ("the install tree", machine.store, "config:install_tree:root"),
        ("the stages", stage, "config:build_stage"),
    ):
        mend = f"spack config add {key}:DIRECTORY"
        folder = _existing(path)
        if not os.access(folder, os.W_OK | os.X_OK):
            yield DoctorFinding(WRONG, f"{what}: {folder} is not writable", mend)
            continue
        problems = list(_problems(folder, machine.run))
        for text in problems:
            yield DoctorFinding(WRONG, f"{what}: {folder} {text}", mend)
        if not problems:
            yield DoctorFinding(OK, f"{what}: {path}")


def _problems(folder: Path, run: Runner) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".spack-doctor-") as name:
        directory = Path(name)
        script = directory / "script"
        script.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
        script.chmod(0o755)
        if not run([str(script)]).ok:
            yield "does not let programs run (mounted noexec?)"
        if (directory / "SCRIPT").exists():
            yield "does not distinguish upper and lower case"
        for what, make in (("symbolic", os.symlink), ("hard", os.link)):
            try:
                make(script, directory / what)
            except OSError:
                yield f"has no {what} links"


def _locks(machine: Machine) -> Iterator[DoctorFinding]:
    if not machine.locks:
        yield DoctorFinding(NOTE, "locks are switched off (config:locks): run one spack at a time")
        return
    folder = _existing(machine.store)
    if not os.access(folder, os.W_OK | os.X_OK):
        return  # the directories are another check
    with tempfile.TemporaryDirectory(dir=folder, prefix=".spack-doctor-") as name:
        try:
            with FileLock(Path(name, "lock"), timeout=5).exclusive():
                yield DoctorFinding(OK, f"files in {folder} can be locked")
        except (OSError, SpackError) as error:
            yield DoctorFinding(
                WRONG,
                f"files in {folder} cannot be locked: {error}",
                "spack config add config:install_tree:root:DIRECTORY (a local file system), or, "
                "for one spack at a time, spack config add config:locks:false",
            )


def _disk(machine: Machine) -> Iterator[DoctorFinding]:
    stage = _stage(machine)
    seen = set()
    for what, path in (("the install tree", machine.store), ("the stages", stage)):
        folder = _existing(path)
        device = folder.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        state = os.statvfs(folder)
        free, files = state.f_bavail * state.f_frsize, state.f_favail
        text = f"{free / _GIB:.1f} GiB free for {what} ({folder})"
        few = state.f_files > 0 and files < LEAST_FILES
        if free < LEAST_SPACE or few:
            text += f", {files} files" if few else ""
            yield DoctorFinding(WRONG, text, "spack clean --all; spack gc")
        else:
            yield DoctorFinding(OK, text)


# -- the environment ----------------------------------------------------------------------------

#: Variables that change what programs do, and what they do to this one or to views.
_HARMFUL: Mapping[str, str] = {
    "PYTHONHOME": "every Python looks for its library there",
    "PYTHONPATH": "its modules come before those of views",
    "PYTHONSTARTUP": "its code runs in every interactive Python of a view",
    "PYTHONUSERBASE": "user packages are looked for there",
    "PYTHONDONTWRITEBYTECODE": "Python is slower without bytecode",
    "LD_LIBRARY_PATH": "its libraries come before those that packages were built with",
    "LD_PRELOAD": "it is loaded into every program",
    "PIP_REQUIRE_VIRTUALENV": "pip refuses to run in builds with --dirty",
    "PIP_TARGET": "pip installs there instead of into views",
    "PIP_PREFIX": "pip installs there instead of into views",
    "PIP_USER": "pip installs into the home directory instead of into views",
    "CONDA_PREFIX": "an active conda environment: its programs come first",
}

#: Those that make this program, or what it makes, fail rather than differ.
_FATAL = frozenset(("PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "LD_PRELOAD"))


def _variables(machine: Machine) -> Iterator[DoctorFinding]:
    problems = [name for name in _HARMFUL if machine.environ.get(name)]
    for name in problems:
        level = WRONG if name in _FATAL else NOTE
        yield DoctorFinding(level, f"{name} is set: {_HARMFUL[name]}", f"unset {name}")
    temporary = machine.environ.get("TMPDIR")
    if temporary and not (os.path.isdir(temporary) and os.access(temporary, os.W_OK)):
        yield DoctorFinding(
            WRONG, f"TMPDIR is {temporary}, which cannot be written", "unset TMPDIR"
        )
        problems.append("TMPDIR")
    relative = [x for x in machine.environ.get("PATH", "").split(os.pathsep) if x[:1] != "/"]
    if relative:
        text = "PATH has the current directory, or one relative to it"
        yield DoctorFinding(NOTE, text, "let PATH have absolute directories only")
        problems.append("PATH")
    if not problems:
        yield DoctorFinding(OK, "no variable is in the way")


#: Settings of the kernel that keep users from namespaces: the value that does, and the remedy.
_NAMESPACE_SETTINGS = {
    "kernel/unprivileged_userns_clone": ("0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    "kernel/apparmor_restrict_unprivileged_userns": (
        "1", "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "user/max_user_namespaces": ("0", "sudo sysctl user.max_user_namespaces=10000"),
}  # fmt: skip


def _isolation(machine: Machine) -> Iterator[DoctorFinding]:
    done = machine.run(namespace_trial(sys.executable))
    if done.ok:
        yield DoctorFinding(OK, "builds have namespaces of their own")
    else:
        reason = done.stdout.strip() or "the trial failed"
        text = f"no namespaces for builds ({reason}): they see the network and other files"
        yield DoctorFinding(NOTE, text, _namespace_remedy())
    if landlock.is_available():
        yield DoctorFinding(OK, f"Landlock {landlock.version()}")
    else:
        yield DoctorFinding(NOTE, "no Landlock: it is in Linux from 5.13 on, with lsm=landlock")


def _namespace_remedy() -> str:
    """Return the command that lets users have namespaces; empty if no setting forbids it."""
    for name, (forbids, remedy) in _NAMESPACE_SETTINGS.items():
        try:
            if Path("/proc/sys", name).read_text().strip() == forbids:
                return remedy
        except OSError:
            continue
    return ""


def _permissions(machine: Machine) -> Iterator[DoctorFinding]:
    folder = _existing(machine.store)
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        yield DoctorFinding(WRONG, f"every user can write to {folder}", f"chmod o-w {folder}")
    else:
        yield DoctorFinding(OK, f"{folder} is protected from other users")


#: Check -> what finds out.
CHECKS: Mapping[str, Callable[[Machine], Iterator[DoctorFinding]]] = {
    "python": _interpreters,
    "headers": _headers,
    "compilers": _compilers,
    "programs": _programs,
    "certificates": _certificates,
    "index": _index,
    "clock": _clock,
    "directories": _directories,
    "permissions": _permissions,
    "locks": _locks,
    "disk": _disk,
    "variables": _variables,
    "isolation": _isolation,
}

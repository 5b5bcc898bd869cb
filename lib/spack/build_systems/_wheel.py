"""Installing wheels (PEP 427) into a prefix, by an explicit scheme and without pip.

What is written is what pip writes, but for the bytecode: it belongs to modules only, is bound to
the source by an unchecked hash (PEP 552), and names no path of the machine.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import (
    Any,
    BinaryIO,
    Callable,
    NamedTuple,
)

from spack.errors import InstallError
from spack.fetch.extraction_target import USUAL, name_parts
from spack.util.project_names import normalized
from spack.util.shebang import first_line

__all__ = [
    "Compiler",
    "WheelScheme",
    "check_identity",
    "compiler",
    "entry_point_script",
    "install_wheel",
    "refused_wheels",
    "transfer_wheel",
]

_COMPILER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_compile_process.py")

#: A console script, as pip writes it.
_SCRIPT = """
import sys
from {module} import {name}
if __name__ == '__main__':
    {first}
    sys.exit({function}())
"""

#: What takes away the suffix of a launcher of another system; texts have that since Python 3.9.
_FIRST = (
    "sys.argv[0] = sys.argv[0].removesuffix('.exe')",
    "sys.argv[0] = sys.argv[0][:-4] if sys.argv[0].endswith('.exe') else sys.argv[0]",
)

#: Beside the files of the wheel, in ``.dist-info`` (PEP 376, PEP 627).
_METADATA = {"INSTALLER": b"spack\n", "REQUESTED": b""}

#: Beside them, for what was not installed from an index (PEP 610).
DIRECT_URL = "direct_url.json"


_NAME = re.compile(r"^Name:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_VERSION = re.compile(r"^Version:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)


class WheelScheme(NamedTuple):
    """Where the files of a wheel go.

    :ivar prefix: of the package.
    :ivar purelib: relative to the prefix, as are *platlib*, *scripts*, *headers* (below which
        each distribution has its directory) and *data*.
    :ivar interpreter: runs the scripts, after the build too.
    :ivar old: it is older than 3.9.
    """

    prefix: str
    purelib: str
    platlib: str
    headers: str
    interpreter: str
    scripts: str = "bin"
    data: str = "."
    old: bool = False

    def locations(self, distribution: str) -> Mapping[str, str]:
        """Return absolute directories by the names that wheels have for them."""
        rows = {
            "purelib": self.purelib,
            "platlib": self.platlib,
            "headers": os.path.join(self.headers, distribution),
            "scripts": self.scripts,
            "data": self.data,
        }
        return {key: os.path.normpath(os.path.join(self.prefix, row)) for key, row in rows.items()}


class Compiler:
    """A process that compiles modules, see :func:`compiler`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def compile(self, prefix: str, modules: Iterable[str]) -> None:
        """Write the bytecode of *modules*, each below *prefix*; can be done once.

        :raises InstallError: the interpreter failed.
        """
        self.run(f"{path}\0{os.path.relpath(path, prefix)}" for path in sorted(modules))

    def run(self, lines: Iterable[str]) -> None:
        """Do what *lines* say, as ``_compile_process`` reads them; can be done once.

        :raises InstallError: the interpreter failed.
        """
        self._process.communicate("\n".join(lines).encode("utf-8", "surrogateescape"))
        if self._process.returncode != 0:
            raise InstallError(
                f"the modules cannot be compiled (status {self._process.returncode})",
                hint="does the interpreter run? its output is in the log",
                ref="wheel-compile",
            )


@contextlib.contextmanager
def compiler(python: str) -> Iterator[Compiler]:
    """Start an interpreter that compiles modules while the wheel is being made.

    Not the worker's own interpreter, nor one in which a backend has left its traces: what
    marshal writes depends on the process.
    """
    process = subprocess.Popen(
        [python, "-s", "-S", _COMPILER],
        stdin=subprocess.PIPE,
        cwd="/",
        env={"PYTHONHASHSEED": "0"},  # before 3.11 the order of sets in bytecode
    )
    with process:
        yield Compiler(process)


class _Written(NamedTuple):
    """A row of RECORD: what ``installer`` passes on from here to there."""

    path: str
    digest: str
    size: str


class _Destination:
    """Receives the files of a wheel (``installer.destinations.WheelDestination``)."""

    def __init__(self, layout: WheelScheme, distribution: str, compiler: Compiler) -> None:
        self.layout = layout
        self.compiler = compiler
        self.locations = layout.locations(distribution)
        self.modules: list[str] = []
        self.made: set[str] = set()

    def write_script(self, name: str, module: str, attr: str, section: str) -> _Written:
        """Write the script of an entry point."""
        return self._write("scripts", name, entry_point_script(self.layout, module, attr), True)

    def write_file(self, scheme: str, path: Any, stream: BinaryIO, is_executable: bool) -> _Written:
        """Write a file of the wheel; scripts get their interpreter."""
        data = stream.read()
        if scheme == "scripts" and data.startswith(b"#!python"):
            data = first_line(self.layout.interpreter) + b"\n" + data.partition(b"\n")[2]
        return self._write(scheme, os.fspath(path), data, is_executable)

    def _write(self, scheme: str, path: str, data: bytes, executable: bool) -> _Written:
        location = self.locations[scheme]
        target = os.path.normpath(os.path.join(location, path))
        if not target.startswith(location + os.sep):
            raise InstallError(
                f"the wheel has a file outside of its directories: {path}", ref="wheel-traversal"
            )
        directory = os.path.dirname(target)
        if directory not in self.made:
            os.makedirs(directory, exist_ok=True)
            self.made.add(directory)
        try:
            with open(target, "xb") as stream:
                stream.write(data)
                os.fchmod(stream.fileno(), 0o755 if executable else 0o644)
        except FileExistsError:
            raise InstallError(
                f"the wheel has two files for {os.path.relpath(target, self.layout.prefix)}",
                ref="wheel-twice",
            ) from None
        if scheme in ("purelib", "platlib") and path.endswith(".py"):
            self.modules.append(target)
        return _Written(path, f"sha256={_digest(data)}", str(len(data)))

    def finalize_installation(
        self, scheme: str, record_file_path: str, records: Iterable[tuple[str, Any]]
    ) -> None:
        """Write the bytecode, then RECORD, sorted."""
        root = self.locations[scheme]
        rows: dict[str, tuple[str, str]] = {}
        for of, row in records:
            path = os.path.relpath(os.path.join(self.locations[of], row.path), root)
            rows[path] = (row.digest, row.size) if isinstance(row, _Written) else ("", "")
        for path in self._compile():
            rows[os.path.relpath(path, root)] = ("", "")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows((path, *rest) for path, rest in sorted(rows.items()))
        self._write(scheme, record_file_path, text.getvalue().encode(), False)

    def _compile(self) -> list[str]:
        """Compile the modules; the paths of the bytecode."""
        if not self.modules:
            return []
        self.compiler.compile(self.layout.prefix, self.modules)
        caches = sorted(
            {os.path.join(os.path.dirname(path), "__pycache__") for path in self.modules}
        )
        return [
            os.path.join(cache, name)
            for cache in caches
            if os.path.isdir(cache)
            for name in sorted(os.listdir(cache))
        ]


def install_wheel(
    path: str,
    layout: WheelScheme,
    compiler: Compiler,
    verify: bool = False,
    direct_url: bytes | None = None,
    expected: tuple[str, str] | None = None,
) -> None:
    """Install the wheel at *path*.

    :param compiler: of an interpreter of the kind that the layout is for.
    :param verify: compare its files with its RECORD first; for wheels from elsewhere.
    :param direct_url: content of the file of that name (PEP 610), for editable installs.
    :param expected: the project and version that its metadata must have.
    :raises InstallError: it is not a wheel, its RECORD is wrong, or it has files for other schemes.
    """

    def destination(distribution: str) -> Any:
        return _Destination(layout, distribution, compiler)

    transfer_wheel(path, destination, verify=verify, direct_url=direct_url, expected=expected)


def entry_point_script(layout: WheelScheme, module: str, attr: str) -> bytes:
    """Return the script of an entry point."""
    text = _SCRIPT.format(
        module=module, name=attr.partition(".")[0], function=attr, first=_FIRST[layout.old]
    )
    return first_line(layout.interpreter) + text.encode()


def transfer_wheel(
    path: str,
    destination_of: Callable[[str], Any],
    *,
    verify: bool,
    direct_url: bytes | None = None,
    expected: tuple[str, str] | None = None,
    name: str = "",
) -> None:
    """Give the files of the wheel at *path* to a destination of ``installer``.

    :param destination_of: makes it for the name of a distribution.
    :param verify: see :func:`install_wheel`, as of the further parameters.
    :param name: of the wheel, where its file is called otherwise.
    :raises InstallError: it is not a wheel, its RECORD is wrong, or it has files for other schemes.
    """
    # start-up: only builds install wheels
    import zipfile

    from installer import install
    from installer.sources import WheelFile

    name = name or os.path.basename(path)
    with refused_wheels(name), zipfile.ZipFile(path) as archive:
        archive.filename = name
        source = WheelFile(archive)
        if verify:
            _examine(archive, os.path.getsize(path))
            _verify(archive, source.dist_info_dir)
        text = source.read_dist_info("METADATA")
        if expected is not None:
            check_identity(text, *expected)
        match = _NAME.search(text)
        destination = destination_of(match[1] if match else source.distribution)
        metadata = _METADATA if direct_url is None else {**_METADATA, DIRECT_URL: direct_url}
        install(source, destination, metadata)


@contextlib.contextmanager
def refused_wheels(name: str) -> Iterator[None]:
    """Turn what is wrong with the wheel *name* into an error for the user.

    :raises InstallError: in the block an error was raised that a broken wheel leads to.
    """
    import zipfile  # start-up: only builds install wheels

    from installer.exceptions import InstallerError

    try:
        yield
    except (InstallerError, ValueError, KeyError, AssertionError, zipfile.BadZipFile) as exc:
        raise InstallError(
            f"{name} cannot be installed: {exc}",
            hint="the wheel is broken, or its name is not as PEP 427 wants it",
            ref="wheel",
        ) from exc


def check_identity(metadata: str, project: str, version: str) -> None:
    """Check that the metadata of a wheel is that of *project* at *version*.

    :raises ValueError: it is not.
    """
    from packaging.utils import canonicalize_version  # start-up: only builds install wheels

    name, found = _NAME.search(metadata), _VERSION.search(metadata)
    if name is None or normalized(name[1]) != normalized(project):
        raise ValueError(f"its metadata is of {name[1] if name else 'no project'}, not {project}")
    if found is None or canonicalize_version(found[1]) != canonicalize_version(version):
        raise ValueError(
            f"its metadata is of version {found[1] if found else 'none'}, not {version}"
        )


def _examine(archive: Any, size: int) -> None:
    """Check the names and sizes as :mod:`spack.fetch.extract` does, before anything is read.

    :raises ValueError: a name leads out of its directory or is hostile otherwise, or the wheel
        unpacks to far more than its size.
    """
    for name in archive.namelist():
        name_parts(name)
    if sum(entry.file_size for entry in archive.infolist()) > USUAL.bytes_for(size):
        raise ValueError("it unpacks to far more than its size")


def _verify(archive: Any, info: str) -> None:
    """Compare the files of a wheel with its RECORD; a row without a digest says nothing.

    :raises ValueError: a digest is wrong, or a file is in one of the two only.
    """
    text = archive.read(f"{info}/RECORD").decode("utf-8")
    recorded = {row[0]: row[1] for row in csv.reader(io.StringIO(text)) if row}
    unsigned = {f"{info}/RECORD.{suffix}" for suffix in ("jws", "p7s")}
    files = {name for name in archive.namelist() if not name.endswith("/")} - unsigned
    odd = sorted(files ^ set(recorded))
    if odd:
        where = "not in RECORD" if odd[0] in files else "only in RECORD"
        raise ValueError(f"{odd[0]} is {where}")
    for name, said in recorded.items():
        kind, _, value = said.partition("=")
        if said and _digest(archive.read(name), kind) != value:
            raise ValueError(f"{name} is not what RECORD says")


def _digest(data: bytes, kind: str = "sha256") -> str:
    digest = hashlib.new(kind, data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

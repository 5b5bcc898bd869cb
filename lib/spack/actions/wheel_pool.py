"""Wheels of the index, each unpacked once: a pool by digest, from which prefixes are linked.

Layout::

    <root>/<first two>/<sha256>/contents.json
    <root>/<first two>/<sha256>/files/<scheme>/<path>
    <root>/<first two>/<sha256>/bytecode/<key>/contents.json
    <root>/<first two>/<sha256>/bytecode/<key>/<scheme>/<path>

What a directory has is written beside it when it is complete, and it gets its name by ``rename``.
Files are read-only, as in an install tree, and their sizes, modes and times are compared before
they are used: what was changed is unpacked again. An entry of another user is not used, since that
user could change what is linked from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Callable, NamedTuple

from spack.build.build_venv import BaseInterpreter
from spack.build_systems._wheel import WheelScheme, compiler, transfer_wheel
from spack.errors import InstallError
from spack.spec.wheel import ChosenWheel
from spack.util.filesystem import atomic_write, hash_file, remove_tree
from spack.util.frozen import frozen
from spack.util.helper_process import available_cores

__all__ = ["PooledFile", "PooledScript", "PooledWheel", "WheelPool"]

_CONTENTS = "contents.json"
_FORMAT = 1

_FILE_MODE, _PROGRAM_MODE = 0o444, 0o555


class PooledFile(NamedTuple):
    """One file of the pool.

    :ivar scheme: the wheel's name of the directory that it belongs in. :ivar path: below that.
    :ivar mode: of a read-only file. :ivar digest: hex sha256. :ivar modified: in ns.
    """

    scheme: str
    path: str
    mode: int
    digest: str
    size: int
    modified: int


class PooledScript(NamedTuple):
    """An entry point that a script is made of."""

    name: str
    module: str
    attr: str


@frozen
class PooledWheel:
    """An unpacked wheel.

    :ivar path: its directory in the pool. :ivar distribution: as its metadata spell it.
    :ivar scheme: where its modules go, ``purelib`` or ``platlib``. :ivar record: path of its
        RECORD there; the file is written when the wheel is installed.
    """

    path: Path
    distribution: str
    scheme: str
    record: str
    files: Sequence[PooledFile]
    scripts: Sequence[PooledScript]

    @classmethod
    def from_json(cls, path: Path, data: Mapping[str, Any]) -> PooledWheel:
        """Return what a destination has noted. :raises KeyError, TypeError: it is malformed."""
        return cls(
            path=path,
            distribution=data["distribution"],
            scheme=data["scheme"],
            record=data["record"],
            files=[PooledFile(*row) for row in data["files"]],
            scripts=[PooledScript(*row) for row in data["scripts"]],
        )

    def location(self, file: PooledFile) -> str:
        """Return the path of *file* in the pool."""
        return os.path.join(self.path, "files", file.scheme, file.path)

    def metadata(self) -> str:
        """Return the text of its METADATA. :raises OSError: it cannot be read."""
        folder = os.path.dirname(self.record)
        path = self.path / "files" / self.scheme / folder / "METADATA"
        return path.read_text(encoding="utf-8", errors="replace")


@frozen
class PooledBytecode:
    """The bytecode of an unpacked wheel for one interpreter and its layout."""

    path: Path
    files: Sequence[PooledFile]

    def location(self, file: PooledFile) -> str:
        """Return the path of *file* in the pool."""
        return os.path.join(self.path, file.scheme, file.path)


class WheelPool:
    """The pool of one user.

    :param root: its directory, which may be missing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._compilers = threading.BoundedSemaphore(max(1, available_cores()))

    def find(self, wheel: ChosenWheel) -> PooledWheel | None:
        """Return the unpacked *wheel* if it is there and intact."""
        path = self._path(wheel)
        data = _contents(path)
        if data is None:
            return None
        try:
            found = PooledWheel.from_json(path, data)
        except (KeyError, TypeError):
            return None
        return found if _is_intact(found.files, found.location) else None

    def add(self, wheel: ChosenWheel, archive: Path, expected: tuple[str, str]) -> PooledWheel:
        """Unpack the verified file *archive* and return it.

        :param expected: see :func:`spack.build_systems._wheel.install_wheel`.
        :raises InstallError: it is not a wheel, or not the expected one.
        :raises OSError: the pool cannot be written.
        """
        target = self._path(wheel)
        with self._new(target) as path:
            destination = _PoolDestination(path / "files")

            def destination_of(distribution: str) -> _PoolDestination:
                destination.distribution = distribution
                return destination

            transfer_wheel(
                str(archive),
                destination_of,
                verify=True,
                expected=expected,
                name=wheel.filename,
            )
            data = destination.to_json()
            _write_contents(path, data)
        return PooledWheel.from_json(target, data)

    def bytecode(
        self, wheel: PooledWheel, python: BaseInterpreter, layout: WheelScheme
    ) -> PooledBytecode:
        """Return the bytecode of *wheel*, compiled now if it is not there.

        :param layout: any prefix will do: bytecode names paths below it only.
        :raises InstallError: the interpreter failed.
        :raises OSError: the pool cannot be written.
        """
        shown = {
            scheme: os.path.relpath(path, layout.prefix)
            for scheme, path in layout.locations(wheel.distribution).items()
        }
        parts = [_FORMAT, python.executable, python.version, shown["purelib"], shown["platlib"]]
        key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
        target = wheel.path / "bytecode" / key
        found = _bytecode_at(target)
        if found is not None:
            return found
        modules = [
            file
            for file in wheel.files
            if file.scheme in ("purelib", "platlib") and file.path.endswith(".py")
        ]
        with self._new(target) as path:
            if modules:
                self._compile(wheel, python, modules, shown=shown, target=path)
            files = list(_scanned(path))
            _write_contents(path, {"files": files})
        return PooledBytecode(target, files)

    def _compile(
        self,
        wheel: PooledWheel,
        python: BaseInterpreter,
        modules: Iterable[PooledFile],
        shown: dict[str, str],
        target: Path,
    ) -> None:
        lines = []
        for file in sorted(modules, key=lambda file: os.path.join(shown[file.scheme], file.path)):
            folder = os.path.join(target, file.scheme, os.path.dirname(file.path), "__pycache__")
            name = os.path.join(shown[file.scheme], file.path)
            lines.append("\0".join((wheel.location(file), name, folder)))
        with self._compilers, compiler(python.executable) as process:
            process.run(lines)

    def _path(self, wheel: ChosenWheel) -> Path:
        return self._root / wheel.sha256[:2] / wheel.sha256

    @contextlib.contextmanager
    def _new(self, target: Path) -> Iterator[Path]:
        """Yield a directory that becomes *target*, in place of what is there.

        :raises OSError: the pool cannot be written.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            yield path
            os.chmod(path, 0o755)
            if target.exists():
                os.rename(target, tempfile.mkdtemp(prefix=".old-", dir=target.parent))
            with contextlib.suppress(OSError):  # another process was first
                os.rename(path, target)
        finally:
            for rest in (path, *target.parent.glob(".old-*")):
                with contextlib.suppress(OSError):
                    remove_tree(rest)


class _PoolDestination:
    """Receives the files of a wheel (``installer.destinations.WheelDestination``)."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._made: set[str] = set()
        self.distribution = ""
        self.scheme = ""
        self.record = ""
        self.files: list[PooledFile] = []
        self.scripts: list[PooledScript] = []

    def write_script(self, name: str, module: str, attr: str, section: str) -> None:
        """Note an entry point: its script names the interpreter of an install."""
        self.scripts.append(PooledScript(name, module, attr))

    def write_file(self, scheme: str, path: Any, stream: BinaryIO, is_executable: bool) -> None:
        """Write a file of the wheel."""
        name = os.path.normpath(os.fspath(path))
        if name.startswith(("/", "..")):
            raise InstallError(
                f"the wheel has a file outside of its directories: {path}", ref="wheel-traversal"
            )
        target = os.path.join(self._root, scheme, name)
        directory = os.path.dirname(target)
        if directory not in self._made:
            os.makedirs(directory, exist_ok=True)
            self._made.add(directory)
        data = stream.read()
        mode = _PROGRAM_MODE if is_executable else _FILE_MODE
        try:
            with open(target, "xb") as out:
                out.write(data)
                os.fchmod(out.fileno(), mode)
        except FileExistsError:
            raise InstallError(f"the wheel has two files for {name}", ref="wheel-twice") from None
        info = os.stat(target)
        digest = hashlib.sha256(data).hexdigest()
        row = PooledFile(scheme, name, mode, digest, size=len(data), modified=info.st_mtime_ns)
        self.files.append(row)

    def finalize_installation(self, scheme: str, record_file_path: str, records: Any) -> None:
        """Note where RECORD belongs."""
        self.scheme, self.record = scheme, record_file_path

    def to_json(self) -> Mapping[str, Any]:
        """Return plain data for :meth:`PooledWheel.from_json`."""
        return {
            "distribution": self.distribution,
            "scheme": self.scheme,
            "record": self.record,
            "files": self.files,
            "scripts": self.scripts,
        }


def _scanned(root: Path) -> Iterator[PooledFile]:
    """Yield the files below *root*, one directory a scheme, and make them read-only."""
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            os.chmod(path, _FILE_MODE)
            info = os.stat(path)
            scheme, _, rest = os.path.relpath(path, root).partition(os.sep)
            digest = hash_file(path)
            size, modified = info.st_size, info.st_mtime_ns
            yield PooledFile(scheme, rest, _FILE_MODE, digest, size=size, modified=modified)


def _write_contents(path: Path, data: Mapping[str, Any]) -> None:
    atomic_write(path / _CONTENTS, json.dumps({"format": _FORMAT, **data}, separators=(",", ":")))


def _contents(path: Path) -> dict[str, Any] | None:
    """Return what a directory of the pool has, if it is complete and this user's."""
    try:
        with open(path / _CONTENTS, "rb") as stream:
            if os.fstat(stream.fileno()).st_uid != os.geteuid():
                return None
            data = json.load(stream)
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and data.get("format") == _FORMAT else None


def _bytecode_at(path: Path) -> PooledBytecode | None:
    data = _contents(path)
    try:
        found = PooledBytecode(path, [PooledFile(*row) for row in (data or {})["files"]])
    except (KeyError, TypeError):
        return None
    return found if _is_intact(found.files, found.location) else None


def _is_intact(files: Iterable[PooledFile], location: Callable[[PooledFile], str]) -> bool:
    """Return whether the files are what was written: whatever changes one changes its time."""
    try:
        for file in files:
            info = os.lstat(location(file))
            found = (info.st_size, info.st_mtime_ns, info.st_mode)
            if found != (file.size, file.modified, stat.S_IFREG | file.mode):
                return False
    except OSError:
        return False
    return True

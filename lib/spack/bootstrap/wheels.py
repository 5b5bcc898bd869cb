"""Wheels for the running interpreter: which of them fit, and unpacking them into a directory.

A minimal reading of PEP 425, 600 and 656 for CPython, enough for the own dependencies: nothing
else is there yet when it runs (the ``packaging`` library is one of them).
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spack.errors import FetchError

__all__ = ["Interpreter", "best", "running", "unpack"]

#: Names of glibc versions from before PEP 600.
LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
#: Largest size of all files of one wheel, in bytes, and number of files.
LARGEST = 200 << 20
MOST_FILES = 20_000


@dataclass(frozen=True)
class Interpreter:
    """What decides whether a wheel fits.

    :param version: ``(3, 11)``.
    :param abi: ``cp311``, or ``cp313t`` for a free-threaded one.
    :param system: ``linux`` or ``macosx``.
    :param machine: ``x86_64``, ``aarch64``, ``arm64``.
    :param libc: ``("glibc", 2, 36)`` or ``("musl", 1, 2)``; on macOS ``("macos", 14, 0)``.
    """

    version: tuple[int, int]
    abi: str
    system: str
    machine: str
    libc: tuple[str, int, int]

    def fit(self, filename: str) -> int | None:
        """Return the rank of the wheel *filename*, larger is better; None when it does not fit."""
        pythons, abis, platforms = filename[: -len(".whl")].split("-")[-3:]
        ranks = [
            rank
            for python in pythons.split(".")
            for abi in abis.split(".")
            for platform_tag in platforms.split(".")
            for rank in [self._fit(python, abi, platform_tag)]
            if rank is not None
        ]
        return max(ranks, default=None)

    def _fit(self, python: str, abi: str, platform_tag: str) -> int | None:
        if platform_tag != "any" and not self._runs_on(platform_tag):
            return None
        major, minor = self.version
        if abi == self.abi and python == f"cp{major}{minor}":
            return 3
        match = re.fullmatch(r"cp3(\d+)", python)
        if abi == "abi3" and match and int(match.group(1)) <= minor and self.abi[-1] != "t":
            return 2
        match = re.fullmatch(r"py3(\d*)", python)
        if abi == "none" and match and int(match.group(1) or 0) <= minor:
            return 1
        return None

    def _runs_on(self, tag: str) -> bool:
        name, first, second = self.libc
        if name == "macos":
            match = re.fullmatch(r"macosx_(\d+)_(\d+)_(\w+)", tag)
            return bool(
                match
                and (int(match.group(1)), int(match.group(2))) <= (first, second)
                and match.group(3) in (self.machine, "universal2")
            )
        kind = {"glibc": "manylinux", "musl": "musllinux"}.get(name, "none")
        match = re.fullmatch(kind + r"_(\d+)_(\d+)_(\w+)", tag)
        if match:
            wanted = (int(match.group(1)), int(match.group(2)))
            return match.group(3) == self.machine and wanted <= (first, second)
        prefix, _, machine = tag.partition("_")
        oldest = LEGACY.get(prefix, (9, 9))
        return machine == self.machine and name == "glibc" and oldest <= (first, second)

    def __str__(self) -> str:
        name, first, second = self.libc
        return f"{self.abi} on {self.system} {self.machine} with {name} {first}.{second}"


def running() -> Interpreter:
    """Return the interpreter that runs this.

    :raises FetchError: it is not CPython.
    """
    if sys.implementation.name != "cpython":
        raise FetchError(
            f"{sys.executable} is {sys.implementation.name}; spack's own dependencies need CPython",
            hint="name another interpreter: SPACK_PYTHON=/path/to/python3",
        )
    version = sys.version_info[:2]
    threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    machine = platform.machine()
    if sys.maxsize <= 2**32:
        machine = {"x86_64": "i686", "aarch64": "armv7l"}.get(machine, machine)
    system = "macosx" if sys.platform == "darwin" else "linux"
    return Interpreter(version, f"cp{version[0]}{version[1]}{threads}", system, machine, _libc())


def _libc() -> tuple[str, int, int]:
    if sys.platform == "darwin":
        numbers = (platform.mac_ver()[0] + ".0").split(".")
        return ("macos", int(numbers[0]), int(numbers[1]))
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        text = ""
    match = re.search(r"(\d+)\.(\d+)", text)
    if match:
        return ("glibc", int(match.group(1)), int(match.group(2)))
    for loader in sorted(Path("/lib").glob("ld-musl-*.so.1")):
        said = subprocess.run([str(loader)], stderr=subprocess.PIPE, check=False).stderr
        match = re.search(r"Version (\d+)\.(\d+)", said.decode("utf-8", "replace"))
        if match:
            return ("musl", int(match.group(1)), int(match.group(2)))
    return ("unknown", 0, 0)


def best(filenames: Iterable[str], interpreter: Interpreter) -> str | None:
    """Return the file among *filenames* that fits *interpreter* best, or None."""
    ranked = [(rank, name) for name in filenames for rank in [interpreter.fit(name)] if rank]
    return max(ranked)[1] if ranked else None


def unpack(wheel: Path, target: Path) -> None:
    """Add the modules of *wheel* to the flat directory *target*.

    Pure and platform modules go to one directory; scripts, headers and data are left out, as
    nothing runs them from there. Files are read-only.

    :raises FetchError: not a zip, or an entry that would land elsewhere, is a link, is there
        twice, or the whole is too large.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST:
                raise _bad(wheel, "it unpacks to too much")
            for entry in entries:
                if not entry.is_dir():
                    _unpack_entry(wheel, archive, entry, target)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise _bad(wheel, str(error)) from error


def _unpack_entry(
    wheel: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path
) -> None:
    parts = entry.filename.split("/")
    if {"", ".", ".."} & set(parts) or "\\" in entry.filename or "\0" in entry.filename:
        raise _bad(wheel, f"{entry.filename!r} would land outside")
    if (entry.external_attr >> 28) not in (0, 0o10):
        raise _bad(wheel, f"{entry.filename!r} is not a regular file")
    if parts[0].endswith(".data"):
        if len(parts) < 3 or parts[1] not in ("purelib", "platlib"):
            return
        parts = parts[2:]
    path = target.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with archive.open(entry) as data, open(path, "xb") as out:
            while True:
                chunk = data.read(1 << 20)
                if not chunk:
                    break
                out.write(chunk)
    except FileExistsError:
        raise _bad(wheel, f"{entry.filename!r} is there twice") from None
    path.chmod(0o444)


def _bad(wheel: Path, reason: str) -> FetchError:
    return FetchError(f"the wheel {wheel.name} cannot be used: {reason}")

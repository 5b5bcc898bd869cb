"""Where to look for programs, and the memory of what was found there.

A directory is searched unless another tool changes it without notice: shims of
version managers, virtual environments (an active view is one), and prefixes that this tool has
installed itself.

What a program said about itself is remembered under its path, modification time and size, and the
names of a directory under its modification time: a warm run starts no process and reads no large
directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from spack.util.helper_process import Runner

__all__ = ["Detected", "Memory", "Search", "directories", "is_shim"]

#: What a script that belongs to a version manager contains.
_SHIM_WORDS = (
    b"pyenv", b"rbenv", b"nodenv", b"goenv", b"jenv", b"asdf", b"mise", b"rtx", b"volta",
)  # fmt: skip
#: What a link of a version manager or a compiler cache leads to.
_SHIM_TARGETS = frozenset(
    {"asdf", "mise", "rtx", "volta", "volta-shim", "ccache", "sccache", "distcc", "busybox"}
)
_MAGIC = (b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


class Detected(NamedTuple):
    """Software that was found on this machine.

    :ivar prefix: the directory above ``bin``.
    :ivar extra_attributes: ``executable`` and, for an interpreter, ``layout``; ``compilers``
        (by language) for a compiler. JSON values only.
    :ivar spec_text: as it is in ``packages.yaml``.
    """

    name: str
    version: str
    prefix: str
    extra_attributes: Mapping[str, Any]
    spec_text: str

    @property
    def executable(self) -> str:
        """The program that was found, or the first compiler."""
        compilers = self.extra_attributes.get("compilers", {})
        found: str = self.extra_attributes.get("executable") or next(iter(compilers.values()), "")
        return found


def directories(paths: Iterable[str]) -> list[str]:
    """Return the directories of a search path worth searching, each once, in order.

    Relative entries are left out, as their meaning depends on the directory. ``/bin`` is
    ``/usr/bin`` where it is a link to it.
    """
    found: dict[str, str] = {}
    for path in paths:
        if not os.path.isabs(path):
            continue
        location = os.path.normpath(path)
        if os.path.islink(location):
            location = os.path.realpath(location)
        if os.path.basename(location) == "shims" or not os.path.isdir(location):
            continue
        above = os.path.dirname(location)
        if os.path.exists(os.path.join(above, ".spack", "spec.json")):
            continue
        found.setdefault(os.path.realpath(location), location)
    return list(found.values())


def in_virtual_environment(directory: str) -> bool:
    """Return whether the programs of this directory belong to a virtual environment."""
    return os.path.exists(os.path.join(os.path.dirname(directory), "pyvenv.cfg"))


def is_shim(path: str) -> bool:
    """Return whether a program only starts another one that is chosen when it runs."""
    if os.path.basename(os.path.realpath(path)) in _SHIM_TARGETS:
        return True
    head = _head(path)
    return head.startswith(b"#!") and any(word in head for word in _SHIM_WORDS)


def is_binary(path: str) -> bool:
    """Return whether a file is a program of the machine, and not a script."""
    return _head(path).startswith(_MAGIC)


def _head(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read(1024)
    except OSError:
        return b""


class Memory:
    """Answers of programs, remembered in one JSON file.

    :param directory: where the file is; None remembers for the life of this object only.
    """

    _FORMAT = 2

    def __init__(self, directory: str | None = None) -> None:
        self._location = None if directory is None else os.path.join(directory, "detected.json")
        self._entries: dict[str, list[Any]] = {}
        self._changed = False
        if self._location is not None:
            self._entries = self._read(self._location)

    def recall(self, question: str, path: str) -> tuple[bool, Any]:
        """Return whether the answer is known, and the answer."""
        entry = self._entries.get(f"{question} {path}")
        if entry is None or entry[:3] != _identity(path):
            return False, None
        return True, entry[3]

    def note(self, question: str, path: str, answer: Any) -> None:
        """Remember an answer (a JSON value) for as long as the file stays as it is."""
        self._entries[f"{question} {path}"] = [*_identity(path), answer]
        self._changed = True

    def save(self) -> None:
        """Write what is new; a cache that cannot be written is skipped."""
        if self._location is None or not self._changed:
            return
        import json  # start-up: only a cold run writes

        from spack.util.filesystem import atomic_write  # start-up: only a cold run writes

        self._changed = False
        data = {"format": self._FORMAT, "entries": self._entries}
        try:
            os.makedirs(os.path.dirname(self._location), exist_ok=True)
            atomic_write(self._location, json.dumps(data))
        except OSError:
            pass

    def _read(self, location: str) -> dict[str, list[Any]]:
        import json  # start-up: only when something must be detected

        try:
            with open(location, encoding="utf-8") as stream:
                data = json.load(stream)
            entries: dict[str, list[Any]] = data["entries"]
            good = data["format"] == self._FORMAT and all(len(e) == 4 for e in entries.values())
            return entries if good else {}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}


def _identity(path: str) -> list[int]:
    try:
        status = os.stat(path)
    except OSError:
        return [0, 0, 0]
    return [status.st_mtime_ns, status.st_size, status.st_ctime_ns]


class Search:
    """The input of detection: directories to search, a way to run programs, and the memory."""

    def __init__(self, paths: Sequence[str], run: Runner, cache: str | None = None) -> None:
        self.directories = directories(paths)
        self.run = run
        self.memory = Memory(cache)

    def programs(self, pattern: str, venvs: bool = False) -> list[str]:
        """Return the executables whose whole name matches, in order of directories, then of names.

        :param venvs: search virtual environments, too.
        """
        found = []
        for directory in self.directories:
            if not venvs and in_virtual_environment(directory):
                continue
            found += [os.path.join(directory, name) for name in self._names(directory, pattern)]
        return found

    def _names(self, directory: str, pattern: str) -> list[str]:
        known, names = self.memory.recall(f"names {pattern}", directory)
        if not known:
            matches = re.compile(pattern).fullmatch
            try:
                with os.scandir(directory) as entries:
                    names = sorted(
                        entry.name
                        for entry in entries
                        if matches(entry.name) and os.access(entry.path, os.X_OK)
                    )
            except OSError:
                names = []
            self.memory.note(f"names {pattern}", directory, names)
        return [str(name) for name in names]

    def output(self, question: str, argv: Sequence[str]) -> str | None:
        """Return a program's output (both streams), None when it fails.

        The program runs only once.
        """
        path = argv[0]
        known, answer = self.memory.recall(question, path)
        if not known:
            done = self.run(argv)
            answer = done.stdout + done.stderr if done.ok else None
            self.memory.note(question, path, answer)
        return None if answer is None else str(answer)

    def works(self, question: str, argv: Sequence[str]) -> bool:
        """Return whether a program succeeds; only success is remembered."""
        path = argv[0]
        known, _ = self.memory.recall(question, path)
        if not known and self.run(argv).ok:
            self.memory.note(question, path, True)
            known = True
        return known

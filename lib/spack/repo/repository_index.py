"""The cached facts of one repository.

Two files: ``index`` holds columns (directory, mtime, size, offset of the facts) and what must be
known of all packages at once (virtual packages and their providers); ``facts-<n>`` holds the
marshalled facts of each package, read one by one. So the first question costs milliseconds, however
many recipes there are.

An entry is fresh when the stat of its recipe, of the patches beside it and of the recipes that it
derives from are what they were. The time of a file's last change (ctime) counts, as `cp -p` and
`rsync -t` keep the other one; where nothing else differs, a checksum of the recipe decides. A new
version of the engine makes everything stale; a recipe that uses one of another repository is stale
when the repositories have changed.

Of many recipes that are new only those are read that provide virtual packages or derive from
further ones (:mod:`spack.repo.recipe_text_scan`); the rest are read when they are asked for.

Both files are caches: whatever is wrong with them, they are made again. Writers exclude each other
with a lock; readers see either the old or the new index, because it is replaced in one step and
facts are only ever appended.
"""

from __future__ import annotations

import marshal
import os
import sys
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Callable
from zlib import crc32

from spack.errors import StoreError
from spack.recipe.package_names import package_name
from spack.recipe.records import Recipe
from spack.repo.repository import Repository
from spack.util.filesystem import atomic_write
from spack.util.lock import FileLock

__all__ = ["RepositoryIndex"]

_FORMAT = 4

#: The offset of an entry whose recipe has not been read.
_UNREAD = -1

#: mtime_ns, size, ctime_ns and CRC-32 of a recipe.
Identity = tuple[int, int, int, int]


class RepositoryIndex:
    """The facts of the recipes of one repository.

    :param directory: where the two files are; made when missing. None keeps all in memory.
    :param fingerprint: identifies the code that made the facts.
    :param surroundings: identifies the other repositories.

    Entries are known by the directory of the recipe.
    """

    def __init__(
        self,
        repository: Repository,
        directory: Path | None,
        fingerprint: str,
        surroundings: str = "",
    ) -> None:
        self.repository = repository
        self.directory = directory
        self.fingerprint = fingerprint
        self.surroundings = surroundings
        #: Rows that were read one by one, by directory, which :meth:`keep` writes.
        self._read_now: dict[str, Any] = {}
        self._blobs = b""
        self._blob_name = ""
        self._descriptor = -1
        #: What tells this state of the index on disk from others; "" if it is not there.
        self.state = ""
        self._load()

    def _reset(self) -> None:
        #: directory -> (*identity, offset, length); length 0 means an error.
        self.entries: dict[str, tuple[int, int, int, int, int, int]] = {}
        #: Recipes with the same content and other times, to be written with them.
        self.refreshed: dict[str, tuple[int, int, int]] = {}
        self.errors: dict[str, tuple[str, str | None]] = {}
        self.virtual: set[str] = set()
        self.provided: dict[str, tuple[str, ...]] = {}
        self.bases: dict[str, tuple[str, ...]] = {}
        #: Projects of the package index whose recipe does not have the usual name for them.
        self.projects: dict[str, str] = {}
        self.files: dict[str, tuple[tuple[str, int, int, int], ...]] = {}
        #: Changes with what recipes say; empty where that is not on disk.
        self.state = ""
        #: Recipes that use modules of other repositories.
        self.outer: set[str] = set()
        self.close()

    # Reading.

    def _load(self) -> None:
        """Take what is on disk in place of all that is known."""
        self._reset()
        if self.directory is None:
            return
        try:
            document = marshal.loads((self.directory / "index").read_bytes())
            header, names, columns, rest = document
            if header[:2] != (_FORMAT, self.fingerprint) or header[3] != str(self.repository.root):
                return
            self._open(header[2])
        except (OSError, ValueError, EOFError, TypeError, IndexError):
            return
        values = [array("q", column) for column in columns]
        self.entries = dict(zip(names.split("\n") if names else (), zip(*values)))
        self.errors, virtual, self.provided, self.bases, self.files, self.projects, outer = rest
        self.virtual, self.outer = set(virtual), set(outer)
        if header[4] != self.surroundings:
            read = [name for name in outer if not self.is_unread(name)]
            self._forget(read)
        self.state = header[5]

    def _open(self, name: str) -> None:
        assert self.directory is not None
        descriptor = os.open(self.directory / name, os.O_RDONLY | os.O_CLOEXEC)
        self.close()
        self._descriptor, self._blob_name = descriptor, name

    def close(self) -> None:
        """Close the file of facts; nothing can be read afterwards."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()

    def recipe(self, directory: str) -> Recipe | None:
        """Return the facts of one recipe, or None when it is unknown or cannot be used."""
        row = self._read_now.get(directory)
        if row is not None:
            return None if row[3] is None else Recipe.from_data(marshal.loads(row[3]))
        entry = self.entries.get(directory)
        if entry is None or not entry[5]:
            return None
        offset, length = entry[4:]
        if self._descriptor >= 0:
            data = os.pread(self._descriptor, length, offset)
        else:
            data = self._blobs[offset : offset + length]
        return Recipe.from_data(marshal.loads(data))

    def is_unread(self, directory: str) -> bool:
        """Return whether the recipe is known and has not been read."""
        entry = self.entries.get(directory)
        return entry is not None and entry[4] == _UNREAD and directory not in self._read_now

    def unread(self) -> list[str]:
        """Return the directories of the recipes that have not been read."""
        return [name for name in self.entries if self.is_unread(name)]

    def take_now(self, row: Any) -> None:
        """Take in the row of one recipe that had not been read, until :meth:`keep` writes it."""
        directory, error, virtual, provided = row[1], row[4], row[5], row[6]
        self._read_now[directory] = row
        if error is not None:
            self.errors[directory] = tuple(error)
        if virtual:
            self.virtual.add(directory)
        if provided:
            self.provided[directory] = tuple(provided)

    def keep(self) -> None:
        """Write what :meth:`take_now` took in."""
        if self._read_now:
            rows, self._read_now = list(self._read_now.values()), {}
            self.update(rows, (), is_news=False)

    # Freshness.

    def stale(self) -> tuple[list[str], list[str]]:
        """Return directories to read again, and removed ones; one stat for each recipe."""
        found: dict[str, tuple[int, int, int]] = {}
        packages, stat = str(self.repository.packages), os.stat
        for name in self.repository._entries():
            try:
                status = stat(f"{packages}/{name}/package.py")
            except OSError:
                continue
            found[name] = (status.st_mtime_ns, status.st_size, status.st_ctime_ns)
        entries = self.entries
        changed = {
            name
            for name, seen in found.items()
            if name not in entries or (entries[name][:3] != seen and not self._is_same(name, seen))
        }
        for name, files in self.files.items():
            if name in found and name not in changed and not self._same(name, files):
                changed.add(name)
        removed = [name for name in entries if name not in found]
        touched = changed.union(removed)
        if touched:
            for name, bases in self.bases.items():
                if name in found and not touched.isdisjoint(bases):
                    changed.add(name)
            # A recipe may have failed because of one that has changed now.
            changed.update(name for name in self.errors if name in found)
        return sorted(changed), removed

    def _is_same(self, name: str, seen: tuple[int, int, int]) -> bool:
        """Return whether a recipe of which only the ctime differs has the same content."""
        entry = self.entries.get(name)
        if entry is None or entry[:2] != seen[:2]:
            return False
        try:
            checksum = crc32((self.repository.packages / name / "package.py").read_bytes())
        except OSError:
            return False
        if checksum != entry[3]:
            return False
        self.refreshed[name] = seen
        self.entries[name] = (*seen, *entry[3:])
        return True

    def _same(self, name: str, files: Iterable[tuple[str, int, int, int]]) -> bool:
        for file, *times in files:
            try:
                status = os.stat(f"{self.repository.packages}/{name}/{file}")
            except OSError:
                return False
            if [status.st_mtime_ns, status.st_size, status.st_ctime_ns] != times:
                return False
        return True

    # Writing.

    def update(
        self,
        rows: Iterable[Any],
        removed: Iterable[str],
        later: Mapping[str, Identity] = {},
        outer: Iterable[str] = (),
        *,
        is_news: bool = True,
    ) -> None:
        """Take in the *rows* of :mod:`spack.api.recipe_facts`, drop *removed*, and write the cache.

        :param later: recipes that are not read yet. :param outer: those that use modules of other
            repositories, of *rows* and *later*. :param is_news: False for rows of recipes that
            were known and not read.

        A cache directory that cannot be written to is not an error: the facts stay in memory.
        """
        new, refreshed = list(rows), self.refreshed
        dropped = (*removed, *later, *(row[1] for row in new))
        using = set(outer).union(row[1] for row in new if row[1] in self.outer)

        def take(offset: int) -> None:
            self._take(new, offset)
            self.entries.update((name, (*seen, _UNREAD, 0)) for name, seen in later.items())
            self.outer |= using

        if self.directory is not None:
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
                with FileLock(self.directory / "lock").exclusive():
                    self._load()  # another process may have been here
                    for name, seen in refreshed.items():
                        self._is_same(name, seen)
                    self._forget(dropped)
                    self._append(new, take)
                    if is_news or not self.state:
                        self.state = os.urandom(8).hex()
                    self._write()
                return
            except (OSError, StoreError):
                pass
        self._to_memory()
        self._forget(dropped)
        take(len(self._blobs))
        self._blobs += b"".join(row[3] or b"" for row in new)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self.virtual.discard(name)
            self.entries.pop(name, None)
            self.errors.pop(name, None)
            self.provided.pop(name, None)
            self.bases.pop(name, None)
            self.projects.pop(name, None)
            self.files.pop(name, None)
            self.outer.discard(name)

    def _take(self, rows: list[Any], offset: int) -> None:
        for _, name, identity, data, error, virtual, provided, bases, files, project in rows:
            length = len(data) if data is not None else 0
            self.entries[name] = (*identity, offset, length)
            offset += length
            if error is not None:
                self.errors[name] = tuple(error)
            if virtual:
                self.virtual.add(name)
            for table, value in ((self.provided, provided), (self.bases, bases)):
                if value:
                    table[name] = tuple(value)
            if files:
                self.files[name] = tuple(files)
            if project:
                self.projects[name] = project

    def _append(self, rows: list[Any], take: Callable[[int], None]) -> None:
        """Append the facts to the current file, or start a new one without the dead ones."""
        assert self.directory is not None
        kept = {name: self._read(entry) for name, entry in self.entries.items() if entry[5]}
        alive = sum(map(len, kept.values()))
        total = os.fstat(self._descriptor).st_size if self._descriptor >= 0 else 0
        if self._descriptor < 0 or total > 2 * alive + (1 << 20):
            name = f"facts-{os.urandom(4).hex()}"
            offset = 0
            with open(self.directory / name, "xb") as stream:
                for directory, data in kept.items():
                    entry = self.entries[directory]
                    self.entries[directory] = (*entry[:4], offset, entry[5])
                    offset += stream.write(data)
                stream.writelines(row[3] for row in rows if row[3] is not None)
        else:
            name = self._blob_name
            with open(self.directory / name, "ab") as stream:
                offset = stream.tell()
                stream.writelines(row[3] for row in rows if row[3] is not None)
        take(offset)
        self._open(name)
        self._blobs = b""

    def _read(self, entry: tuple[int, int, int, int, int, int]) -> bytes:
        if self._descriptor >= 0:
            return os.pread(self._descriptor, entry[5], entry[4])
        return self._blobs[entry[4] : entry[4] + entry[5]]

    def _to_memory(self) -> None:
        """Move the facts into memory, because the file cannot be appended to."""
        self.state = ""
        if self._descriptor < 0:
            return
        blobs, offset = [], 0
        for name, entry in list(self.entries.items()):
            if not entry[5]:
                continue
            blobs.append(self._read(entry))
            self.entries[name] = (*entry[:4], offset, entry[5])
            offset += entry[5]
        self.close()
        self._blobs = b"".join(blobs)

    def _write(self) -> None:
        assert self.directory is not None
        names = list(self.entries)
        columns = [array("q", column).tobytes() for column in zip(*self.entries.values())]
        virtual, outer = tuple(sorted(self.virtual)), tuple(sorted(self.outer))
        tables = self.provided, self.bases, self.files, self.projects
        rest = (self.errors, virtual, *tables, outer)
        root = str(self.repository.root)
        header = (_FORMAT, self.fingerprint, self._blob_name, root, self.surroundings, self.state)
        document = (header, "\n".join(names), columns or [b""] * 6, rest)
        atomic_write(self.directory / "index", marshal.dumps(document))
        for file in self.directory.glob("facts-*"):
            if file.name != self._blob_name:
                file.unlink(missing_ok=True)


def engine_fingerprint(directories: Iterable[str]) -> str:
    """Return a digest of the code that makes facts: its files' stat, and the interpreter."""
    lines = [f"{_FORMAT} {sys.implementation.cache_tag}"]
    for directory in directories:
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                lines.append(f"{entry.path} {status.st_mtime_ns} {status.st_size}")
    return "\n".join(lines)


def providers_of(index: RepositoryIndex) -> dict[str, list[str]]:
    """Return virtual name to the names of the packages that provide it, sorted."""
    result: dict[str, list[str]] = {}
    for directory, virtuals in index.provided.items():
        for virtual in virtuals:
            result.setdefault(virtual, []).append(package_name(directory))
    return {virtual: sorted(names) for virtual, names in result.items()}

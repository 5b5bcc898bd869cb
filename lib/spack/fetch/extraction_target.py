"""A directory that an archive's entries are put into, with the rules that keep them inside."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Callable

from spack.errors import FetchError

__all__ = ["CHUNK", "USUAL", "ExtractionTarget", "Limits", "name_parts"]

CHUNK = 1 << 20
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to.

    :param least: bytes that any archive may have.
    :param ratio: beyond that, so many times its own size.
    :param entries: files, directories and links.
    :param metadata: bytes that the tar format may use for one header.
    """

    least: int = 512 << 20
    ratio: int = 120
    entries: int = 1_000_000
    metadata: int = 8 << 20

    def bytes_for(self, size: int) -> int:
        """Return the limit for an archive of *size* bytes."""
        return max(self.least, size * self.ratio)


USUAL = Limits()

#: Bytes of one part of a path, and of all of it below the target: what Linux takes, less a prefix.
_LONGEST_PART, _LONGEST_NAME = 255, 2048


def name_parts(name: str) -> list[str]:
    """Return the parts of an entry's name.

    :raises ValueError: the entry must not be unpacked, with the reason.
    """
    shown = repr(name if len(name) <= 100 else f"{name[:97]}...")
    if name.startswith("/"):
        raise ValueError(f"{shown} is an absolute name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError(f"{shown} would land outside")
    if _CONTROL.search(name):
        raise ValueError(f"{shown} has control characters")
    if len(os.fsencode(name)) > _LONGEST_NAME:
        raise ValueError(f"{shown} is a name of more than {_LONGEST_NAME} bytes")
    if any(len(os.fsencode(part)) > _LONGEST_PART for part in parts):
        raise ValueError(f"{shown} has a part of more than {_LONGEST_PART} bytes")
    return parts


@dataclass
class ExtractionTarget:
    """Entries below ``root``.

    :param archive: its name, for messages.
    :param left: bytes that may still be written.
    :param distinct_case: refuse names that differ by case only, on every file system.
    :param retarget: what the absolute target of a link becomes; None refuses it, as does a
        result of None.
    """

    root: Path
    archive: str
    limits: Limits
    left: int
    distinct_case: bool
    retarget: Callable[[str], str | None] | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)

    def directory(self, name: str, mtime: float) -> None:
        """Create a directory unless it exists."""
        parts = self._parts(name)
        if not parts:
            return
        path = self._enter(parts, "directory")
        if not path.is_dir():
            path.mkdir()
            path.chmod(0o755)
        self.times["/".join(parts)] = mtime

    def file(self, name: str, data: IO[bytes], executable: bool, mtime: float) -> None:
        """Create a regular file; a later one of the same name replaces it, as in tar."""
        parts = self._parts(name)
        path = self._enter(parts, "file")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as out:
            while True:
                chunk = data.read(CHUNK)
                if not chunk:
                    break
                self.left -= len(chunk)
                if self.left < 0:
                    raise self.refuse("it unpacks to far more than its size")
                out.write(chunk)
            os.fchmod(out.fileno(), 0o755 if executable else 0o644)
        _set_time(path, mtime)

    def hardlink(self, name: str, to: str) -> None:
        """Create another name for a file that came before."""
        target = self._parts(to)
        if self.kinds.get("/".join(target)) != "file":
            raise self.refuse(f"{name!r} is a hard link to {to!r}, which is not a file before it")
        path = self._enter(self._parts(name), "file")
        os.link(self.root.joinpath(*target), path)

    def symlink(self, name: str, to: str) -> None:
        """Record a link, which :meth:`finish` creates."""
        parts = self._parts(name)
        target: str | None = to
        if to.startswith("/"):
            target = self.retarget(to) if self.retarget is not None else None
        if not target or "\0" in to:
            raise self.refuse(f"{name!r} is a link to {to!r}, which is outside")
        self._enter(parts, "link")
        self.links["/".join(parts)] = target

    def refuse(self, reason: str) -> FetchError:
        """Return the error for a breach of the rules."""
        return _refused(self.archive, reason)

    def finish(self) -> Path:
        """Create the links, last, so that no entry can be written through one; return the top."""
        for name, to in self.links.items():
            os.symlink(to, self.root / name)
        entries = os.listdir(self.root)
        top = self.root / entries[0] if len(entries) == 1 else self.root
        if top.is_symlink() or not top.is_dir():
            top = self.root
        self._check_links(top)
        for name in sorted(self.times, reverse=True):
            _set_time(self.root / name, self.times[name])
        return top

    def create_links(self) -> None:
        """Create the links; relative ones may not lead out of ``root``."""
        for name, to in self.links.items():
            os.symlink(to, self.root / name)
        self._check_links(self.root)

    def _check_links(self, top: Path) -> None:
        # Where a link may lead: what ``retarget`` allowed, and through it.
        inside = {os.path.realpath(to) for to in self.links.values() if to.startswith("/")}
        inside.add(os.path.realpath(top))
        for name, to in self.links.items():
            real = os.path.realpath(self.root / name)
            if not any(real == path or real.startswith(path + os.sep) for path in inside):
                raise self.refuse(f"{name!r} is a link to {to!r}, which is outside")

    def _parts(self, name: str) -> list[str]:
        try:
            return name_parts(name)
        except ValueError as error:
            raise self.refuse(str(error)) from None

    def _enter(self, parts: list[str], kind: str) -> Path:
        """Create the parents of an entry and remove an earlier one of its name."""
        if not parts:
            raise self.refuse("an entry has no name")
        if len(self.kinds) >= self.limits.entries:
            raise self.refuse(f"it has more than {self.limits.entries} entries")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            known = self.kinds.get(parent)
            if known is None:
                self._note(parent, "directory")
                (self.root / parent).mkdir()
                (self.root / parent).chmod(0o755)
            elif known != "directory":
                raise self.refuse(f"{'/'.join(parts)!r} is below the {known} {parent!r}")
        name = "/".join(parts)
        known = self.kinds.get(name)
        path = self.root.joinpath(*parts)
        if known is None:
            self._note(name, kind)
        elif known != kind:
            raise self.refuse(f"{name!r} is there as {known} and as {kind}")
        elif kind == "file":
            path.unlink()
        return path

    def _note(self, name: str, kind: str) -> None:
        folded = unicodedata.normalize("NFC", name).casefold()
        other = self.folded.setdefault(folded, name)
        clash = other != name
        if clash and (self.distinct_case or os.path.lexists(self.root / name)):
            raise self.refuse(f"{other!r} and {name!r} differ by case only")
        self.kinds[name] = kind


def _set_time(path: Path, mtime: int | float) -> None:
    """Set a time that zip and make accept: not before 1980, not in the far future."""
    if 315532800 <= mtime < 4102444800:
        os.utime(path, (mtime, mtime))


def _refused(name: str, reason: str) -> FetchError:
    return FetchError(
        f"{name} is refused: {reason}",
        facts={"archive": name, "reason": reason},
        ref="hostile-archive",
        hint="nothing of it was kept; inform the author, or use a version without this defect",
    )

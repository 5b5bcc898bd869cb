"""Applying patches: unified diffs, also git's, without the ``patch`` program.

The behaviour follows GNU patch where recipes rely on it: hunks are found at another line when
lines were added before them, with up to two lines of context ignored at either end (fuzz), line
ends of CR LF match those of LF, names are stripped of ``level`` leading directories, and
``reverse`` swaps the two sides. All hunks of a patch are matched before a file is written, so a
patch that does not fit changes nothing. Names that lead outside are refused, and so are binary
patches.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spack.errors import FetchError

__all__ = ["FilePatch", "Hunk", "apply", "parse"]

FUZZ = 2
_HUNK = rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@"
_NULL = "/dev/null"


@dataclass
class Hunk:
    """Lines with their line ends, by sides; ``context`` counts those shared at each end."""

    start: int
    old: list[bytes] = field(default_factory=list)
    new: list[bytes] = field(default_factory=list)
    new_start: int = 0
    context: tuple[int, int] = (0, 0)

    def reversed(self) -> Hunk:
        """Return the hunk that reverts this one."""
        return Hunk(self.new_start, self.new, self.old, self.start, self.context)


@dataclass
class FilePatch:
    """What happens to one file; a name of ``/dev/null`` means that it does not exist there."""

    old: str
    new: str
    hunks: list[Hunk] = field(default_factory=list)
    mode: int | None = None
    old_mode: int | None = None
    renamed: bool = False
    copied: bool = False

    def reversed(self) -> FilePatch:
        """Return the patch that reverts this one."""
        hunks = [hunk.reversed() for hunk in self.hunks]
        return FilePatch(
            self.new, self.old, hunks, self.old_mode, old_mode=self.mode, renamed=self.renamed
        )


def apply(
    patch: Path, source: Path, *, level: int = 1, working_dir: str = ".", reverse: bool = False
) -> tuple[str, ...]:
    """Apply the file *patch* below *source*; return the names of the changed files.

    :raises FetchError: no patch, binary, outside of the sources, or a hunk does not fit; nothing
        was changed then.
    """
    root = Path(os.path.normpath(source / working_dir))
    if root != source and source not in root.parents:
        raise _error(patch, f"its working_dir {working_dir!r} is outside of the sources")
    try:
        files = parse(patch.read_bytes(), patch.name)
    except OSError as error:
        raise FetchError(f"{patch} cannot be read: {error.strerror}") from error
    if not files:
        raise _error(patch, "there is no unified diff in it")
    results: dict[Path, bytes | None] = {}
    modes: dict[Path, int] = {}
    for file in files:
        _plan(
            patch, file.reversed() if reverse else file, root, level, results=results, modes=modes
        )
    for path, content in results.items():
        _write(path, content, modes.get(path))
    return tuple(sorted(os.path.relpath(path, source) for path in results))


def _plan(  # noqa: C901 - the cases of GNU patch, in order
    patch: Path,
    file: FilePatch,
    root: Path,
    level: int,
    results: dict[Path, bytes | None],
    modes: dict[Path, int],
) -> None:
    """Add the result of *file*, on the tree as *results* so far leave it, to *results*."""
    created, removed = file.old == _NULL, file.new == _NULL
    old, new = (
        None if name == _NULL else _inside(patch, root, name, level)
        for name in (file.old, file.new)
    )

    def content(path: Path) -> bytes | None:
        if path in results:
            return results[path]
        return path.read_bytes() if path.is_file() else None

    if old and new and not file.renamed and not file.copied and old != new:
        # GNU patch takes the name that exists; the new one when both or none do
        old = new = new if content(new) is not None or content(old) is None else old
    origin = old or new
    assert origin is not None
    before = b"" if created else content(origin)
    if before is None:
        if file.hunks and file.hunks[0].start == 0 and not file.hunks[0].old:
            before = b""
        else:
            raise _error(patch, f"there is no file {os.path.relpath(origin, root)!r}")
    if created and (content(origin) or b""):
        raise _error(patch, f"the file {os.path.relpath(origin, root)!r} is there already")
    after = _patched(patch, os.path.relpath(origin, root), before, file.hunks)
    if removed:
        results[origin] = after if after else None
        return
    assert new is not None
    if file.renamed and old and old != new:
        results[old] = None
    results[new] = after
    if file.mode is not None:
        modes[new] = file.mode
    elif origin.is_file():
        modes[new] = origin.stat().st_mode & 0o777


def _inside(patch: Path, root: Path, name: str, level: int) -> Path:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/"):
        parts = ["", *parts]
    parts = parts[level:] if len(parts) > level else parts[-1:]
    path = root.joinpath(*parts)
    if ".." in parts or "" in parts or not parts:
        raise _error(patch, f"it names {name!r}, which is outside of the sources")
    real, inside = os.path.realpath(path), os.path.realpath(root)
    if not real.startswith(inside + os.sep):
        raise _error(patch, f"it names {name!r}, which is outside of the sources")
    return path


def _write(path: Path, content: bytes | None, mode: int | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(path.name + ".spack-patched")
    staging.write_bytes(content)
    staging.chmod(mode if mode is not None else 0o644)
    os.replace(staging, path)


def _patched(patch: Path, name: str, before: bytes, hunks: list[Hunk]) -> bytes:
    lines = before.splitlines(keepends=True) if b"\r" not in before else _lines(before)
    result: list[bytes] = []
    done = 0
    shift = 0
    for number, hunk in enumerate(hunks, 1):
        found = _find(lines, hunk, done, max(hunk.start - 1, 0) + shift)
        if found is None:
            raise _error(
                patch,
                f"hunk {number} of {len(hunks)} does not fit {name!r} near line {hunk.start}",
                b"".join(hunk.old).decode("utf-8", "replace"),
            )
        location, top, bottom = found
        old = hunk.old[top : len(hunk.old) - bottom]
        new = hunk.new[top : len(hunk.new) - bottom]
        result += lines[done:location]
        result += _with_line_ends(new, old, lines[location : location + len(old)])
        done = location + len(old)
        shift = location - top - max(hunk.start - 1, 0)
    return b"".join(result + lines[done:])


def _lines(text: bytes) -> list[bytes]:
    """Return the lines, which end at LF alone: CR is content, as patch sees it."""
    parts = text.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _with_line_ends(new: list[bytes], old: list[bytes], found: list[bytes]) -> list[bytes]:
    """Return *new* with CR LF where the file has it and the patch does not."""
    carriage = found and all(line.endswith(b"\r\n") for line in found)
    if carriage and not any(line.endswith(b"\r\n") for line in old):
        return [line[:-1] + b"\r\n" if line.endswith(b"\n") else line for line in new]
    return new


def _find(lines: list[bytes], hunk: Hunk, first: int, expected: int) -> tuple[int, int, int] | None:
    """Return the line where *hunk* fits, and the numbers of ignored context lines."""
    if not hunk.old:
        return min(max(expected + (1 if hunk.start else 0), first), len(lines)), 0, 0
    for fuzz in range(FUZZ + 1):
        top, bottom = min(fuzz, hunk.context[0]), min(fuzz, hunk.context[1])
        if fuzz and top < fuzz and bottom < fuzz:
            return None
        wanted = [line.rstrip(b"\r\n") for line in hunk.old[top : len(hunk.old) - bottom]]
        if not wanted:
            return None
        for location in _locations(expected + top, first, len(lines) - len(wanted)):
            if all(lines[location + n].rstrip(b"\r\n") == text for n, text in enumerate(wanted)):
                return location, top, bottom
    return None


def _locations(expected: int, first: int, last: int) -> Iterator[int]:
    """Yield line numbers from *first* to *last*, the nearest to *expected* first."""
    for distance in range(max(abs(expected - first), abs(last - expected)) + 1):
        if first <= expected + distance <= last:
            yield expected + distance
        if distance and first <= expected - distance <= last:
            yield expected - distance


def parse(text: bytes, name: str = "patch") -> list[FilePatch]:
    """Return the unified diffs in *text*; text around them is skipped.

    :raises FetchError: a hunk breaks off, or the patch is binary.
    """
    lines = _lines(text)
    files: list[FilePatch] = []
    header: FilePatch | None = None
    at = 0
    while at < len(lines):
        line = lines[at].rstrip(b"\r\n")
        if line.startswith(b"diff --git "):
            header = _git_names(line)
            files.append(header)
        elif header is not None and _git_header(header, line):
            pass
        elif line.startswith((b"GIT binary patch", b"Binary files ")):
            raise FetchError(
                f"{name} is a binary patch", hint="only text can be patched; use a resource"
            )
        elif line.startswith(b"--- ") and at + 2 < len(lines) and lines[at + 1][:4] == b"+++ ":
            old, new = _name(line), _name(lines[at + 1])
            if lines[at + 2].startswith(b"@@ "):
                if header is None or header.hunks:
                    header = FilePatch(old, new)
                    files.append(header)
                else:
                    header.old, header.new = old, new
                at = _hunks(lines, at + 2, header, name)
                header = None
                continue
        at += 1
    return [file for file in files if file.hunks or file.renamed or file.copied or file.mode]


def _git_names(line: bytes) -> FilePatch:
    match = re.match(rb'diff --git "?(a/.*?)"? "?(b/.*?)"?$', line)
    old, new = match.groups() if match else (b"", b"")
    return FilePatch(old.decode("utf-8", "replace"), new.decode("utf-8", "replace"))


def _git_header(header: FilePatch, line: bytes) -> bool:
    """Read an extended header line of git's; return False for another line."""
    word, _, value = line.decode("utf-8", "surrogateescape").rpartition(" ")
    if word in ("new file mode", "new mode", "deleted file mode", "old mode"):
        mode = 0o755 if value.endswith("755") else 0o644
        if word in ("new file mode", "new mode"):
            header.mode = mode
        else:
            header.old_mode = mode
        if word == "new file mode":
            header.old = _NULL
        elif word == "deleted file mode":
            header.new = _NULL
            header.mode = header.mode or mode
        return True
    for key, attribute in (("rename", "renamed"), ("copy", "copied")):
        match = re.match(key + r" (from|to) (.*)", line.decode("utf-8", "surrogateescape"))
        if match:
            side = "old" if match.group(1) == "from" else "new"
            setattr(header, side, "x/" + match.group(2))
            setattr(header, attribute, True)
            return True
    return word.startswith(("index", "similarity", "dissimilarity"))


def _name(line: bytes) -> str:
    """Return the file name of a ``---`` or ``+++`` line, without its time."""
    text = line[4:].rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    text = text.partition("\t")[0]
    text = re.sub(r" +\d{4}-\d\d-\d\d \d\d:.*$", "", text)
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return text


def _hunks(lines: list[bytes], at: int, file: FilePatch, name: str) -> int:  # noqa: C901 - one pass over the lines of a patch
    """Read hunks from line *at* on; return the first line that belongs to none."""
    while at < len(lines):
        match = re.match(_HUNK, lines[at])
        if not match:
            break
        numbers = [int(text) if text is not None else 1 for text in match.groups()]
        hunk = Hunk(numbers[0], new_start=numbers[2])
        missing = [numbers[1], numbers[3]]
        marks: list[bytes] = []
        at += 1
        while any(missing):
            if at >= len(lines) or min(missing) < 0:
                raise _broken(name, file)
            mark, text = lines[at][:1], lines[at][1:]
            if mark in (b"\n", b"\r"):  # an empty line whose blank was lost
                mark, text = b" ", lines[at]
            if mark == b"\\":
                _without_newline(hunk, marks)
                at += 1
                continue
            if mark not in (b" ", b"-", b"+"):
                raise _broken(name, file)
            for side, kept, number in ((hunk.old, b" -", 0), (hunk.new, b" +", 1)):
                if mark in kept:
                    side.append(text)
                    missing[number] -= 1
            marks.append(mark)
            at += 1
        if at < len(lines) and lines[at].startswith(b"\\"):
            _without_newline(hunk, marks)
            at += 1
        hunk.context = (_leading(marks), _leading(marks[::-1]))
        file.hunks.append(hunk)
    return at


def _broken(name: str, file: FilePatch) -> FetchError:
    return FetchError(
        f"{name} breaks off in a hunk of {file.new!r}",
        hint="the patch is damaged: generate it again, for example with `git diff`",
        ref="patch",
    )


def _without_newline(hunk: Hunk, marks: list[bytes]) -> None:
    """Remove the newline of the line before."""
    for side, kept in ((hunk.old, b" -"), (hunk.new, b" +")):
        if marks and marks[-1] in kept and side:
            side[-1] = side[-1].rstrip(b"\r\n")


def _leading(marks: list[bytes]) -> int:
    count = 0
    for mark in marks:
        if mark != b" ":
            break
        count += 1
    return count


def _error(patch: Path, reason: str, detail: str | None = None) -> FetchError:
    return FetchError(
        f"the patch {patch.name} cannot be applied: {reason}",
        detail,
        facts={"patch": str(patch), "reason": reason},
        hint="the sources were left as they were; check the patch's when=, level= and "
        "working_dir= in the recipe",
        ref="patch",
    )

"""What a Python project says it needs: ``requirements.txt``, ``pyproject.toml``, ``pylock.toml``.

Each reader gives the same value. What it cannot take over is named with its line.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spack.errors import UsageError
from spack.util.project_names import normalized
from spack.util.toml import parse_toml

__all__ = ["READERS", "ProjectNeeds", "WantedProject"]


class WantedProject(NamedTuple):
    """One requirement (:pep:`508`).

    :ivar requirement: ``packaging``'s.
    :ivar origin: ``requirements.txt:3``.
    """

    requirement: Any
    origin: str

    @property
    def project(self) -> str:
        """Its normalized name."""
        return normalized(self.requirement.name)


class ProjectNeeds(NamedTuple):
    """What a file says.

    :ivar constraints: bounds of what is not asked for by itself (``-c``).
    :ivar requires_python: a specifier, "" for any.
    :ivar left_out: what has no effect on an environment, in words.
    """

    wanted: tuple[WantedProject, ...]
    constraints: tuple[WantedProject, ...] = ()
    requires_python: str = ""
    left_out: tuple[str, ...] = ()


def _parsed(text: str, origin: str) -> WantedProject:
    from packaging.requirements import InvalidRequirement, Requirement  # start-up

    try:
        return WantedProject(Requirement(text), origin)
    except InvalidRequirement as error:
        raise UsageError(
            f"{origin}: invalid requirement {text!r}: {str(error).splitlines()[0]}",
            hint="a requirement is NAME[EXTRAS] SPECIFIERS; MARKER",
            ref="requirement",
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot read {path}: {reason}", hint="name a file that is there", ref="project-file"
        ) from error


def _tables(path: Path) -> Mapping[str, Any]:
    try:
        return parse_toml(_text(path).encode())
    except ValueError as error:
        raise UsageError(f"{path}: {error}", hint="mend the file", ref="project-file") from error


# -- requirements.txt ---------------------------------------------------------------------------


class _Requirements:
    """Reads files in pip's format, with what they include."""

    def __init__(self) -> None:
        self.wanted: list[WantedProject] = []
        self.constraints: list[WantedProject] = []
        self.left_out: list[str] = []
        self._read: set[tuple[Path, bool]] = set()

    def read(self, path: Path, constrains: bool = False) -> None:
        if (path, constrains) in self._read:
            return
        self._read.add((path, constrains))
        for number, line in _logical_lines(_text(path)):
            self._line(line, path, f"{path.name}:{number}", constrains)

    def _line(self, line: str, path: Path, origin: str, constrains: bool) -> None:
        if line.startswith("-"):
            self._option(line, path, origin, constrains)
            return
        text, _, hashes = line.partition(" --")
        if hashes:
            self._leave_out("hashes and settings of single requirements: recipes have their own")
        if re.match(r"(\.|/|[a-z+]+:)", text) or text.rstrip().endswith((".whl", ".tar.gz")):
            self._leave_out(f"{origin}: {text.strip()}: `spack develop --path DIR` builds from one")
            return
        (self.constraints if constrains else self.wanted).append(_parsed(text, origin))

    def _option(self, line: str, path: Path, origin: str, constrains: bool) -> None:
        words = shlex.split(line.replace("=", " ", 1) if line.startswith("--") else line)
        name, value = words[0], " ".join(words[1:])
        if name[:2] in ("-r", "-c") and len(name) > 2 and name[1] != "-":
            name, value = name[:2], name[2:]
        if name in ("-r", "--requirement"):
            self.read((path.parent / value).absolute(), constrains)
        elif name in ("-c", "--constraint"):
            self.read((path.parent / value).absolute(), True)
        else:
            self._leave_out(f"{origin}: {line}")

    def _leave_out(self, text: str) -> None:
        if text not in self.left_out:
            self.left_out.append(text)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines without comments, each with the number of its first physical line."""
    pending, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        begin = begin if pending else number
        pending += line
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        line = re.sub(r"(^|\s)#.*", "", pending).strip()
        pending = ""
        if line:
            yield begin, line


def _of_requirements(path: Path, names: Sequence[str]) -> ProjectNeeds:
    reader = _Requirements()
    reader.read(path)
    return ProjectNeeds(
        tuple(reader.wanted), tuple(reader.constraints), left_out=tuple(reader.left_out)
    )


# -- pyproject.toml -----------------------------------------------------------------------------


def _of_pyproject(path: Path, names: Sequence[str]) -> ProjectNeeds:
    tables = _tables(path)
    project = tables.get("project", {})
    if "dependencies" in project.get("dynamic", ()) or not project:
        raise UsageError(
            f"{path} does not list the dependencies of the project in [project]",
            hint="install it with its build backend, or write a requirements.txt",
            ref="project-dynamic",
        )
    texts = list(project.get("dependencies", ()))
    optional = {normalized(x): y for x, y in project.get("optional-dependencies", {}).items()}
    groups = {normalized(x): y for x, y in tables.get("dependency-groups", {}).items()}
    for name in map(normalized, names):
        if name not in optional and name not in groups:
            known = ", ".join(sorted({*optional, *groups})) or "none"
            raise UsageError(
                f"{path} has no extra and no group {name}",
                hint=f"there are: {known}",
                ref="project-extra",
            )
        texts += optional.get(name, ())
        texts += _group(groups, name, ()) if name in groups else ()
    own = normalized(str(project.get("name", "")))
    wanted = [_parsed(text, path.name) for text in _expanded(texts, own, optional)]
    return ProjectNeeds(
        tuple(dict.fromkeys(wanted)), requires_python=str(project.get("requires-python", ""))
    )


def _expanded(
    texts: Iterable[str], own: str, optional: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield requirements, those on extras of the project itself (``own[extra]``) expanded."""
    pending = list(texts)
    seen: set[str] = set()
    while pending:
        text = pending.pop(0)
        found = _parsed(text, "pyproject.toml")
        if found.project != own or not own:
            yield text
            continue
        for extra in map(normalized, sorted(found.requirement.extras)):
            if extra not in seen:
                seen.add(extra)
                pending += optional.get(extra, ())


def _group(groups: Mapping[str, Any], name: str, within: tuple[str, ...]) -> list[str]:
    """Return the requirements of a dependency group (:pep:`735`) with those that it includes."""
    if name in within or name not in groups:
        raise UsageError(
            f"the dependency group {name} is missing or includes itself",
            hint="mend [dependency-groups]",
            ref="project-group",
        )
    found: list[str] = []
    for item in groups[name]:
        if isinstance(item, str):
            found.append(item)
        else:
            inner = normalized(str(item.get("include-group", "")))
            found += _group(groups, inner, (*within, name))
    return found


# -- pylock.toml --------------------------------------------------------------------------------


def _of_pylock(path: Path, names: Sequence[str]) -> ProjectNeeds:
    tables = _tables(path)
    if str(tables.get("lock-version", "")).split(".")[0] != "1":
        raise UsageError(
            f"{path} is not a lock file of version 1 (PEP 751)",
            hint="`uv export --format pylock.toml` and `pip lock` write one",
            ref="pylock",
        )
    wanted, left_out = [], []
    for number, row in enumerate(tables.get("packages", ()), 1):
        origin = f"{path.name}: package {number}"
        if "version" not in row:
            left_out.append(f"{origin}: {row.get('name')} is not of an index")
            continue
        marker = f"; {row['marker']}" if row.get("marker") else ""
        wanted.append(_parsed(f"{row.get('name')}==={row['version']}{marker}", origin))
    return ProjectNeeds(
        tuple(wanted),
        requires_python=str(tables.get("requires-python", "")),
        left_out=tuple(left_out),
    )


#: Kind of file -> its reader, called with its path and the extras and groups that are wanted.
READERS: Mapping[str, Callable[[Path, Sequence[str]], ProjectNeeds]] = {
    "requirements": _of_requirements,
    "pyproject": _of_pyproject,
    "pylock": _of_pylock,
}

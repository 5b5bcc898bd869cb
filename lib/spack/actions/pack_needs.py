"""What a packed view needs from the machine that it is used on, and which of it a machine lacks.

The version of the C library is the newest symbol version that a program or library of the view
asks for (``GLIBC_2.34``), not that of the machine where it was packed.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable, NamedTuple, Protocol

from spack.api.elf import ElfParsingError, parse_elf
from spack.spec import ConcreteSpec
from spack.util.json_input import parse_json
from spack.view.view_manifest import FOLDER, load_head

__all__ = ["NEEDS", "MachineFacts", "Needs", "find_needs", "lacking", "needs_of_text", "this_libc"]

#: The file of a packed view that holds its needs.
NEEDS = f"{FOLDER}/needs.json"

_ELF = b"\x7fELF"
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)\b")
_MUSL = re.compile(r"libc\.(musl-.*|so)\Z")


class Needs(NamedTuple):
    """What an unpacked view needs from its machine.

    :ivar platform: such as ``linux``.
    :ivar targets: the processors of its packages, but for those that another includes.
    :ivar python: path of the interpreter; ``""`` if it is in the view.
    :ivar python_version: of three numbers; ``""`` if the view shows no Python.
    :ivar libc: such as ``glibc 2.34`` (this or newer) or ``musl``; ``""`` if it has no programs.
    :ivar store: programs and libraries that load libraries from the store where they were built.
    """

    platform: str = ""
    targets: tuple[str, ...] = ()
    python: str = ""
    python_version: str = ""
    libc: str = ""
    store: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(self._asdict(), indent=1, sort_keys=True) + "\n"


class ProgramRun(Protocol):
    @property
    def returncode(self) -> int: ...

    @property
    def stdout(self) -> str: ...


class MachineFacts(NamedTuple):
    """The properties of a machine that needs are compared with.

    :ivar platform: such as ``linux``. :ivar targets: all whose programs run on it.
    :ivar libc: such as ``glibc 2.36``; ``""`` if it is not known.
    :ivar run: runs a program, for the versions of interpreters.
    """

    platform: str
    targets: tuple[str, ...]
    libc: str
    run: Callable[[Sequence[str]], ProgramRun]


def this_libc() -> str:
    """Return name and version of the C library of this machine; ``""`` if it is not glibc."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError, AttributeError):
        return ""


def needs_of_text(text: str) -> Needs:
    """Read :meth:`Needs.to_json`, also of earlier versions, which named the targets otherwise.

    :raises ValueError: it is something else; so are TypeError and AttributeError.
    """
    data: dict[str, Any] = dict(parse_json(text))
    if "targets" not in data:
        data["platform"], _, target = str(data.get("platform", "")).partition("-")
        data["targets"] = [target] if target else []
    for key in ("targets", "store"):
        data[key] = tuple(str(x) for x in data[key])
    return Needs(**data)


def find_needs(
    root: str, store: str, nodes: Iterable[ConcreteSpec], prefixes: Sequence[str] = ()
) -> Needs:
    """Return what the view at *root* needs.

    :param store: root of the install tree, if its programs shall not need that; else ``""``.
    :param nodes: the packages of the view. :param prefixes: of them, if the view has links only.
    """
    head = load_head(root)
    python = {} if head is None or head.python is None else dict(head.python)
    executable = python.get("executable", "")
    built = [node for node in nodes if node.external is None]
    found = _Programs(prefixes or (root,), store)
    return Needs(
        platform=next((node.platform for node in built), ""),
        targets=_most_special({str(node.target) for node in built}),
        python=executable if os.path.isabs(executable) else "",
        python_version=python.get("version", ""),
        libc=found.libc,
        store=tuple(sorted(found.store)),
    )


def _most_special(targets: set[str]) -> tuple[str, ...]:
    """Return *targets* without those that another of them includes."""
    import archspec.cpu  # start-up: 40 ms

    known = archspec.cpu.TARGETS
    included = {x.name for name in targets if name in known for x in known[name].ancestors}
    return tuple(sorted(targets - included))


class _Programs:
    """What the programs and libraries of a tree ask the dynamic linker for."""

    def __init__(self, roots: Sequence[str], store: str) -> None:
        self.store: list[str] = []
        self._newest = (0, 0)
        self._musl = False
        for root in roots:
            for path in _files(root):
                self._look(path, root, store)

    @property
    def libc(self) -> str:
        if self._newest > (0, 0):
            return f"glibc {self._newest[0]}.{self._newest[1]}"
        return "musl" if self._musl else ""

    def _look(self, path: str, root: str, store: str) -> None:
        with open(path, "rb") as stream:
            if stream.read(4) != _ELF:
                return
            try:
                elf = parse_elf(stream, dynamic_section=True)
            except ElfParsingError:
                return
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                versions = {(int(x[1]), int(x[2])) for x in _GLIBC.finditer(data)}
        self._newest = max(self._newest, *versions, (0, 0))
        libraries = [os.fsdecode(name) for name in elf.dt_needed_strs]
        self._musl = self._musl or any(_MUSL.match(name) for name in libraries)
        paths = os.fsdecode(elf.dt_rpath_str or b"").split(":")
        inside = [x for x in paths if store and x.startswith(store + os.sep)]
        if any(os.path.exists(os.path.join(x, name)) for x in inside for name in libraries):
            self.store.append(os.path.relpath(path, root))


def _files(root: str) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                yield path


def lacking(needs: Needs, machine: MachineFacts) -> list[str]:
    """Return a line for each of *needs* that *machine* lacks."""
    lines = []
    if needs.platform and needs.platform != machine.platform:
        lines.append(f"it is for {needs.platform}, and this is {machine.platform}")
    strange = [x for x in needs.targets if x not in machine.targets]
    if strange and needs.platform in ("", machine.platform):
        best = machine.targets[0] if machine.targets else "unknown"
        lines.append(f"its programs need a processor {', '.join(strange)}, and this one is {best}")
    lines += _lacking_libc(needs.libc, machine.libc)
    if needs.python:
        lines += _lacking_python(needs, machine)
    return lines


def _lacking_libc(needed: str, present: str) -> list[str]:
    name, _, version = needed.partition(" ")
    own, _, own_version = present.partition(" ")
    if name == "glibc" and own != "glibc":
        return [f"its programs need {needed} or newer, and this machine has another C library"]
    if name == "musl" and own == "glibc":
        return [f"its programs need musl, and this machine has {present}"]
    if name == "glibc" and _numbers(version) > _numbers(own_version):
        return [f"its programs need {needed} or newer, and this machine has {present}"]
    return []


def _numbers(version: str) -> list[int]:
    return [int(x) for x in re.findall(r"\d+", version)]


def _lacking_python(needs: Needs, machine: MachineFacts) -> list[str]:
    if not (os.path.isfile(needs.python) and os.access(needs.python, os.X_OK)):
        return [f"it needs Python {needs.python_version} at {needs.python}, which is not there"]
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = machine.run([needs.python, "-I", "-S", "-c", code])
    found = done.stdout.strip()
    if done.returncode == 0 and found == ".".join(needs.python_version.split(".")[:2]):
        return []
    what = f"is Python {found}" if done.returncode == 0 and found else "does not run"
    return [f"it needs Python {needs.python_version} at {needs.python}, which {what}"]

"""One archive of a view, to be used on another machine, and taking it out again.

The archive holds a copy view, so that nothing in it leads into the store: with the interpreter if
that is in the store too, and otherwise as a virtual environment of the machine's Python. What it
still needs from the machine is in its ``.spack-view/needs.json``, and is reported when it is
packed and unpacked. Any ``tar`` can unpack it; there is nothing to repair then.
"""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from spack.actions.developing import is_editable
from spack.actions.views import ViewParts, make_view, shown
from spack.api.elf import ElfParsingError, parse_elf
from spack.environment.spack_yaml import ViewDescriptor
from spack.errors import UsageError, ViewError
from spack.spec import ConcreteSpec
from spack.util.filesystem import remove_tree
from spack.util.json_input import parse_json
from spack.view.view_manifest import FOLDER, load_head

__all__ = ["Needs", "Packed", "missing", "pack_view", "unpack_view"]

NEEDS = f"{FOLDER}/needs.json"

#: Ending of the archive -> compression.
_KINDS = {".tar.gz": "gz", ".tgz": "gz", ".tar.xz": "xz", ".tar": ""}

_ELF = b"\x7fELF"


class Needs(NamedTuple):
    """What an unpacked view needs from its machine.

    :ivar platform: ``linux-x86_64``, as the packages were built for.
    :ivar python: path of the interpreter; ``""`` if it is in the archive.
    :ivar python_version: of three numbers; ``""`` if the view shows no Python.
    :ivar libc: such as ``glibc 2.36``: this or newer.
    :ivar store: programs and libraries that load libraries from the store where they were built.
    """

    platform: str
    python: str
    python_version: str
    libc: str
    store: tuple[str, ...]


class Packed(NamedTuple):
    """An archive that was made, or a view that was taken out of one."""

    path: Path
    entries: int
    needs: Needs


def pack_view(
    view: ViewDescriptor,
    roots: Sequence[ConcreteSpec],
    parts: ViewParts,
    *,
    name: str,
    target: Path,
) -> Packed:
    """Write the archive *target* with a copy of *view* below the folder *name*.

    :raises UsageError: the ending of *target* is not known.
    :raises ViewError: see :func:`spack.actions.views.make_view`; the archive cannot be written; an
        editable install is among the packages.
    """
    kind = next((x for ending, x in _KINDS.items() if target.name.endswith(ending)), None)
    if kind is None:
        raise UsageError(
            f"{target.name} does not say what kind of archive it shall be",
            hint="end it with " + ", ".join(_KINDS),
            ref="pack-kind",
        )
    _refuse_editable(shown(roots, view))
    staging = target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")
    part = staging.with_suffix(".part")
    descriptor = view._replace(root=str(staging), link_type="copy")
    try:
        result = make_view(descriptor, roots, parts)
        needs = _needs(staging, str(parts.store.root), roots)
        (staging / NEEDS).write_text(json.dumps(needs._asdict(), indent=1), encoding="utf-8")
        with _stream(part, kind) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
            archive.add(staging, name, filter=_anonymous)
        os.replace(part, target)
    except OSError as error:
        raise ViewError(
            f"{target} cannot be written: {error.strerror}", facts={"path": str(target)}, ref="pack"
        ) from error
    finally:
        part.unlink(missing_ok=True)
        remove_tree(staging)
    return Packed(target, result.entries, needs)


def _refuse_editable(nodes: Iterable[ConcreteSpec]) -> None:
    """Refuse packages that refer to a directory of this machine instead of holding their modules.

    :raises ViewError: with all of their names.
    """
    editable = {
        node.name: node.variants["dev_path"].values[0] for node in nodes if is_editable(node)
    }
    if editable:
        named = ", ".join(f"{name} ({path})" for name, path in sorted(editable.items()))
        raise ViewError(
            f"cannot pack editable installs, whose modules are in a developer's directory: {named}",
            facts={"packages": editable},
            hint="develop them without --editable: `spack develop NAME`, `spack install`",
            ref="pack-editable",
        )


def unpack_view(archive: Path, target: Path) -> Packed:
    """Unpack a view into the directory *target*, which must not exist yet.

    :raises ViewError: it is not an archive of a view; *target* exists; it cannot be written.
    """
    if os.path.lexists(target):
        raise ViewError(f"{target} exists already", facts={"path": str(target)}, ref="unpack")
    staging = target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")
    try:
        with tarfile.open(archive) as tar:
            members = [_safe(member) for member in tar.getmembers()]
            _refuse_below_links(members)
            top = members[0].name.split("/")[0] if members else ""
            if f"{top}/{NEEDS}" not in {member.name for member in members}:
                raise tarfile.TarError("it holds no packed view")
            os.makedirs(staging)
            # Every member has been looked at above.
            tar.extractall(staging, members, **_trusting())
        data = parse_json((staging / top / NEEDS).read_text(encoding="utf-8"))
        needs = Needs(**{**data, "store": tuple(data["store"])})
        os.rename(staging / top, target)
    except Exception as error:  # each compression has an error of its own for a damaged file
        reason = getattr(error, "strerror", None) or str(error)
        raise ViewError(
            f"{archive} cannot be unpacked into {target}: {reason}",
            facts={"archive": str(archive), "path": str(target)},
            hint="give an archive that `spack env pack` has made, and a new directory",
            ref="unpack",
        ) from error
    finally:
        if staging.exists():
            remove_tree(staging)
    return Packed(target, 0, needs)


def missing(needs: Needs) -> list[str]:
    """Return those of *needs* that this machine lacks."""
    lines = []
    if needs.python and not os.access(needs.python, os.X_OK):
        lines.append(f"there is no {needs.python} here")
    return lines


def _needs(root: Path, store: str, roots: Sequence[ConcreteSpec]) -> Needs:
    head = load_head(str(root))
    python = {} if head is None or head.python is None else dict(head.python)
    executable = python.get("executable", "")
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    first = next(iter(roots), None)
    target = "" if first is None else f"{first.platform}-{first.target}"
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and _needs_store(path, store):
                found.append(os.path.relpath(path, root))
    outside = executable if os.path.isabs(executable) else ""
    return Needs(target, outside, python.get("version", ""), libc, tuple(sorted(found)))


def _needs_store(path: str, store: str) -> bool:
    """Return whether a binary file takes a library from a search path in the store."""
    try:
        with open(path, "rb") as stream:
            if stream.read(4) != _ELF:
                return False
            stream.seek(0)
            elf = parse_elf(stream, dynamic_section=True)
    except (OSError, ElfParsingError):
        return False
    paths = os.fsdecode(elf.dt_rpath_str or b"").split(":")
    inside = [x for x in paths if x.startswith(store + os.sep)]
    libraries = [os.fsdecode(name) for name in elf.dt_needed_strs]
    return any(os.path.exists(os.path.join(x, name)) for x in inside for name in libraries)


def _stream(path: Path, kind: str) -> IO[bytes]:
    if kind == "gz":
        # The usual level 9 takes three times as long for a hundredth of the size.
        return cast(IO[bytes], gzip.open(path, "wb", compresslevel=6))
    if kind == "xz":
        import lzma  # some Pythons were built without it

        return cast(IO[bytes], lzma.open(path, "wb"))
    return open(path, "wb")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _safe(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Refuse a member that would be written outside, or is not a file, link or directory.

    :raises tarfile.TarError: it would be written outside, or is not a file, link or directory.

    Links may lead anywhere: that of the interpreter leads to the machine's.
    """
    parts = member.name.split("/")
    if member.name.startswith("/") or ".." in parts:
        raise tarfile.TarError(f"{member.name} would be outside")
    if not (member.isreg() or member.isdir() or member.issym()):
        raise tarfile.TarError(f"{member.name} is not a file, link or directory")
    return member


def _refuse_below_links(members: Sequence[tarfile.TarInfo]) -> None:
    """Refuse members that would be written through a link.

    :raises tarfile.TarError: something would be written through a link.
    """
    links = {member.name for member in members if member.issym()}
    for member in members:
        above = os.path.dirname(member.name)
        while above:
            if above in links:
                raise tarfile.TarError(f"{member.name} is below a link")
            above = os.path.dirname(above)


def _trusting() -> dict[str, Any]:
    """Name the filter that Python 3.12 and later expect."""
    return {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}

"""Mounting a packed view: one file instead of a directory tree, read through the kernel or FUSE."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spack.actions.pack_needs import NEEDS, MachineFacts, Needs, lacking, needs_of_text
from spack.actions.packing import lacks
from spack.actions.programs import Programs
from spack.errors import ViewError

__all__ = ["Mounted", "mount_view", "unmount_view"]

_MOUNTS = "/proc/self/mountinfo"

#: A character that proc(5) writes as its octal number.
_ESCAPED = re.compile(rb"\\([0-7]{3})")

#: Kinds of file systems as the kernel names them, with what takes them away again.
_UNMOUNT: dict[str, Sequence[Sequence[str]]] = {
    "squashfs": (("umount",),),
    "fuse.squashfuse": (("fusermount3", "-u"), ("fusermount", "-u"), ("umount",)),
    "fuse.squashfuse_ll": (("fusermount3", "-u"), ("fusermount", "-u"), ("umount",)),
}


class Mounted(NamedTuple):
    """A view that was mounted.

    :ivar way: ``kernel`` or ``squashfuse``. :ivar lacking: what the machine lacks; a line each.
    """

    path: Path
    way: str
    needs: Needs
    lacking: Sequence[str]


def mount_view(
    image: Path,
    directory: Path,
    *,
    machine: MachineFacts,
    programs: Programs,
    root: bool,
    force: bool,
) -> Mounted:
    """Mount the squashfs file *image* at *directory*, which is made if it is not there.

    :param root: the kernel may be asked. :param force: even if *machine* lacks something.
    :raises ViewError: it does not hold a packed view; *directory* is in use; nothing here can
        mount it.
    """
    _check(image, directory)
    made = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    try:
        way = _mounted_by(image, directory, programs, root)
        try:
            needs = needs_of_text((directory / NEEDS).read_text(encoding="utf-8"))
            lines = lacking(needs, machine)
            if lines and not force:
                raise lacks(str(image), lines)
        except BaseException:
            unmount_view(directory, programs)
            raise
    except (ValueError, TypeError, AttributeError, OSError) as error:
        _remove_if(made, directory)
        raise ViewError(
            f"{image} holds no packed view",
            facts={"path": str(image)},
            hint="give a file that `spack env pack --format squashfs` has made",
            ref="mount-view",
        ) from error
    except ViewError:
        _remove_if(made, directory)
        raise
    return Mounted(directory, way, needs, lines)


def _remove_if(made: bool, directory: Path) -> None:
    if made and not os.path.ismount(directory):
        directory.rmdir()


def _check(image: Path, directory: Path) -> None:
    """Check what can be known before anything is mounted.

    :raises ViewError: *image* is not a squashfs file, or *directory* is in use.
    """
    try:
        with open(image, "rb") as stream:
            squashfs = stream.read(4) == b"hsqs"
    except OSError as error:
        raise ViewError(
            f"{image} cannot be mounted: {error.strerror}",
            facts={"path": str(image)},
            hint="the file comes first: `spack env mount FILE DIR`",
            ref="mount-file",
        ) from error
    if not squashfs:
        raise ViewError(
            f"{image} cannot be mounted: it is not a squashfs file",
            facts={"path": str(image)},
            hint="make one with `spack env pack --format squashfs`, or use `spack env unpack`",
            ref="mount-file",
        )
    if os.path.ismount(directory):
        raise ViewError(
            f"{directory} cannot be mounted on: something is mounted there",
            facts={"path": str(directory)},
            hint=f"spack env unmount {directory}",
            ref="mount-used",
        )
    if os.path.lexists(directory) and (not directory.is_dir() or os.listdir(directory)):
        raise ViewError(
            f"{directory} cannot be mounted on: it is not an empty directory",
            facts={"path": str(directory)},
            hint="name an empty directory, or one that does not exist",
            ref="mount-used",
        )


def _mounted_by(image: Path, directory: Path, programs: Programs, root: bool) -> str:
    """Mount *image*; return what did it.

    :raises ViewError: nothing could, with the reasons.
    """
    reasons = []
    ways = {"squashfuse": ["-o", "ro,nosuid,nodev"]}
    if root:
        ways = {"mount": ["-t", "squashfs", "-o", "loop,ro,nosuid,nodev"], **ways}
    for name, options in ways.items():
        program = programs.find(name)
        if program is None:
            reasons.append(f"{name} is not on PATH")
            continue
        problem = programs.attempt([program, *options, str(image), str(directory)])
        if not problem:
            return "kernel" if name == "mount" else name
        reasons.append(problem)
    raise ViewError(
        f"{image} cannot be mounted: {'; '.join(reasons)}",
        facts={"reasons": reasons},
        hint="install squashfuse (which needs /dev/fuse), or unpack it: `spack env unpack`",
        ref="mount-unable",
    )


def unmount_view(directory: Path, programs: Programs) -> None:
    """Take away what :func:`mount_view` mounted at *directory*; the directory stays.

    :raises ViewError: no packed view is mounted there, or it is in use.
    """
    commands = _UNMOUNT.get(_kind_at(os.path.realpath(directory)), ())
    if not commands:
        raise ViewError(
            f"{directory} cannot be unmounted: no packed view is mounted there",
            facts={"path": str(directory)},
            hint="name the directory that was given to `spack env mount`",
            ref="unmount",
        )
    reasons = []
    for command in commands:
        program = programs.find(command[0])
        if program is not None:
            problem = programs.attempt([program, *command[1:], str(directory)])
            if not problem:
                return
            reasons.append(problem)
    raise ViewError(
        f"{directory} cannot be unmounted: {'; '.join(reasons) or 'umount is not on PATH'}",
        facts={"path": str(directory), "reasons": reasons},
        hint="end the programs that run from it, and leave it (`lsof +D DIR` names them)",
        ref="unmount",
    )


def _kind_at(directory: str) -> str:
    """Return the kind of the file system that is mounted at *directory*; ``""`` if none is."""
    kind = ""
    wanted = os.fsencode(directory)
    with open(_MOUNTS, "rb") as stream:
        for line in stream:
            before, _, after = line.partition(b" - ")
            point = _ESCAPED.sub(lambda x: bytes((int(x[1], 8),)), before.split(b" ")[4])
            if point == wanted:
                kind = os.fsdecode(after.split(b" ")[0])
    return kind

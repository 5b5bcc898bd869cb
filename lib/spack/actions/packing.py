"""One archive of a view, to be used on another machine, and taking it out again.

The archive holds a copy view, so that nothing in it leads into the store: with the interpreter if
that is in the store too, and otherwise as a virtual environment of the machine's Python. What it
still needs from the machine is in its ``.spack-view/needs.json``, and is looked at before anything
else is written. Any ``tar`` or ``unsquashfs`` can unpack it; there is nothing to repair then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.actions.developing import is_editable
from spack.actions.pack_formats import PackFormat, format_of_file
from spack.actions.pack_needs import NEEDS, MachineFacts, Needs, lacking, needs_of_text
from spack.actions.packed_tree import packed_tree
from spack.actions.programs import Programs
from spack.actions.views import ViewParts, shown
from spack.environment.spack_yaml import ViewDescriptor
from spack.errors import SpackError, UsageError, ViewError
from spack.spec import ConcreteSpec
from spack.util.filesystem import remove_tree
from spack.util.hashing import hash_file
from spack.view.other_python import use_other_python

__all__ = [
    "PackedView",
    "UnpackedView",
    "check_digest",
    "pack_view",
    "refuse_editable",
    "unpack_view",
]


class PackedView(NamedTuple):
    """An archive that was made.

    :ivar digest: sha256 of the file, in hex.
    """

    path: Path
    entries: int
    needs: Needs
    digest: str


class UnpackedView(NamedTuple):
    """A view that was taken out of an archive.

    :ivar lacking: what it needs and this machine lacks; a line each.
    """

    path: Path
    needs: Needs
    lacking: Sequence[str]


def pack_view(
    view: ViewDescriptor,
    roots: Sequence[ConcreteSpec],
    parts: ViewParts,
    *,
    name: str,
    target: Path,
    form: PackFormat,
    programs: Programs,
) -> PackedView:
    """Write the archive *target* with a copy of *view* below the folder *name*.

    :raises UsageError: a program is missing.
    :raises ViewError: see :func:`spack.actions.views.make_view`; the archive cannot be written; an
        editable install is among the packages.
    """
    refuse_editable(shown(roots, view))
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    try:
        with packed_tree(view, roots, parts, target) as tree:
            form.write(tree.root, name, part, programs)
        digest = hash_file(part)
        os.replace(part, target)
    except OSError as error:
        raise ViewError(
            f"{target} cannot be written: {error.strerror}", facts={"path": str(target)}, ref="pack"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return PackedView(target, tree.entries, tree.needs, digest)


def refuse_editable(nodes: Iterable[ConcreteSpec]) -> None:
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


def unpack_view(
    archive: Path,
    target: Path,
    *,
    machine: MachineFacts,
    programs: Programs,
    force: bool = False,
    python: str = "",
) -> UnpackedView:
    """Unpack a view into the directory *target*, which must not exist yet.

    :param force: even if *machine* lacks something that it needs.
    :param python: absolute path of an interpreter to use instead of the one that it needs.
    :raises UsageError: a program is missing, or it needs no interpreter.
    :raises ViewError: it is not an archive of a view; *target* exists; it cannot be written; the
        machine lacks something, in which case nothing is written.
    """
    if os.path.lexists(target):
        raise ViewError(f"{target} exists already", facts={"path": str(target)}, ref="unpack")
    staging = target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")
    try:
        form = format_of_file(archive)
        for folder in (staging, staging / "needs", staging / "tree"):
            folder.mkdir(0o700)
        needs = needs_of_text(form.needs(archive, staging / "needs", programs))
        if python:
            needs = _with_python(needs, python, archive)
        lines = lacking(needs, machine)
        if lines and not force:
            raise lacks(str(archive), lines)
        tree = form.extract(archive, staging / "tree", programs)
        if python:
            use_other_python(tree, python)
            (tree / NEEDS).write_text(needs.to_json(), encoding="utf-8")
        os.rename(tree, target)
    except SpackError:
        raise
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
    return UnpackedView(target, needs, lines)


def _with_python(needs: Needs, python: str, archive: Path) -> Needs:
    """Return *needs* with another interpreter.

    :raises UsageError: there is none among them.
    """
    if needs.python:
        return needs._replace(python=python)
    what = "has a Python of its own" if needs.python_version else "shows no Python"
    raise UsageError(
        f"{archive} {what}, so it cannot use {python}",
        hint="leave --python out",
        ref="unpack-python",
    )


def lacks(what: str, lines: Sequence[str]) -> ViewError:
    """Return the error for a view whose needs this machine does not meet."""
    return ViewError(
        f"{what} cannot be used on this machine",
        "\n".join(lines),
        facts={"lacking": list(lines)},
        hint="pack it for this machine, or take it nevertheless with --force",
        ref="pack-lacking",
    )


def check_digest(archive: Path, expected: str) -> None:
    """Compare the digest of a file with the one that the user names.

    :param expected: sha256 in hex, with or without ``sha256:``.
    :raises ViewError: it is another one, or the file cannot be read.
    """
    try:
        found = hash_file(archive)
    except OSError as error:
        raise ViewError(
            f"{archive} cannot be read: {error.strerror}",
            facts={"archive": str(archive)},
            hint="the file comes first: FILE DIR",
            ref="unpack",
        ) from error
    if found != expected.partition(":")[2] and found != expected:
        raise ViewError(
            f"{archive} does not have the digest that was asked for",
            facts={"expected": expected, "found": f"sha256:{found}"},
            hint=f"its sha256 is {found}: get the file again",
            ref="unpack-digest",
        )

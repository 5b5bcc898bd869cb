"""The directory of one package's sources for its build."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spack.errors import FetchError, InstallError, RecipeError
from spack.recipe.records import ResourceRecord
from spack.util.filesystem import remove_tree

__all__ = ["SOURCE", "Stage", "StagedPatch", "choose_root", "move_resource"]

#: Name of the source directory in a stage; recipes know it.
SOURCE = "spack-src"


@dataclass(frozen=True)
class StagedPatch:
    """A verified patch file and how it is to be applied; ``working_dir`` is below the source."""

    path: Path
    level: int = 1
    working_dir: str = "."
    reverse: bool = False


@dataclass(frozen=True)
class Stage:
    """What a build starts from.

    :param path: the directory of everything of this build.
    :param source_path: ``<path>/spack-src``: the unpacked sources, or the directory with the one
        file that is used as it is.
    :param archive_file: the verified file; for a file that is used as it is, the one in
        ``source_path``; None for sources from git and for packages without code.
    :param resources: name -> where its files were put.
    :param patches: in the order of their application; nothing is patched yet.
    :param developed: of sources in a developer's directory, their fingerprint.
    """

    path: Path
    source_path: Path
    archive_file: Path | None = None
    resources: Mapping[str, Path] = field(default_factory=dict)
    patches: tuple[StagedPatch, ...] = ()
    developed: str = ""

    def destroy(self) -> None:
        """Remove the stage, also directories that a build made read-only."""
        with contextlib.suppress(OSError):
            remove_tree(self.path)


def choose_root(locations: Iterable[Path], user: int) -> Path:
    """Create and return the first of *locations* that only *user* can write to.

    Below a directory where everybody may create (``/tmp``), every part of the path must be the
    user's or root's: a user that made ``/tmp/alice`` before Alice could put other sources into her
    builds, or let ``spack clean`` remove what a link leads to.

    :raises InstallError: none of them is usable; the reasons are listed.
    """
    problems = []
    for path in locations:
        try:
            path.mkdir(parents=True, exist_ok=True)
            another = _part_of_another_user(path, user)
            if another is not None:
                problems.append(f"{another}: belongs to another user")
            elif path.stat().st_uid == user and os.access(path, os.W_OK | os.X_OK):
                return path
            else:
                problems.append(f"{path}: belongs to another user, or is not writable")
        except OSError as error:
            problems.append(f"{path}: {error.strerror}")
    raise InstallError(
        "no configured stage directory can be used",
        "\n".join(problems),
        hint="name one: -c config:build_stage:/some/writable/directory",
        ref="no-stage",
    )


def _part_of_another_user(path: Path, user: int) -> Path | None:
    """Return the first part of *path* that another user has put into a world-writable directory."""
    for part in (*reversed(path.parents), path):
        everybody = part.parent.stat().st_mode & stat.S_IWOTH
        if everybody and part.lstat().st_uid not in (0, user):
            return part
    return None


def move_resource(record: ResourceRecord, unpacked: Path, source: Path) -> Path:
    """Move the files of a resource to where the recipe wants them below *source*.

    ``destination`` is a directory below the source directory; ``placement`` the name there
    (the resource's own directory name when None), or a mapping of paths within the resource to
    names there (``""`` is the whole). What is there already stays.

    :return: the directory that the resource's files were put below.
    :raises FetchError: the resource has no such path.
    :raises RecipeError: a path outside of the sources.
    """
    base = _below(source, record.destination, record)
    base.mkdir(parents=True, exist_ok=True)
    placement: Any = record.placement
    if not placement:
        placement = unpacked.name
    pairs = placement.items() if isinstance(placement, Mapping) else [("", placement)]
    last = base
    for old, new in pairs:
        origin = _below(unpacked, str(old), record)
        last = _below(source, os.path.join(record.destination, str(new)), record)
        if not origin.exists():
            raise FetchError(
                f"resource {record.name} has no {old!r}",
                facts={"resource": record.name, "path": str(old)},
                hint="its placement= names paths within the resource",
            )
        if last.exists():
            continue
        last.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, last, symlinks=True)
        else:
            shutil.copy2(origin, last)
    return last


def _below(root: Path, relative: str, record: ResourceRecord) -> Path:
    path = Path(os.path.normpath(root / relative))
    if path != root and root not in path.parents:
        raise RecipeError(
            f"resource {record.name} would be placed outside of the sources: {relative!r}",
            hint="destination= and placement= are relative to the source directory",
        )
    return path

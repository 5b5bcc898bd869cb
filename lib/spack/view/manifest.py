"""What a view records of itself, and how the disk compares with it.

``.spack-view/manifest.json`` says for every path its owner, kind and hash, and which Python the
view stands on; ``.spack-view/environment.json`` holds what activation needs and no more. Neither
holds the path of the view, so that it can be moved. No Python of the view is run to read them.

Format 2 of the manifest::

    {"format": 2, "digest": "…", "link_type": "symlink",
     "python": {"executable": "/usr/bin/python3.11", "version": "3.11.2", "purelib": "…", …},
     "owners": [[name, version, hash, prefix], …],
     "folders": ["bin", …],
     "shared": {path: [reason, owner, …], …},
     "items": {path: [how, owner, source, digest, size, mtime_ns], …}}

``how`` is a kind of :class:`spack.view.plan.Item`; ``owner`` an index into ``owners``, -1 for the
view itself; ``source`` is 0 for the same path below the owner's prefix; size and time are 0 for
links; ``shared`` are the paths that several packages provide (:class:`spack.view.plan.Shared`).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from spack.errors import ViewError
from spack.view.activate import Step, steps_from_json
from spack.view.records import Owner, Shared, ViewPlan

__all__ = [
    "FOLDER",
    "Activation",
    "Examination",
    "Recorded",
    "ViewManifest",
    "examine",
    "is_view",
    "load_activation",
    "load_manifest",
]

#: The view's own folder.
FOLDER = ".spack-view"
MANIFEST = f"{FOLDER}/manifest.json"
ENVIRONMENT = f"{FOLDER}/environment.json"
DISPLACED = f"{FOLDER}/displaced"

FORMAT = 2


class Recorded(NamedTuple):
    """One path of a view that is no folder, as it was made."""

    how: str
    owner: int
    source: str
    digest: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class ViewManifest:
    """What a view is made of; see the module's docstring."""

    digest: str
    link_type: str
    python: Optional[Mapping[str, str]]
    owners: Tuple[Owner, ...]
    folders: Tuple[str, ...]
    items: Mapping[str, Recorded]
    shared: Mapping[str, Shared]

    def owner(self, path: str) -> Optional[Owner]:
        """The package that *path* (relative) comes from; None for the view's own, or unknown."""
        item = self.items.get(path)
        return None if item is None or item.owner < 0 else self.owners[item.owner]


class Activation(NamedTuple):
    """What activating a view needs: the steps, and the name for the prompt if one is fixed."""

    steps: Tuple[Step, ...]
    prompt: str
    is_venv: bool


def manifest_text(plan: ViewPlan, made: Mapping[str, Tuple[int, int]]) -> str:
    """The manifest of a view made from *plan*; *made* has size and mtime of its real files."""
    starts = [owner.prefix + "/" for owner in plan.owners]
    items: Dict[str, List[Any]] = {}
    none = (0, 0)
    for path, item in plan.items.items():
        source: Any = item.source
        if item.owner >= 0 and source == starts[item.owner] + path:
            source = 0
        size, mtime = made.get(path, none)
        # A hard link that could not be had was copied.
        how = "copy" if item.how == "hardlink" and path in made else item.how
        items[path] = [how, item.owner, source, item.digest, size, mtime]
    data = {
        "format": FORMAT,
        "digest": plan.digest,
        "link_type": plan.link_type,
        "python": plan.python,
        "owners": plan.owners,
        "folders": plan.folders,
        "shared": {path: [row.reason, *row.owners] for path, row in plan.shared.items()},
        "items": items,
    }
    return json.dumps(data, separators=(",", ":"))


def activation_text(plan: ViewPlan, prompt: str) -> str:
    """The file that :func:`load_activation` reads."""
    data = {"steps": plan.steps, "prompt": prompt, "venv": plan.python is not None}
    return json.dumps(data, separators=(",", ":"))


def is_view(root: str) -> bool:
    """Whether a view of this project is at *root*."""
    return os.path.isfile(os.path.join(root, MANIFEST))


def load_manifest(root: str) -> Optional[ViewManifest]:
    """The manifest of the view at *root*, None if there is no view.

    :raises ViewError: it is damaged or from a newer version.
    """
    text = _read(os.path.join(root, MANIFEST))
    if text is None:
        return None
    try:
        data = json.loads(text)
        if data["format"] not in range(1, FORMAT + 1):
            raise ValueError(f"format {data['format']}")
        owners = tuple(Owner(*row) for row in data["owners"])
        starts = [owner.prefix + "/" for owner in owners]
        make = Recorded._make
        items = {
            path: make(row)
            if row[2] != 0
            else make((row[0], row[1], starts[row[1]] + path, row[3], row[4], row[5]))
            for path, row in data["items"].items()
        }
        return ViewManifest(
            digest=data["digest"],
            link_type=data["link_type"],
            python=data["python"],
            owners=owners,
            folders=tuple(data["folders"]),
            items=items,
            shared={
                path: Shared(row[0], tuple(row[1:])) for path, row in data.get("shared", {}).items()
            },
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ViewError(
            f"{root}: the view's manifest cannot be read: {error}",
            facts={"view": root},
            hint="move the view away and make it again: spack env view regenerate",
            ref="view-manifest",
        ) from error


def load_activation(root: str) -> Optional[Activation]:
    """What activating the view at *root* does; None if there is no view."""
    text = _read(os.path.join(root, ENVIRONMENT))
    if text is None:
        return None
    try:
        data = json.loads(text)
        return Activation(steps_from_json(data["steps"]), data["prompt"], data["venv"])
    except (ValueError, KeyError, TypeError) as error:
        raise ViewError(
            f"{root}: {ENVIRONMENT} cannot be read: {error}",
            facts={"view": root},
            hint="make the view again: spack env view regenerate",
            ref="view-manifest",
        ) from error


def _read(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ViewError(
            f"{path}: cannot be read: {error.strerror}", facts={"path": path}, ref="view-manifest"
        ) from error


class Examination(NamedTuple):
    """How a view differs from its manifest; all paths relative, in order.

    :ivar missing: files, links and folders that are gone.
    :ivar altered: paths that hold something else.
    :ivar extra: what somebody else put there: files, links, and folders with a trailing ``/``.
    :ivar bytecode: ``.pyc`` files that Python wrote beside the view's sources.
    """

    missing: Tuple[str, ...]
    altered: Tuple[str, ...]
    extra: Tuple[str, ...]
    bytecode: Tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether everything that belongs to the view is there as it was made."""
        return not self.missing and not self.altered


def examine(root: str, manifest: ViewManifest) -> Examination:
    """Compare the disk with the manifest.

    Links by their targets; hardlinks by the identity of the file; other files by size and time,
    and where those differ by content. Cost: about 3 µs a path.
    """
    expected: Dict[str, Dict[str, Recorded]] = {"": {}}
    for folder in manifest.folders:
        expected[folder] = {}
    for path, item in manifest.items.items():
        folder, _, name = path.rpartition("/")
        expected[folder][name] = item
    missing: List[str] = []
    altered: List[str] = []
    extra: List[str] = []
    bytecode: List[str] = []
    for folder, items in expected.items():
        start = folder + "/" if folder else ""
        try:
            with os.scandir(os.path.join(root, folder)) as listing:
                entries = {entry.name: entry for entry in listing}
        except (FileNotFoundError, NotADirectoryError):
            missing.append(folder)
            missing.extend(start + name for name in items)
            continue
        for name, item in items.items():
            entry = entries.pop(name, None)
            if entry is None:
                missing.append(start + name)
            elif not _is_as_made(entry, item):
                altered.append(start + name)
        for name, entry in entries.items():
            path = start + name
            if not entry.is_dir(follow_symlinks=False):
                extra.append(path)
            elif path not in expected and path != FOLDER:
                if name == "__pycache__":
                    _sort_bytecode(entry.path, path, items, extra, bytecode)
                else:
                    extra.extend(_everything(entry.path, path))
    _extract_bytecode(extra, bytecode, expected)
    # A folder that a file has replaced: its name is listed as foreign and as missing.
    return Examination(
        tuple(sorted(missing)), tuple(sorted(altered)), tuple(sorted(extra)), tuple(bytecode)
    )


def _is_as_made(entry: os.DirEntry[str], item: Recorded) -> bool:
    if item.how in ("symlink", "link"):
        return entry.is_symlink() and os.readlink(entry.path) == item.source
    if not entry.is_file(follow_symlinks=False):
        return False
    info = entry.stat(follow_symlinks=False)
    if item.how == "hardlink":
        try:
            source = os.stat(item.source, follow_symlinks=False)
        except OSError:
            return _hash(entry.path) == item.digest
        if (source.st_ino, source.st_dev) == (info.st_ino, info.st_dev):
            return True
    elif info.st_size == item.size and info.st_mtime_ns == item.mtime_ns:
        return True
    return _hash(entry.path) == item.digest


def _hash(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return ""


def _everything(path: str, relative: str) -> Iterator[str]:
    """A foreign folder and all in it."""
    pending = [(path, relative)]
    while pending:
        path, relative = pending.pop()
        yield relative + "/"
        with os.scandir(path) as listing:
            for entry in listing:
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, f"{relative}/{entry.name}"))
                else:
                    yield f"{relative}/{entry.name}"


def _source_name(name: str) -> str:
    """``a.cpython-311.opt-1.pyc`` -> ``a.py``."""
    return name.partition(".")[0] + ".py"


def _sort_bytecode(
    path: str,
    relative: str,
    sources: Mapping[str, Recorded],
    extra: List[str],
    bytecode: List[str],
) -> None:
    """A ``__pycache__`` that the view did not make: is it of the view's own sources?"""
    for found in _everything(path, relative):
        name = found.rpartition("/")[2]
        if name.endswith(".pyc") and _source_name(name) in sources:
            bytecode.append(found)
        elif not found.endswith("/"):
            extra.append(found)


def _extract_bytecode(
    extra: List[str], bytecode: List[str], expected: Mapping[str, Mapping[str, Recorded]]
) -> None:
    """Move byte-code of the view's sources, in a ``__pycache__`` of the view, out of *extra*."""
    kept: List[str] = []
    for path in extra:
        folder, _, name = path.rpartition("/")
        above, _, last = folder.rpartition("/")
        if (
            last == "__pycache__"
            and name.endswith(".pyc")
            and _source_name(name) in expected.get(above, {})
        ):
            bytecode.append(path)
        else:
            kept.append(path)
    extra[:] = kept


def describe(path: str) -> str:
    """What kind of thing is at *path*, for a message."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return "nothing"
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a directory" if stat.S_ISDIR(mode) else "a file"

"""The tree of a packed view: a copy that names no directory of this machine where it need not.

The same packages give the same tree, byte by byte, with the same modes and times: what the
view records of its own making (times of its files, which sources it was planned from) is dropped.
Run paths of programs and libraries that lead to a package of the view become relative
(``$ORIGIN``); each keeps its length, as in :mod:`spack.binary.relocation`.
"""

from __future__ import annotations

import json
import mmap
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from spack.actions.pack_needs import NEEDS, Needs, find_needs
from spack.actions.views import ViewParts, make_view, shown, view_sources
from spack.binary.path_references import PrefixPattern, references_in
from spack.build.post_install import correct_records
from spack.environment.spack_yaml import ViewDescriptor
from spack.spec import RUN_TIME, ConcreteSpec
from spack.util.filesystem import remove_tree
from spack.util.frozen import replace
from spack.util.hashing import hash_file
from spack.view.view_manifest import ITEMS, MANIFEST, head_text, load_head

__all__ = ["PACKED_TIME", "PackedTree", "packed_tree", "shown_tree"]

#: The time of all that is packed: the first that every archive format can hold (1980, UTC).
PACKED_TIME = 315532800


class PackedTree(NamedTuple):
    """A tree that is ready to be packed.

    :ivar entries: files and links that belong to the view.
    """

    root: Path
    entries: int
    needs: Needs


@contextmanager
def packed_tree(
    view: ViewDescriptor, roots: Sequence[ConcreteSpec], parts: ViewParts, beside: Path
) -> Iterator[PackedTree]:
    """Make the tree beside a path; it is removed in the end.

    :raises ViewError: see :func:`spack.actions.views.make_view`.
    :raises OSError: it cannot be written.
    """
    staging = beside.with_name(f".{beside.name[:200]}.{os.urandom(4).hex()}.new")
    descriptor = view._replace(root=str(staging), link_type="copy", fold=False)
    try:
        result = make_view(descriptor, roots, parts)
        nodes = shown(roots, view)
        sources, _ = view_sources(nodes, parts, view)
        changed = _relative_run_paths(
            str(staging), {source.prefix: source.projection for source in sources}
        )
        if changed:
            sites = [str(x.relative_to(staging)) for x in staging.glob("lib*/python*/*-packages")]
            correct_records(str(staging), sorted(sites), changed)
        needs = find_needs(str(staging), str(parts.store.root), nodes)
        (staging / NEEDS).write_text(needs.to_json(), encoding="utf-8")
        _forget_making(staging, changed)
        _level(staging)
        yield PackedTree(staging, result.entries, needs)
    finally:
        remove_tree(staging)


@contextmanager
def shown_tree(
    view: ViewDescriptor, roots: Sequence[ConcreteSpec], parts: ViewParts, beside: Path
) -> Iterator[PackedTree]:
    """Make a tree whose files are links to the prefixes; see :func:`packed_tree`.

    Its needs are those of the packages, whose prefixes are as they are here.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    staging = beside.with_name(f".{beside.name[:200]}.{os.urandom(4).hex()}.new")
    descriptor = view._replace(root=str(staging), link_type="symlink")
    try:
        result = make_view(descriptor, roots, parts)
        nodes = shown(roots, view)
        every = {x.dag_hash(): x for node in nodes for x in node.traverse(RUN_TIME)}
        prefixes = [str(parts.store.prefix(x)) for x in every.values() if x.external is None]
        needs = find_needs(str(staging), "", every.values(), prefixes)
        if is_inside(needs.python, prefixes):
            needs = needs._replace(python="")
        _forget_making(staging, ())
        _level(staging)
        yield PackedTree(staging, result.entries, needs)
    finally:
        remove_tree(staging)


def is_inside(path: str, folders: Sequence[str]) -> bool:
    """Return whether *path* is below one of *folders*."""
    return any(path.startswith(folder + os.sep) for folder in folders)


def _relative_run_paths(root: str, locations: Mapping[str, str]) -> list[str]:
    """Let run paths lead to the view at *root*; return the files that were changed.

    :param locations: folders of the view by the prefix that is shown in them.
    """
    pattern = PrefixPattern({prefix: prefix for prefix in locations})
    changed = []
    for path, info in _regular_files(root):
        if info.st_size < 64:
            continue
        with open(path, "r+b") as stream:
            if stream.read(4) != b"\x7fELF":
                continue
            with mmap.mmap(stream.fileno(), 0) as data:
                if _rewritten(data, os.path.relpath(path, root), pattern, locations):
                    changed.append(path)
    return changed


def _rewritten(
    data: mmap.mmap, path: str, pattern: PrefixPattern, locations: Mapping[str, str]
) -> bool:
    found = references_in(data, path, pattern)
    if found is None:
        return False
    changed = False
    for offset, prefix in found.references:
        if offset not in found.run_paths:
            continue
        up = posixpath.relpath(locations[prefix] or ".", posixpath.dirname(path) or ".")
        old, new = os.fsencode(prefix), os.fsencode(f"$ORIGIN/{up}")
        if len(new) <= len(old):
            data[offset : offset + len(old)] = new + b"/" * (len(old) - len(new))
            changed = True
    return changed


def _forget_making(root: Path, changed: Sequence[str]) -> None:
    """Leave out of the records of the view what differs from one making to the next."""
    head = load_head(str(root))
    assert head is not None
    head = replace(head, digest="", options="", sources=("",) * len(head.owners))
    (root / MANIFEST).write_text(head_text(head), encoding="utf-8")
    touched = {os.path.relpath(path, root) for path in changed}
    for file in sorted((root / ITEMS).iterdir()):
        rows = json.loads(file.read_text(encoding="utf-8"))
        for path, row in rows.items():
            how, _, _, size, time = row
            again = path in touched or (touched and path.endswith(".dist-info/RECORD"))
            if again and how in ("copy", "text"):
                row[2], row[3] = hash_file(root / path), os.stat(root / path).st_size
            row[4] = PACKED_TIME * 10**9 if time or size else 0
        file.write_text(json.dumps(rows, sort_keys=True, separators=(",", ":")), encoding="utf-8")


def _level(root: Path) -> None:
    """Give all files and directories the modes and the time of a packed tree."""
    when = (PACKED_TIME, PACKED_TIME)
    for folder, folders, names in os.walk(root, topdown=False):
        for name in (*names, *folders):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                mode = os.stat(path).st_mode
                os.chmod(path, 0o755 if name in folders or mode & 0o100 else 0o644)
            os.utime(path, when, follow_symlinks=False)
    os.chmod(root, 0o755)
    os.utime(root, when)


def _regular_files(root: str) -> Iterator[tuple[str, os.stat_result]]:
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                yield path, os.lstat(path)

"""What a view records of itself: from its manifest and the disk, without running its Python.

All of it works when the interpreter, or the store, is missing.
"""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from spack.errors import ViewError
from spack.view.plan_types import OWN, FileOwner
from spack.view.user_distributions import UserDistribution, distributions
from spack.view.verify import VerificationResult, examine
from spack.view.view_manifest import ViewManifest, ViewRecord, is_view, load_manifest

__all__ = [
    "Claim",
    "Found",
    "Status",
    "claims",
    "dangling",
    "enclosing_view",
    "find_path",
    "need_manifest",
    "status",
    "verify",
]


class Status(NamedTuple):
    """A view in few words.

    :ivar python: facts of the base interpreter; None if it shows no Python.
    :ivar interpreter_there: whether that interpreter can still be started.
    :ivar packages: each package and how many entries it has in the view.
    :ivar missing_owners: packages whose prefix is not there any more.
    :ivar dangling: see :func:`dangling`.
    :ivar limits: what does not work, a line each.
    """

    root: str
    link_type: str
    python: Mapping[str, str] | None
    interpreter_there: bool
    packages: tuple[tuple[FileOwner, int], ...]
    missing_owners: tuple[FileOwner, ...]
    entries: int
    folders: int
    state: VerificationResult
    unmanaged: tuple[UserDistribution, ...]
    dangling: tuple[str, ...]
    limits: tuple[str, ...]


class Found(NamedTuple):
    """One path of a view and where it comes from.

    :ivar owner: None for the virtual environment itself, and for what is not the view's.
    :ivar item: None for what is not the view's.
    :ivar others: further packages that provide the path.
    """

    path: str
    item: ViewRecord | None
    owner: FileOwner | None
    others: tuple[FileOwner, ...] = ()
    distribution: UserDistribution | None = None


class Claim(NamedTuple):
    """A path that several packages provide, or that a user's file has taken."""

    path: str
    reason: str
    shown: FileOwner
    others: tuple[FileOwner, ...]


def need_manifest(root: str) -> ViewManifest:
    """Return the manifest of the view at *root*.

    :raises ViewError: there is no view at *root*, or its manifest is damaged.
    """
    manifest = load_manifest(root)
    if manifest is None:
        raise ViewError(
            f"there is no view at {root}",
            facts={"path": root},
            hint="name a view or an environment, or make the view: spack env view regenerate",
            ref="view-missing",
        )
    return manifest


def status(root: str) -> Status:
    """Return the status of the view at *root*; every entry is compared with the disk."""
    manifest = need_manifest(root)
    state = examine(root, manifest)
    counts = Counter(item.owner for item in manifest.items.values())
    executable = "" if manifest.python is None else manifest.python["executable"]
    return Status(
        root=root,
        link_type=manifest.link_type,
        python=manifest.python,
        interpreter_there=os.access(os.path.join(root, executable), os.X_OK),
        packages=tuple((owner, counts[i]) for i, owner in enumerate(manifest.owners)),
        missing_owners=tuple(owner for owner in manifest.owners if not os.path.isdir(owner.prefix)),
        entries=len(manifest.items),
        folders=len(manifest.folders),
        state=state,
        unmanaged=distributions(root, manifest, state),
        dangling=dangling(manifest, state),
        limits=tuple(map(str, manifest.limits)),
    )


def sizes(root: str) -> tuple[tuple[FileOwner, int, int], ...]:
    """Return each package of the view with its entries and the bytes that they show, largest first.

    Links are followed: what is counted is what a copy of the view would take.
    """
    manifest = need_manifest(root)
    counts: Counter[int] = Counter()
    totals: Counter[int] = Counter()
    for path, item in manifest.items.items():
        counts[item.owner] += 1
        try:
            totals[item.owner] += os.stat(os.path.join(root, path)).st_size
        except OSError:
            pass  # `verify` names what is missing
    rows = [(owner, counts[i], totals[i]) for i, owner in enumerate(manifest.owners)]
    return tuple(sorted(rows, key=lambda row: (-row[2], row[0].name)))


def verify(root: str) -> tuple[ViewManifest, VerificationResult, tuple[UserDistribution, ...]]:
    """Return the differences from the manifest, and the distributions that the user installed."""
    manifest = need_manifest(root)
    state = examine(root, manifest)
    return manifest, state, distributions(root, manifest, state)


def dangling(manifest: ViewManifest, state: VerificationResult) -> tuple[str, ...]:
    """Return links into the store, and to the interpreter, that lead nowhere any more.

    Making the view again does not mend them. A package's own links may lead wherever they like.
    Cost: about 2 µs a link.
    """
    broken = {*state.missing, *state.modified}
    return tuple(
        path
        for path, item in sorted(manifest.items.items())
        if (item.how == "symlink" or (item.owner == OWN and os.path.isabs(item.source)))
        and path not in broken
        and not os.path.lexists(item.source)
    )


def claims(manifest: ViewManifest) -> list[Claim]:
    """Return the paths that several packages provide, in order."""
    found: list[Claim] = []
    for path, row in sorted(manifest.shared.items()):
        item = manifest.items[path]
        further = tuple(manifest.owners[x] for x in row.owners if x != item.owner)
        found.append(Claim(path, row.reason, manifest.owners[item.owner], further))
    return found


def find_path(root: str, manifest: ViewManifest, text: str, cwd: str) -> list[Found]:
    """Return what *text* names in the view: a path, a program of ``bin``, or a module.

    :param text: relative to the view or to *cwd*, or absolute; ``black`` finds ``bin/black``;
        ``pkg.module`` its file. A folder gives the packages that have something in it.
    :returns: nothing if there is no such thing.
    """
    for path in _candidates(root, manifest, text, cwd):
        item = manifest.items.get(path)
        if item is not None:
            row = manifest.shared.get(path)
            further = () if row is None else row.owners
            return [
                Found(
                    path,
                    item,
                    manifest.owner(path),
                    tuple(manifest.owners[x] for x in further if x != item.owner),
                )
            ]
        if path in manifest.folders:
            return _folder(manifest, path)
        folded = manifest.folded(path)
        if folded and os.path.lexists(os.path.join(root, path)):
            return [Found(path, manifest.items[folded], manifest.owner(path))]
        if os.path.lexists(os.path.join(root, path)):
            state = examine(root, manifest)
            users = distributions(root, manifest, state)
            of = next((x for x in users if path in x.files), None)
            return [Found(path, None, None, (), of)]
    return []


def _folder(manifest: ViewManifest, folder: str) -> list[Found]:
    """Return the first path of each package below *folder*."""
    first: dict[int, str] = {}
    for path, item in manifest.items.items():
        if path.startswith(folder + "/") and item.owner >= 0:
            first.setdefault(item.owner, path)
    return [Found(folder, None, manifest.owners[owner]) for owner in sorted(first)]


def _candidates(root: str, manifest: ViewManifest, text: str, cwd: str) -> list[str]:
    """Return paths relative to the view that *text* may mean, the likeliest first."""
    result: list[str] = []
    real = os.path.realpath(root)
    for start in (root, cwd):
        absolute = os.path.normpath(os.path.join(start, text))
        for top in (root, real):
            if absolute.startswith(top + os.sep):
                result.append(absolute[len(top) + 1 :])
        folder = os.path.realpath(os.path.dirname(absolute))
        if folder == real or folder.startswith(real + os.sep):
            result.append(os.path.relpath(os.path.join(folder, os.path.basename(absolute)), real))
    if os.sep not in text:
        result.append(f"bin/{text}")
        if manifest.python is not None:
            module = text.replace(".", "/")
            for site in dict.fromkeys((manifest.python["purelib"], manifest.python["platlib"])):
                start = posixpath.join(site, module)
                result += [f"{start}/__init__.py", f"{start}.py"]
                result += [
                    path
                    for path in manifest.items
                    if path.startswith(start + ".") and path.endswith(".so")
                ]
                result.append(start)
    return list(dict.fromkeys(result))


def enclosing_view(path: str) -> str:
    """Return the view that contains *path*; ``""`` if there is none."""
    current = os.path.abspath(path)
    while True:
        if is_view(current):
            return current
        above = os.path.dirname(current)
        if above == current:
            return ""
        current = above

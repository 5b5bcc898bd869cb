"""Distributions that the user installed into a view, and their relation to the packages' own.

pip and uv write ``NAME-VERSION.dist-info`` with a ``RECORD`` of their files (PEP 376, PEP 627).
A view knows its own from the manifest; any other is the user's. One of the same name as a
package's own hides it, or is hidden by it: that is worth a line, and such a distribution is moved
away as a whole when the view is made right again.
"""

from __future__ import annotations

import csv
import os
import posixpath
import re
from collections.abc import Iterable
from typing import NamedTuple

from spack.util.project_names import normalized
from spack.view.verify import VerificationResult
from spack.view.view_manifest import ViewManifest

__all__ = ["UserDistribution", "distributions", "own_names"]

_INFO = re.compile(r"(?P<folder>.*/site-packages)/(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info/")


class UserDistribution(NamedTuple):
    """One distribution of the user's.

    :ivar info: its ``.dist-info`` folder, relative to the view.
    :ivar files: its paths in the view, as its ``RECORD`` says; those of packages excluded.
    :ivar package: the package of the view with a distribution of the same name, ``name@version``;
        ``""`` if there is none.
    :ivar installer: such as ``pip`` or ``uv``.
    :ivar removed: the package's paths that are missing since.
    """

    name: str
    version: str
    info: str
    files: frozenset[str]
    package: str
    installer: str
    removed: frozenset[str] = frozenset()

    @property
    def folder(self) -> str:
        """Its ``site-packages`` directory, relative to the view."""
        return self.info.rpartition("/")[0]

    @property
    def key(self) -> tuple[str, str]:
        """Its ``site-packages`` folder and normalized name."""
        return self.folder, normalized(self.name)

    @property
    def label(self) -> str:
        """``name version (by installer)``, for people."""
        by = f" (by {self.installer})" if self.installer else ""
        return f"{self.name} {self.version}{by}"

    @property
    def shadows(self) -> bool:
        """Whether a package of the view has a distribution of this name."""
        return bool(self.package)


def distributions(
    root: str, manifest: ViewManifest, state: VerificationResult
) -> tuple[UserDistribution, ...]:
    """Return the user's distributions in the view at *root*, in order of name.

    A ``.dist-info`` that no ``RECORD`` is in is left out: nothing is known of its files.
    """
    unmanaged = {*state.extra, *state.modified}
    infos: dict[str, re.Match[str]] = {}
    for path in unmanaged:
        found = _INFO.match(path)
        if found:
            infos.setdefault(found.group(0), found)
    if not infos:
        return ()
    own = own_names(manifest.items)
    result: list[UserDistribution] = []
    for info, found in infos.items():
        files = _files(root, info, found.group("folder"))
        if files is None:
            continue
        key = (found.group("folder"), normalized(found.group("name")))
        result.append(
            UserDistribution(
                found.group("name"),
                found.group("version"),
                info.rstrip("/"),
                frozenset(unmanaged & files),
                package=_label(manifest, own.get(key)),
                installer=_line(os.path.join(root, info, "INSTALLER")),
                removed=_missing_beside(manifest, state, own.get(key)),
            )
        )
    return tuple(sorted(result))


def own_names(items: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return (folder, normalized name) -> ``METADATA`` path of the distributions among *items*."""
    own: dict[tuple[str, str], str] = {}
    for path in items:
        if path.endswith(".dist-info/METADATA"):
            found = _INFO.match(path)
            if found:
                own[(found.group("folder"), normalized(found.group("name")))] = path
    return own


def _label(manifest: ViewManifest, metadata: str | None) -> str:
    owner = None if metadata is None else manifest.owner(metadata)
    return "" if owner is None else f"{owner.name}@{owner.version}"


def _missing_beside(
    manifest: ViewManifest, state: VerificationResult, metadata: str | None
) -> frozenset[str]:
    """Return paths that are missing of the package that *metadata* belongs to."""
    if metadata is None:
        return frozenset()
    owner = manifest.items[metadata].owner
    missing = {path for path in state.missing if path in manifest.items}
    return frozenset(path for path in missing if manifest.items[path].owner == owner).union(
        path for path in state.missing if path == metadata.rpartition("/")[0]
    )


def _files(root: str, info: str, folder: str) -> frozenset[str] | None:
    """Return the paths in a RECORD, relative to the view, with those below its ``.dist-info``."""
    try:
        with open(os.path.join(root, info, "RECORD"), encoding="utf-8", newline="") as stream:
            rows = [row[0] for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    paths = {posixpath.normpath(posixpath.join(folder, row)) for row in rows}
    # The installer's own notes may be missing in RECORD.
    for name in os.listdir(os.path.join(root, info)):
        paths.add(info + name)
    return frozenset(path for path in paths if not path.startswith(("../", "/")))


def _line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""

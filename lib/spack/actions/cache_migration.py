"""Caches of layout version 2 written again as version 3, where they are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spack.actions.cache_upkeep import IndexProblem
from spack.binary import cache_paths
from spack.binary.binary_cache import BinaryCache
from spack.binary.catalogue import CachedPackage
from spack.binary.earlier_layout import ROOT
from spack.binary.pack_package import PackedPrefix
from spack.binary.package_description import PackageDescription
from spack.errors import BinaryCacheError, SpackError

__all__ = ["Migration", "migrate"]


class Migration(NamedTuple):
    """How many packages were written, how many were there, and what could not be."""

    written: int
    present: int
    problems: Sequence[IndexProblem]


def migrate(source: BinaryCache, target: BinaryCache, *, delete: bool) -> Migration:
    """Write the packages of *source* to *target*, which is the same cache for writing.

    :param delete: remove what layout version 2 has, if all could be written.
    :raises BinaryCacheError: there is no such cache, or it cannot be written.
    """
    packages = source.packages()
    if not source.is_earlier:
        raise BinaryCacheError(
            f"there is no cache of layout version 2 with an index in {source.storage.url}",
            hint="one that has an index of version 3 is not looked at any more",
            ref="binary-layout",
        )
    written: list[CachedPackage] = []
    problems: list[IndexProblem] = []
    present = 0
    for package in packages:
        if target.storage.exists(cache_paths.spec_manifest_path(package.spec)):
            present += 1
            continue
        try:
            written.append(_written(source, target, package))
        except SpackError as error:
            problems.append(IndexProblem(package.spec.short, error))
    if written:
        target.trust.publish(target.storage)
        target.add_to_index(written)
        target.write_spack_index()
    if delete and not problems:
        for name in list(target.storage.names(ROOT)):
            target.storage.remove(name)
    return Migration(len(written), present, problems)


def _written(source: BinaryCache, target: BinaryCache, package: CachedPackage) -> CachedPackage:
    spec = package.spec
    blob = source.archive_of(spec, package.manifest)
    with tempfile.TemporaryDirectory(prefix="spack-migrate-") as folder:
        archive = Path(folder) / "archive"
        source.copy_archive(spec, blob, archive)
        description = PackageDescription({}, "", None)  # the archive has its own
        packed = PackedPrefix(archive.stat().st_size, blob.digest, description)
        return target.store(spec, packed, archive)

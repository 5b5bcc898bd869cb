"""Files of caches and of specs that the user takes elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from spack.binary.binary_cache import BinaryCache
from spack.errors import BinaryCacheError, UsageError
from spack.spec import ConcreteSpec, Spec, to_specfile
from spack.store.layout import path_part
from spack.util.filesystem import atomic_write

__all__ = ["download", "save_spec_files"]


def download(caches: Iterable[BinaryCache], spec: ConcreteSpec, folder: Path) -> list[Path]:
    """Write spec file and archive of *spec* to *folder*, from the first cache that has it.

    :raises BinaryCacheError: no cache has it, it is not trusted, or it cannot be written.
    """
    name = f"{spec.name}-{path_part(str(spec.version))}-{spec.dag_hash()}"
    specfile, archive = folder / f"{name}.spec.json", folder / f"{name}.tar.gz"
    for cache in caches:
        text = cache.find([spec]).get(spec.dag_hash())
        if text is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            cache.copy_archive(spec, cache.archive_of(spec, text), archive)
            atomic_write(specfile, json.dumps(to_specfile(spec)) + "\n")
        except OSError as error:
            raise _unwritable(folder, error) from error
        return [specfile, archive]
    raise BinaryCacheError(
        f"no cache has {spec.short}",
        facts={"hash": spec.dag_hash()},
        hint="`spack buildcache list -L` shows what they have",
        ref="not-cached",
    )


def save_spec_files(root: ConcreteSpec, wanted: Sequence[Spec], folder: Path) -> list[Path]:
    """Write a spec file of each node of *root* that satisfies one of *wanted*.

    :raises UsageError: one of *wanted* is not among them.
    :raises BinaryCacheError: they cannot be written.
    """
    nodes = list(root.traverse())
    found: dict[str, ConcreteSpec] = {}
    for spec in wanted:
        matches = [node for node in nodes if node.satisfies(spec)]
        if not matches:
            raise UsageError(
                f"{root.short} does not depend on {spec}",
                hint=f"`spack spec {root.name}` shows its nodes",
                ref="not-a-dependency",
            )
        found.update((node.name, node) for node in matches)
    done = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, node in found.items():
            path = folder / f"{name}.json"
            atomic_write(path, json.dumps(to_specfile(node)) + "\n")
            done.append(path)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return done


def _unwritable(folder: Path, error: OSError) -> BinaryCacheError:
    return BinaryCacheError(
        f"{error.filename or folder} cannot be written: {os.strerror(error.errno or 0)}",
        facts={"path": str(folder), "errno": error.errno},
        hint="name a directory that you may write to",
        ref="binary-export",
    )

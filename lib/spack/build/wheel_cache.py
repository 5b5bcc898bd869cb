"""Wheels that builds have made, kept by the hash of what they were made from.

A key covers the recipe, the spec without its run dependencies, everything that takes part in the
build, the archive and the patches, and the interpreter. So the same wheel serves another prefix,
another install tree, and the same package with other run dependencies. Wheels that name a path of
their build are not kept (:func:`keep`).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spack import __version__
from spack.api.identity import is_recipe_module
from spack.build.build_venv import BuildVenv
from spack.build.dependency_roles import Roles
from spack.build.job import BuildJob
from spack.util.hashing import hash_file, sha256_hex

__all__ = ["keep", "kept_wheel", "wheel_directory"]

#: Where builders leave the wheel that they have built, below the stage.
BUILT = "wheel"


def wheel_directory(
    job: BuildJob, roles: Roles, venv: BuildVenv | None, package_class: Any
) -> str | None:
    """Return where the wheel of this build is, or is to be kept; None when nothing may be reused.

    Not everything that is built has an archive with known content, and not every environment is
    the clean one: *job* says whether wheels may be kept at all.
    """
    node = roles.root
    if job.wheels is None or venv is None or job.archive_file is None or node.package_hash is None:
        return None
    parts: dict[str, Any] = {
        "engine": __version__,
        "recipe": [node.name, node.package_hash, *_base_recipes(package_class)],
        "version": str(node.version),
        "variants": {name: str(value) for name, value in node.variants.items()},
        "flags": {name: list(values) for name, values in node.flags.items()},
        "system": [node.platform, node.os, str(node.target)],
        "dependencies": sorted({n.dag_hash() for n in (*roles.direct, *roles.linked)}),
        "interpreter": [venv.base.executable, venv.base.version, venv.system_packages],
        "archive": [os.path.basename(job.archive_file), hash_file(job.archive_file)],
        "patches": [
            [hash_file(patch.path), patch.level, patch.working_dir, patch.reverse]
            for patch in job.patches
        ],
    }
    key = sha256_hex(json.dumps(parts, sort_keys=True))
    return os.path.join(job.wheels, key[:2], key)


def _base_recipes(package_class: Any) -> Iterable[str]:
    """Yield digests of the files of all recipes that the class is made from."""
    for owner in package_class.__mro__:
        file = getattr(sys.modules.get(owner.__module__), "__file__", None)
        if file and is_recipe_module(owner.__module__):
            yield hash_file(file)


def kept_wheel(directory: str | None) -> str | None:
    """Return the wheel in *directory*, if there is one."""
    found = sorted(Path(directory).glob("*.whl")) if directory is not None else []
    return str(found[0]) if len(found) == 1 else None


def keep(job: BuildJob, directory: str | None) -> None:
    """Keep the wheel that the build has left in its stage, if it may be reused."""
    wheel = kept_wheel(os.path.join(job.stage_path, BUILT))
    if wheel is None or directory is None or os.path.exists(directory):
        return
    if _names_path(wheel, (job.stage_path, *job.prefixes.values())):
        return
    os.makedirs(os.path.dirname(directory), exist_ok=True)
    staging = tempfile.mkdtemp(prefix=".new-", dir=os.path.dirname(directory))
    try:
        os.chmod(staging, 0o755)
        shutil.copyfile(wheel, os.path.join(staging, os.path.basename(wheel)))
        os.rename(staging, directory)
    except OSError:  # another build was first, or the disk is full: the install is valid anyway
        shutil.rmtree(staging, ignore_errors=True)


def _names_path(wheel: str, paths: Iterable[str]) -> bool:
    """Return whether a file in *wheel* has one of *paths* in it.

    Prefixes of the system are too short
    to mean anything.
    """
    reported = [os.fsencode(path) for path in paths if path.count("/") > 2]
    above = {os.path.dirname(path) for path in reported}  # few, and hardly ever named
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if any(path in data for path in above) and any(path in data for path in reported):
                return True
    return False

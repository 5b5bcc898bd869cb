"""Wheels that builds have made, kept by the hash of what they were made from.

A build leaves its wheel in its stage and names the key; the installer keeps it, with its digest, in
a directory of that recipe's own. So no build writes there, and none offers a wheel for another
recipe.

A key covers the recipe, the spec without its run dependencies, everything that takes part in the
build, the archive and the patches, and the interpreter. So the same wheel serves another prefix,
another install tree, and the same package with other run dependencies. Wheels that name a path of
their build are not kept, unless it is in the run path of a library
(:mod:`spack.build.wheel_run_paths`).
"""

from __future__ import annotations

import json
import os
import re
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
from spack.build.wheel_run_paths import moved_wheel, named_paths
from spack.spec import ConcreteSpec
from spack.util.directory_handle import DirectoryHandle
from spack.util.hashing import hash_file, sha256_hex
from spack.util.json_input import parse_json

__all__ = ["keep_wheel", "kept_wheel", "recipe_wheels", "reusable_wheel", "wheel_key"]

#: Where builders leave the wheel that they have built, below the stage.
BUILT = "wheel"

#: Beside a kept wheel: its digest.
_DIGEST = "sha256"

#: Beside one that names prefixes in run paths: which these are, by hash; :data:`_OWN` is its own.
_PREFIXES = "prefixes.json"
_OWN = "own"

#: What follows the name of such a wheel.
_MARK = ":run-paths"

#: ``key/name`` of a wheel that may be kept, as a build names it.
_REUSABLE = re.compile(rf"([0-9a-f]{{64}})/(\w[\w.+!-]*\.whl)({_MARK})?")


def recipe_wheels(root: Path, node: ConcreteSpec) -> str:
    """Return the directory below *root* of the wheels that this node's recipe has made."""
    digest = sha256_hex(f"{node.namespace} {node.name} {node.package_hash}")
    return str(root / f"{node.name}-{digest[:32]}")


def wheel_key(job: BuildJob, roles: Roles, venv: BuildVenv | None, package_class: Any) -> str:
    """Return the key of this build's wheel below ``job.wheels``; "" when none may be reused.

    Not everything that is built has an archive with known content, and not every environment is
    the clean one: *job* says whether wheels may be kept at all.
    """
    node = roles.root
    if job.wheels is None or venv is None or job.archive_file is None or node.package_hash is None:
        return ""
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
    return sha256_hex(json.dumps(parts, sort_keys=True))


def _base_recipes(package_class: Any) -> Iterable[str]:
    """Yield digests of the files of all recipes that the class is made from."""
    for owner in package_class.__mro__:
        file = getattr(sys.modules.get(owner.__module__), "__file__", None)
        if file and is_recipe_module(owner.__module__):
            yield hash_file(file)


def kept_wheel(job: BuildJob, key: str) -> str | None:
    """Return the wheel that is kept by *key*, if its digest is the recorded one.

    One with run paths of another install tree is changed, in the stage; None if it cannot be.
    """
    if job.wheels is None or not key:
        return None
    directory = Path(job.wheels, key)
    found = sorted(directory.glob("*.whl"))
    try:
        recorded = (directory / _DIGEST).read_text(encoding="ascii")
        if len(found) != 1 or hash_file(found[0]) != recorded:
            return None
        prefixes = directory / _PREFIXES
        known = prefixes.read_text(encoding="utf-8") if prefixes.exists() else ""
    except (OSError, ValueError):
        return None
    if not known:
        return str(found[0])
    return _for_this_tree(job, str(found[0]), known)


def _for_this_tree(job: BuildJob, wheel: str, known: str) -> str | None:
    """Return a wheel that names the prefixes of *job*, or None.

    :param known: which prefixes it may name, as :func:`keep_wheel` wrote them.
    """
    try:
        paths: dict[str, str] = {str(k): str(v) for k, v in parse_json(known).items()}
        here = {**job.prefixes, _OWN: job.prefix}
        changes = {path: here.get(digest) for digest, path in paths.items()}
        if all(new == old for old, new in changes.items()):
            return wheel
        return moved_wheel(wheel, changes, Path(job.stage_path, "moved-wheel"))
    except (OSError, ValueError, AttributeError, zipfile.BadZipFile):
        return None


def reusable_wheel(job: BuildJob, key: str) -> str:
    """Return ``key/name`` of the wheel in the stage, "" if there is none to reuse.

    :data:`_MARK` follows if it names prefixes in run paths.
    """
    found = sorted(Path(job.stage_path, BUILT).glob("*.whl"))
    if not key or len(found) != 1:
        return ""
    in_run_path, elsewhere = named_paths(str(found[0]), (job.stage_path, *job.prefixes.values()))
    if elsewhere:
        return ""
    return f"{key}/{found[0].name}{_MARK if in_run_path else ''}"


def keep_wheel(job: BuildJob, wheels: str, named: str) -> None:
    """Keep the wheel that a build has *named*; anything but a regular file is left out.

    :param wheels: see :func:`recipe_wheels`.
    :param named: what :func:`reusable_wheel` gave; the build may have written something else.
    """
    match = _REUSABLE.fullmatch(named)
    if match is None or os.path.exists(os.path.join(wheels, match[1])):
        return
    staging = None
    try:
        with DirectoryHandle(job.stage_path) as handle, handle.directory(BUILT) as built:
            data = built.read(match[2])
        os.makedirs(wheels, exist_ok=True)
        staging = tempfile.mkdtemp(prefix=".new-", dir=wheels)
        os.chmod(staging, 0o755)
        Path(staging, match[2]).write_bytes(data)
        if match[3]:
            prefixes = {k: v for k, v in job.prefixes.items() if k != job.hash}
            text = json.dumps({**prefixes, _OWN: job.prefix})
            Path(staging, _PREFIXES).write_text(text, encoding="utf-8")
        Path(staging, _DIGEST).write_text(sha256_hex(data), encoding="ascii")
        os.rename(staging, os.path.join(wheels, match[1]))
    except OSError:  # another build was first, or the disk is full: the install is valid anyway
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)

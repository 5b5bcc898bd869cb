"""The public API: every name of every version exists, and nothing else is exported."""

from __future__ import annotations

import re
from pathlib import Path

import spack.package
from spack import package_api_version

COUNTS = {"v2.0": 103, "v2.1": 2, "v2.2": 57}


def test_all_is_what_the_versions_say() -> None:
    listed = [name for names in spack.package.api.values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(spack.package.__all__) == set(listed)
    assert {version: len(names) for version, names in spack.package.api.items()} == COUNTS


def test_the_lists_are_sorted() -> None:
    for names in spack.package.api.values():
        assert list(names) == sorted(names)


def test_every_name_is_there() -> None:
    missing = [name for name in spack.package.__all__ if not hasattr(spack.package, name)]
    assert missing == []


def test_a_star_import_gives_them() -> None:
    namespace: dict = {}
    exec("from spack.package import *", namespace)
    assert set(spack.package.__all__) <= set(namespace)


def test_the_version_of_the_api() -> None:
    newest = max(tuple(map(int, version[1:].split("."))) for version in spack.package.api)
    assert newest <= package_api_version


def test_own_recipes_import_nothing_else(root: Path) -> None:
    """Recipes of this repository stay usable by the original tool."""
    allowed = re.compile(r"from spack\.package import |from spack_repo\.builtin\.build_systems\.")
    for file in sorted((root / "packages").glob("*/package.py")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if re.match(r"(from|import) spack", line):
                assert allowed.match(line), f"{file}: {line}"

"""Versions written into recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.actions.remote_versions import ChecksumResult, add_versions, version_line
from spack.errors import RecipeError
from spack.spec import Version

RECIPE = """\
class Foo(Package):
    # versions
    version("2.0", sha256="b")
    version(
        "1.0",
        sha256="a",
    )
    version("0.9", sha256="c")
    depends_on("bar")
"""


def result(version: str) -> ChecksumResult:
    return ChecksumResult(Version(version), "f" * 64, "", None)


def test_each_version_is_above_the_first_older_one(tmp_path: Path) -> None:
    path = tmp_path / "package.py"
    path.write_text(RECIPE)
    added = add_versions(path, [result(x) for x in ("2.1", "2.0", "0.5", "3")])
    assert [str(x.version) for x in added] == ["0.5", "2.1", "3"]
    lines = path.read_text().splitlines()
    assert lines[1:6] == [
        "    # versions",
        f"    {version_line(result('3'))}",
        f"    {version_line(result('2.1'))}",
        '    version("2.0", sha256="b")',
        "    version(",
    ]
    assert lines[-2] == f"    {version_line(result('0.5'))}"
    before = path.read_text()
    known = ChecksumResult(Version("1.0"), "f" * 64, "", "a")
    assert add_versions(path, [known]) == []  # it is written over several lines
    assert add_versions(path, [result("3")]) == []
    assert path.read_text() == before


def test_a_recipe_without_versions(tmp_path: Path) -> None:
    path = tmp_path / "package.py"
    path.write_text("class Foo(Package):\n    pass\n")
    with pytest.raises(RecipeError, match="has no version"):
        add_versions(path, [result("1")])

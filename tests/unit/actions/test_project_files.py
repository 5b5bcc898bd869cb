"""What projects say they need, in the three formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.actions.project_files import READERS, ProjectNeeds
from spack.errors import UsageError


def read(kind: str, path: Path, *names: str) -> ProjectNeeds:
    return READERS[kind](path, names)


def texts(needs: ProjectNeeds) -> list[str]:
    return [str(row.requirement) for row in needs.wanted]


def test_requirements(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("extra-one\n-r main.txt\n")
    (tmp_path / "bounds.txt").write_text("low<2\n")
    main = tmp_path / "main.txt"
    main.write_text(
        "# a comment\n"
        "Plain\n"
        "pinned==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "with-extra[a,b]>=1; python_version < '3.11'  # why\n"
        "-r more.txt\n--requirement=more.txt\n-cbounds.txt\n"
        "-e .\n./local\nhttps://example.org/x-1.tar.gz\n--no-binary :all:\n"
    )
    needs = read("requirements", main)
    assert texts(needs) == [
        "Plain",
        "pinned==1.0",
        'with-extra[a,b]>=1; python_version < "3.11"',
        "extra-one",
    ]
    assert [row.project for row in needs.constraints] == ["low"]
    assert [row.origin for row in needs.wanted] == [
        "main.txt:2",
        "main.txt:3",
        "main.txt:6",
        "more.txt:1",
    ]
    assert needs.left_out == (
        "hashes and settings of single requirements: recipes have their own",
        "main.txt:10: -e .",
        "main.txt:11: ./local: `spack develop --path DIR` builds from one",
        "main.txt:12: https://example.org/x-1.tar.gz: `spack develop --path DIR` builds from one",
        "main.txt:13: --no-binary :all:",
    )


PYPROJECT = """\
[project]
name = "App"
requires-python = ">=3.10"
dependencies = ["rich>=13", "app[http]"]
[project.optional-dependencies]
http = ["httpx"]
all = ["app[http]", "app[All]"]
[dependency-groups]
lint = ["flake8", {include-group = "types"}]
types = ["mypy"]
loop = [{include-group = "loop"}]
"""


def test_pyproject(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(PYPROJECT)
    needs = read("pyproject", path)
    assert texts(needs) == ["rich>=13", "httpx"]
    assert needs.requires_python == ">=3.10"
    assert texts(read("pyproject", path, "Lint")) == ["rich>=13", "flake8", "mypy", "httpx"]
    assert texts(read("pyproject", path, "all")) == ["rich>=13", "httpx"]
    with pytest.raises(UsageError, match="no extra and no group docs") as error:
        read("pyproject", path, "docs")
    assert error.value.hint == "there are: all, http, lint, loop, types"
    with pytest.raises(UsageError, match="group loop is missing or includes itself"):
        read("pyproject", path, "loop")


def test_pylock(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(
        'lock-version = "1.0"\nrequires-python = ">=3.9"\n'
        '[[packages]]\nname = "a"\nversion = "1.0"\n'
        '[[packages]]\nname = "b"\nversion = "2"\nmarker = "os_name == \'nt\'"\n'
        '[[packages]]\nname = "here"\ndirectory = { path = "." }\n'
    )
    needs = read("pylock", path)
    assert texts(needs) == ["a===1.0", 'b===2; os_name == "nt"']
    assert needs.requires_python == ">=3.9"
    assert needs.left_out == ("pylock.toml: package 3: here is not of an index",)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("requirements", "a b c\n", "f:1: invalid requirement 'a b c'"),
        ("pyproject", "[project\n", "f: "),
        ("pyproject", "[tool.poetry.dependencies]\na = '1'\n", "does not list the dependencies"),
        ("pyproject", "[project]\ndynamic = ['dependencies']\n", "does not list the dependencies"),
        ("pylock", "lock-version = '2.0'\n", "not a lock file of version 1"),
    ],
)
def test_refusals(tmp_path: Path, kind: str, text: str, message: str) -> None:
    path = tmp_path / "f"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read(kind, path)
    assert message in error.value.message
    assert error.value.hint


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*: No such file"):
        read("requirements", tmp_path / "no.txt")

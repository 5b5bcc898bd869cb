"""Reading repo.yaml and finding recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spack.errors import RecipeError
from spack.repo import Repository


def write(path: Path, text: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "repo.yaml").write_text(text)
    return path


def test_a_repository(tmp_path: Path, make_repository: Any) -> None:
    root = make_repository({"py_x": "class PyX(Package):\n    pass\n", "_7z": "", "empty": ""})
    (root / "packages" / "empty" / "package.py").unlink()
    repository = Repository.open(root)
    assert (repository.namespace, repository.api) == ("mine", (2, 2))
    assert repository.names() == ["7z", "py-x"]
    assert repository.exists("py-x")
    assert not repository.exists("empty")
    assert repository.recipe_file("7z") == root / "packages" / "_7z" / "package.py"


def test_a_repository_further_down(tmp_path: Path) -> None:
    root = write(tmp_path / "clone/repos/spack_repo/builtin", "repo:\n  namespace: builtin\n")
    assert Repository.open(tmp_path / "clone").root == root


def test_flow_style_quotes_and_comments(tmp_path: Path) -> None:
    flow = Repository.open(write(tmp_path / "a", "repo: {namespace: a.b, api: v2.0}\n"))
    assert flow.namespace == "a.b"
    text = "# ours\n---\nrepo:\n  namespace: 'c'  # named\n  api: v2.1\n  subdirectory: recipes\n"
    repository = Repository.open(write(tmp_path / "c", text))
    assert repository.namespace == "c"
    assert repository.packages == tmp_path / "c" / "recipes"


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is not a repository") as error:
        Repository.open(tmp_path)
    assert error.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("repo:\n  namespace: 1a\n", r"repo.yaml:2: repo:namespace must be a dotted name"),
        ("repo:\n  api: v2.0\n", r"repo.yaml:1: repo:namespace must be a dotted name"),
        ("repo:\n  namespace: a\n  api: v1.0\n", r"repo.yaml:3: package API v1.0"),
        ("repo:\n  namespace: a\n  api: v2.99\n", r"repo.yaml:3: package API v2.99"),
        ("repo:\n  namespace: a\nother: 1\n", r"repo.yaml:3: unexpected 'other: 1'"),
        ("repo:\n  - a\n", r"repo.yaml:2: unexpected '- a'"),
    ],
)
def test_malformed(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Repository.open(write(tmp_path / "bad", text))

"""The repositories inside a clone."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.errors import RecipeError
from spack.repo import Repository
from spack.repo.discovery import repositories_in


def fill(root: Path, *namespaces: str) -> Path:
    for name in namespaces:
        location = root / "repos/spack_repo" / name
        location.mkdir(parents=True)
        (location / "repo.yaml").write_text(f"repo:\n  namespace: {name}\n")
    return root


def index(root: Path, text: str) -> None:
    (root / "spack-repo-index.yaml").write_text(text)


def test_the_index_lists_them_and_paths_choose(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    listed = "repo_index:\n  paths:\n  - repos/spack_repo/b\n  - repos/spack_repo/a\n"
    index(tmp_path, listed)
    assert [found.namespace for found in repositories_in(tmp_path)] == ["b", "a"]
    chosen = repositories_in(tmp_path, ["repos/spack_repo/a"])
    assert [found.root for found in chosen] == [tmp_path / "repos/spack_repo/a"]


def test_without_an_index(tmp_path: Path) -> None:
    fill(tmp_path / "one", "a")
    assert [found.namespace for found in repositories_in(tmp_path / "one")] == ["a"]
    fill(tmp_path / "two", "a", "b")
    with pytest.raises(RecipeError, match=r"several repositories: .*a, .*b"):
        Repository.open(tmp_path / "two")


def test_one_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    index(tmp_path, "repo_index: {paths: [nowhere, repos/spack_repo/a]}\n")
    reported: list[RecipeError] = []
    found = repositories_in(tmp_path, on_error=reported.append)
    assert [x.namespace for x in found] == ["a"]
    assert [error.message for error in reported] == [
        f"{tmp_path}/nowhere is not a repository: it has no repo.yaml"
    ]
    with pytest.raises(RecipeError, match="nowhere is not a repository"):
        repositories_in(tmp_path, ["nowhere"], on_error=reported.append)
    assert len(reported) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other: 1\n", "no mapping 'repo_index'"),
        ("- a\n", "no mapping 'repo_index'"),
        ("repo_index: {path: [a]}\n", "no list 'paths'"),
        ("repo_index: {paths: [1]}\n", "must be texts"),
        ("repo_index: {paths: [../a]}\n", "leads out of it"),
        ("repo_index: {paths: [/a]}\n", "leads out of it"),
    ],
)
def test_a_malformed_index(tmp_path: Path, text: str, message: str) -> None:
    fill(tmp_path, "a")
    index(tmp_path, text)
    with pytest.raises(RecipeError, match=message) as caught:
        repositories_in(tmp_path)
    assert caught.value.hint

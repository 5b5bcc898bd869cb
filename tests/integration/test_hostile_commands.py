"""What a person does that nobody expects of one: each gets an answer, and none a traceback."""

from __future__ import annotations


def test_the_first_repository_can_be_added_and_removed(spack, tmp_path):
    root = tmp_path / "mine"
    spack("repo", "create", root, "mine")
    spack("repo", "add", root)
    assert "mine" in spack("repo", "list").out
    assert f"mine: {root}" in (spack.place.config / "repos.yaml").read_text()
    spack("repo", "remove", "mine")
    assert "mine" not in spack("repo", "list").out


def test_a_repository_is_added_to_an_empty_section(spack, tmp_path):
    (spack.place.config / "repos.yaml").write_text("repos:\n")
    spack("repo", "create", tmp_path / "mine", "mine")
    spack("repo", "add", tmp_path / "mine")
    assert "mine" in spack("repo", "list").out

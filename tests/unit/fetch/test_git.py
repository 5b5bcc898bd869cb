"""Sources from real repositories on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spack.errors import FetchError
from spack.fetch.fetcher import Fetcher
from spack.fetch.git import Git
from spack.fetch.source import GitSource, source_for
from spack.fetch.source_cache import SourceCache
from spack.recipe.records import Recipe, VersionRecord

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is missing")


class Repository:
    """A repository with the tag v1 on its first commit and the branch main on its second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(path.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "protocol.file.allow",
            "GIT_CONFIG_VALUE_0": "always",
        }
        path.mkdir()
        self.git("init", "-q", "-b", "main")
        self.first = self.commit("f.txt", "one")
        self.git("tag", "-a", "v1", "-m", "v1")
        self.second = self.commit("f.txt", "two")

    def git(self, *arguments: str) -> str:
        argv = ["git", "-c", "user.name=me", "-c", "user.email=me@here", *arguments]
        done = subprocess.run(argv, cwd=self.path, env=self.environ, stdout=-1, check=True)
        return done.stdout.decode().strip()

    def commit(self, name: str, text: str) -> str:
        (self.path / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", text)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


def text_of(repository: Repository, target: Path, **values: Any) -> str:
    source = GitSource(repository.path.as_uri(), **values)
    Git(repository.environ).checkout(source, target)
    return (target / "f.txt").read_text()


def test_references(repository: Repository, tmp_path: Path) -> None:
    wanted: list[tuple[dict[str, Any], str]] = [
        ({"commit": repository.first}, "one"),
        ({"commit": repository.first[:10]}, "one"),
        ({"tag": "v1"}, "one"),
        ({"tag": "v1", "commit": repository.first}, "one"),
        ({"branch": "main"}, "two"),
        ({}, "two"),
        ({"branch": "main", "full": True}, "two"),
        ({"tag": "v1", "full": True}, "one"),
        ({"full": True}, "two"),
    ]
    for number, (values, text) in enumerate(wanted):
        assert text_of(repository, tmp_path / str(number), **values) == text, values
    log = ["git", "rev-list", "--count", "HEAD"]
    counts = [
        subprocess.run(log, cwd=tmp_path / name, stdout=-1, check=True).stdout.strip()
        for name in ("4", "6")
    ]
    assert counts == [b"1", b"2"]


@pytest.mark.parametrize("values", [{"tag": "none"}, {"branch": "none"}, {"commit": "0" * 40}])
def test_unknown_reference(repository: Repository, tmp_path: Path, values: Any) -> None:
    with pytest.raises(FetchError, match="git cannot fetch") as caught:
        text_of(repository, tmp_path / "t", what="foo@1", origin="/r/package.py:3", **values)
    assert caught.value.message.startswith("foo@1: ")
    assert caught.value.long_message
    assert caught.value.hint and "/r/package.py:3" in caught.value.hint
    assert not (tmp_path / "t").exists()


def test_no_repository_and_no_git(tmp_path: Path) -> None:
    source = GitSource((tmp_path / "none").as_uri(), branch="main")
    with pytest.raises(FetchError, match="git cannot fetch main"):
        Git({"PATH": os.environ["PATH"]}).checkout(source, tmp_path / "t")
    with pytest.raises(FetchError, match="there is no git on PATH") as caught:
        Git({"PATH": str(tmp_path)}).checkout(source, tmp_path / "t")
    assert caught.value.hint == "install git"


@pytest.mark.parametrize(
    "values",
    [
        {"url": "--upload-pack=touch x"},
        {"commit": "--upload-pack=touch x"},
        {"tag": "-f"},
        {"branch": "--all"},
        {"branch": "a b"},
        {"tag": "a..b"},
        {"branch": "a\nb"},
        {"commit": "HEAD^{/x}"},
    ],
)
def test_what_git_would_take_for_an_option_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(FetchError, match="invalid git") as caught:
        GitSource(**{"url": "file:///x", **values})
    assert caught.value.ref == "git-reference"


def test_a_transport_that_runs_a_program_is_refused(tmp_path: Path) -> None:
    source = GitSource("ext::sh -c touch% pwned", branch="main")
    with pytest.raises(FetchError):
        Git({"PATH": os.environ["PATH"]}).checkout(source, tmp_path / "t")
    assert not list(tmp_path.rglob("pwned"))


def recipe_of(repository: Repository, **options: Any) -> Recipe:
    record = VersionRecord("main", options=options)
    return Recipe(
        "foo",
        "venv",
        "/r/package.py",
        "",
        versions=(record,),
        attributes={"git": repository.path.as_uri()},
    )


def test_the_commit_of_a_spec_is_what_is_built(repository: Repository, tmp_path: Path) -> None:
    recipe = recipe_of(repository, branch="main")
    cache = SourceCache(tmp_path / "cache")
    fetcher = Fetcher(cache, lambda: pytest.fail("network"), environ=repository.environ)
    for name, commit in (("first", repository.first), ("second", repository.second)):
        stage = fetcher.stage(recipe, "main", tmp_path / name, pinned=commit)
        text = {"first": "one", "second": "two"}[name]
        assert (stage.source_path / "f.txt").read_text() == text
    with pytest.raises(FetchError, match=f"cannot fetch {'b' * 40}"):
        fetcher.stage(recipe, "main", tmp_path / "none", pinned="b" * 40)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("commit", ["main", "abc1234", "A" * 40, "--x"])
def test_a_commit_is_named_in_full(repository: Repository, commit: str) -> None:
    with pytest.raises(FetchError, match="not the full name of a commit"):
        source_for(recipe_of(repository, branch="main"), "main", commit)


def test_a_commit_needs_sources_from_git() -> None:
    recipe = Recipe(
        "foo",
        "venv",
        "/r/package.py",
        "",
        versions=(VersionRecord("1", url="file:///x/foo-1.tar.gz"),),
    )
    with pytest.raises(FetchError, match="its sources do not come from git"):
        source_for(recipe, "1", "a" * 40)


def test_submodules(repository: Repository, tmp_path: Path) -> None:
    for name in ("sub", "other"):
        module = Repository(tmp_path / f"{name}-repo")
        repository.git("submodule", "--quiet", "add", module.path.as_uri(), name)
    repository.commit("g.txt", "with submodules")
    without, whole, some, dropped = (tmp_path / name for name in "abcd")
    text_of(repository, without, branch="main")
    assert os.listdir(without / "sub") == []
    text_of(repository, whole, branch="main", submodules=True)
    assert (whole / "sub/f.txt").read_text() == (whole / "other/f.txt").read_text() == "two"
    text_of(repository, some, branch="main", submodules=("sub",))
    assert os.listdir(some / "other") == [] and (some / "sub/f.txt").exists()
    text_of(repository, dropped, branch="main", submodules=True, drop_submodules=("sub",))
    assert not (dropped / "sub").exists() and (dropped / "other/f.txt").exists()


def test_links_out_are_refused(repository: Repository, tmp_path: Path) -> None:
    os.symlink("/etc/passwd", repository.path / "l")
    repository.commit("g.txt", "link")
    with pytest.raises(FetchError, match="'l' is a link to '/etc/passwd', which is outside"):
        text_of(repository, tmp_path / "t", branch="main")
    assert not (tmp_path / "t").exists()


def test_hooks_do_not_run(repository: Repository, tmp_path: Path) -> None:
    templates = tmp_path / "templates" / "hooks"
    templates.mkdir(parents=True)
    hook = templates / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    repository.environ["GIT_TEMPLATE_DIR"] = str(templates.parent)
    assert text_of(repository, tmp_path / "t", branch="main") == "two"
    assert not (tmp_path / "ran").exists()


def test_the_content_is_the_commits_whatever_the_user_has_set(
    repository: Repository, tmp_path: Path
) -> None:
    """Line ends, links, and variables that a git which runs us, in a hook, leaves behind."""
    repository.path.joinpath("link").symlink_to("f.txt")
    repository.commit("f.txt", "one\ntwo\n")
    attributes = tmp_path / ".config" / "git" / "attributes"
    attributes.parent.mkdir(parents=True)
    attributes.write_text("* text=auto eol=crlf ident\n")
    (tmp_path / ".gitconfig").write_text(
        f"[core]\nautocrlf = true\neol = crlf\nsymlinks = false\nattributesFile = {attributes}\n"
    )
    left = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE")
    environ = {**repository.environ, **dict.fromkeys(left, str(tmp_path / "none"))}
    target = tmp_path / "sources"
    Git(environ).checkout(GitSource(repository.path.as_uri(), branch="main"), target)
    assert (target / "f.txt").read_bytes() == b"one\ntwo\n"
    assert (target / "link").is_symlink()


def test_commits_are_cached(repository: Repository, tmp_path: Path) -> None:
    options = {"git": repository.path.as_uri(), "commit": repository.first}
    version = VersionRecord("1.0", options=options)
    recipe = Recipe("foo", "venv", "/r/package.py", "", versions=(version,))

    def fetcher() -> Fetcher:
        cache = SourceCache(tmp_path / "cache")
        return Fetcher(cache, lambda: pytest.fail("network"), environ=repository.environ)

    fetcher().fetch_all(recipe, "1.0")
    repository.path.rename(tmp_path / "gone")
    stage = fetcher().stage(recipe, "1.0", tmp_path / "s")
    assert (stage.source_path / "f.txt").read_text() == "one"
    assert stage.archive_file is None

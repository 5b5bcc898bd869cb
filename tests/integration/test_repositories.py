"""Repositories of recipes that come from git: real clones of repositories on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command, WaitUntil

RECIPE = '''\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class {name}(Package):
    """Of a repository in git."""

    has_code = False
    version("{version}")
'''


class Upstream:
    """A git repository with two repositories of recipes: ``one`` and ``two``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "develop")
        self.write("1.0")
        listed = "".join(f"  - repos/spack_repo/{name}\n" for name in ("one", "two"))
        (path / "spack-repo-index.yaml").write_text(f"repo_index:\n  paths:\n{listed}")
        for name in ("one", "two"):
            text = f"repo:\n  namespace: {name}\n  api: v2.2\n"
            (path / "repos/spack_repo" / name / "repo.yaml").write_text(text)
        self.first = self.commit("1.0")
        self.git("tag", "v1.0")

    @property
    def url(self) -> str:
        return self.path.as_uri()

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=me", "-c", "user.email=me@here")
        argv = ["git", *who, *words]
        return subprocess.check_output(argv, cwd=self.path, text=True).strip()

    def write(self, version: str) -> None:
        for name in ("one", "two"):
            location = self.path / "repos/spack_repo" / name / "packages" / f"pkg_{name}"
            location.mkdir(parents=True, exist_ok=True)
            text = RECIPE.format(name=f"Pkg{name.title()}", version=version)
            (location / "package.py").write_text(text)

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def release(self, version: str) -> str:
        self.write(version)
        return self.commit(version)


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "upstream")


def configure(spack: Any, text: str) -> None:
    (spack.home.config / "repos.yaml").write_text(text)


def clones(spack: Any) -> list[str]:
    location = spack.home.config / "package_repos"
    return sorted(x.name for x in location.iterdir() if x.is_dir()) if location.is_dir() else []


def versions(spack: Any, name: str, *before: object) -> str:
    return str(spack(*before, "spec", "--format", "{version}", name).out.strip())


def test_a_url_is_cloned_registered_and_updated(spack: Command, upstream: Upstream) -> None:
    refused = spack.fails("repo", "add", upstream.url, code=2)
    assert "several repositories: one, two" in refused.err and "--name" in refused.err
    assert not (spack.home.config / "repos.yaml").exists()
    added = spack("repo", "add", upstream.url, "--name", "both")
    assert added.out.count("added the repository") == 2
    written = (spack.home.config / "repos.yaml").read_text()
    assert written == f"repos:\n  both:\n    git: {upstream.url}\n"
    assert spack("repo", "list", "--names").lines == ["both", "venv"]
    assert spack("repo", "list", "--namespaces").lines == ["one", "two", "venv"]
    rows = json.loads(spack("repo", "list", "--json").out)
    assert [(row["state"], row["ref"]) for row in rows[:2]] == [("ready", "branch develop")] * 2
    assert rows[0]["commit"] == upstream.first
    assert versions(spack, "pkg-two") == "1.0"
    assert f"both is up to date at {upstream.first[:10]}" in spack("repo", "update").out
    new = upstream.release("2.0")
    assert f"to {new[:10]}" in spack("repo", "update", "both").out
    assert versions(spack, "pkg-two") == "2.0"
    again = spack.fails("repo", "add", upstream.url, "--name", "both", code=2)
    assert "has a repository both already" in again.err
    removed = spack("repo", "remove", "two").out
    assert "removed the repository both" in removed
    assert clones(spack), "its files stay"
    assert spack("repo", "list", "--names").lines == ["venv"]


def test_one_of_several_at_a_location_of_ones_own(
    spack: Command, upstream: Upstream, tmp_path: Path
) -> None:
    spack("repo", "add", upstream.url, "../clone", "--path", "repos/spack_repo/two")
    assert (tmp_path / "clone/.git").is_dir() and not clones(spack)
    assert spack("repo", "list", "--namespaces").lines == ["two", "venv"]
    assert "there is no package" in spack.fails("spec", "pkg-one").err
    spack("repo", "set", "two", "--path", "repos/spack_repo/one")
    assert spack("repo", "list", "--namespaces").lines == ["one", "venv"]
    assert versions(spack, "pkg-one") == "1.0"
    spack.fails("repo", "set", "two", code=2)
    assert "is the directory" in spack.fails("repo", "set", "venv", "--path", "x", code=2).err


def test_what_is_configured_is_cloned_when_recipes_are_needed(
    spack: Command, upstream: Upstream, tmp_path: Path
) -> None:
    configure(spack, f"repos:\n  both:\n    git: {upstream.url}\n    branch: develop\n")
    environment = tmp_path / "work"
    spack("env", "create", "--dir", environment)
    for words in (("--version",), ("find",), ("env", "list"), ("repo", "list"), ("config", "get")):
        spack(*words)
    spack.fails("load", "--sh", "pkg-one")
    spack("completion", "words", "--", "install", "py-bl")
    assert clones(spack) == []
    assert "not cloned" in spack("repo", "list").out
    first = spack("spec", "pkg-one")
    assert first.err.count("==> cloning the repository both from") == 1
    assert len(clones(spack)) == 1
    assert "cloning" not in spack("spec", "pkg-one").text


def test_pins_are_kept_and_have_clones_of_their_own(spack: Command, upstream: Upstream) -> None:
    new = upstream.release("2.0")
    spack("repo", "add", upstream.url, "--name", "both", "--tag", "v1.0")
    assert versions(spack, "pkg-one") == "1.0"
    upstream.release("3.0")
    spack("repo", "update")
    assert versions(spack, "pkg-one") == "1.0"
    spack("repo", "update", "both", "--commit", new[:12])
    assert f"commit: {new[:12]}" in (spack.home.config / "repos.yaml").read_text()
    assert "tag" not in (spack.home.config / "repos.yaml").read_text()
    assert versions(spack, "pkg-one") == "2.0"
    spack("repo", "update", "two", "--branch", "develop")
    assert versions(spack, "pkg-one") == "3.0"
    assert len(clones(spack)) == 3
    spack.fails("repo", "update", "--branch", "develop", code=2)
    spack.fails("repo", "update", "nowhere", code=2)


def test_an_environment_pins_a_state_of_its_own(
    spack: Command, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.release("2.0")
    environment = tmp_path / "work"
    spack("env", "create", "--dir", environment)
    configure(spack, f"repos:\n  both:\n    git: {upstream.url}\n    commit: {upstream.first}\n")
    spack("-e", environment, "repo", "update", "both", "--branch", "develop")
    assert "'both:':" in (environment / "spack.yaml").read_text()
    assert versions(spack, "pkg-one", "-e", environment) == "2.0"
    assert versions(spack, "pkg-one") == "1.0"
    spack("-e", environment, "repo", "add", upstream.url, environment / "inside", "--name", "more")
    assert "destination: inside" in (environment / "spack.yaml").read_text()
    names = ["repo", "list", "--names", "--scope", f"env:{environment}"]
    assert spack(*names).lines == ["more", "both"]
    spack("-e", environment, "repo", "rm", "more")
    assert spack(*names).lines == ["both"]
    assert "no configuration scope" in spack.fails("repo", "list", "--scope", "no", code=2).err


def test_work_in_a_clone_is_never_lost(spack: Command, upstream: Upstream, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    spack("repo", "add", upstream.url, clone, "--name", "both")
    recipe = clone / "repos/spack_repo/one/packages/pkg_one/package.py"
    recipe.write_text(recipe.read_text() + "# mine\n")
    upstream.release("2.0")
    refused = spack.fails("repo", "update")
    assert "has local changes" in refused.err and f"git -C {clone} status" in refused.err
    assert recipe.read_text().endswith("# mine\n")
    assert "changed" in spack("repo", "list").out
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@here", "-C", str(clone)]
    subprocess.check_call([*git, "commit", "-qam", "mine"])
    assert "not updated" in spack.fails("repo", "update").err
    subprocess.check_call([*git, "checkout", "-q", "HEAD~"])
    assert "local commits on develop" in spack.fails("repo", "update", "-b", "develop", "both").err
    assert "mine" in subprocess.check_output(
        [*git, "log", "-1", "--format=%s", "develop"], text=True
    )
    subprocess.check_call([*git, "branch", "-q", "-M", "develop", "kept"])
    (clone / "new.txt").write_text("mine")
    (upstream.path / "new.txt").write_text("theirs")
    upstream.commit("new")
    blocked = spack.fails("repo", "update", "-b", "develop", "both")
    assert "cannot check develop out" in blocked.err and "new.txt" in blocked.err
    assert (clone / "new.txt").read_text() == "mine"
    (clone / "new.txt").unlink()
    spack("repo", "update", "-b", "develop", "both")
    assert (clone / "new.txt").read_text() == "theirs"


def test_errors_say_what_to_do(spack: Command, upstream: Upstream, tmp_path: Path) -> None:
    nowhere = (tmp_path / "nowhere").as_uri()
    lost = spack.fails("repo", "add", nowhere)
    assert f"git ls-remote {nowhere}" in lost.err
    branch = spack.fails("repo", "add", upstream.url, "--name", "x", "--branch", "main")
    assert "it has the branches develop" in branch.err
    commit = spack.fails("repo", "add", upstream.url, "--name", "x", "--commit", "v1.0")
    assert "is not a commit" in commit.err
    missing = spack.fails("repo", "add", upstream.url, "--name", "x", "--path", "nowhere")
    assert "has no repo.yaml" in missing.err
    outside = spack.fails("repo", "add", upstream.url, "--name", "x", "--path", "../..")
    assert "leads out" in outside.err
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    full = spack.fails("repo", "add", upstream.url, tmp_path / "full", "--name", "x")
    assert "neither empty nor a clone" in full.err
    spack.fails("repo", "add", spack.home.path, "somewhere", code=2)
    configure(spack, f"repos:\n  x:\n    git: {nowhere}\n")
    first = spack.fails("spec", "py-black")
    assert "repository x" in first.err and "repos.yaml:3" in first.err
    assert "not cloned" in spack("repo", "list").out
    # What bin/spack itself needs, without git.
    bare = tmp_path / "bin"
    bare.mkdir()
    for program in ("sh", "env", "python3", "dirname", "readlink"):
        (bare / program).symlink_to(f"/usr/bin/{program}")
    without_git = spack.fails("spec", "py-black", environ={"PATH": str(bare)})
    assert "install git" in without_git.err
    configure(spack, "repos:\n  x:\n    destination: /x\n")
    assert "repos.yaml:2: repos:x lacks 'git'" in spack.fails("repo", "list").err
    assert clones(spack) == []


def test_a_clone_without_recipes_leaves_nothing(spack: Command, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        who = ["-c", "user.name=me", "-c", "user.email=me@here"]
        subprocess.check_call(["git", *who, *words], cwd=other)
    refused = spack.fails("repo", "add", other.as_uri())
    assert "has no repo.yaml" in refused.err and "--path" in refused.err
    assert clones(spack) == []
    assert not (spack.home.config / "repos.yaml").exists()


def test_interrupting_a_clone_leaves_nothing(
    spack: Command, upstream: Upstream, tmp_path: Path, until: WaitUntil
) -> None:
    """Git is made to wait by a program that it starts for the transport."""
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\ntouch {tmp_path}/waiting\nsleep 600\n")
    slow.chmod(0o755)
    environ = {"GIT_SSH_COMMAND": str(slow)}
    with spack.start("repo", "add", "ssh://host/recipes.git", environ=environ) as process:
        until((tmp_path / "waiting").exists, "git connects")
        os.kill(process.pid, signal.SIGINT)
        process.wait(60)
        assert process.returncode == 130
    assert clones(spack) == []
    assert not (spack.home.config / "repos.yaml").exists()


def test_two_commands_clone_once(spack: Command, upstream: Upstream) -> None:
    configure(spack, f"repos:\n  both:\n    git: {upstream.url}\n")
    words = ("list", "pkg-*")
    with spack.start(*words) as first, spack.start(*words) as second:
        for process in (first, second):
            out, _ = process.communicate(timeout=300)
            assert process.returncode == 0 and "pkg-one" in out, out
    assert len(clones(spack)) == 1


def test_two_of_one_namespace(spack: Command, upstream: Upstream, tmp_path: Path) -> None:
    spack("repo", "create", tmp_path / "mine", "one")
    configure(
        spack,
        f"repos:\n  mine: {tmp_path}/mine\n  both:\n    git: {upstream.url}\n",
    )
    found = spack("list", "pkg-*")
    assert "pkg-two" in found.out and "pkg-one" not in found.out
    assert "has the same namespace, one" in found.err


def test_the_old_list_form(spack: Command, upstream: Upstream, tmp_path: Path) -> None:
    spack("repo", "create", tmp_path / "mine", "mine")
    configure(spack, f"repos:\n- {tmp_path}/mine\n")
    assert spack("repo", "list", "--namespaces").lines == ["mine", "venv"]
    spack("repo", "add", upstream.url, "--name", "both")
    assert spack("repo", "list", "--names").lines == ["both", "mine", "venv"]
    assert spack("repo", "list", "--namespaces").lines == ["one", "two", "mine", "venv"]


def test_create_as_upstream_does(spack: Command, tmp_path: Path) -> None:
    spack("repo", "create", tmp_path / "mine", "my.recipes")
    root = tmp_path / "mine/spack_repo/my/recipes"
    assert (root / "packages").is_dir()
    assert "namespace: my.recipes" in (root / "repo.yaml").read_text()
    spack("repo", "add", tmp_path / "mine")
    assert spack("repo", "list", "--namespaces").lines == ["my.recipes", "venv"]
    assert str(root) in (spack.home.config / "repos.yaml").read_text()
    spack("repo", "create", "-d", "recipes", tmp_path / "other", "other")
    assert (tmp_path / "other/spack_repo/other/recipes").is_dir()
    spack("repo", "add", tmp_path / "other")
    for words in ((tmp_path / "mine", "my.recipes"), (tmp_path / "x", "a-b"), ("-d", "", "y", "y")):
        spack.fails("repo", "create", *words, code=2)

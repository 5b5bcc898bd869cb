"""Clones that the user may work in: repositories of recipes, kept up to date.

A clone is made beside its path and renamed to it, so that it is complete or missing. It holds
one commit of history unless the user deepened it. What :meth:`Clones.update` checked out is
remembered as the reference ``refs/spack/checked-out``: a commit that neither that nor the remote
knows is the user's work, and so are changed files. Both are refused, never overwritten.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Callable, NamedTuple

from spack.errors import FetchError
from spack.fetch.git import Git
from spack.fetch.index_names import without_secrets
from spack.fetch.source import GitSource
from spack.util.filesystem import remove_tree
from spack.util.lock import FileLock

__all__ = ["CloneState", "Clones"]

#: What this module checked out last.
CHECKED_OUT = "refs/spack/checked-out"


class CloneState(NamedTuple):
    """What a clone holds.

    :ivar branch: None when no branch is checked out (a tag, a commit).
    :ivar changed: files that git follows were changed, or commits made.
    """

    commit: str
    branch: str | None
    url: str
    changed: bool


class Clones:
    """Makes and updates clones with *git*."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def create(self, source: GitSource, target: Path, accept: Callable[[Path], object]) -> str:
        """Clone into *target*, which is missing or empty; an existing clone is left as it is.

        :param accept: sees the clone before it is at its path, and raises if it is of no use.
        :return: the commit.
        :raises FetchError: git is missing, fails, or *target* is something else. Nothing is left.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / f".{target.name}.lock"):
            if (target / ".git").exists():
                accept(target)
                return self._ask(source, target, "rev-parse", "HEAD")
            if target.exists() and any(target.iterdir()):
                raise FetchError(
                    f"{source.what}: {target} is neither empty nor a clone",
                    hint="name another directory as destination, or move what is there away",
                    ref="clone-destination",
                )
            part = target.parent / f".{target.name}.part"
            remove_tree(part)  # of a process that was killed: a running one would hold the lock
            try:
                part.mkdir()
                self._ask(source, part, "init", "--quiet")
                self._ask(source, part, "remote", "add", "--", "origin", source.url)
                commit = self._switch(source, part, "origin")
                accept(part)
                os.rename(part, target)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            return commit

    def update(self, source: GitSource, target: Path, remote: str = "origin") -> str:
        """Update the clone to what *source* names now; without any, to its branch's newest.

        :param remote: the one that is asked.
        :return: the commit.
        :raises FetchError: work of the user's would be lost, or git fails; the clone is as it was.
        """
        with FileLock(target.parent / f".{target.name}.lock"):
            state = self._state(source, target)
            if remote == "origin" and state.url != source.url:
                raise FetchError(
                    f"{source.what}: {target} is a clone of {without_secrets(state.url)}, "
                    f"not of {without_secrets(source.url)}",
                    hint="name another destination, or: "
                    f"git -C {target} remote set-url origin {without_secrets(source.url)}",
                    ref="clone-url",
                )
            if state.changed:
                self._refuse(source, target, "has local changes")
            if not (source.commit or source.tag or source.branch):
                source = source_of_branch(source, state.branch)
            if source.branch and not source.commit and not source.tag:
                head = f"refs/heads/{source.branch}"
                if self._has(target, head) and not self._is_known(source, target, head):
                    self._refuse(source, target, f"has local commits on {source.branch}")
            return self._switch(source, target, remote)

    def state(self, target: Path, what: str = "") -> CloneState:
        """Return the state of the clone in *target*.

        :raises FetchError: there is no git, or no clone.
        """
        return self._state(GitSource(str(target), what=what), target)

    # Details.

    def _state(self, source: GitSource, target: Path) -> CloneState:
        commit = self._ask(source, target, "rev-parse", "HEAD")
        branch = self._git.run(target, "symbolic-ref", "--quiet", "--short", "HEAD").stdout.strip()
        url = self._git.run(target, "config", "remote.origin.url").stdout.strip()
        status = self._ask(source, target, "status", "--porcelain", "--untracked-files=no")
        changed = bool(status) or not self._is_known(source, target, commit)
        return CloneState(commit, branch or None, url, changed)

    def _switch(self, source: GitSource, target: Path, remote: str) -> str:
        """Fetch what *source* names and check it out."""
        if source.commit and not re.fullmatch(r"[0-9a-fA-F]{4,64}", source.commit):
            raise FetchError(
                f"{source.what}: {source.commit!r} is not a commit",
                hint="a commit is written with 4 to 64 hexadecimal digits; "
                "branches and tags have keys of their own",
                ref="clone-commit",
            )
        if not (source.commit or source.tag or source.branch):
            source = source_of_branch(source, self._default_branch(source, target, remote))
        commit = self._fetch(source, target, remote)
        checkout = ["checkout", "--quiet", "--no-overwrite-ignore"]
        if source.branch and not source.commit and not source.tag:
            checkout += ["-B", source.branch]
        else:
            checkout += ["--detach"]
        done = self._git.run(target, *checkout, commit, "--")
        if not done.ok:
            raise FetchError(
                f"{source.what}: git cannot check {source.ref} out in {target}",
                without_secrets(done.stderr.strip()),
                hint="move what is in the way elsewhere; nothing was changed",
                ref="clone-checkout",
            )
        self._ask(source, target, "update-ref", CHECKED_OUT, commit)
        if "-B" in checkout:
            upstream = f"--set-upstream-to={remote}/{source.branch}"
            self._git.run(target, "branch", "--quiet", upstream)  # a convenience
        return commit

    def _fetch(self, source: GitSource, target: Path, remote: str) -> str:
        shallow = (target / ".git" / "shallow").exists() or not self._has(target, "HEAD")
        depth = ("--depth=1",) if shallow and not source.full else ()
        if source.commit:
            if not self._has(target, source.commit):
                done = self._git.run(target, *_FETCH, *depth, "--", remote, source.commit)
                if not done.ok or len(source.commit) < 40:
                    # An abbreviation, or a server that gives branches and tags only.
                    all_of_it = ("--unshallow",) if (target / ".git" / "shallow").exists() else ()
                    self._ask(
                        source, target, "fetch", "--quiet", "--tags", *all_of_it, "--", remote
                    )
            wanted = source.commit
        else:
            ref = f"refs/tags/{source.tag}" if source.tag else f"refs/heads/{source.branch}"
            done = self._git.run(target, *_FETCH, *depth, "--", remote, ref)
            if not done.ok:
                raise self._git.error(source, done, hint=self._known_refs(source, target, remote))
            wanted = "FETCH_HEAD"
        return self._ask(source, target, "rev-parse", "--verify", wanted + "^{commit}")

    def _default_branch(self, source: GitSource, target: Path, remote: str) -> str:
        text = self._ask(source, target, "ls-remote", "--symref", "--", remote, "HEAD")
        match = re.match(r"ref: refs/heads/(\S+)\s", text)
        if match is None:
            raise FetchError(
                f"{source.what}: {without_secrets(source.url)} does not say what its branch is",
                hint="name a branch, a tag or a commit",
                ref="clone-branch",
            )
        return match[1]

    def _known_refs(self, source: GitSource, target: Path, remote: str) -> str | None:
        """Return suggestions for a reference that does not exist."""
        kind = "tags" if source.tag else "heads"
        done = self._git.run(target, "ls-remote", "--refs", f"--{kind}", "--", remote)
        names = re.findall(rf"refs/{kind}/(\S+)", done.stdout)
        if not names:
            return None
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        what = "tags" if source.tag else "branches"
        return f"it has the {what} {', '.join(names[-8:])}{more}"

    def _has(self, target: Path, name: str) -> bool:
        return self._git.run(target, "rev-parse", "--quiet", "--verify", name + "^{commit}").ok

    def _is_known(self, source: GitSource, target: Path, name: str) -> bool:
        """Return whether the remote, or an earlier update, has the commit."""
        locations = ("refs/remotes", "refs/tags", CHECKED_OUT)
        found = self._ask(
            source, target, "for-each-ref", "--count=1", "--contains", name, *locations
        )
        return bool(found)

    def _refuse(self, source: GitSource, target: Path, what: str) -> None:
        raise FetchError(
            f"{source.what} is not updated: its clone {target} {what}",
            hint=f"see `git -C {target} status`; commit and push, stash or undo them first",
            ref="clone-changed",
        )

    def _ask(self, source: GitSource, target: Path, *arguments: str) -> str:
        done = self._git.run(target, *arguments)
        if not done.ok:
            raise self._git.error(source, done)
        return done.stdout.strip()


_FETCH = ("fetch", "--quiet", "--no-tags")


def source_of_branch(source: GitSource, branch: str | None) -> GitSource:
    """Return *source* with a branch (or none)."""
    return GitSource(source.url, branch=branch, what=source.what, origin=source.origin)

"""Sources from git repositories, by the ``git`` program.

Nothing of the repository is run: hooks and file system monitors are off, and so is every
transport helper that runs commands. Links that lead out of the checkout are refused like those of
archives. The user's own git configuration (logins, proxies, ``insteadOf``) counts, but not for
what the files of a commit are: their line ends, links and attributes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from spack.errors import FetchError
from spack.fetch.index_names import without_secrets
from spack.fetch.source import GitSource
from spack.util.helper_process import Completed, run

__all__ = ["Git"]

SAFE = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "protocol.ext.allow=never",
    "-c", "advice.detachedHead=false",
    "-c", "core.autocrlf=false",
    "-c", "core.eol=lf",
    "-c", "core.symlinks=true",
    "-c", "core.attributesFile=/dev/null",
    "-c", "init.defaultBranch=main",
)  # fmt: skip
#: Variables that would point git at another repository; hooks of git's have some of them.
REPOSITORY_VARIABLES = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_EXEC_PATH",
    "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE",
    "GIT_ATTR_SOURCE", "GIT_PREFIX",
)  # fmt: skip
#: Seconds for one command; a clone of a large repository takes long.
TIMEOUT = 3600.0


class Git:
    """The ``git`` on *environ*'s PATH."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._program = shutil.which("git", path=environ.get("PATH"))
        self._environ = {k: value for k, value in environ.items() if k not in REPOSITORY_VARIABLES}
        self._environ["GIT_TERMINAL_PROMPT"] = "0"
        self._environ["GIT_ATTR_NOSYSTEM"] = "1"
        self._environ.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")

    def checkout(self, source: GitSource, target: Path) -> str:
        """Write the state that *source* names into the new directory *target*.

        :return: the commit.
        :raises FetchError: no git, no such repository or reference, a link that leads outside;
            *target* is removed.
        """
        if self._program is None:
            raise FetchError(
                f"{source.what or source.url} comes from git, and there is no git on PATH",
                hint="install git",
            )
        target.mkdir(parents=True)
        try:
            commit = self._checkout(source, target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        return commit

    def _checkout(self, source: GitSource, target: Path) -> str:
        self._git(source, target, "init", "--quiet")
        self._git(source, target, "remote", "add", "--", "origin", source.url)
        if source.sparse:
            self._git(source, target, "sparse-checkout", "set", "--", *source.sparse)
        commit = self._fetch(source, target)
        self._git(source, target, "checkout", "--quiet", "--detach", commit)
        if source.submodules:
            self._submodules(source, target)
        for path in source.drop_submodules:
            self._drop(source, target, path)
        _refuse_links_out(source, target)
        if source.commit and not commit.startswith(source.commit.lower()):
            raise FetchError(
                f"{source.what}: the repository gives {commit} for {source.commit}",
                facts={"expected": source.commit, "found": commit},
                hint="the commit is checked, as it is the checksum of the sources",
            )
        return commit

    def _fetch(self, source: GitSource, target: Path) -> str:
        """Fetch as little as possible; return the commit to check out."""
        if source.commit:
            wanted = source.commit
        elif source.tag:
            wanted = f"refs/tags/{source.tag}"
        elif source.branch:
            wanted = f"refs/heads/{source.branch}"
        else:
            wanted = "HEAD"
        quick = not source.full and (not source.commit or len(source.commit) == 40)
        if quick:
            done = self.run(
                target, "fetch", "--quiet", "--depth=1", "--no-tags", "--", "origin", wanted
            )
            if done.ok:
                return self._resolve(source, target, "FETCH_HEAD")
            if not source.commit:
                raise self.error(source, done)
        self._git(source, target, "fetch", "--quiet", "--tags", "origin")
        if not source.commit and not source.tag and not source.branch:
            self._git(source, target, "fetch", "--quiet", "origin", "HEAD")
            wanted = "FETCH_HEAD"
        elif source.branch and not source.commit and not source.tag:
            wanted = f"refs/remotes/origin/{source.branch}"
        return self._resolve(source, target, wanted)

    def _resolve(self, source: GitSource, target: Path, name: str) -> str:
        return self._git(source, target, "rev-parse", "--verify", name + "^{commit}").strip()

    def _submodules(self, source: GitSource, target: Path) -> None:
        paths = source.submodules if isinstance(source.submodules, tuple) else ()
        depth = () if source.full else ("--depth=1",)
        update = ("submodule", "update", "--quiet", "--init", "--recursive")
        done = self.run(target, *update, *depth, "--", *paths)
        if not done.ok:
            self._git(source, target, *update, "--", *paths)

    def _drop(self, source: GitSource, target: Path, path: str) -> None:
        location = os.path.normpath(target / path)
        if not location.startswith(str(target) + os.sep):
            raise FetchError(f"{source.what}: submodules_delete={path!r} is outside of the sources")
        if os.path.isdir(location) and not os.path.islink(location):
            shutil.rmtree(location)

    def _git(self, source: GitSource, target: Path, *arguments: str) -> str:
        done = self.run(target, *arguments)
        if not done.ok:
            raise self.error(source, done)
        return done.stdout

    def run(self, target: Path, *arguments: str) -> Completed:
        """Run git in *target*; a failure is a result.

        :raises FetchError: there is no git.
        """
        if self._program is None:
            raise FetchError(
                "this needs git, and there is none on PATH", hint="install git", ref="no-git"
            )
        argv = (self._program, *SAFE, *arguments)
        return run(argv, env=self._environ, cwd=str(target), timeout=TIMEOUT)

    def error(self, source: GitSource, done: Completed, hint: str | None = None) -> FetchError:
        """Return the error that *done* did not fetch *source*.

        By default the hint says how to try.
        """
        url = without_secrets(source.url)
        hint = hint or f"check the url and the network: git ls-remote {url}"
        if source.origin:
            hint = f"{hint}; it is named at {source.origin}"
        return FetchError(
            f"{source.what or url}: git cannot fetch {source.ref} of {url}",
            without_secrets(done.stderr.strip()),
            facts={"url": url, "ref": source.ref, "status": done.returncode},
            hint=hint,
        )


def _refuse_links_out(source: GitSource, target: Path) -> None:
    inside = os.path.realpath(target)
    for directory, directories, files in os.walk(target):
        if directory == str(target) and ".git" in directories:
            directories.remove(".git")
        for name in (*directories, *files):
            path = os.path.join(directory, name)
            if os.path.islink(path):
                real = os.path.realpath(path)
                if real != inside and not real.startswith(inside + os.sep):
                    shown = os.path.relpath(path, target)
                    raise FetchError(
                        f"{source.what or source.url} is refused: {shown!r} is a link to "
                        f"{os.readlink(path)!r}, which is outside",
                        ref="hostile-archive",
                        hint="nothing of it was kept; inform the author",
                    )

"""Sources in a developer's directory: a copy of them to build in, and whether they have changed.

The directory itself stays as it is. What programs leave in it while a developer works (bytecode,
caches of test runners, virtual environments, results of earlier builds) is neither copied nor
looked at.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from spack.errors import FetchError
from spack.util.hashing import sha256_hex

__all__ = ["check_directory", "copy_sources", "fingerprint"]

#: Directories that are not sources, wherever they are.
_NO_SOURCES = frozenset(
    (
        *(".eggs", ".git", ".hg", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache"),
        *(".spack-env", ".tox", "__pycache__"),
    )
)

#: What makes a directory a virtual environment, or a view.
_VENV = "pyvenv.cfg"

#: Directories at the top that are results of builds, if nothing else is in them.
_RESULTS = {
    "build": ("lib", "bdist.", "temp."),
    "dist": (".tar.gz", ".whl", ".zip"),
}

#: Metadata that setuptools leaves beside the sources, and writes again with each build.
_METADATA = ".egg-info"


def check_directory(path: Path, package: str) -> None:
    """Refuse a *path* that is not a readable directory with an absolute path.

    :raises FetchError: *path* is not a readable directory with an absolute path.
    """
    if not path.is_absolute():
        problem, hint = "is not absolute", "dev_path is an absolute path"
    elif not os.path.lexists(path):
        problem = "is not there"
        hint = f"restore it, or: spack develop -p DIRECTORY {package}, spack undevelop {package}"
    elif not path.is_dir():
        problem, hint = "is not a directory", "unpack it, and name the directory"
    elif not os.access(path, os.R_OK | os.X_OK):
        problem, hint = "cannot be read", "make it readable"
    else:
        return
    raise FetchError(
        f"{package} is developed in {path}, which {problem}",
        facts={"package": package, "path": str(path)},
        hint=hint,
        ref="develop-directory",
    )


def copy_sources(source: Path, target: Path, without: Iterable[Path] = ()) -> None:
    """Copy the sources below *source* to *target*, with their times.

    A git repository is not copied: the copy refers to it, so that versions can be read from it.

    :param without: directories that are left out.
    :raises FetchError: something cannot be read.
    """
    import shutil  # start-up: an install with nothing to do copies nothing

    try:
        target.mkdir(parents=True)
        for path, entry in _walk(source, tuple(without)):
            location = target / path
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), location)
            elif entry.is_dir():
                location.mkdir()
            else:
                shutil.copy2(entry.path, location)
                os.chmod(location, os.stat(location).st_mode | stat.S_IWUSR)
    except OSError as error:
        raise FetchError(
            f"{error.filename or source} cannot be copied: {error.strerror}",
            facts={"path": str(source)},
            ref="develop-copy",
        ) from error
    repository = _repository(source / ".git")
    if repository is not None:
        (target / ".git").unlink(missing_ok=True)
        (target / ".git").write_text(f"gitdir: {repository}\n", encoding="utf-8")


def _repository(location: Path) -> Path | None:
    """Return the git repository of the work tree whose ``.git`` is *location*."""
    if location.is_dir():
        return location.resolve()
    if location.is_file():
        text = location.read_text(encoding="utf-8", errors="replace")
        if text.startswith("gitdir: "):
            return (location.parent / text[len("gitdir: ") :].strip()).resolve()
    return None


def fingerprint(source: Path, *, editable: bool = False, without: Iterable[Path] = ()) -> str:
    """Return a digest of the sources: of names, modes, sizes and times of their files.

    Not with contents, which would have to be read; and not only with times that are later than
    the build, since a checkout of another branch writes older files and removes some.

    :param editable: the content of modules does not matter, only which there are.
    """
    rows: list[str] = []
    for path, entry in _walk(source, tuple(without)):
        if entry.is_symlink():
            rows.append(f"{path}\0{os.readlink(entry.path)}")
        elif entry.is_file():
            status = entry.stat(follow_symlinks=False)
            state = f"{status.st_mode:o} {status.st_size} {status.st_mtime_ns}"
            module = path.endswith((".py", ".pyi")) and path != "setup.py"
            rows.append(path if editable and module else f"{path}\0{state}")
    rows.sort()
    return sha256_hex("\n".join(rows).encode("utf-8", "surrogateescape"))[:32]


def _walk(source: Path, without: Sequence[Path]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield relative path and entry of every source; directories before what is in them."""
    outside = {os.path.realpath(path) for path in without}
    pending = [("", os.fspath(source))]
    while pending:
        prefix, folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda item: item.name):
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if _is_source(path, entry) and os.path.realpath(entry.path) not in outside:
                        yield path, entry
                        pending.append((f"{path}/", entry.path))
                elif path != ".git" and (entry.is_symlink() or entry.is_file()):
                    yield path, entry


def _is_source(path: str, entry: os.DirEntry[str]) -> bool:
    if entry.name in _NO_SOURCES or entry.name.endswith(_METADATA):
        return False
    if os.path.exists(os.path.join(entry.path, _VENV)):
        return False
    results = _RESULTS.get(path)
    if results is None:
        return True
    names = os.listdir(entry.path)
    if path == "build":
        return not (names and all(name.startswith(results) for name in names))
    return not (names and all(name.endswith(results) for name in names))

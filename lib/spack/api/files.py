"""Files and directories as recipes handle them: copying, installing, linking, removing.

Searching is in :mod:`spack.api.file_search`, editing in :mod:`spack.api.filters`; this module
offers their names too, so that recipes and :mod:`spack.package` have one module to import.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, Union

from spack.api import tty
from spack.api.file_search import (
    find,
    find_all_headers,
    find_all_libraries,
    find_first,
    find_headers,
    find_libraries,
    find_system_libraries,
    library_extensions,
)
from spack.api.filters import FileFilter, change_sed_delimiter, filter_file
from spack.api.libraries import FileList, HeaderList, LibraryList

__all__ = [
    "FileFilter",
    "FileList",
    "HeaderList",
    "LibraryList",
    "ancestor",
    "can_access",
    "change_sed_delimiter",
    "copy",
    "copy_tree",
    "filter_file",
    "filter_shebang",
    "find",
    "find_all_headers",
    "find_all_libraries",
    "find_first",
    "find_headers",
    "find_libraries",
    "find_system_libraries",
    "fix_darwin_install_name",
    "force_remove",
    "force_symlink",
    "has_shebang",
    "install",
    "install_tree",
    "is_exe",
    "join_path",
    "keep_modification_time",
    "library_extensions",
    "mkdirp",
    "path_contains_subdirectory",
    "remove_directory_contents",
    "remove_linked_tree",
    "safe_remove",
    "sbang_install_path",
    "sbang_shebang_line",
    "set_executable",
    "set_install_permissions",
    "symlink",
    "touch",
    "windows_sfn",
    "working_dir",
]

Path = Union[str, "os.PathLike[str]"]

_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def join_path(prefix: Path, *args: object) -> str:
    """Join paths as ``os.path.join`` does, of anything with a text form."""
    return os.path.join(os.fspath(prefix), *(str(arg) for arg in args))


def ancestor(dir: Path, n: int = 1) -> str:
    """Return the *n*-th parent directory as an absolute path."""
    parent = os.path.abspath(dir)
    for _ in range(n):
        parent = os.path.dirname(parent)
    return parent


def path_contains_subdirectory(path: Path, root: Path) -> bool:
    """Return whether *path* is *root* or below it, by text."""
    norm_root = os.path.abspath(root).rstrip(os.sep) + os.sep
    norm_path = os.path.abspath(path).rstrip(os.sep) + os.sep
    return norm_path.startswith(norm_root)


def can_access(file_name: Path) -> bool:
    """Return whether the file may be read and written."""
    return os.access(file_name, os.R_OK | os.W_OK)


def is_exe(path: Path) -> bool:
    """Return whether *path* is a file that may be executed."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def has_shebang(path: Path) -> bool:
    """Return whether the file begins with ``#!``; False when it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read(2) == b"#!"
    except OSError:
        return False


def set_executable(path: Path) -> None:
    """Let every user that may read the file execute it."""
    mode = os.stat(path).st_mode
    os.chmod(path, mode | ((mode & 0o444) >> 2))


def set_install_permissions(path: Path) -> None:
    """Set 755 for directories, 644 for files; links keep their modes."""
    if os.path.islink(path):
        return
    os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)


def _copy_execution(source: Path, target: Path) -> None:
    """Give *target* the execute permissions of *source*."""
    if os.path.islink(target):
        return
    execute = os.stat(source).st_mode & _EXECUTE
    os.chmod(target, os.stat(target).st_mode | execute)


def mkdirp(
    *paths: Path,
    mode: int | None = None,
    group: str | int | None = None,
    default_perms: str | None = None,
) -> None:
    """Create directories with their parents; existing ones are left alone.

    :param mode: of the directories that are created.
    :param group: of the directories that are created.
    :param default_perms: accepted for compatibility.
    """
    for path in paths:
        if os.path.isdir(path):
            continue
        os.makedirs(path, exist_ok=True)
        if mode is not None:
            os.chmod(path, mode)
        if group is not None:
            shutil.chown(path, group=group)


def touch(path: Path) -> None:
    """Create the file, or set its time to now."""
    with open(path, "a"):
        os.utime(path)


def copy(src: Path, dest: Path) -> None:
    """Copy file(s) to a file or into a directory; *src* may contain wildcards.

    :raises FileNotFoundError: when nothing matches.
    :raises ValueError: when several match and *dest* is not a directory.
    """
    tty.debug(f"copy {src} to {dest}")
    for source, target in _targets(src, dest):
        shutil.copy(source, target)


def install(src: Path, dest: Path) -> None:
    """Copy as :func:`copy` does, with permissions fit for an installed file."""
    tty.debug(f"install {src} to {dest}")
    for source, target in _targets(src, dest):
        shutil.copy(source, target)
        set_install_permissions(target)
        _copy_execution(source, target)


def _matches(src: Path) -> list[str]:
    text = os.fspath(src)
    found = [text] if os.path.lexists(text) else sorted(glob.glob(text))
    if not found:
        raise FileNotFoundError(f"No such file or directory: '{text}'")
    return found


def _targets(src: Path, dest: Path) -> Iterator[tuple[str, str]]:
    sources = _matches(src)
    into = os.path.isdir(dest)
    if len(sources) > 1 and not into:
        raise ValueError(f"'{src}' matches several files, but '{dest}' is not a directory")
    for source in sources:
        yield source, join_path(dest, os.path.basename(source)) if into else os.fspath(dest)


def copy_tree(
    src: Path,
    dest: Path,
    symlinks: bool = True,
    ignore: Callable[[str], bool] | None = None,
) -> None:
    """Copy the content of a directory, or of all that match *src*, into *dest*.

    :param symlinks: links stay links, and absolute ones into *src* point into *dest*;
        otherwise what they point to is copied.
    :param ignore: takes a path relative to *src*; True leaves it out, with all below it.
    :raises ValueError: when *dest* is below *src*.
    """
    tty.debug(f"copy {src} to {dest}")
    _copy_trees(src, dest, symlinks, ignore, permissions=False)


def install_tree(
    src: Path,
    dest: Path,
    symlinks: bool = True,
    ignore: Callable[[str], bool] | None = None,
) -> None:
    """Copy as :func:`copy_tree` does, with permissions fit for installed files."""
    tty.debug(f"install {src} to {dest}")
    _copy_trees(src, dest, symlinks, ignore, permissions=True)


def _copy_trees(
    src: Path,
    dest: Path,
    symlinks: bool,
    ignore: Callable[[str], bool] | None,
    permissions: bool,
) -> None:
    target_root = os.path.abspath(dest)
    for match in _matches(src):
        root = os.path.abspath(match)
        if path_contains_subdirectory(target_root, root):
            raise ValueError(f"Cannot copy directory {root} into itself, to {target_root}")
        _copy_directory(root, target_root, "", symlinks, ignore=ignore, permissions=permissions)


def _copy_directory(
    root: str,
    target_root: str,
    relative: str,
    symlinks: bool,
    ignore: Callable[[str], bool] | None,
    permissions: bool,
) -> None:
    source = os.path.join(root, relative) if relative else root
    target = os.path.join(target_root, relative) if relative else target_root
    os.makedirs(target, exist_ok=True)
    if permissions and relative:
        set_install_permissions(target)
    for name in sorted(os.listdir(source)):
        below = os.path.join(relative, name)
        if ignore is not None and ignore(below):
            continue
        old, new = os.path.join(source, name), os.path.join(target, name)
        if os.path.islink(old) and symlinks:
            _copy_link(old, new, root, target_root)
        elif os.path.isdir(old):
            _copy_directory(
                root, target_root, below, symlinks, ignore=ignore, permissions=permissions
            )
        else:
            shutil.copy2(old, new)
            if permissions:
                set_install_permissions(new)
                _copy_execution(old, new)


def _copy_link(old: str, new: str, root: str, target_root: str) -> None:
    text = os.readlink(old)
    if os.path.isabs(text) and path_contains_subdirectory(text, root):
        text = os.path.join(target_root, os.path.relpath(text, root))
    force_symlink(text, new)


def symlink(src: Path, dest: Path, target_is_directory: bool = False) -> None:
    """Make *dest* a symbolic link with the text *src*."""
    os.symlink(src, dest, target_is_directory=target_is_directory)


def force_symlink(src: Path, dest: Path) -> None:
    """Link as :func:`symlink` does, replacing an existing file or link."""
    force_remove(os.fspath(dest))
    os.symlink(src, dest)


def force_remove(*paths: Path) -> None:
    """Remove files and links that exist; directories stay."""
    for path in paths:
        with contextlib.suppress(OSError):
            os.remove(path)


def remove_linked_tree(path: Path) -> None:
    """Remove a directory; when it is a link, what it points to and the link."""
    if not os.path.exists(path):
        return
    if os.path.islink(path):
        shutil.rmtree(os.path.realpath(path), ignore_errors=True)
        os.unlink(path)
    else:
        shutil.rmtree(path, ignore_errors=True)


def remove_directory_contents(dir: Path) -> None:
    """Empty a directory; nothing happens when it does not exist."""
    if not os.path.isdir(dir):
        return
    with os.scandir(dir) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


@contextmanager
def working_dir(dirname: Path, *, create: bool = False) -> Iterator[None]:
    """Work in *dirname* within the block; *create* makes it first."""
    if create:
        mkdirp(dirname)
    before = os.getcwd()
    os.chdir(dirname)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def keep_modification_time(*filenames: Path) -> Iterator[None]:
    """Give the files their old times back after the block; removed ones stay removed."""
    times = {}
    for filename in filenames:
        with contextlib.suppress(OSError):
            status = os.stat(filename)
            times[filename] = (status.st_atime_ns, status.st_mtime_ns)
    yield
    for filename, ns in times.items():
        with contextlib.suppress(OSError):
            os.utime(filename, ns=ns)


@contextmanager
def safe_remove(*files_or_dirs: Path) -> Iterator[dict[str, str]]:
    """Remove what matches the patterns; an exception in the block restores it.

    :return: where each removed path is kept during the block.
    """
    found = sorted(
        {os.path.abspath(path) for x in files_or_dirs for path in glob.glob(os.fspath(x))}, key=len
    )
    keep = tempfile.mkdtemp()
    removed: dict[str, str] = {}
    try:
        for number, path in enumerate(found):
            if os.path.lexists(path):  # it may have been removed with its directory
                kept = os.path.join(keep, f"{number}-{os.path.basename(path)}")
                removed[path] = shutil.move(path, kept)
        yield removed
    except BaseException:
        for path, kept in removed.items():
            shutil.move(kept, path)
        raise
    finally:
        shutil.rmtree(keep, ignore_errors=True)


def windows_sfn(path: Path) -> str:
    """Return the short name of *path*, which on this platform is *path*."""
    return os.fspath(path)


def filter_shebang(path: Path) -> bool:
    """Make a long shebang usable; False: this platform needs no change.

    A first line may have 255 bytes here; prefixes are checked against that when installed.
    """
    return False


def sbang_install_path() -> str:
    """Return the program for long shebangs: ``env``, as no other is needed."""
    return "/usr/bin/env"


def sbang_shebang_line() -> str:
    """Return first line of a script that goes through :func:`sbang_install_path`."""
    return f"#!{sbang_install_path()}"


def fix_darwin_install_name(path: Path) -> None:
    """Set the install names of libraries, which other platforms do not have."""

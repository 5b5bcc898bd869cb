"""Whole directories of one package as one link (``fold: true``): few entries on big file systems.

A link to a directory of the store is dangerous where pip or uv write: what they put below it would
be in the store. So a directory is folded only if all in it is one package's, unchanged, and pip has
no reason to add to it or to write through it:

* In ``site-packages`` the directory of a distribution itself stays real, with its modules as links:
  other distributions add modules there. Below it, whole subpackages and data are folded.
* Namespace packages (PEP 420, pkgutil) are not folded, nor directories of plugins: modules
  directly in a directory of the distribution that is not a package.
* Modules without bytecode for the view's Python are not folded: it would be written into the
  store.
* Directories that programs share (``bin``, ``share/man``, ``share/jupyter``) are not folded.
* ``RECORD`` of a distribution names the link instead of what is below it: pip and uv then remove
  the link when they uninstall or upgrade, and nothing of the store. Without a ``RECORD`` pip
  refuses, but uv writes the new version through the link.

When a package comes that has something in a folded directory, the view is planned again, without
that link. Cost: 1 µs a path.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from spack.util.record_file import folded_record
from spack.view.namespace_packages import declaration_rank
from spack.view.plan_types import Item, Read
from spack.view.search_paths import SEARCH_PATHS
from spack.view.view_tree import ViewTree

__all__ = ["fold"]

#: Directories whose content programs look for, or that distributions share: not folded, nor what
#: is below them.
_SHARED = re.compile(
    r"(?:s?bin|etc|man|info|var|libexec/spack-view|include/(?:site|python[^/]*)"
    r"|share/(?:jupyter|man|info|icons|applications|locale|mime|metainfo|bash-completion|zsh|fish"
    r"|aclocal|pkgconfig|glib-2\.0))(?:/|\Z)"
)

#: Directories that are not folded, although those below them may be.
_REAL = frozenset(
    path for row in SEARCH_PATHS for path in (row.folder, *row.needs) if path
) | frozenset({"lib", "lib64", "include", "share", "libexec"})

#: Parts of a path below which a directory may be folded, by its first part.
_LEAST = {"share": 3}

#: What is in the texts of packages that other distributions add to, by declaration.
_DECLARING = (b"extend_path", b"declare_namespace")

_SITE = re.compile(r"(?:.*/)?(?:site|dist)-packages(?:/|\Z)")
_STDLIB = re.compile(r"lib(?:64)?/(?:python|pypy)[^/]*/")


class _Folder(NamedTuple):
    """A directory that may become a link.

    :ivar owner: index of the package. :ivar source: the directory in its prefix.
    """

    owner: int
    source: str


def fold(tree: ViewTree, read: Read) -> None:
    """Replace directories of *tree* by links where that is safe.

    :param read: reads files of the prefixes.
    """
    folding = _Folding(tree, read)
    folding.run()


class _Folding:
    def __init__(self, tree: ViewTree, read: Read) -> None:
        self._tree = tree
        self._read = read
        python = tree.options.python
        version = "" if python is None else "".join(python.version.split(".")[:2])
        self._tag = f"cpython-{version}"
        self._items: dict[str, list[str]] = {}
        self._folders: dict[str, list[str]] = {}
        for path in tree.items:
            above, _, name = path.rpartition("/")
            self._items.setdefault(above, []).append(name)
        for path in tree.folders:
            above, _, name = path.rpartition("/")
            self._folders.setdefault(above, []).append(name)

    def run(self) -> None:
        found: dict[str, _Folder] = {}
        # The deepest first, as a directory is folded only if all below it can be.
        for path in sorted(self._tree.folders, key=lambda path: -path.count("/")):
            folder = self._foldable(path, found)
            if folder is not None:
                found[path] = folder
        tops = {
            path: folder
            for path, folder in found.items()
            if path.rpartition("/")[0] not in found and not self._stays(path)
        }
        tops.update(self._below_real(found, tops))
        self._replace(tops)
        self._correct_records(tops)

    # -- which -------------------------------------------------------------------------------

    def _foldable(self, path: str, found: Mapping[str, _Folder]) -> _Folder | None:
        """Return what *path* shows, if that is one directory of one package; else None."""
        given = self._tree.given.get(path, {})
        if len(given) != 1:
            return None
        (((owner, source), count),) = given.items()
        folder = _Folder(owner, source)
        names = self._items.get(path, ())
        if len(names) != count or not all(self._plain(f"{path}/{x}", folder) for x in names):
            return None
        for name in self._folders.get(path, ()):
            if found.get(f"{path}/{name}") != _Folder(owner, f"{source}/{name}"):
                return None
        return folder if self._bytecode_is_there(path, names) else None

    def _plain(self, path: str, folder: _Folder) -> bool:
        """Return whether an entry is what its package alone has."""
        item = self._tree.items[path]
        if item.owner != folder.owner or path in self._tree.conflicts.shared:
            return False
        if item.how == "symlink":
            return item.source == f"{folder.source}/{path.rpartition('/')[2]}"
        return item.how == "link"

    def _bytecode_is_there(self, path: str, names: list[str] | tuple[str, ...]) -> bool:
        if not (_SITE.match(path) or _STDLIB.match(path)):
            return True
        modules = [name[:-3] for name in names if name.endswith(".py")]
        compiled = set(self._items.get(f"{path}/__pycache__", ()))
        return all(f"{name}.{self._tag}.pyc" in compiled for name in modules)

    def _below_real(
        self, found: Mapping[str, _Folder], tops: Mapping[str, _Folder]
    ) -> Iterator[tuple[str, _Folder]]:
        """Yield the directories below those that could be folded and stay real."""
        pending = [path for path in found if path.rpartition("/")[0] not in found]
        pending = [path for path in pending if path not in tops]
        while pending:
            path = pending.pop()
            for name in self._folders.get(path, ()):
                below = f"{path}/{name}"
                if self._stays(below):
                    pending.append(below)
                else:
                    yield below, found[below]

    def _stays(self, path: str) -> bool:
        """Return whether a directory stays real because something may be added to it."""
        owner = self._tree.folders[path]
        top = self._tree.sources[owner].projection.strip("/") if owner >= 0 else ""
        inside = path[len(top) + 1 :] if top and path.startswith(top + "/") else path
        if path == top or top.startswith(path + "/"):
            return True
        site = _SITE.match(inside)
        if site is not None:
            return self._stays_in_site(path, path[: len(path) - len(inside) + site.end()])
        least = _LEAST.get(inside.partition("/")[0], 2)
        return (
            inside in _REAL
            or _SHARED.match(inside) is not None
            or inside.count("/") + 1 < least
            or self._is_library_of_python(inside)
        )

    @staticmethod
    def _is_library_of_python(path: str) -> bool:
        """Return whether *path* is the directory that has, or may get, site-packages in it."""
        return _STDLIB.match(path + "/") is not None and path.count("/") == 1

    def _stays_in_site(self, path: str, site: str) -> bool:
        if path.rpartition("/")[2] == "__pycache__":
            return True  # bytecode of modules that are links: Python writes more
        names = path[len(site) :].split("/")
        below = site.rstrip("/")
        for depth, name in enumerate(names):
            below = f"{below}/{name}"
            if self._is_regular_package(below):
                # The directory of the distribution itself stays, as it may get more modules.
                return (
                    depth == len(names) - 1
                    or self._is_for_plugins(path)
                    or self._declares_namespace(path)
                )
        return True

    def _is_regular_package(self, path: str) -> bool:
        if f"{path}/__init__.py" not in self._tree.items:
            return False
        return not declaration_rank(self._content(f"{path}/__init__.py"))

    def _is_for_plugins(self, path: str) -> bool:
        """Return whether *path* has modules and is not a package: a directory of plugins."""
        names = self._items.get(path, ())
        modules = any(name.endswith((".py", ".so")) for name in names)
        return modules and "__init__.py" not in names

    def _declares_namespace(self, path: str) -> bool:
        """Return whether a package at *path* or below it is one that is shared by declaration."""
        if "__init__.py" in self._items.get(path, ()):
            content = self._content(f"{path}/__init__.py")
            if any(word in content for word in _DECLARING) and declaration_rank(content):
                return True
        return any(
            self._declares_namespace(f"{path}/{name}")
            for name in self._folders.get(path, ())
            if name != "__pycache__"
        )

    def _content(self, path: str) -> bytes:
        item, text = self._tree.items[path], self._tree.texts.get(path)
        if text is not None:
            return text
        return b"pass" if item.how == "link" else self._read(item.source, None)

    # -- the change --------------------------------------------------------------------------

    def _replace(self, tops: Mapping[str, _Folder]) -> None:
        tree = self._tree
        for path, folder in tops.items():
            for below in list(self._everything(path)):
                tree.items.pop(below, None)
                tree.folders.pop(below, None)
                tree.bare.pop(below, None)
            tree.items[path] = Item("symlink", folder.owner, folder.source, 0o777, "")

    def _everything(self, path: str) -> Iterator[str]:
        yield path
        for name in self._items.get(path, ()):
            yield f"{path}/{name}"
        for name in self._folders.get(path, ()):
            yield from self._everything(f"{path}/{name}")

    def _correct_records(self, tops: Mapping[str, _Folder]) -> None:
        """Let the RECORDs of distributions name links instead of what is below them."""
        owners = {folder.owner for folder in tops.values()}
        for location, item in list(self._tree.items.items()):
            if item.owner not in owners or not location.endswith(".dist-info/RECORD"):
                continue
            old = self._tree.texts.get(location)
            if old is None:
                old = self._read(item.source, None)
            site = posixpath.dirname(posixpath.dirname(location))
            links = [path for path, folder in tops.items() if folder.owner == item.owner]
            new = folded_record(old, site, links, self._tree.canonical)
            if new != old:
                self._tree.text(location, new, item.owner, item.mode)

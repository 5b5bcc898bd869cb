"""What the text of a recipe says of the repository as a whole, without running it.

Virtual packages, what provides them, and projects of the package index with packages of other names
must be known before any question is answered; all else is needed of the recipes that are asked for.
One look through the text costs a hundredth of running it. The answer errs on the side of reading a
recipe.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from spack.recipe.package_names import package_name
from spack.util.project_names import normalized

if TYPE_CHECKING:
    from spack.repo.repository import Repository

__all__ = ["Scans", "TextScan", "scan_recipe"]

#: What a recipe that provides a virtual package has in its text, or that takes its class from
#: another recipe, which may do so.
_AT_ONCE = re.compile(rb"\bprovides\s*\(|\bvirtual\s*=|\bpackages\.|\b(?:from|import)\s+\.")

#: The project of the package index, where it is written as a text, and wherever it is written.
_PROJECT = re.compile(rb"\bpypi\s*=\s*[\"']([^\"'/]+)[\"'/]")
_ANY_PROJECT = re.compile(rb"\bpypi\s*=")

_PROVIDES = re.compile(rb"\bprovides\s*\(|\bvirtual\s*=")

_IMPORTED = re.compile(rb"\bspack_repo\.([\w.]+)")

#: The modules of a repository that the engine has, if it has them.
_ENGINE_MODULES = "builtin.build_systems."


#: From this many recipes on, those that no question is about are not read.
_MANY = 200


class TextScan(NamedTuple):
    """What the text of a recipe says.

    :ivar at_once: it must be read before questions are answered.
    :ivar outer: it uses modules of another repository.
    """

    at_once: bool
    outer: bool


def scan_recipe(text: bytes, name: str, namespace: str, engine_modules: frozenset[str]) -> TextScan:
    """Look through the text of the recipe of package *name* in the repository *namespace*.

    :param engine_modules: names of build systems that the engine has.
    """
    outer = False
    for match in _IMPORTED.finditer(text):
        module = match[1].decode("ascii", "replace")
        if module.startswith(_ENGINE_MODULES):
            system = module[len(_ENGINE_MODULES) :].split(".")[0]
            outer |= namespace != "builtin" and system not in engine_modules
        else:
            outer |= not f"{module}.".startswith(f"{namespace}.")
    return TextScan(_AT_ONCE.search(text) is not None or _is_odd_project(text, name), outer)


def _is_odd_project(text: bytes, name: str) -> bool:
    """Return whether a project of the index is named that is not the usual one of *name*."""
    named = [match.decode("utf-8", "replace") for match in _PROJECT.findall(text)]
    usual = all(name == f"py-{normalized(project)}" for project in named)
    return not usual or len(named) != len(_ANY_PROJECT.findall(text))


class Scans(NamedTuple):
    """Which of the recipes that are new in a repository are read at once, and which later.

    :ivar later: with the identity of each.
    :ivar outer: those of both kinds that use modules of another repository.
    """

    at_once: list[str]
    later: dict[str, tuple[int, int, int, int]]
    outer: list[str]

    @classmethod
    def of(cls, repository: Repository, directories: Sequence[str], build_systems: str) -> Scans:
        """Look through the recipes in *directories*.

        :param build_systems: the directory of the engine's.
        """
        scans = cls([], {}, [])
        if not directories:
            return scans
        own = Path(build_systems).glob("*.py")
        modules = frozenset(path.stem for path in own if not path.stem.startswith("_"))
        many = len(directories) >= _MANY and not _provide(repository.root / "build_systems")
        for directory in directories:
            file = f"{repository.packages}/{directory}/package.py"
            try:
                status = os.stat(file)
                with open(file, "rb") as stream:
                    text = stream.read()
            except OSError:
                scans.at_once.append(directory)
                continue
            found = scan_recipe(text, package_name(directory), repository.namespace, modules)
            if found.outer:
                scans.outer.append(directory)
            if found.at_once or not many:
                scans.at_once.append(directory)
            else:
                times = status.st_mtime_ns, status.st_size, status.st_ctime_ns
                scans.later[directory] = (*times, crc32(text))
        return scans


def _provide(build_systems: Path) -> bool:
    """Return whether a class of the repository's own build systems provides a virtual package."""
    try:
        return any(_PROVIDES.search(path.read_bytes()) for path in build_systems.glob("*.py"))
    except OSError:
        return True

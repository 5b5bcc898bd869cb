"""An install is checked before it counts (DESIGN, decision 9).

* The modules of a Python extension are in the purelib and platlib that its ``python-venv``
  recorded. Another ``site-packages`` or ``dist-packages``, or a ``local`` folder, means that the
  build asked some interpreter for its default scheme instead (Debian's is ``local/…``): the
  modules would not be found in any view. Neither would those of a package that has modules in
  ``lib/python`` alone, and does not say so with a ``PYTHONPATH`` of its run environment.
* No text file names the stage, which is removed after the install. For extensions that is an
  error; elsewhere (``Makefile`` fragments of compilers and interpreters are full of it) a
  warning.
* Nothing but files, links and folders is in the prefix.

The walk that makes the manifest does all of it: no file is read twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, NamedTuple

from spack.errors import InstallError
from spack.store import METADATA, Manifest
from spack.store.prefix_manifest import DIRECTORY, Scan, scan

__all__ = ["Checked", "PrefixProblem", "PythonPaths", "check_manifest", "check_prefix", "examine"]

#: How many files of each kind of problem a message names.
_SHOWN = 5

#: Folder names that hold modules of some Python.
_MODULE_FOLDERS = ("site-packages", "dist-packages")

#: Why modules are in a wrong directory, with a hint; the first whose test holds is taken.
_LOCATIONS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (
        lambda path: path == "local" or path.startswith("local/"),
        "the build used Debian's default scheme 'posix_local'",
    ),
    (
        lambda path: path.endswith("dist-packages"),
        "the build used Debian's scheme 'deb_system'",
    ),
    (
        lambda path: path.startswith(("lib64/", "lib/")),
        "the build used another Python, or another library folder",
    ),
)

_FIX = (
    "let the recipe say where modules go: 'python_purelib' and 'python_platlib' are the paths; "
    "CMake takes -DPython_EXECUTABLE and -DPython_SITEARCH, Meson -Dpython.purelibdir and "
    "-Dpython.platlibdir, autotools pythondir= and pyexecdir="
)


#: Where projects put modules that ask no Python; private modules may be there too.
_LOOSE = re.compile(
    r"((?:lib(?:64)?/)?python[\d.]*)/.*(?:\.py|\.(?:cpython-[^/]*|abi3)\.so)\Z", re.DOTALL
)


class PythonPaths(NamedTuple):
    """Where an extension's modules belong.

    Relative to its prefix, as in a ``python-venv`` node's layout record: ``lib/python3.11/site-
    packages``.
    """

    purelib: str
    platlib: str


class PrefixProblem(NamedTuple):
    """Something that is wrong with a prefix.

    :param paths: the files, relative to the prefix, at least one.
    :param fatal: the install does not count; otherwise a warning.
    """

    message: str
    paths: tuple[str, ...]
    fix: str
    fatal: bool

    def __str__(self) -> str:
        shown = ", ".join(self.paths[:_SHOWN])
        more = len(self.paths) - _SHOWN
        return f"{self.message}: {shown}{f' and {more} more' if more > 0 else ''}"


class Checked(NamedTuple):
    """A prefix that passed."""

    manifest: Manifest
    warnings: tuple[PrefixProblem, ...]


def check_prefix(
    prefix: Path,
    *,
    stages: Sequence[Path] = (),
    python: PythonPaths | None = None,
    pythonpath: bool = False,
) -> Checked:
    """Walk the prefix once: its manifest, and what is wrong with it.

    :param stages: directories that will be removed; no text file may name one.
    :param python: for a Python extension, where its modules belong.
    :param pythonpath: whether its run environment says where else it has modules.
    :raises InstallError: if something is fatally wrong; all of it is named, with what to do.
    :raises StoreError: if the prefix cannot be read.
    """
    result = scan(prefix, [os.fsencode(stage) for stage in stages if len(stage.parts) > 1])
    return _judged(result.manifest, examine(result, python, pythonpath))


def check_manifest(manifest: Manifest, python: PythonPaths | None) -> Checked:
    """Return what :func:`check_prefix` does of files that no build has written.

    :raises InstallError: as there.
    """
    return _judged(manifest, examine(Scan(manifest, {}, {}, ()), python))


def _judged(manifest: Manifest, problems: Sequence[PrefixProblem]) -> Checked:
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        raise InstallError(
            str(fatal[0]),
            "\n".join(str(problem) for problem in fatal[1:]) or None,
            facts={"paths": tuple(path for problem in fatal for path in problem.paths)},
            hint=fatal[0].fix,
            ref="install-check",
        )
    return Checked(manifest, tuple(problems))


def examine(
    result: Scan, python: PythonPaths | None, pythonpath: bool = False
) -> tuple[PrefixProblem, ...]:
    """Return the problems of the prefix that was scanned; pure."""
    problems: list[PrefixProblem] = []
    if python is not None:
        problems.extend(_misplaced(result.manifest, python))
        if not problems and not pythonpath:
            problems.extend(_loose(result.manifest, python))
    if result.found:
        stage = next(iter(result.found.values())).decode("utf-8", "replace")
        problems.append(
            PrefixProblem(
                f"text files name the stage {stage}, which is removed after the install",
                tuple(result.found),
                "find what writes the path of its build folder, and let the recipe filter the "
                "file or configure the build with its final prefix",
                fatal=python is not None,
            )
        )
    if result.special:
        problems.append(
            PrefixProblem(
                "neither files nor links nor folders are in the prefix",
                result.special,
                "let the recipe remove them after the install",
                fatal=True,
            )
        )
    return tuple(problems)


def _misplaced(manifest: Manifest, python: PythonPaths) -> list[PrefixProblem]:
    right = (python.purelib, python.platlib)
    wrong: dict[str, list[str]] = {}
    for path, entry in manifest.files.items():
        if entry.kind == DIRECTORY or path.startswith(METADATA + "/"):
            continue
        if any(path.startswith(folder + "/") for folder in right):
            continue
        location = _module_folder(path)
        if location is not None:
            wrong.setdefault(location, []).append(path)
    problems = []
    for location, paths in wrong.items():
        reason = next((text for test, text in _LOCATIONS if test(location)), "")
        message = f"Python modules belong in {' or '.join(dict.fromkeys(right))}, not in {location}"
        problems.append(
            PrefixProblem(
                f"{message} ({reason})" if reason else message, tuple(paths), _FIX, fatal=True
            )
        )
    return problems


def _loose(manifest: Manifest, python: PythonPaths) -> list[PrefixProblem]:
    """Return the modules where no Python looks, of a package that has none where it does."""
    right = (python.purelib + "/", python.platlib + "/")
    found: dict[str, list[str]] = {}
    for path, entry in manifest.files.items():
        if entry.kind == DIRECTORY:
            continue
        if path.startswith(right):
            return []
        match = _LOOSE.match(path)
        if match is not None:
            found.setdefault(match.group(1), []).append(path)
    return [
        PrefixProblem(
            f"Python modules belong in {python.platlib}; no Python looks for them in {location}",
            tuple(paths),
            f"{_FIX}; modules that only its own programs use may stay, with a PYTHONPATH in "
            "setup_run_environment",
            fatal=True,
        )
        for location, paths in found.items()
    ]


def _module_folder(path: str) -> str | None:
    """Return the directory of modules that contains *path*, or ``local``, or None."""
    if path.startswith("local/"):
        return "local"
    parts = path.split("/")
    for index, part in enumerate(parts[:-1]):
        if part in _MODULE_FOLDERS:
            return "/".join(parts[: index + 1])
    return None

"""Software of the machine that recipes know how to recognise.

Which recipes can have something is decided by names of files alone (``executables``,
``libraries``); only those are then asked, in a process of their own, as that runs their code.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.errors import HostError
from spack.host.search import Detected
from spack.recipe.package_names import directory_name
from spack.recipe.records import Recipe
from spack.repo import RepoPath
from spack.util.helper_process import run

__all__ = ["RecipeDetection", "detect_by_recipes", "detectable_recipes"]

#: Where systems keep libraries; directories of one architecture below each are looked at, too.
LIBRARY_DIRECTORIES = ("/usr/local/lib64", "/usr/local/lib", "/usr/lib64", "/usr/lib")

#: Seconds for all recipes together: each starts the programs that it has recognised.
_PATIENCE = 600.0

_BOOT = (
    "import sys,json;sys.path[:]=json.loads(sys.argv[1])\n"
    "from spack.api.detection_process import main\nsys.exit(main())"
)


class RecipeDetection(NamedTuple):
    """What was found, and the recipes that failed (name and reason)."""

    found: tuple[Detected, ...]
    failed: tuple[tuple[str, str], ...]


def detectable_recipes(recipes: Iterable[Recipe]) -> list[str]:
    """Return the sorted names of the recipes that can recognise software of the machine."""
    return sorted(
        recipe.name
        for recipe in recipes
        if (recipe.executables or recipe.attributes.get("libraries"))
        and "windows" not in _texts(recipe.attributes.get("tags"))
    )


def detect_by_recipes(
    recipes: RepoPath, names: Sequence[str], paths: Sequence[str], environ: Mapping[str, str]
) -> RecipeDetection:
    """Return the software that the recipes of these names recognise.

    :param paths: directories of programs, as of PATH; libraries are looked for beside them.
    :param environ: LD_LIBRARY_PATH names further directories of libraries.
    :raises HostError: the process that asks the recipes has failed.
    """
    programs = list(_files(paths))
    libraries = list(_files(_library_directories(paths, environ)))
    work = []
    for name in names:
        recipe = recipes.get(name)
        if recipe is None:
            continue
        groups: dict[str, list[str]] = {}
        for patterns, files in (
            (recipe.executables, programs),
            (_texts(recipe.attributes.get("libraries")), libraries),
        ):
            for file in _matching(patterns, files):
                groups.setdefault(_prefix(file), []).append(file)
        if groups:
            root = recipes.repository_of(name).root
            index = [repository.root for repository in recipes.repositories].index(root)
            work.append((index, directory_name(name), groups))
    return _asked(recipes, work) if work else RecipeDetection((), ())


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


def _files(folders: Iterable[str]) -> Iterator[str]:
    seen = set()
    for folder in folders:
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        yield from (os.path.join(folder, name) for name in names)


def _library_directories(paths: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    yield from filter(None, environ.get("LD_LIBRARY_PATH", "").split(os.pathsep))
    roots = [os.path.join(os.path.dirname(path.rstrip("/")), name)
             for path in paths for name in ("lib64", "lib")]  # fmt: skip
    for root in dict.fromkeys((*roots, *LIBRARY_DIRECTORIES)):
        yield root
        try:
            yield from (entry.path for entry in os.scandir(root) if entry.name.endswith("-gnu"))
        except OSError:
            continue


def _matching(patterns: Sequence[str], files: Sequence[str]) -> list[str]:
    if not patterns:
        return []
    try:
        search = re.compile("|".join(f"(?:{pattern})" for pattern in patterns)).search
    except re.error:
        return []  # it cannot recognise anything
    return [file for file in files if search(os.path.basename(file)) and os.path.isfile(file)]


def _prefix(file: str) -> str:
    """Return the directory above ``bin``, ``lib`` or their like; else the file's own."""
    folder = os.path.dirname(file)
    while os.path.basename(folder) not in ("bin", "sbin", "lib", "lib64"):
        above = os.path.dirname(folder)
        if above == folder:
            return os.path.dirname(file)
        folder = above
    return os.path.dirname(folder)


def _asked(
    recipes: RepoPath, work: Sequence[tuple[int, str, Mapping[str, Sequence[str]]]]
) -> RecipeDetection:
    library = str(Path(__file__).resolve().parents[2])
    path = list(dict.fromkeys([library, *map(os.path.abspath, filter(None, sys.path))]))
    request = {"repositories": [str(x.root) for x in recipes.repositories], "work": work}
    words = [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOT, json.dumps(path)]
    environ = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}
    done = run(words, env=environ, cwd="/", timeout=_PATIENCE, stdin=json.dumps(request))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if not done.ok and not rows:
        raise HostError(
            "cannot ask the recipes: the process that runs them has failed",
            done.stderr.strip()[-2000:] or None,
            hint="`spack external find NAME` asks one recipe alone",
            ref="detection-process",
        )
    rows = [json.loads(text) for text in dict.fromkeys(done.stdout.splitlines())]
    found = [
        Detected(
            row["name"],
            row["spec"].partition("@")[2].partition(" ")[0],
            row["prefix"],
            row["extra_attributes"],
            row["spec"],
        )
        for row in rows
        if "error" not in row
    ]
    failed = [(row["name"], row["error"]) for row in rows if "error" in row]
    return RecipeDetection(tuple(found), tuple(failed))

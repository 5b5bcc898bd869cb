"""The search paths that a view asks for, as steps relative to the view.

Which folder of a view belongs into which variable is the table :data:`SEARCH_PATHS`. What packages
say of their run environment comes on top, with their prefixes replaced by the view. Some
variables are never set: those that reach into other programs than the view's own. ``PYTHONPATH``
of a package that keeps modules outside ``site-packages`` becomes lines of a ``.pth`` file, which
only the view's Python reads.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Iterable, Sequence
from typing import Callable, NamedTuple

from spack.util.environment_modifications import Change
from spack.view.activate import NAME, ROOT, EnvStep

__all__ = ["NEVER_SET", "SEARCH_PATHS", "SearchPath", "path_steps", "projected_steps"]


class SearchPath(NamedTuple):
    """*variable* gets *folder* of the view when one of *needs* is in the view.

    *tail* follows when the variable was empty: without it programs would forget their defaults.
    """

    variable: str
    folder: str
    needs: tuple[str, ...]
    tail: str = ""


SEARCH_PATHS: Sequence[SearchPath] = (
    SearchPath("PATH", "sbin", ("sbin",)),
    SearchPath("PATH", "bin", ("bin",)),
    SearchPath("MANPATH", "man", ("man",), ":"),
    SearchPath("MANPATH", "share/man", ("share/man",), ":"),
    SearchPath("INFOPATH", "share/info", ("share/info",), ":"),
    SearchPath("ACLOCAL_PATH", "share/aclocal", ("share/aclocal",)),
    SearchPath("PKG_CONFIG_PATH", "share/pkgconfig", ("share/pkgconfig",)),
    SearchPath("PKG_CONFIG_PATH", "lib64/pkgconfig", ("lib64/pkgconfig",)),
    SearchPath("PKG_CONFIG_PATH", "lib/pkgconfig", ("lib/pkgconfig",)),
    SearchPath(
        "CMAKE_PREFIX_PATH",
        "",
        ("lib/cmake", "lib64/cmake", "share/cmake", "lib/pkgconfig", "lib64/pkgconfig"),
    ),
    SearchPath("XDG_DATA_DIRS", "share", ("share",), ":/usr/local/share:/usr/share"),
)

#: They change programs that have nothing to do with the view.
NEVER_SET = frozenset({"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"})

_ACTIONS = {
    "set": "set",
    "set_path": "set",
    "unset": "unset",
    "prepend_path": "prepend",
    "append_path": "append",
    "append_flags": "append",
}


def path_steps(
    folders: Container[str], items: Container[str], *, is_venv: bool
) -> tuple[EnvStep, ...]:
    """Return the steps for a view with these *folders*; a virtual environment's come first."""
    steps: list[EnvStep] = []
    if is_venv:
        steps.append(EnvStep("set", "VIRTUAL_ENV", ROOT))
        steps.append(EnvStep("set", "VIRTUAL_ENV_PROMPT", NAME))
        # A PYTHONHOME would keep Python from looking for pyvenv.cfg.
        steps.append(EnvStep("unset", "PYTHONHOME"))
    for row in SEARCH_PATHS:
        if any(need in folders for need in row.needs):
            value = f"{ROOT}/{row.folder}" if row.folder else ROOT
            steps.append(EnvStep("prepend", row.variable, value, ":", row.tail))
    return tuple(steps)


def projected_steps(
    sources: Iterable[tuple[str, str, tuple[Change, ...]]], exists: Callable[[str], bool]
) -> tuple[tuple[EnvStep, ...], tuple[str, ...]]:
    """Run environments of packages, for the view, and folders that hold Python modules.

    :param sources: prefix, projection and changes of each package.
    :param exists: whether a path (relative) is in the view; values that name another path of a
        prefix keep it.

    Changes that have no counterpart when variables are set by a shell (removing paths,
    pruning duplicates) and those that a search path of the view already has are left out.
    """
    rows = list(sources)
    prefixes = sorted(
        ((prefix, top.strip("/")) for prefix, top, _ in rows), key=lambda x: -len(x[0])
    )
    known = {(row.variable, posixpath.join(ROOT, row.folder).rstrip("/")) for row in SEARCH_PATHS}
    steps: list[EnvStep] = []
    modules: list[str] = []
    for _, _, changes in rows:
        for change in changes:
            action = _ACTIONS.get(change.action)
            if action is None:
                continue
            value = _project(change.value, prefixes, exists)
            if change.name in NEVER_SET:
                inside = value[len(ROOT) + 1 :]
                if change.name == "PYTHONPATH" and inside and value.startswith(ROOT + "/"):
                    modules.append(inside)
            elif (change.name, value) not in known or action == "set":
                steps.append(EnvStep(action, change.name, value, change.separator))
    outside = [path for path in dict.fromkeys(modules) if "site-packages" not in path]
    return tuple(dict.fromkeys(steps)), tuple(outside)


#: What ends a path in a value: separators of lists, of words and of options.
_PATH = r"[^:;,\s\"'=]*"


def _project(value: str, prefixes: Sequence[tuple[str, str]], exists: Callable[[str], bool]) -> str:
    """Return *value* with each prefix in it replaced by the view, where the view has that path."""
    for prefix, top in prefixes:
        if prefix not in value:
            continue
        if value.startswith(prefix + "/") and (path := _shown(value[len(prefix) :], top, exists)):
            return path  # names with blanks or colons
        value = _replaced(value, prefix, top, exists)
    return value


def _replaced(value: str, prefix: str, top: str, exists: Callable[[str], bool]) -> str:
    """Return *value* with the view's paths for those below *prefix* anywhere in it."""
    pattern = re.compile(re.escape(prefix) + rf"(?P<below>/{_PATH})?(?![^:;,\s\"'=])")
    return pattern.sub(lambda x: _shown(x.group("below") or "", top, exists) or x.group(), value)


def _shown(below: str, top: str, exists: Callable[[str], bool]) -> str:
    """Return the path of *below*, of a prefix that is shown in *top*; empty if it is not shown."""
    path = posixpath.join(top, below.lstrip("/")).rstrip("/")
    if path and not exists(path):
        return ""
    return f"{ROOT}/{path}" if path else ROOT

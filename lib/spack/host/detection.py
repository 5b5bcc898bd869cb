"""Detection of software that the machine has, by package name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spack.host.compiler_families import FAMILIES, detect_compilers
from spack.host.interpreter import detect_pythons
from spack.host.search import Detected, Search
from spack.host.tools import TOOLS, detect_tools
from spack.util.helper_process import Runner

__all__ = ["DETECTABLE", "ON_THE_FLY", "Detected", "detect"]

#: Everything that can be found.
DETECTABLE = tuple(
    sorted({"python", *(family.name for family in FAMILIES), *(tool.name for tool in TOOLS)})
)
#: What is used without having been configured.
ON_THE_FLY = tuple(
    sorted(
        {"python", *(family.name for family in FAMILIES)}
        | {tool.name for tool in TOOLS if tool.on_the_fly}
    )
)

_COMPILERS = frozenset(family.name for family in FAMILIES)


def detect(
    names: Iterable[str] | None,
    paths: Sequence[str],
    run: Runner,
    cache: str | None = None,
    interpreters: Iterable[str] = (),
) -> list[Detected]:
    """Return the detected software of some packages.

    :param names: package names, None for all that are used on the fly; names that cannot be
        detected find nothing.
    :param paths: directories, as of PATH; the first one is preferred.
    :param run: starts a program and gives its output; warm runs do not call it.
    :param cache: directory for the memory of :mod:`spack.host.search`.
    :param interpreters: paths of further Python interpreters, looked at last.
    :returns: in order of ``names``; of one package the preferred one first.
    """
    search = Search(paths, run, cache)
    found: list[Detected] = []
    for name in dict.fromkeys(ON_THE_FLY if names is None else names):
        if name == "python":
            found += detect_pythons(search, interpreters)
        elif name in _COMPILERS:
            found += detect_compilers(search, name)
        else:
            found += detect_tools(search, name)
    search.memory.save()
    return found

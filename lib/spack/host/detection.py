"""Detection of software that the machine has, by package name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from spack.host.compiler_families import FAMILIES, detect_compilers, has_headers
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
    unusable: Callable[[Detected], None] | None = None,
) -> list[Detected]:
    """Return the detected software of some packages.

    :param names: package names, None for all that are used on the fly; names that cannot be
        detected find nothing.
    :param paths: directories, as of PATH; the first one is preferred.
    :param run: starts a program and gives its output; warm runs do not call it.
    :param cache: directory for the memory of :mod:`spack.host.search`.
    :param interpreters: paths of further Python interpreters, looked at last.
    :param unusable: called with each compiler that is left out as it has no headers of the C
        library; None leaves none out.
    :returns: in order of ``names``; of one package the preferred one first.
    """
    search = Search(paths, run, cache)
    found: list[Detected] = []
    for name in dict.fromkeys(ON_THE_FLY if names is None else names):
        if name == "python":
            found += detect_pythons(search, interpreters)
        elif name in _COMPILERS:
            found += _usable(search, detect_compilers(search, name), unusable)
        else:
            found += detect_tools(search, name)
    search.memory.save()
    return found


def _usable(
    search: Search, compilers: list[Detected], unusable: Callable[[Detected], None] | None
) -> list[Detected]:
    if unusable is None:
        return compilers
    found = []
    for compiler in compilers:
        if has_headers(search, compiler):
            found.append(compiler)
        else:
            unusable(compiler)
    return found

"""Copies of shared libraries that several packages of one environment have.

A wheel has copies of the libraries that it was linked to (``NAME.libs``), so one process can load
two OpenMP runtimes or two BLAS, which compete for threads and may differ in their results.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from glob import escape, glob
from pathlib import Path
from typing import NamedTuple

from spack.spec import RUN_TIME, ConcreteSpec, traverse_all
from spack.spec.wheel import wheel_of

__all__ = ["installed_copies", "library_copies"]


class _Family(NamedTuple):
    """A kind of library of which one process should have one.

    :ivar files: names of files that are one. :ivar virtuals: whose providers are one.
    :ivar variants: values of variants of what uses that of its compiler.
    """

    files: re.Pattern[str]
    virtuals: frozenset[str] = frozenset()
    variants: frozenset[tuple[str, str]] = frozenset()


_FAMILIES = {
    "OpenMP runtimes": _Family(
        re.compile(r"lib(gomp|omp|iomp5)[-.]"),
        variants=frozenset((("openmp", "true"), ("threads", "openmp"))),
    ),
    "BLAS libraries": _Family(
        re.compile(r"lib(scipy_openblas|openblas|mkl_rt|blis|cblas|blas)\w*[-.]"),
        virtuals=frozenset(("blas", "lapack")),
    ),
}

#: Where wheels have libraries, below site-packages: as auditwheel puts them, or on their own.
_DIRECTORIES = ("*.libs", "*/lib", "*/.libs", "*/.dylibs")


def library_copies(
    nodes: Iterable[ConcreteSpec], prefix_of: Callable[[ConcreteSpec], Path]
) -> Iterator[str]:
    """Yield a line for each kind of library of which there are copies, one at least in a wheel.

    :param nodes: of one environment.
    """
    every = list(nodes)
    files = {node: _libraries(prefix_of(node)) for node in every if wheel_of(node) is not None}
    for kind, family in _FAMILIES.items():
        found = {
            f"{name} of {node.short}": node
            for node, libraries in files.items()
            for name in libraries
            if family.files.match(name)
        }
        wheels = set(found.values())
        for node in every:
            if node not in files and not family.variants.isdisjoint(_values(node)):
                found[f"that of the compiler of {node.short}"] = node
            for edge in node.edges:
                if not family.virtuals.isdisjoint(edge.virtuals):
                    found.setdefault(edge.spec.short, edge.spec)
        if wheels and len(set(found.values())) > 1:
            yield (
                f"several {kind} may come into one process: {', '.join(sorted(found))}; one from "
                "source has the one of the environment: packages:NAME:require: "
                "build_system=python_wheel"
            )


def installed_copies(
    roots: Iterable[ConcreteSpec], prefix_of: Callable[[ConcreteSpec], Path]
) -> Iterator[str]:
    """Yield what :func:`library_copies` does of what is used together with each of *roots*."""
    seen: dict[str, None] = {}
    for root in roots:
        seen.update(dict.fromkeys(library_copies(traverse_all((root,), RUN_TIME), prefix_of)))
    yield from seen


def _values(node: ConcreteSpec) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, row in node.variants.items() for value in row.values)


def _libraries(prefix: Path) -> list[str]:
    """Return the names of the shared libraries that a wheel has beside its modules."""
    modules = os.path.join(escape(str(prefix)), "lib*", "python*", "site-packages")
    found = [x for part in _DIRECTORIES for x in glob(os.path.join(modules, part, "*"))]
    return sorted({os.path.basename(path) for path in found})

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

from spack.spec import ConcreteSpec
from spack.spec.wheel import wheel_of

__all__ = ["library_copies"]

#: What it is -> names of files that are one, and virtual packages whose providers are one.
_FAMILIES = {
    "OpenMP runtimes": (re.compile(r"lib(gomp|omp|iomp5)[-.]"), frozenset(())),
    "BLAS libraries": (
        re.compile(r"lib(scipy_openblas|openblas|mkl_rt|blis|cblas|blas)\w*[-.]"),
        frozenset(("blas", "lapack")),
    ),
}


def library_copies(
    nodes: Iterable[ConcreteSpec], prefix_of: Callable[[ConcreteSpec], Path]
) -> Iterator[str]:
    """Yield a line for each kind of library of which there are copies, one at least in a wheel.

    :param nodes: of one environment.
    """
    every = list(nodes)
    files = {node: _libraries(prefix_of(node)) for node in every if wheel_of(node) is not None}
    for kind, (names, virtuals) in _FAMILIES.items():
        found = {
            f"{name} of {node.short}": node
            for node, libraries in files.items()
            for name in libraries
            if names.match(name)
        }
        wheels = set(found.values())
        for node in every:
            for edge in node.edges:
                if not virtuals.isdisjoint(edge.virtuals):
                    found.setdefault(edge.spec.short, edge.spec)
        if wheels and len(set(found.values())) > 1:
            yield (
                f"several {kind} may come into one process: {', '.join(sorted(found))}; one from "
                "source has the one of the environment: packages:NAME:require: "
                "build_system=python_wheel"
            )


def _libraries(prefix: Path) -> list[str]:
    """Return the names of the shared libraries beside the modules of a wheel."""
    pattern = os.path.join(escape(str(prefix)), "lib*", "python*", "site-packages", "*.libs", "*")
    return sorted(os.path.basename(path) for path in glob(pattern))

"""What the builds and tests of one session see and reach; see :mod:`spack.build.isolation`."""

from __future__ import annotations

import os
from collections.abc import Iterable

from spack.build.isolation import Isolation, external_locations, homes_of, own_locations
from spack.build.options import BuildOptions
from spack.spec import ConcreteSpec

__all__ = ["isolation_of"]


def isolation_of(
    options: BuildOptions, spec: ConcreteSpec, prefixes: Iterable[str], files: Iterable[str] = ()
) -> Isolation | None:
    """Return what a build of *spec* is kept from: all but what it is made from, wherever that is.

    :param prefixes: of all nodes.
    :param files: what it reads beside them.
    :return: None in the user's own environment (``--dirty``).
    """
    if options.dirty:
        return None
    host = options.host_environment
    values = [
        *options.variables.values(),
        *options.compiling.values(),
        *(host[name] for name in options.from_host),
    ]
    readable = [
        str(options.store.layout.root),
        *map(str, options.store.upstreams),
        *prefixes,
        *options.library_path,
        *own_locations(),
        *(root for _, root in options.recipes.with_roots()),
        *files,
        *(path for node in spec.traverse() for path in external_locations(node)),
        *(path for value in values for path in value.split(os.pathsep) if os.path.isabs(path)),
        *options.readable,
    ]
    return Isolation.of(
        homes_of(host),
        (path for path in readable if path != "/"),
        network=options.opens_network(spec.name),
    )

"""The plain forms of concrete specs: lock files, prefixes, the database and build jobs.

A node is an object of Spack's spec files (version 5)::

    {"name": ..., "version": ..., "namespace": ...,
     "arch": {"platform": ..., "platform_os": ..., "target": "x86_64" | {"name": ..., ...}},
     "parameters": {variant: true | false | "one" | ["several"], "cflags": [...], ...},
     "external": {"path": ..., "module": null | [...], "extra_attributes": {...}},
     "patches": [sha256, ...], "package_hash": ...,
     "dependencies": [{"name": ..., "hash": ...,
                       "parameters": {"deptypes": [...], "virtuals": [...]}}, ...],
     "annotations": {"original_specfile_version": 5}, "hash": ...}

Several graphs are ``{"roots": [hash, ...], "nodes": {hash: node, ...}}``; a spec file holds one,
its root first: ``{"spec": {"_meta": {"version": 5}, "nodes": [node, ...]}}``.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from spack.errors import SpecError
from spack.spec.concrete import ConcreteSpec
from spack.spec.dag_hash import SPECFILE_VERSION, computed_hash, node_data
from spack.spec.deptypes import DEPTYPES
from spack.spec.earlier_form import earlier_hash, is_earlier, taken_over
from spack.spec.node_reading import (
    StoredEdge,
    current_form,
    is_current,
    read_node,
    stored_edges,
)
from spack.spec.traversal import post_order, traverse_all

__all__ = [
    "dump",
    "from_specfile",
    "load",
    "stored_closure",
    "to_specfile",
    "verify",
    "written",
]

#: What names in a node look like; they become parts of paths.
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_HASH = r"[a-z2-7]{32}"

_set = object.__setattr__


def dump(specs: Iterable[ConcreteSpec]) -> dict[str, Any]:
    """Return the graphs below *specs* as plain data, each node once; see the module's docstring."""
    roots = list(specs)
    nodes: dict[str, Any] = {}
    for root in roots:
        root.dag_hash()
    for node in _with_built(post_order(roots)):
        digest = node.dag_hash()
        if digest not in nodes:
            nodes[digest] = written(digest, node_data(node))
    return {"roots": [root.dag_hash() for root in roots], "nodes": nodes}


def stored_node(spec: ConcreteSpec) -> dict[str, Any]:
    """Return one node as a spec file has it: its dependencies by their hashes."""
    digest = spec.dag_hash()
    return dict(written(digest, node_data(spec)))


def to_specfile(spec: ConcreteSpec) -> dict[str, Any]:
    """Return the content of the spec file of *spec*: all nodes below it, the root first."""
    spec.dag_hash()
    nodes = {node.dag_hash(): node for node in _with_built(traverse_all((spec,), DEPTYPES))}
    rows = [written(digest, node_data(node)) for digest, node in nodes.items()]
    return {"spec": {"_meta": {"version": SPECFILE_VERSION}, "nodes": rows}}


def _with_built(nodes: Iterable[ConcreteSpec]) -> Iterator[ConcreteSpec]:
    """Yield *nodes*, and after them what spliced ones among them were built as, with all below."""
    built = []
    for node in nodes:
        yield node
        if node.built_as is not None:
            built.append(node.built_as)
    if built:
        yield from _with_built(post_order(built))


def from_specfile(data: Mapping[str, Any]) -> tuple[str, dict[str, ConcreteSpec]]:
    """Return the root's hash and all nodes, by hash, of a spec file; of either form of this tool.

    Hashes of Spack's form are taken as they are.

    :raises SpecError: it is of a newer version, or a node is missing or malformed.
    """
    try:
        if "roots" in data:
            return _one_root(data)
        version = data["spec"]["_meta"]["version"]
        if type(version) is not int or not 2 <= version <= SPECFILE_VERSION:
            raise SpecError(
                f"spec files of version {version} are not supported",
                facts={"version": version, "supported": f"2 to {SPECFILE_VERSION}"},
                hint="if a newer Spack wrote it, use a newer version of this tool",
                ref="spec-version",
            )
        rows = data["spec"]["nodes"]
        nodes = {row["hash"]: row for row in rows}
        return rows[0]["hash"], load({"nodes": nodes})
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise _incomplete(error) from error


def _one_root(data: Mapping[str, Any]) -> tuple[str, dict[str, ConcreteSpec]]:
    nodes, roots = load(data), data["roots"]
    if len(roots) != 1:
        raise SpecError(f"there are {len(roots)} concrete specs, not one", ref="spec-data")
    root = nodes[roots[0]]
    return root.dag_hash(), {node.dag_hash(): node for node in nodes.values()}


def load(data: Mapping[str, Any]) -> dict[str, ConcreteSpec]:
    """Return all nodes in what :func:`dump` gave, by hash; equal nodes are one object.

    Hashes are taken as they are. Nodes of the earlier form of this tool are checked and get new
    hashes; they are returned by their old ones. Cost: about 20 us a node.

    :raises SpecError: when a node is missing or malformed, or nodes depend on each other.
    """
    done: dict[str, ConcreteSpec] = {}
    collects = gc.isenabled()
    gc.disable()  # everything that is made here stays: half of the time
    try:
        nodes = data["nodes"]
        for start in nodes:
            if start not in done:
                _load_below(start, nodes, done)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _incomplete(error) from error
    finally:
        if collects:
            gc.enable()
    return done


def _load_below(start: str, nodes: Mapping[str, Any], done: dict[str, ConcreteSpec]) -> None:
    """Load the node *start*, its dependencies before it."""
    stack = [start]
    opened: dict[str, tuple[Mapping[str, Any], list[StoredEdge]]] = {}
    while stack:
        digest = stack[-1]
        if digest in done:
            stack.pop()
            continue
        again = digest in opened
        if not again:
            node = nodes[digest]
            form = taken_over(node) if is_earlier(node) else node
            opened[digest] = form, stored_edges(form)
        form, edges = opened[digest]
        built = _built_hash(form, nodes)
        missing = [edge[1] for edge in edges if edge[1] not in done]
        if built is not None and built not in done:
            missing.append(built)
        if not missing:
            done[digest] = read_node(digest, form, edges, done)
            if built is not None:
                _set(done[digest], "built_as", done[built])
            if form is not nodes[digest]:
                _check_earlier(digest, nodes[digest])
                _set(done[digest], "_stored", None)
                _set(done[digest], "_hash", None)
            stack.pop()
            continue
        if again:
            raise SpecError(
                f"the stored nodes depend on each other at {digest}",
                facts={"hash": digest},
                ref="spec-data",
            )
        stack.extend(missing)


def _built_hash(stored: Mapping[str, Any], nodes: Mapping[str, Any]) -> str | None:
    """Return the hash of the node that a spliced one was built as, if *nodes* have it."""
    build_spec = stored.get("build_spec")
    digest = None if build_spec is None else build_spec["hash"]
    return digest if digest in nodes else None


def verify(nodes: Mapping[str, ConcreteSpec]) -> None:
    """Check that loaded *nodes* are what their hashes say, and that each name is safe in a path.

    For data from outside of an install tree, such as lock files. Cost: about 40 us a node.

    :raises SpecError: a node's content and hash differ, or a name of it is invalid.
    """
    for node in nodes.values():
        names = (node.name, node.namespace or "_", node.platform, node.os, node.target)
        if not re.fullmatch(_HASH, node.dag_hash()):
            raise SpecError(
                f"invalid hash {node.dag_hash()!r} of the stored node {node.name!r}",
                facts={"hash": node.dag_hash()},
                ref="spec-data",
            )
        for name in names:
            if not re.fullmatch(_NAME, name):
                raise SpecError(
                    f"invalid name {name!r} in the stored node {node.name!r}",
                    facts={"hash": node.dag_hash(), "name": name},
                    ref="spec-data",
                )
        found = computed_hash(node)
        if found != node.dag_hash():
            raise _changed(node.short, node.dag_hash(), found)


def _check_earlier(digest: str, node: Mapping[str, Any]) -> None:
    found = earlier_hash(node)
    if found != digest:
        raise _changed(f"{node['name']}@{node['version']}/{digest[:7]}", digest, found)


def written(digest: str, node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the form of version 5 of a plain *node* of any version, with its hash."""
    if not is_current(node):
        return current_form(node, digest)
    return node if "hash" in node else {**node, "hash": digest}


def stored_closure(hashes: Iterable[str], nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain nodes with these hashes and all below them.

    :raises KeyError: one is missing.
    """
    found: dict[str, Any] = {}
    waiting = list(hashes)
    while waiting:
        digest = waiting.pop()
        if digest not in found:
            found[digest] = nodes[digest]
            waiting += [edge.hash for edge in stored_edges(nodes[digest])]
            built = _built_hash(nodes[digest], nodes)
            waiting += [] if built is None else [built]
    return found


def _changed(short: str, digest: str, found: str) -> SpecError:
    return SpecError(
        f"the content of {short} is not what its hash says: it was changed",
        facts={"hash": digest, "computed": found, "package": short.partition("@")[0]},
        ref="spec-hash",
    )


def _incomplete(error: Exception) -> SpecError:
    return SpecError(
        f"the stored specs are incomplete: {error!r}", ref="spec-data", causes=(error,)
    )

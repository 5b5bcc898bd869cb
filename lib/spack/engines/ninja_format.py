"""A plan as a file of ninja, which gives its programs no job server: the builds have their own."""

from __future__ import annotations

from spack.engines.build_graph import BuildGraph, GraphNode
from spack.engines.export_options import ExportOptions

__all__ = ["ninja_text"]

_HEAD = """\
# Made by `spack env depfile`: ninja builds the environment, each package by a spack of its own.
ninja_required_version = 1.5
spack = {spack}
jobs = {jobs}

rule build
  command = $spack {build}{sharing} -j $jobs /$hash && touch $out
  description = build $name

rule finish
  command = $spack {finish} && touch $out
  description = install {environment}
"""

_EDGE = """
build {target}: build{needs}
  hash = {hash}
  name = {short}
"""


def ninja_text(graph: BuildGraph, options: ExportOptions) -> str:
    """Return the file; all builds share ``jobs`` processes, whatever ninja's ``-j`` is."""
    pool = options.target("install/jobserver")
    head = _HEAD.format(
        spack=_escaped(options.spack),
        jobs=options.jobs,
        build=_escaped(options.build_words),
        sharing=f" --jobserver {pool}" if options.jobserver else "",
        finish=_escaped(options.finish_words),
        environment=_escaped(options.environment),
    )
    edges = [_edge(graph, node, options) for node in graph.critical_first]
    targets = "".join(f" {_path(options, node)}" for node in graph.nodes)
    env, everything = options.target("env"), options.target("all")
    tail = f"\nbuild {env}: finish{targets}\n\nbuild {everything}: phony {env}\n\n"
    return head + "".join(edges) + tail + f"default {everything}\n"


def _edge(graph: BuildGraph, node: GraphNode, options: ExportOptions) -> str:
    needs = "".join(f" {_path(options, graph.by_hash[digest])}" for digest in node.needs)
    return _EDGE.format(
        target=_path(options, node), needs=needs, hash=node.hash, short=_escaped(node.short)
    )


def _path(options: ExportOptions, node: GraphNode) -> str:
    path = options.target(f"install/{node.label}")
    return _escaped(path).replace(" ", "$ ").replace(":", "$:")


def _escaped(text: str) -> str:
    return text.replace("$", "$$")

"""A plan as a Makefile, with the variables and targets of Spack's."""

from __future__ import annotations

from spack.engines.build_graph import BuildGraph, GraphNode
from spack.engines.export_options import ExportOptions

__all__ = ["makefile_text"]

_HEAD = """\
# Made by `spack env depfile`: make -j N builds the environment, each package by a spack of its own.
SPACK ?= spack
SPACK_INSTALL_FLAGS ?=
SPACK_PACKAGE_IDS := {ids}

.PHONY: {all} {clean}

{all}: {env}

{env}: {installs}
\t{plus}$(SPACK) {finish}
\t@mkdir -p $(@D) && touch $@

{clean}:
\trm -rf {install} {env}
"""

_RULE = """
{target}: {needs}
\t{plus}$(SPACK) {build} $(SPACK_INSTALL_FLAGS) /{hash}
\t@mkdir -p $(@D) && touch $@
"""


def makefile_text(graph: BuildGraph, options: ExportOptions) -> str:
    """Return the Makefile; builds take their processes from make's job server."""
    plus = "+" if options.jobserver else ""
    labels = sorted(node.label for node in graph.nodes)
    head = _HEAD.format(
        ids=" ".join(labels),
        all=options.target("all"),
        clean=options.target("clean"),
        env=options.target("env"),
        install=options.target("install"),
        installs=" ".join(options.target(f"install/{label}") for label in labels),
        finish=_escaped(options.finish_words),
        plus=plus,
    )
    rules = (_rule(graph, node, options, plus) for node in graph.critical_first)
    return (head + "".join(rules)).replace(": \n", ":\n").replace(":= \n", ":=\n")


def _rule(graph: BuildGraph, node: GraphNode, options: ExportOptions, plus: str) -> str:
    needs = sorted(graph.by_hash[digest].label for digest in node.needs)
    return _RULE.format(
        target=options.target(f"install/{node.label}"),
        needs=" ".join(options.target(f"install/{label}") for label in needs),
        plus=plus,
        build=_escaped(options.build_words),
        hash=node.hash,
    )


def _escaped(text: str) -> str:
    return text.replace("$", "$$")

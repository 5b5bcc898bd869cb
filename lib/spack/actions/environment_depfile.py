"""The builds of an environment as rules of make: one target for each package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from spack.spec import ConcreteSpec

__all__ = ["DepfileOptions", "depfile_text"]


class DepfileOptions(NamedTuple):
    """How the rules are written.

    :ivar prefix: of the names of targets and of the files that mark what is done, "" for none.
    :ivar jobserver: let builds take their processes from make's.
    :ivar flags: of ``spack install``.
    """

    prefix: str = ""
    jobserver: bool = True
    flags: str = ""


_HEAD = """\
# Made by `spack env depfile`: make -j N builds the environment, each package by a spack of its own.
SPACK ?= spack
SPACK_INSTALL_FLAGS ?= {flags}
SPACK_PACKAGE_IDS := {ids}

.PHONY: {all} {clean}

{all}: {env}

{env}: {roots}
\t$(SPACK) -e '{environment}' env view regenerate
\t@mkdir -p $(@D) && touch $@

{clean}:
\trm -rf {install} {env}
"""

_RULE = """
{target}: {needs}
\t{plus}$(SPACK) -e '{environment}' install $(SPACK_INSTALL_FLAGS) --only package --no-add /{hash}
\t@mkdir -p $(@D) && touch $@
"""


def depfile_text(environment: str, roots: Sequence[ConcreteSpec], options: DepfileOptions) -> str:
    """Return a Makefile that builds *roots* and what they need.

    :param environment: its name or directory.
    """
    nodes = {node.dag_hash(): node for root in roots for node in root.traverse()}
    built = {digest: node for digest, node in nodes.items() if not node.external}
    names = {digest: _id(node) for digest, node in built.items()}
    head = _HEAD.format(
        flags=options.flags,
        ids=" ".join(sorted(names.values())),
        all=_target(options, "all"),
        clean=_target(options, "clean"),
        env=_target(options, "env"),
        install=_target(options, "install"),
        roots=" ".join(_installs(options, (names.get(x.dag_hash()) for x in roots))),
        environment=environment,
    )
    rules = [
        _RULE.format(
            target=_target(options, f"install/{names[digest]}"),
            needs=" ".join(
                _installs(options, (names.get(edge.spec.dag_hash()) for edge in node.edges))
            ),
            plus="+" if options.jobserver else "",
            environment=environment,
            hash=digest,
        ).replace(": \n", ":\n")
        for digest, node in sorted(built.items(), key=lambda item: names[item[0]])
    ]
    return head + "".join(rules)


def _id(node: ConcreteSpec) -> str:
    return f"{node.name}-{node.version}-{node.dag_hash()}"


def _target(options: DepfileOptions, name: str) -> str:
    return f"{options.prefix}/{name}" if options.prefix else name


def _installs(options: DepfileOptions, names: Iterable[str | None]) -> list[str]:
    return sorted({_target(options, f"install/{name}") for name in names if name})

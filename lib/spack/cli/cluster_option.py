"""``--on slurm`` of ``spack install``: builds on the nodes of a cluster."""

from __future__ import annotations

import argparse
import sys

from spack.actions.cluster_installs import ClusterOptions, build_on_cluster
from spack.actions.installing import InstallOptions
from spack.errors import UsageError
from spack.session import Session
from spack.util.frozen import replace

__all__ = ["cluster_work"]


def cluster_work(
    session: Session, args: argparse.Namespace, work: InstallOptions
) -> InstallOptions:
    """Return *work* with the builds of the active environment on the nodes of a cluster.

    :raises UsageError: no environment is active, or specs are named.
    """
    environment = session.environment
    if environment is None or args.spec:
        raise UsageError(
            "spack install: --on builds what an environment needs",
            hint=f"spack -e NAME-OR-DIR install --on {args.on}, without specs",
            ref="engine-environment",
        )
    options = ClusterOptions(
        system=args.on,
        command=_command(session),
        environment=environment.path,
        folder=environment.state_folder / "jobs",
        directory=session.cwd,
        node_store=args.node_store,
        exchanges=any(entry.binary and entry.autopush for entry in session.settings.mirrors),
        options=tuple(args.submit_option),
    )
    return replace(
        work,
        engine=lambda plan: build_on_cluster(plan, session.store, session.reporter, options),
    )


def _command(session: Session) -> tuple[str, ...]:
    """Return the words that run this tool, with the global options of this command line."""
    program = session.locations.root / "bin" / "spack"
    words = [str(program)] if program.exists() else [sys.executable, "-m", "spack"]
    for text in session.options.config:
        words += ["-c", text]
    for path in session.options.config_scope:
        words += ["-C", str(session.cwd / path)]
    return (*words, *(["--insecure"] if session.options.insecure else []))

"""``spack style``: black, isort, flake8 and mypy."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spack.actions.concretizing import ConcretizeOptions
from spack.actions.environments import install_environment
from spack.actions.installing import InstallOptions
from spack.actions.style_check import changed_files, project_root, run_tools
from spack.bootstrap.style_tools import TOOLS, prepare_environment
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session

REPORTS = True
DESCRIPTION = """check, or mend, the style of Python files

The tools are built from source on the first run, into an environment of their own. Without files,
those are taken that differ from --base in the git checkout of the current directory.

examples:
  spack style                       what has changed since HEAD
  spack style --fix packages/py_foo/package.py
  spack style --all --tool black --tool isort
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--fix", action="store_true", help="mend what can be mended")
    parser.add_argument("-a", "--all", action="store_true", help="all files of the checkout")
    parser.add_argument("-b", "--base", default="HEAD", metavar="COMMIT", help="compare with it")
    parser.add_argument(
        "-t", "--tool", action="append", choices=tuple(TOOLS), help="only this tool"
    )
    parser.add_argument("file", nargs="*", help="Python files or directories")


def run(session: Session, args: argparse.Namespace) -> int:
    root = project_root(session.cwd, session.run_program)
    files = _files(session, args, root)
    if not files:
        message("no Python file has changed")
        return 0
    view = _tools(session)
    bad = []
    tools = args.tool or tuple(TOOLS)
    where = root or session.cwd
    for finding in run_tools(view, tools, files, where, session.home, fix=args.fix):
        message(f"{finding.tool}: {'ok' if finding.good else 'has found something'}")
        if finding.output.strip():
            sys.stdout.write(finding.output.rstrip("\n") + "\n")
        if not finding.good:
            bad.append(finding.tool)
    message(f"{len(files)} files checked" + (f"; see above: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


def _files(session: Session, args: argparse.Namespace, root: Path | None) -> list[Path]:
    if not args.file:
        if root is None:
            raise UsageError(
                "spack style: this is not a git checkout, so files must be named",
                hint="spack style FILE...",
                ref="style-files",
            )
        return changed_files(root, args.base, args.all, session.run_program)
    files: list[Path] = []
    for name in args.file:
        path = session.cwd / name
        if path.is_dir():
            files += sorted(path.rglob("*.py"))
        elif path.is_file():
            files.append(path)
        else:
            raise UsageError(f"there is no file {name}", ref="style-files")
    return files


def _tools(session: Session) -> Path:
    """Return the view with the tools, built if it is missing."""
    location = prepare_environment(session.locations.share, session.locations.data)
    environment = session.find_environment(str(location), directory_only=True)
    inner = session.within(environment)
    config = inner.settings.config
    work = InstallOptions(
        inner.store,
        inner.build_options,
        session.reporter,
        config.build_jobs,
        config.concurrent_packages,
    )
    with environment.lock():
        install_environment(inner.environment_work(environment), work, ConcretizeOptions())
    view = environment.default_view(inner.variables)
    assert view is not None  # share/environments/style asks for one
    inner.close()
    return Path(view.root)

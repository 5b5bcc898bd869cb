"""``spack style``: black, isort, flake8 and mypy."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from spack.actions.style_check import StyleFinding, changed_files, project_root, run_tools
from spack.bootstrap.style_tools import TOOLS
from spack.cli.render import message
from spack.errors import SpackError, UsageError
from spack.session import Session
from spack.session.tool_environment import Repair, provide_tools

REPORTS = True
DESCRIPTION = """check, or mend, the style of Python files

The tools are installed on the first run, into an environment of their own: from wheels of the
package index, or from source where none fits or concretizer:wheels is never. Without files, those
are taken that differ from --base in the git checkout of the current directory.

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
    tools = args.tool or tuple(TOOLS)
    where = root or session.cwd
    findings = _findings(session, tools, files, where, fix=args.fix)
    bad = []
    for finding in findings:
        message(f"{finding.tool}: {'ok' if finding.good else 'has found something'}")
        if finding.output.strip():
            sys.stdout.write(finding.output.rstrip("\n") + "\n")
        if not finding.good:
            bad.append(finding.tool)
    message(f"{len(files)} files checked" + (f"; see above: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


def _findings(
    session: Session, tools: Sequence[str], files: Sequence[Path], where: Path, *, fix: bool
) -> list[StyleFinding]:
    """Return what each tool has found; tools that cannot run are built again.

    :raises SpackError: a tool crashes all the same.
    """
    enabled = session.settings.bootstrap.enable
    findings: list[StyleFinding] = []
    for repair in Repair if enabled else (Repair.NOTHING,):
        programs = _programs(session, tools, repair if enabled else None)
        findings = list(run_tools(programs, files, where, session.home, fix=fix))
        crashed = [finding for finding in findings if finding.crashed]
        if not crashed:
            return findings
    names = ", ".join(finding.tool for finding in crashed)
    raise SpackError(
        f"cannot check the style: {names} crashed",
        "\n".join(line for finding in crashed for line in finding.output.splitlines()[-5:]),
        hint="report it to the tool's project; the other tools run with --tool NAME",
        ref="style-crash",
    )


def _programs(session: Session, tools: Sequence[str], repair: Repair | None) -> Mapping[str, Path]:
    """Return the tools by name: those of their environment, or, without *repair*, those on PATH.

    :raises UsageError: one is not on PATH.
    """
    if repair is not None:
        view = provide_tools(session, repair)
        return {tool: view / "bin" / tool for tool in tools}
    path = os.pathsep.join(session.search_path)
    found = {tool: shutil.which(tool, path=path) for tool in tools}
    missing = [tool for tool, program in found.items() if program is None]
    if missing:
        raise UsageError(
            f"not on PATH: {', '.join(missing)}; bootstrap:enable is false",
            hint="install them, or let spack build them: `spack bootstrap enable`",
            ref="style-tools",
        )
    return {tool: Path(program) for tool, program in found.items() if program is not None}


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

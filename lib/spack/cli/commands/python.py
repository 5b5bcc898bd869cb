"""``spack python``: Python with ``spack.package`` importable."""

from __future__ import annotations

import argparse
import code
import runpy
import sys
from typing import Any

from spack.repo.finder import install_finder
from spack.session import Session

DESCRIPTION = """run a script, a command or a prompt in the Python that runs spack

`spack.package` and the recipes (`spack_repo.<namespace>.packages...`) can be imported.

examples:
  spack python -c 'from spack.package import Spec; print(Spec("a@1:2 +b").variants)'
  spack python script.py arguments
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", dest="command", metavar="TEXT", help="run this")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module as a script")
    parser.add_argument("script", nargs="?", help="run this file")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="arguments of the script")


def run(session: Session, args: argparse.Namespace) -> None:
    install_finder(session.recipes.repositories)
    names: dict[str, Any] = {"__name__": "__main__", "session": session}
    if args.command is not None:
        sys.argv = ["-c", *([args.script] if args.script else []), *args.args]
        exec(compile(args.command, "<command>", "exec"), names)
    elif args.module:
        sys.argv = [args.module, *([args.script] if args.script else []), *args.args]
        runpy.run_module(args.module, run_name="__main__", alter_sys=True)
    elif args.script:
        sys.argv = [args.script, *args.args]
        runpy.run_path(args.script, run_name="__main__")
    else:
        from spack.spec import Spec

        names["Spec"] = Spec
        code.interact(f"Python {sys.version.split()[0]}, spack session in `session`", local=names)

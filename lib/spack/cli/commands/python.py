"""``spack python``: Python with ``spack.package`` importable."""

from __future__ import annotations

import argparse
import code
import platform
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
    parser.add_argument("-V", "--version", action="store_true", help="print Python's version")
    parser.add_argument("--path", action="store_true", help="print the path of the interpreter")
    parser.add_argument("-i", dest="inspect", action="store_true", help="a prompt afterwards")
    parser.add_argument("-u", dest="unbuffered", action="store_true", help="do not buffer output")
    parser.add_argument("-c", dest="command", metavar="TEXT", help="run this")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module as a script")
    parser.add_argument("script", nargs="?", help="run this file")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="arguments of the script")


def run(session: Session, args: argparse.Namespace) -> None:
    if args.version or args.path:
        print(f"Python {platform.python_version()}" if args.version else sys.executable)
        return
    if args.unbuffered:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(write_through=True)  # type: ignore[union-attr]  # text streams
    install_finder(session.recipes.repositories)
    names: dict[str, Any] = {"__name__": "__main__", "session": session}
    rest = [*([args.script] if args.script else []), *args.args]
    if args.command is not None:
        sys.argv = ["-c", *rest]
        exec(compile(args.command, "<command>", "exec"), names)
    elif args.module:
        sys.argv = [args.module, *rest]
        names.update(runpy.run_module(args.module, run_name="__main__", alter_sys=True))
    elif args.script:
        sys.argv = rest
        names.update(runpy.run_path(args.script, run_name="__main__"))
    if args.inspect or not (args.command or args.module or args.script):
        from spack.spec import Spec

        names.setdefault("Spec", Spec)
        code.interact(f"Python {sys.version.split()[0]}, spack session in `session`", local=names)

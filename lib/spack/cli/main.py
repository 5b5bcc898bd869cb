"""One command line: find the command, run it, turn its outcome into text and an exit code.

The commands are in :data:`COMMANDS`; the module of a command (``commands/<verb>.py``) is
imported only when the command runs, so that a new command costs the rest nothing. Each has

* ``HELP``, one line, and ``DESCRIPTION`` with examples,
* ``add_arguments(parser)``,
* perhaps ``completed(words)``, which adds a subcommand that may be left out,
* ``run(session, args) -> int | None``, the exit code (None is 0).

Exit codes: 0 success; 1 the command failed; 2 wrong usage; 3 what `spack build` was to build
was in the store; 4 what it needs is missing; 128 and the number of the signal that ended it (130:
Ctrl-C).
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn, cast

from spack.errors import SpackError, UsageError
from spack.util.streams import abandon_output, end_process, flush_output, open_missing

__all__ = ["COMMANDS", "console_script", "main"]

#: Command -> (group in the overview, one line of help). The order is that of the overview.
COMMANDS: dict[str, tuple[str, str]] = {
    "install": ("build packages", "build and install packages, or the active environment"),
    "build": ("build packages", "build single nodes of a lock file, for make, Slurm and CI"),
    "uninstall": ("build packages", "remove installed packages"),
    "fetch": ("build packages", "fetch the sources of packages into the source cache"),
    "patch": ("build packages", "unpack and patch the sources of a package"),
    "restage": ("build packages", "unpack the sources of a staged package again"),
    "stage": ("build packages", "unpack the sources of a package"),
    "dev-build": ("build packages", "install a package from a local directory"),
    "build-env": ("build packages", "run a command in the build environment of a package"),
    "test-env": ("build packages", "run a command in the environment of a package's tests"),
    "logs": ("build packages", "show the build log of a package"),
    "log-parse": ("build packages", "show the lines of a log that matter"),
    "mark": ("build packages", "mark installed packages as explicit or implicit"),
    "gc": ("build packages", "remove packages that nothing needs any more"),
    "clean": ("build packages", "remove build stages, caches and indexes"),
    "relocate": ("build packages", "repair an install tree that was moved"),
    "reindex": ("build packages", "rebuild the database from the prefixes"),
    "test": ("build packages", "run the tests of installed packages"),
    "verify": ("build packages", "compare installed files with what was recorded"),
    "find": ("query packages", "list installed packages"),
    "spec": ("query packages", "show what a spec becomes when it is concretized"),
    "solve": ("query packages", "concretize a spec and show how the solver got there"),
    "info": ("query packages", "show a package's versions, variants and dependencies"),
    "list": ("query packages", "list the packages that could be installed"),
    "versions": ("query packages", "list the versions of a package"),
    "providers": ("query packages", "list the packages that provide a virtual package"),
    "dependencies": ("query packages", "list what a package depends on"),
    "dependents": ("query packages", "list what depends on a package"),
    "graph": ("query packages", "draw the dependencies of packages"),
    "diff": ("query packages", "compare two installed packages"),
    "extensions": ("query packages", "list the packages that extend another"),
    "maintainers": ("query packages", "list the maintainers of packages"),
    "tags": ("query packages", "list the tags of packages"),
    "location": ("query packages", "print the prefix, stage or recipe directory of a package"),
    "cd": ("query packages", "change to a directory that location prints"),
    "containerize": ("environments", "write the recipe of an image that builds an environment"),
    "env": ("environments", "create, activate and inspect environments"),
    "view": ("environments", "make views of packages; show what a view holds"),
    "add": ("environments", "add a spec to the active environment"),
    "remove": ("environments", "remove a spec from the active environment"),
    "change": ("environments", "change a spec of the active environment in place"),
    "deconcretize": ("environments", "let specs of the environment be decided again"),
    "develop": ("environments", "build a package of the environment from a local directory"),
    "undevelop": ("environments", "build a package from its released sources again"),
    "concretize": ("environments", "concretize the active environment and write its lock file"),
    "load": ("environments", "add packages to the shell's environment"),
    "unload": ("environments", "undo load"),
    "module": ("environments", "write, find and remove module files"),
    "external": ("configuration", "detect packages that the system has"),
    "compiler": ("configuration", "find, list and forget compilers"),
    "compilers": ("configuration", "list the compilers that can be used"),
    "bootstrap": ("configuration", "provide now what this program itself needs"),
    "config": ("configuration", "show and change the configuration"),
    "mirror": ("configuration", "make and manage mirrors of sources and binaries"),
    "upstream": ("configuration", "use what is installed in another install tree"),
    "buildcache": ("configuration", "push packages to caches of binaries; list what they have"),
    "gpg": ("configuration", "keep the keys of GnuPG that sign binaries"),
    "repo": ("configuration", "add, update, list and remove repositories of recipes"),
    "doctor": ("configuration", "check what builds need of this machine"),
    "arch": ("configuration", "print this machine's platform, system and target"),
    "create": ("developer", "write a new recipe"),
    "checksum": ("developer", "compute checksums of versions for a recipe"),
    "update": ("developer", "add new versions to recipes"),
    "url": ("developer", "show the name and version in a URL"),
    "edit": ("developer", "open a recipe in your editor"),
    "audit": ("developer", "compare recipes with the metadata of their sources"),
    "unit-test": ("developer", "run the tests of this spack"),
    "python": ("developer", "run a script or a prompt with spack.package importable"),
    "style": ("developer", "check the style of Python files with black, isort, flake8 and mypy"),
    "pkg": ("developer", "show the history of recipes in git"),
    "blame": ("developer", "show the authors of a recipe"),
    "resource": ("developer", "list what recipes download besides their sources"),
    "commands": ("developer", "list the commands, for programs"),
    "debug": ("developer", "print what a bug report needs"),
    "pydoc": ("developer", "show the documentation of a module of spack"),
    "completion": ("developer", "print the completion script of a shell"),
    "help": ("developer", "show this overview or the help of a command"),
}

#: Thresholds of the garbage collector. Modules, recipes and facts stay to the end: looking through
#: them at every 700th object is a tenth of a run.
_COLLECTIONS = (50_000, 20, 20)

# argparse has no translations here, and would import locale (2 ms) to look for them.
setattr(argparse, "_", str)  # noqa: B010 - its stub does not have the name

#: Other names that users of Spack type.
ALIASES = {"rm": "remove", "concretise": "concretize", "containerise": "containerize"}


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM; it cleans up as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Parser(argparse.ArgumentParser):
    """An argument parser that raises, so that usage errors look like all errors.

    argparse makes a formatter of help for each argument, to check it, and each looks for the
    width of the terminal (2 ms in all): here only those that format something do.
    """

    _formats = False

    def _get_formatter(self) -> argparse.HelpFormatter:
        chosen = self.formatter_class
        if not self._formats:
            self.formatter_class = partial(cast(Any, chosen), width=1000)
        try:
            return super()._get_formatter()
        finally:
            self.formatter_class = chosen

    def format_help(self) -> str:
        self._formats = True
        return super().format_help()

    def format_usage(self) -> str:
        self._formats = True
        return super().format_usage()

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}", hint=f"see `{self.prog} --help`", ref="usage")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line, such as ``["-e", "dir", "find", "-l"]``; returns the exit code."""
    gc.set_threshold(*_COLLECTIONS)
    open_missing()
    arguments = list(sys.argv[1:] if argv is None else argv)
    _handle_signals()
    try:
        code = _main(arguments)
        lost = flush_output()
        return code if lost is None else _output_lost(lost)
    except BrokenPipeError as error:
        return _output_lost(error)
    except KeyboardInterrupt as interrupt:
        sys.stderr.write("\n==> Interrupted\n")
        return 128 + (interrupt.number if isinstance(interrupt, Terminated) else signal.SIGINT)


def _output_lost(error: OSError) -> int:
    """Return the exit code for output that could not be written."""
    abandon_output()
    if isinstance(error, BrokenPipeError):
        # The reader went away (`spack find | head`): not an error, and no second one at exit.
        return 141
    sys.stderr.write(f"==> Error: cannot write to standard output: {error.strerror}\n")
    return 1


def console_script() -> NoReturn:
    """Run the command of an installation with pip."""
    try:
        end_process(main())
    except ImportError as error:
        from spack.bootstrap.missing_modules import explain_missing  # start-up: seldom

        text = explain_missing(error)
        if text is None:
            raise
        sys.stderr.write(text)
        sys.exit(1)


def _handle_signals() -> None:
    """Let a polite end (kill, a closed terminal) clean up, unless the caller has decided.

    Child processes return their exit status, also where the caller ignores SIGCHLD.
    """

    def end(number: int, frame: FrameType | None) -> None:
        if not _is_postponed(number, frame):
            raise Terminated(number)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not _is_postponed(number, frame):
            raise KeyboardInterrupt

    try:
        if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, end)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
    except ValueError:
        return  # not the main thread: its owner decides


def _is_postponed(number: int, frame: FrameType | None) -> bool:
    """Return whether a signal came in a finalizer; it is sent again after that.

    Python ignores what a ``__del__`` raises, and clingo frees large programs in one.
    """
    if frame is None or frame.f_code.co_name != "__del__":
        return False
    from threading import Timer  # start-up: seldom

    again = Timer(0.02, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()
    return True


def _main(arguments: list[str]) -> int:  # noqa: C901 - one command line from its words to its exit code
    color = None
    debug = "-d" in arguments or "--debug" in arguments
    try:
        options, command, rest = _split(arguments)
        color = options.color
        debug = options.debug
        if options.version:
            from spack import __version__

            print(__version__)
            return 0
        options.debug |= options.backtrace
        if options.enable_locks or options.disable_locks:
            options.config.append(f"config:locks:{str(options.enable_locks).lower()}")
        wanted_help = options.help or options.all_help
        if command is None or (command == "help" and not rest) or wanted_help:
            print(overview())
            return 0 if command or wanted_help else 2
        command = ALIASES.get(command, command)
        if command == "help" and rest[0].startswith("-"):
            return _general_help(rest)
        if command == "help":
            command, rest = ALIASES.get(rest[0], rest[0]), ["--help"]
        if command not in COMMANDS:
            command, rest = _configured(options, command, rest)
        if command not in COMMANDS:
            raise UsageError(
                f"unknown command: {command}",
                hint=_suggest_command(command),
                ref="unknown-command",
            )
        module = import_module(f"spack.cli.commands.{command.replace('-', '_')}")
        parser = Parser(
            prog=f"spack {command}",
            description=getattr(module, "DESCRIPTION", None) or COMMANDS[command][1],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(parser)
        args = parser.parse_args(getattr(module, "completed", list)(rest))
        from spack.session import make_session  # start-up: not for help and usage errors

        def reporter() -> Any:
            from spack.cli.progress import make_reporter  # start-up: few commands report

            # Progress goes to where results do not, unless results are progress.
            stream = sys.stdout if getattr(module, "REPORTS", False) else sys.stderr
            return make_reporter(stream, options.color, options.quiet)

        session = make_session(options, reporter)
        try:
            return module.run(session, args) or 0
        finally:
            session.close()
    except SpackError as error:
        from spack.cli.render import render_error

        render_error(error, sys.stderr, color=color, debug=debug)
        return 2 if isinstance(error, UsageError) else 1
    except RecursionError:
        from spack.cli.render import render_error

        deep = SpackError(
            "an input is nested too deeply, or refers to itself",
            hint="the option -d shows what was being read",
            ref="too-deep",
        )
        render_error(deep, sys.stderr, color=color, debug=debug)
        if debug:
            raise
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        lost = flush_output()
        if lost is not None:
            return _output_lost(lost)
        from spack.cli.render import render_error, system_error

        render_error(system_error(error), sys.stderr, color=color, debug=debug)
        return 1


def help_parser() -> argparse.ArgumentParser:
    """Return the parser of ``spack help``."""
    parser = Parser(prog="spack help")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-a", "--all", action="store_true", help="show all commands")
    which.add_argument("--spec", action="store_true", help="explain specs")
    parser.add_argument("command", nargs="?", help="a command")
    return parser


def _general_help(words: list[str]) -> int:
    if help_parser().parse_args(words).spec:
        from spack.cli.spec_syntax import SPEC_SYNTAX  # start-up: only for this help

        print(SPEC_SYNTAX, end="")
    else:
        print(overview())
    return 0


def _configured(options: Any, command: str, rest: list[str]) -> tuple[str, list[str]]:
    """Return the command that an alias of the configuration (``config:aliases``) means."""
    import shlex  # start-up: only for words that are not commands

    from spack.session import make_session

    aliases = make_session(options, _no_reporter).settings.config.aliases
    words = shlex.split(aliases.get(command, ""))
    return (ALIASES.get(words[0], words[0]), [*words[1:], *rest]) if words else (command, rest)


def _no_reporter() -> Any:
    from spack.util.report import SilentReporter  # start-up: see above

    return SilentReporter()


def global_parser() -> argparse.ArgumentParser:
    """Return the parser of the options before the command."""
    parser = Parser(prog="spack", add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true", help="show this overview")
    parser.add_argument("-H", "--all-help", action="store_true", help="the same")
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    parser.add_argument("-e", "--env", metavar="ENV", help="run in an environment (name or dir)")
    parser.add_argument("-D", "--env-dir", metavar="DIR", help="run in the environment in DIR")
    parser.add_argument("-E", "--no-env", action="store_true", help="run outside of environments")
    parser.add_argument(
        "-c",
        "--config",
        metavar="SECTION:KEY:VALUE",
        action="append",
        default=[],
        help="set one configuration value for this command",
    )
    parser.add_argument(
        "-C",
        "--config-scope",
        metavar="DIR",
        action="append",
        default=[],
        help="read further configuration files from DIR",
    )
    parser.add_argument("-k", "--insecure", action="store_true", help="do not verify certificates")
    locks = parser.add_mutually_exclusive_group()
    locks.add_argument("-l", "--enable-locks", action="store_true", help="use locks (the default)")
    locks.add_argument("-L", "--disable-locks", action="store_true", help="use no locks")
    parser.add_argument("-d", "--debug", action="store_true", help="show tracebacks and details")
    parser.add_argument("-t", "--backtrace", action="store_true", help="show tracebacks")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what builds print")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, only results")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), help="when to use colour (auto)"
    )
    return parser


#: Global options that take a value: the only ones whose next word is not the command.
WITH_VALUE = {
    "-e",
    "--env",
    "-D",
    "--env-dir",
    "-c",
    "--config",
    "-C",
    "--config-scope",
    "--color",
}


def _split(arguments: list[str]) -> tuple[Any, str | None, list[str]]:
    """Return global options, the command, and the command's own arguments."""
    index = 0
    while index < len(arguments) and arguments[index].startswith("-"):
        index += 2 if arguments[index] in WITH_VALUE else 1
    options = global_parser().parse_args(arguments[: min(index, len(arguments))])
    if index >= len(arguments):
        return options, None, []
    return options, arguments[index], arguments[index + 1 :]


def _suggest_command(command: str) -> str:
    from difflib import get_close_matches

    suggestions = get_close_matches(command, list(COMMANDS), n=3)
    also = f"did you mean: {', '.join(suggestions)}? " if suggestions else ""
    return also + "`spack help` lists all commands"


def overview() -> str:
    """Return the text of ``spack help``."""
    lines = [
        "spack - packages from source, each in a prefix of its own, used from a view",
        "",
        "usage: spack [options] <command> [arguments]",
    ]
    group = ""
    for name, (heading, text) in COMMANDS.items():
        if heading != group:
            group = heading
            lines += ["", f"{heading}:"]
        lines.append(f"  {name:<12} {text}")
    lines += ["", "options:"]
    for action in global_parser()._actions:
        words = ", ".join(action.option_strings)
        if action.metavar:
            words += f" {action.metavar}"
        lines.append(f"  {words:<32} {action.help}")
    lines += [
        "",
        "examples:",
        "  spack install py-black            build and install a package",
        "  spack spec -I py-black            what would be built, and what is there",
        "  spack -e DIR install              install the environment in DIR and make its view",
        "  spack help install                all about one command",
    ]
    return "\n".join(lines)

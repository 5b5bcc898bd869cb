"""``spack env``: environments."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from spack.cli.environment_formats import FORMAT_VERBS, add_format_verbs
from spack.cli.environment_moves import VERBS, add_verbs, made_environment
from spack.cli.environment_packing import PACKING_VERBS, add_packing_verbs, chosen_view
from spack.cli.module_loads import add_environment_loads, environment_loads
from spack.cli.output import add_output_options
from spack.cli.project_environment import add_project_options, project_environment_text
from spack.cli.prompt import confirm
from spack.cli.render import Colors, message, use_color, warning
from spack.cli.shell_option import add_shell_arguments, shell_of
from spack.cli.spec_text import status_mark
from spack.errors import ConfigError, UsageError
from spack.session import ACTIVE, Session

if TYPE_CHECKING:
    from spack.environment import Environment, ViewDescriptor

REPORTS = True
DESCRIPTION = """create, activate and inspect environments

An environment is a directory with a spack.yaml; it has a name when spack keeps it, and is called
by its path when you do. Its view is a virtual environment.

examples:
  spack env create work                       a named environment
  spack env create --dir ./work my.yaml       one in a directory, from a file
  spack env create copy work                  a copy of another one
  spack env create web --from-requirements requirements.txt
  spack env activate work                     (with share/setup-env.sh)
  spack env activate --temp                   a new one, for a while
  spack env rename work play
  spack -e work env view regenerate           make its view again
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    create = verbs.add_parser("create", help="make an environment")
    create.add_argument("-d", "--dir", action="store_true", help="ENV is a directory, not a name")
    create.add_argument("--without-view", action="store_true", help="make no view")
    create.add_argument("--with-view", metavar="DIR", help="where the view shall be")
    create.add_argument("name", metavar="ENV", help="name or directory")
    create.add_argument(
        "--keep-relative",
        action="store_true",
        help="leave relative paths of FILE as they are; else they are made absolute",
    )
    create.add_argument(
        "--include-concrete",
        action="append",
        metavar="ENV",
        default=[],
        help="include what this environment is concretized to",
    )
    create.add_argument(
        "file",
        nargs="?",
        metavar="FROM",
        help="what to start from: a spack.yaml or spack.lock, or an environment",
    )
    add_project_options(create)

    activate = verbs.add_parser("activate", help="use an environment in this shell")
    # `spack env activate --nu ENV | save -f x.nu; overlay use x.nu as activate`
    add_shell_arguments(activate, files=True)
    activate.add_argument("-d", "--dir", action="store_true", help="ENV is a directory, not a name")
    activate.add_argument(
        "-p",
        "--prompt",
        action="store_true",
        help="show it in the prompt, even if VIRTUAL_ENV_DISABLE_PROMPT is set",
    )
    activate.add_argument("-v", "--with-view", metavar="VIEW", help="activate this view")
    activate.add_argument("-V", "--without-view", action="store_true", help="activate no view")
    activate.add_argument("--temp", action="store_true", help="make one in a temporary directory")
    activate.add_argument("--create", action="store_true", help="make it if it is not there")
    activate.add_argument(
        "--keep-relative", action="store_true", help="for --create: as of `env create`"
    )
    activate.add_argument("--envfile", metavar="FILE", help="for --create: what to start from")
    activate.add_argument("name", metavar="ENV", nargs="?", help="name or directory (.)")

    deactivate = verbs.add_parser("deactivate", help="leave the active environment")
    add_shell_arguments(deactivate)

    add_verbs(verbs)
    add_format_verbs(verbs)
    add_environment_loads(verbs)
    verbs.add_parser("list", aliases=["ls"], help="list named environments")
    verbs.add_parser("status", aliases=["st"], help="print the active environment")

    remove = verbs.add_parser("remove", aliases=["rm"], help="remove a named environment")
    remove.add_argument(
        "-f", "--force", action="store_true", help="even if another environment includes it"
    )
    remove.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    remove.add_argument("name", metavar="ENV", nargs="+", help="names")

    layer = verbs.add_parser(
        "layer", help="make a virtual environment on top of a view, for pip and uv to write to"
    )
    layer.add_argument("--view", metavar="VIEW", help="as for `spack view`")
    layer.add_argument("dir", metavar="DIR", help="where; a layer that is there is renewed")

    add_packing_verbs(verbs)
    view = verbs.add_parser("view", help="work on the views of the active environment")
    view.add_argument("action", nargs="?", choices=("regenerate", "enable", "disable"))
    view.add_argument("view_path", metavar="DIR", nargs="?", help="where, for `enable`")
    view.add_argument("-f", "--force", action="store_true", help="even if nothing has changed")
    view.add_argument("--sizes", action="store_true", help="as `spack view sizes`")
    add_output_options(view.add_mutually_exclusive_group())


def run(session: Session, args: argparse.Namespace) -> int | None:
    verb = _SHORT.get(args.verb, args.verb)
    if verb is None:
        raise UsageError("spack env: a subcommand is required", hint="see `spack env --help`")
    return _VERBS[verb](session, args)


def _create(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environment_directories import create
    from spack.actions.environments import remember
    from spack.session.environment_parts import own_configuration

    if not args.name:
        raise UsageError(
            "spack env create: the name is empty",
            hint="is a variable of the shell unset?",
            ref="environment-name",
        )
    named = not (args.dir or os.sep in args.name or args.name == ".")
    view: str | None = "false" if args.without_view else args.with_view
    source = None if args.file is None else _source(session, args.file)
    included = [session.find_environment(name) for name in args.include_concrete]
    location = Path(os.path.abspath(session.cwd / args.name))
    if named:
        location = session.base_settings.config.environments_root / args.name
    text = project_environment_text(session, args, location, args.name if named else "")
    environment = create(
        location,
        args.name if named else "",
        text or source,
        view,
        keep_relative=args.keep_relative,
        included=[other.path for other in included],
        configuration=lambda made: own_configuration(session, made),
    )
    remember(environment, session.environments_file)
    message(f"created environment {environment.name} in {environment.path}")
    use = environment.name if named else args.name
    print(f"    spack -e {use} add PACKAGE; spack -e {use} install")
    return None


def _source(session: Session, text: str) -> Path:
    """Return the file or directory *text*; else the directory of the environment of that name."""
    from spack.environment import list_environments

    path = Path(os.path.abspath(session.cwd / text))
    root = session.base_settings.config.environments_root
    return root / text if not path.exists() and text in list_environments(root) else path


def _activate(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.views import templates
    from spack.environment.activation import (
        AWAITS_VIEW,
        activation_text,
        steps_from_settings,
    )
    from spack.view.activate import EnvStep
    from spack.view.view_manifest import load_activation

    shell = shell_of(args, "env activate")
    name = made_environment(session, args) or ("." if args.name is None else args.name)
    if args.create and not _is_there(session, name, args.dir):
        made = argparse.Namespace(
            name=name,
            dir=args.dir,
            file=args.envfile,
            without_view=args.without_view,
            with_view=args.with_view,
            keep_relative=args.keep_relative,
            include_concrete=[],
        )
        with redirect_stdout(sys.stderr):
            _create(session, made)
        args.with_view = None
    environment = session.find_environment(name, args.dir or name == ".")
    view = chosen_view(session, environment, args.with_view)
    if args.without_view:
        view = None
    activation = load_activation(view.root) if view is not None else None
    awaited = view is not None and activation is None
    sys.stdout.write(
        activation_text(
            shell,
            templates(session.locations.share),
            environment=str(environment.path),
            name=environment.name,
            view=view.root if view is not None and activation is not None else "",
            activation=activation,
            extra=(
                *([EnvStep("set", AWAITS_VIEW, "1")] if awaited else []),
                *steps_from_settings(session.within(environment).settings.data("env_vars") or {}),
            ),
            prompt=True if args.prompt else None,
        )
    )
    return None


def _is_there(session: Session, name: str, directory_only: bool) -> bool:
    from spack.errors import EnvironmentFileError

    try:
        session.find_environment(name, directory_only or name == ".")
    except EnvironmentFileError:
        return False
    return True


def _deactivate(session: Session, args: argparse.Namespace) -> int | None:
    from spack.environment.activation import deactivation_text
    from spack.view.view_manifest import load_activation

    shell = shell_of(args, "env deactivate")
    active = session.environ.get(ACTIVE)
    if not active:
        raise UsageError("no environment is active", hint="spack env activate NAME", ref="inactive")
    root = session.environ.get("VIRTUAL_ENV", "")
    activation = load_activation(root) if root else None
    sys.stdout.write(deactivation_text(shell, session.environ, view=root, activation=activation))
    return None


def _list(session: Session, args: argparse.Namespace) -> int | None:
    from spack.environment import list_environments

    names = list_environments(session.base_settings.config.environments_root)
    active = session.environ.get(ACTIVE, "")
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    root = session.base_settings.config.environments_root
    for name in names:
        print(paint(name, "good") if str(root / name) == active else name)
    if not names and sys.stdout.isatty():
        message("there are no named environments; spack env create NAME makes one")
    return None


def _status(session: Session, args: argparse.Namespace) -> int | None:
    environment = session.environment
    if environment is None:
        message("no environment is active")
        return None
    message(f"in environment {environment.name} ({environment.path})")
    there = session.store.database.installed_hashes()
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    lock = environment.lockfile
    locked = {(root.spec, root.group): root.hash for root in (lock.roots if lock else ())}
    for item in environment.user_specs():
        digest = locked.get((item.text, item.group))
        if digest is None:
            print(f" -   {item.text}  (not concretized)")
        else:
            mark = status_mark("installed" if digest in there else "missing", paint)
            print(f"{mark}  {item.text}  {paint(digest[:7], 'hash')}")
    for path, roots in (lock.included if lock else {}).items():
        print(f"included {path}:")
        for root in roots:
            mark = status_mark("installed" if root.hash in there else "missing", paint)
            print(f"{mark}  {root.spec}  {paint(root.hash[:7], 'hash')}")
    for view in environment.views(session.variables):
        print(f"view {view.name}: {view.root}{'' if os.path.isdir(view.root) else '  (not made)'}")
    return None


def _remove(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environment_directories import includers, remove
    from spack.actions.environments import known_environments

    environments = [session.find_environment(name) for name in args.name]
    if not args.yes_to_all:
        names = ", ".join(environment.name for environment in environments)
        if not confirm(f"remove {names}? packages stay", sys.stdin, sys.stdout):
            return 1
    root = session.base_settings.config.environments_root
    known = () if args.force else known_environments(root, session.environments_file)
    for environment in environments:
        remove(
            environment,
            _views_of(session, environment),
            session.environment,
            includers(environment, known, session.variables),
        )
        message(f"removed environment {environment.name}")
    return None


def _views_of(session: Session, environment: Environment) -> Sequence[ViewDescriptor]:
    """Return the views of an environment that is to be removed; none of a malformed one."""
    try:
        return environment.views(session.variables)
    except ConfigError as error:
        warning(f"its views stay: {error.message}")
        return ()


def _layer(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.views import templates
    from spack.cli.commands.view import find_view
    from spack.view.layer import make_layer

    view = find_view(session, args.view)
    path = os.path.abspath(session.cwd / args.dir)
    layer = make_layer(path, view, templates(session.locations.share))
    done = "renewed" if layer.renewed else "made"
    message(f"{done} a layer in {path}, on {view} ({layer.stand_ins} distributions)")
    print(f"    source {args.dir}/bin/activate")
    return None


def _view(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environments import regenerate_views, set_view

    environment = session.need_environment("env view")
    if args.sizes:
        from spack.cli.commands.view import find_view, show_sizes

        show_sizes(session, args, find_view(session, None))
        return None
    if args.action is None:
        raise UsageError(
            "spack env view: an action is required",
            hint="regenerate, enable, disable, or --sizes",
        )
    if args.view_path and args.action != "enable":
        raise UsageError(
            f"spack env view {args.action}: a directory is given for `enable` only",
            hint="spack env view enable DIR",
        )
    with environment.lock():
        if args.action != "regenerate":
            path = args.view_path and os.path.abspath(session.cwd / args.view_path)
            views = environment.views(session.variables)
            set_view(environment, path or args.action == "enable", views)
            if args.action == "disable":
                return None
        if args.action == "enable" and environment.lockfile is None:
            message(f"the view of {environment.name} is made by its next `spack install`")
            return None
        work = session.environment_work(environment)
        if environment.lockfile is None:
            raise UsageError(
                f"{environment.name} is not concretized, so it has nothing to show",
                hint="spack install",
                ref="not-concretized",
            )
        results = regenerate_views(work, force=args.force)
        for result in results:
            if not result.changed:
                message(f"the view {result.path} is up to date")
    return None


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "create": _create,
    "activate": _activate,
    "deactivate": _deactivate,
    "list": _list,
    "status": _status,
    "remove": _remove,
    "view": _view,
    "layer": _layer,
    **VERBS,
    "loads": environment_loads,
    **FORMAT_VERBS,
    **PACKING_VERBS,
}

_SHORT = {"ls": "list", "st": "status", "rm": "remove", "mv": "rename", "umount": "unmount"}

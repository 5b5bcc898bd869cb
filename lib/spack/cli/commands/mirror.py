"""``spack mirror``: mirrors of sources."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable
from urllib.parse import unquote, urlsplit

from spack.cli.commands.spec import (
    add_concretizer_arguments,
    add_machine_argument,
    concretize_options,
    machines_of,
)
from spack.cli.render import message, table
from spack.cli.scope_option import (
    add_scope_argument,
    edited_section,
    scopes_of,
    writable_scopes,
)
from spack.config.settings import load_settings
from spack.errors import SpackError, UsageError
from spack.host.platform import platform_name
from spack.session import Session
from spack.spec import ConcreteSpec, Spec
from spack.spec.parser import parse_many

DESCRIPTION = """make and manage mirrors of sources and binaries, for machines without a network

Mirrors are asked before the package index and the network; every file is verified by the
recipe's checksum. Sources from git are not mirrored. Mirrors of binaries are filled by
`spack buildcache push`.

examples:
  spack mirror create -d ./mirror -D py-black     the sources of py-black and what it needs
  spack -e work mirror create -d ./mirror --all   those of an environment
  spack mirror add local ./mirror
  spack mirror list
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--no-checksum", action="store_true", help="without known checksums")
    verbs = parser.add_subparsers(dest="verb", metavar="create|destroy|add|remove|set-url|set|list")
    _add_create(verbs.add_parser("create", help="fill a directory with sources"))

    destroy = verbs.add_parser("destroy", help="remove a mirror's directory")
    which = destroy.add_mutually_exclusive_group(required=True)
    which.add_argument("-m", "--mirror-name", metavar="NAME", help="of a configured mirror")
    which.add_argument("--mirror-url", metavar="URL", help="its directory, or file:// URL")

    add = verbs.add_parser("add", help="configure a mirror; it is asked first")
    add.add_argument("--type", **_TYPE)
    _add_trust(add)
    _add_login(add)
    add.add_argument(
        "-n", "--name", dest="view", metavar="VIEW", help="read this index view of binaries"
    )
    add.add_argument("name", help="a name of your choice")
    add.add_argument("url", help="its directory or URL")
    add_scope_argument(add, "where to write it")

    remove = verbs.add_parser("remove", aliases=["rm"], help="forget a mirror; its files stay")
    remove.add_argument("--all-scopes", action="store_true", help="from all scopes that have it")
    remove.add_argument("name")
    add_scope_argument(remove, "only from there")

    set_url = verbs.add_parser("set-url", help="change the URL of a mirror")
    _add_direction(set_url)
    _add_login(set_url)
    set_url.add_argument("name")
    set_url.add_argument("url", help="its directory or URL")
    add_scope_argument(set_url, "where it is configured")

    change = verbs.add_parser("set", help="change a mirror")
    _add_direction(change)
    change.add_argument("--type", **_TYPE)
    _add_trust(change)
    _add_login(change)
    change.add_argument("--url", help="its directory or URL")
    change.add_argument("name")
    add_scope_argument(change, "where it is configured")

    shown = verbs.add_parser("list", aliases=["ls"], help="list mirrors, the first is asked first")
    add_scope_argument(shown, "only what this scope says")


_TYPE: dict[str, Any] = {
    "action": "append",
    "choices": ("source", "binary"),
    "help": "what it is for (both)",
}


def _add_login(parser: argparse.ArgumentParser) -> None:
    for option, text in (
        ("--oci-username", "user of a registry or server of binaries"),
        ("--oci-username-variable", "the variable of the environment that has it"),
        ("--oci-password-variable", "the variable of the environment that has the password"),
        ("--s3-access-key-id", "id of a key for a bucket"),
        ("--s3-access-key-id-variable", "the variable of the environment that has it"),
        ("--s3-access-key-secret-variable", "the variable of the environment that has its secret"),
        ("--s3-access-token-variable", "the variable of the environment that has its token"),
        ("--s3-profile", "profile in ~/.aws that has a key for a bucket"),
        ("--s3-endpoint-url", "URL of a service like S3"),
    ):
        parser.add_argument(option, metavar="NAME", help=text)


def _login(args: argparse.Namespace) -> dict[str, Any]:
    """Return the login of the command line as keys of a mirror's entry.

    :raises UsageError: a part of it is missing.
    """
    found = {
        key: text
        for key, text in (
            ("access_token_variable", args.s3_access_token_variable),
            ("profile", args.s3_profile),
            ("endpoint_url", args.s3_endpoint_url),
        )
        if text
    }
    user = args.oci_username or args.s3_access_key_id
    variable = args.oci_username_variable or args.s3_access_key_id_variable
    secret = args.oci_password_variable or args.s3_access_key_secret_variable
    if not any((user, variable, secret)):
        return found
    if not secret or bool(user) == bool(variable):
        raise UsageError(
            "spack mirror: a login is a user and the variable that has the password",
            hint="give --oci-password-variable, and --oci-username or --oci-username-variable; "
            "for buckets the options that begin with --s3-access-key",
        )
    name = {"id": user} if user else {"id_variable": variable}
    return {**found, "access_pair": {**name, "secret_variable": secret}}


def _add_trust(parser: argparse.ArgumentParser) -> None:
    pushes = parser.add_mutually_exclusive_group()
    pushes.add_argument(
        "--autopush", action="store_true", default=None, help="push what is built to it"
    )
    pushes.add_argument(
        "--no-autopush", dest="autopush", action="store_false", help="do not (the default)"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--signed",
        action="store_true",
        default=None,
        help="take only binaries that a trusted key has signed (the default)",
    )
    group.add_argument(
        "--unsigned",
        dest="signed",
        action="store_false",
        help="trust every user that may write binaries to it",
    )


def _add_direction(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--push", action="store_true", help="only the URL for writing")
    group.add_argument("--fetch", action="store_true", help="only the URL for reading")


def _add_create(parser: argparse.ArgumentParser) -> None:
    for words, options in (
        (("-d", "--directory"), {"help": "the mirror (the source cache)"}),
        (("-a", "--all"), {"action": "store_true", "help": "everything, of the environment"}),
        (("-j", "--jobs"), {"type": int, "default": 4, "help": "downloads at one time (4)"}),
        (("--file",), {"metavar": "FILE", "help": "a file of specs, one a line"}),
        (("--exclude-file",), {"metavar": "FILE", "help": "a file of specs to leave out"}),
        (("--exclude-specs",), {"metavar": "SPECS", "help": "specs to leave out"}),
        (
            ("--skip-unstable-versions",),
            {"action": "store_true", "help": "leave out what has no checksum"},
        ),
        (("-D", "--dependencies"), {"action": "store_true", "help": "and what they need"}),
        (
            ("-n", "--versions-per-spec"),
            {"metavar": "N", "help": "so many versions of each, or `all` (1: the concrete one)"},
        ),
    ):
        parser.add_argument(*words, **options)
    add_concretizer_arguments(parser)
    add_machine_argument(parser, several=True)
    parser.add_argument("spec", nargs="*", help="packages")


def run(session: Session, args: argparse.Namespace) -> int | None:
    verb = {"ls": "list", "rm": "remove"}.get(args.verb, args.verb)
    if verb is None:
        raise UsageError("spack mirror: a subcommand is required", hint="see `spack mirror --help`")
    return _VERBS[verb](session, args)


def _create(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.mirroring import fill

    fetcher = session.fetcher(checksum=not args.no_checksum and session.settings.config.checksum)
    root = session.settings.fetch.source_cache
    if args.directory:
        root = Path(os.path.abspath(session.cwd / args.directory))

    def show(name: str, outcome: str) -> None:
        if outcome in ("added", "failed") and not session.options.quiet:
            message(f"{name}: {outcome}", sys.stderr)

    report = fill(
        _wanted(session, args),
        fetcher,
        root,
        jobs=args.jobs,
        unstable=not args.skip_unstable_versions,
        on_item=show,
    )
    message("Archive stats:")
    for count, what in (
        (len(report.present), "already present"),
        (len(report.added), "added"),
        (len(report.failed), "failed to fetch."),
    ):
        print(f"      {count:<4} {what}")
    if report.from_git:
        print(f"      {len(report.from_git):<4} from git, which are not mirrored")
    if report.failed:
        raise SpackError(
            "some sources could not be fetched: " + ", ".join(name for name, _ in report.failed),
            causes=[error for _, error in report.failed],
            hint="what was fetched is kept; run the same command again",
            ref="mirror-failed",
        )
    return None


def _wanted(session: Session, args: argparse.Namespace) -> Sequence[Any]:
    """Return what goes into the mirror; see :mod:`spack.actions.mirroring`."""
    from spack.actions.mirroring import every_version, further_versions, of_nodes
    from spack.actions.recipe_queries import recipes_of

    if args.file and (args.spec or args.all):
        raise UsageError("spack mirror create: --file replaces specs and --all", hint="drop one")
    if args.all and args.versions_per_spec:
        raise UsageError(
            "spack mirror create: --all has all versions already",
            hint="leave --versions-per-spec out",
        )
    exclude = [*_from_file(session, args.exclude_file), *parse_many(args.exclude_specs or "")]
    recipes, environment = session.recipes, session.environment
    if args.all and environment is None:
        return every_version(recipes_of(recipes), exclude)
    if args.all and environment is not None:
        return of_nodes(_nodes(environment.roots(), True), recipes, exclude)
    specs = parse_many(args.spec) or _from_file(session, args.file)
    if not specs:
        raise UsageError(
            "spack mirror create: no packages were specified",
            hint="name packages, or mirror everything with --all",
        )
    count = args.versions_per_spec or "1"
    if count != "all" and not (count.isdigit() and int(count)):
        raise UsageError(
            f"spack mirror create: --versions-per-spec is a number or `all`, not {count}",
            hint="--versions-per-spec 3",
        )
    roots = _concrete(session, args, specs)
    items = of_nodes(_nodes(roots, args.dependencies), recipes, exclude)
    if count != "1":
        have = {item.name for item in items}
        number = None if count == "all" else int(count)
        more = further_versions(specs, recipes, number, exclude)
        items += [item for item in more if item.name not in have]
    return items


def _nodes(roots: Sequence[ConcreteSpec], everything: bool) -> list[ConcreteSpec]:
    if not everything:
        return list(roots)
    return [node for root in roots for node in root.traverse()]


def _concrete(
    session: Session, args: argparse.Namespace, specs: Sequence[Spec]
) -> Sequence[ConcreteSpec]:
    """Return the environment's nodes that *specs* mean, or *specs* made concrete."""
    environment = session.environment
    machines = machines_of(session, args)
    if machines:
        every = [concretize_options(args, machine=machine) for machine in machines]
        return [root for options in every for root in session.concretize(specs, options).roots]
    if environment is not None:
        nodes = {x.dag_hash(): x for root in environment.roots() for x in root.traverse()}
        found = [x for x in nodes.values() if any(x.satisfies(spec) for spec in specs)]
        if found:
            return found
    return session.concretize(specs, concretize_options(args)).roots


def _from_file(session: Session, file: str | None) -> list[Spec]:
    if file is None:
        return []
    path = session.cwd / file
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the specs in {path}: {error}", hint="one spec a line", ref="spec-file"
        ) from error
    return parse_many([line for line in map(str.strip, lines) if line and line[0] != "#"])


def _destroy(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.mirroring import destroy

    url = args.mirror_url
    if args.mirror_name:
        found = [x for x in session.settings.mirrors if x.name == args.mirror_name]
        if not found:
            raise _unknown(args.mirror_name, "the configuration")
        url = found[0].fetch_url
    parts = urlsplit(url)
    if parts.scheme not in ("", "file"):
        raise UsageError(
            f"{url} is not a directory of this machine",
            hint="remove it where it is",
            ref="mirror-directory",
        )
    path = Path(unquote(parts.path)) if parts.scheme else Path(url)
    path = Path(os.path.abspath(session.cwd / path))
    destroy(path)
    message(f"removed the mirror {path}")
    return None


def _url(session: Session, text: str) -> str:
    return text if "://" in text else os.path.abspath(session.cwd / os.path.expanduser(text))


def _types(args: argparse.Namespace) -> dict[str, Any]:
    kinds = ("source", "binary")
    types = {kind: kind in args.type for kind in kinds} if args.type else {}
    said = {"signed": args.signed, "autopush": args.autopush}
    chosen = {key: value for key, value in said.items() if value is not None}
    return {**types, **chosen, **_login(args)}


def _add(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.mirror_entries import add_mirror

    with edited_section(session, "mirrors", args.scope) as file:
        view = {"view": args.view} if args.view else {}
        add_mirror(file, args.name, _url(session, args.url), {**_types(args), **view})
        message(f"added mirror {args.name} to {file.path}")
    return None


def _remove(session: Session, args: argparse.Namespace) -> int | None:
    removed = False
    scopes = [args.scope] if args.scope else list(writable_scopes(session))
    for scope in scopes:
        with edited_section(session, "mirrors", scope) as file:
            if file.remove(args.name):
                message(f"removed mirror {args.name} from the scope {scope}")
                removed = True
        if removed and not args.all_scopes:
            break
    if not removed:
        raise _unknown(args.name, f"the scopes {', '.join(scopes)}")
    return None


def _set(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.mirror_entries import change_mirror

    changes: dict[str, Any] = dict(_types(args) if args.verb == "set" else _login(args))
    if args.url:
        url = _url(session, args.url)
        changes["push" if args.push else "fetch" if args.fetch else "url"] = url
    if not changes:
        raise UsageError(
            "spack mirror set: nothing to change", hint="give --url, --type or --unsigned"
        )
    with edited_section(session, "mirrors", args.scope) as file:
        if not change_mirror(file, args.name, changes):
            message(f"no changes made to mirror {args.name}")
    return None


def _list(session: Session, args: argparse.Namespace) -> int | None:
    settings = session.settings
    if args.scope:
        scopes = scopes_of(session, args.scope)
        settings = load_settings(scopes, session.variables, platform_name())
    rows = [
        (
            entry.name,
            f"[{'s' if entry.source else ' '}{'b' if entry.binary else ' '}]",
            entry.fetch_url,
        )
        for entry in settings.mirrors
    ]
    if rows:
        print(table(rows, indent=0))
    else:
        message("no mirrors configured", sys.stdout)
    return None


def _unknown(name: str, where: str) -> UsageError:
    return UsageError(
        f"there is no mirror {name} in {where}",
        hint="`spack mirror list` shows all",
        ref="mirror-name",
    )


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "create": _create,
    "destroy": _destroy,
    "add": _add,
    "remove": _remove,
    "set-url": _set,
    "set": _set,
    "list": _list,
}

"""``spack repo``: repositories of recipes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Callable

from spack import package_api_version
from spack.actions import repositories
from spack.actions.repositories import PINS, Row
from spack.cli.output import add_output_options, print_output
from spack.cli.render import message, table, warning
from spack.cli.scope_option import add_scope_argument, edited_section, scopes_of, writable_scopes
from spack.config.setting_types import RepoEntry
from spack.config.settings import load_settings
from spack.errors import RecipeError, SpackError, UsageError
from spack.host.platform import platform_name
from spack.repo.repository import Repository, is_namespace
from spack.session import Session

DESCRIPTION = """add, update, list and remove repositories of recipes

The first repository that has a package answers for it; what is added comes first. Repositories
from git are cloned when they are added, or when recipes are first needed.

examples:
  spack repo list
  spack repo add ~/my-recipes
  spack repo add URL                            clones it, below ~/.spack/package_repos
  spack repo add URL ~/clone --path repos/a     clones it there, and uses one repository inside
  spack repo update                             updates all clones
  spack repo update builtin --tag v2025.11.0
  spack repo remove my_recipes
  spack repo create ./my-recipes my_recipes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="list|add|set|update|remove|create")
    sub = verbs.add_parser("list", aliases=["ls"], help="list repositories, the first one wins")
    add_scope_argument(sub, "only what this scope says")
    form = sub.add_mutually_exclusive_group()
    form.add_argument("--names", action="store_true", help="only the names in the configuration")
    form.add_argument("--namespaces", action="store_true", help="only the namespaces")
    add_output_options(form)
    sub = verbs.add_parser("add", help="register a directory, or clone a git repository")
    sub.add_argument("path_or_repo", help="a directory, or the url of a git repository")
    sub.add_argument("destination", nargs="?", help="where to clone it")
    sub.add_argument("--name", help="its name in the configuration (its namespace)")
    _add_paths(sub)
    add_scope_argument(sub, "where to register it")
    _add_pins(sub)
    sub = verbs.add_parser("set", help="change where a git repository is, and what it has")
    sub.add_argument("name", metavar="namespace", help="its name in the configuration")
    sub.add_argument("--destination", help="where its clone is, or is to be")
    _add_paths(sub)
    add_scope_argument(sub, "where to write it")
    sub = verbs.add_parser("update", help="update clones")
    sub.add_argument("names", nargs="*", help="only these (all that come from git)")
    sub.add_argument("-r", "--remote", default="origin", help="the remote to ask (origin)")
    add_scope_argument(sub, "where to write a new branch, tag or commit")
    _add_pins(sub)
    sub = verbs.add_parser("remove", aliases=["rm"], help="forget a repository; its files stay")
    sub.add_argument("name", metavar="namespace_or_path", help="its name, namespace or directory")
    add_scope_argument(sub, "only from there")
    sub.add_argument("--all-scopes", action="store_true", help="from all scopes that have it")
    sub = verbs.add_parser("create", help="make an empty repository")
    sub.add_argument("path", metavar="directory", help="a directory")
    sub.add_argument("namespace", nargs="?", help="by default the directory's name")
    sub.add_argument("-d", "--subdirectory", default="packages", help="of recipes (packages)")


def _add_paths(parser: argparse.ArgumentParser) -> None:
    text = "a repository inside the clone, repeatable (what spack-repo-index.yaml lists)"
    parser.add_argument("--path", action="append", default=[], metavar="DIR", help=text)


def _add_pins(parser: argparse.ArgumentParser) -> None:
    pins = parser.add_mutually_exclusive_group()
    pins.add_argument("-b", "--branch", help="a branch to follow")
    pins.add_argument("-t", "--tag", help="a tag to stay at")
    pins.add_argument("-c", "--commit", help="a commit to stay at")


def run(session: Session, args: argparse.Namespace) -> int | None:
    verb = {"ls": "list", "rm": "remove"}.get(args.verb, args.verb)
    if verb is None:
        raise UsageError("spack repo: a subcommand is required", hint="see `spack repo --help`")
    return VERBS[verb](session, args)


# -- list --------------------------------------------------------------------------------------


def _list(session: Session, args: argparse.Namespace) -> None:
    entries = session.settings.repos
    if args.scope:
        scopes = scopes_of(session, args.scope)
        entries = load_settings(scopes, session.settings.variables, platform_name()).repos
    if args.names:
        print("".join(f"{entry.name}\n" for entry in entries), end="")
        return
    rows = repositories.rows(entries, session.repository_access)
    if args.namespaces:
        print("".join(f"{row.namespace}\n" for row in rows if row.namespace), end="")
    elif not print_output(args, lambda: [row._asdict() for row in rows]):
        print(table([_shown(row) for row in rows], indent=0))
        for row in rows:
            if row.problem:
                warning(f"{row.origin}: {row.problem}", session.options.color)


def _shown(row: Row) -> tuple[str, ...]:
    notes = [*filter(None, (row.git, row.ref, row.commit[:7]))]
    if row.state != "ready":
        notes.append(row.state)
    text = f"{row.path}  ({', '.join(notes)})" if notes else row.path
    return (row.namespace or row.name, f"v{row.api}" if row.api else "-", text)


# -- add, set, update --------------------------------------------------------------------------


def _add(session: Session, args: argparse.Namespace) -> None:
    pins = {pin: getattr(args, pin) for pin in PINS}
    if repositories.is_url(args.path_or_repo):
        location = _absolute(session, args.destination) if args.destination else None
        entry = RepoEntry(args.name or "", location, "", args.path_or_repo, paths=tuple(args.path))
        entry = entry._replace(**pins)
    elif args.destination or args.path or any(pins.values()):
        raise UsageError(
            f"{args.path_or_repo} is a directory: it has no destination, --path or --branch",
            hint="a git repository on this machine is written file:///…",
            ref="repo-directory",
        )
    else:
        entry = RepoEntry(args.name or "", _absolute(session, args.path_or_repo), "")
    with edited_section(session, "repos", args.scope) as file:
        name, found = repositories.add_repository(file, entry, session.repository_access)
    for repository in found:
        message(f"added the repository {repository.namespace} in {repository.root}")
    if [repository.namespace for repository in found] != [name]:
        message(f"its name in {file.path} is {name}")


def _set(session: Session, args: argparse.Namespace) -> None:
    before = _entry_of_git(session, args.name)
    after = before
    if args.destination:
        after = after._replace(path=_absolute(session, args.destination))
    if args.path:
        after = after._replace(paths=tuple(args.path))
    if after == before:
        raise UsageError(
            "spack repo set: what to change?", hint="give --destination, --path, or both"
        )
    with edited_section(session, "repos", args.scope) as file:
        repositories.change_entry(file, before, after)
    message(f"changed the repository {before.name} in {file.path}")


def _update(session: Session, args: argparse.Namespace) -> int | None:
    entries = [_entry_of_git(session, name) for name in args.names]
    pins = {pin: getattr(args, pin) for pin in PINS}
    if any(pins.values()):
        if len(entries) != 1:
            raise UsageError(
                "a branch, tag or commit is given to one repository",
                hint="name it: `spack repo update NAME --branch BRANCH`",
                ref="repo-name",
            )
        entry = entries[0]._replace(**pins)
        _update_clones(session, entry, args.remote)
        with edited_section(session, "repos", args.scope) as file:
            repositories.change_entry(file, entries[0], entry)
        return None
    if not entries:
        entries = [entry for entry in session.settings.repos if entry.git is not None]
        if not entries:
            message("no repository comes from git; update those in directories yourself")
    errors: list[SpackError] = []
    for entry in entries:
        try:
            _update_clones(session, entry, args.remote)
        except SpackError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        count = f"{len(errors)} of {len(entries)}"
        raise SpackError(f"{count} repositories could not be updated", causes=errors, ref="repo")
    return None


def _update_clones(session: Session, entry: RepoEntry, remote: str) -> None:
    done = repositories.update_repository(entry, session.repository_access, remote)
    after = done.after[:10]
    if not done.before:
        message(f"cloned {done.name} at {after} to {done.location}")
    elif done.before == done.after:
        message(f"{done.name} is up to date at {after}")
    else:
        message(f"updated {done.name} from {done.before[:10]} to {after}")


def _entry_of_git(session: Session, name: str) -> RepoEntry:
    entries = session.settings.repos
    found = [entry for entry in entries if entry.name == name]
    if not found:
        rows = repositories.rows(entries, session.repository_access)
        meant = {row.name for row in rows if row.namespace == name}
        found = [entry for entry in entries if entry.name in meant]
    if not found:
        raise _unknown(name, "the configuration")
    if found[0].git is None:
        raise UsageError(
            f"the repository {name} is the directory {found[0].path}, not a clone of git",
            hint="update it yourself",
            ref="repo-not-git",
        )
    return found[0]


# -- remove, create ----------------------------------------------------------------------------


def _remove(session: Session, args: argparse.Namespace) -> None:
    access = session.repository_access
    path = _absolute(session, args.name)
    try:
        path = Repository.open(path).root
    except RecipeError:
        pass  # a name, or a directory that is missing
    rows = repositories.rows(session.settings.repos, access)
    names = [row.name for row in rows if args.name in (row.name, row.namespace)]
    names += [row.name for row in rows if row.path == str(path)]
    name = next(iter(names), args.name)
    removed = False
    for scope in [args.scope] if args.scope else writable_scopes(session):
        with edited_section(session, "repos", scope) as file:
            for item in repositories.remove_entry(file, name, path):
                message(f"removed the repository {item} from {file.path}; its files stay")
                removed = True
        if removed and not args.all_scopes:
            return
    if not removed:
        raise _unknown(args.name, args.scope or "the files that this command changes")


def _create(session: Session, args: argparse.Namespace) -> None:
    path = _absolute(session, args.path)
    name = args.namespace or path.name.replace("-", "_")
    if not is_namespace(name):
        raise UsageError(
            f"{name!r} cannot be a namespace",
            hint="it is a Python name, such as my_recipes, or several with dots between them",
            ref="repo-namespace",
        )
    if not args.subdirectory.isidentifier():
        raise UsageError(
            f"{args.subdirectory!r} cannot be the directory of recipes",
            hint="recipes are imported from it: it must be a Python name",
            ref="repo-namespace",
        )
    root = path.joinpath("spack_repo", *name.split("."))
    if (root / "repo.yaml").exists() or (path / "repo.yaml").exists():
        raise UsageError(
            f"{path} is a repository already",
            hint=f"register it with `spack repo add {path}`",
            ref="repo-exists",
        )
    (root / args.subdirectory).mkdir(parents=True, exist_ok=True)
    lines = ["repo:", f"  namespace: {name}"]
    if args.subdirectory != "packages":
        lines.append(f"  subdirectory: {args.subdirectory}")
    lines.append(f"  api: v{'.'.join(map(str, package_api_version))}")
    (root / "repo.yaml").write_text("\n".join((*lines, "")), encoding="utf-8")
    message(f"created the repository {name}; register it with `spack repo add {root}`")


def _unknown(name: str, where: str) -> UsageError:
    return UsageError(
        f"there is no repository {name} in {where}",
        hint="`spack repo list` shows all; those of other scopes are removed in their files",
        ref="repo-unknown",
    )


def _absolute(session: Session, text: str) -> Path:
    return Path(os.path.abspath(session.cwd / os.path.expanduser(text)))


VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "list": _list,
    "add": _add,
    "set": _set,
    "update": _update,
    "remove": _remove,
    "create": _create,
}

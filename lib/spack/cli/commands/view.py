"""``spack view``: make views of packages; what a view holds and whether it is right."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Callable

from spack.cli.output import add_output_options, print_output
from spack.cli.render import Colors, message, use_color
from spack.cli.view_packages import add_package_options, add_package_verbs, run_package_verb
from spack.errors import UsageError
from spack.session import Session
from spack.util.text import count_of, size_text
from spack.view import inspect
from spack.view.plan_types import OWN, FileOwner
from spack.view.user_distributions import UserDistribution
from spack.view.verify import VerificationResult
from spack.view.view_manifest import is_view

DESCRIPTION = """make views of packages; ask a view what it holds and whether it is right

DIR is any directory; what spack did not put there stays in it. VIEW is a directory, a view of the
active environment by its name, or an environment. Without it: the view of the active environment,
else the active one ($VIRTUAL_ENV), else the one that the current directory is in. Everything is
answered from the view's own records; no Python of the view is run, so that it works when the
interpreter or the store is missing.

examples:
  spack -e work view make ./tools       show an environment, also of one that Spack has installed
  spack view symlink ./tools py-black   show it and what it needs in ./tools
  spack view remove ./tools py-black    and no more
  spack view status                     packages, Python, and what is wrong
  spack view which black                which package a program, file or module comes from
  spack view verify                     missing, modified and unmanaged files; exit 1 if broken
  spack view sizes                      packages by what they take, largest first
  spack view conflicts                  files that several packages provide, and whose is shown
"""

_VERBS_HELP = {
    "status": "what the view shows, and how it is",
    "which": "which package a path, program or module comes from",
    "verify": "compare the view with what was made; exit code 1 if anything is broken",
    "sizes": "how much of the view each package takes",
    "conflicts": "files that several packages, or you and a package, provide",
}

#: Lines that are shown of a long list.
_SHOWN = 20

_REASONS = {
    "same": "the same content",
    "chosen": "different content, the configuration says whose is shown",
    "namespace": "each only declares a namespace package",
    "generated": "an index or byte-code, any will do",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_package_options(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    add_package_verbs(verbs)
    for verb, text in _VERBS_HELP.items():
        sub = verbs.add_parser(verb, help=text, description=text)
        add_output_options(sub.add_mutually_exclusive_group())
        if verb == "which":
            sub.add_argument("--view", metavar="VIEW", help="directory, view or environment")
            sub.add_argument("names", metavar="NAME", nargs="+", help="path, program or module")
        else:
            sub.add_argument("view", metavar="VIEW", nargs="?", help="directory, view, environment")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError("spack view: a subcommand is required", hint="see `spack view --help`")
    if args.verb not in _VERBS:
        return run_package_verb(session, args)
    return _VERBS[args.verb](session, args, find_view(session, args.view))


def find_view(session: Session, text: str | None) -> str:
    """Return the directory of the view that *text* means; see :data:`DESCRIPTION`.

    :raises UsageError: there is none.
    """
    if text is not None:
        path = os.path.abspath(session.cwd / text)
        if is_view(path):
            return path
        if session.environment is not None:
            for view in session.environment.views(session.variables):
                if view.name == text:
                    return view.root
        environment = session.find_environment(text)
        default = environment.default_view(session.variables)
        if default is not None:
            return default.root
        raise UsageError(f"the environment {environment.name} has no default view", ref="no-view")
    if session.environment is not None:
        default = session.environment.default_view(session.variables)
        if default is not None:
            return default.root
    active = session.environ.get("VIRTUAL_ENV", "")
    found = active if active and is_view(active) else inspect.enclosing_view(str(session.cwd))
    if not found:
        raise UsageError(
            "no view is named or active, and this directory is in none",
            hint="spack view VERB DIRECTORY, or spack -e ENV view VERB",
            ref="no-view",
        )
    return found


def show_sizes(session: Session, args: argparse.Namespace, root: str) -> None:
    """Print what each package of a view takes."""
    rows = inspect.sizes(root)
    total = sum(size for _, _, size in rows)
    if print_output(
        args,
        lambda: {
            "view": root,
            "size": total,
            "packages": [
                {**owner._asdict(), "entries": count, "size": size} for owner, count, size in rows
            ],
        },
    ):
        return
    entries = sum(count for _, count, _ in rows)
    message(f"the view {root}: {size_text(total)} in {count_of(entries, 'file')}")
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    for owner, _, size in rows:
        share = size / total if total else 0
        bar = paint("#" * round(20 * share), "good")
        print(f"    {size_text(size):>8}  {share:4.0%}  {_label(owner)}{f'  {bar}' if bar else ''}")


def _status(session: Session, args: argparse.Namespace, root: str) -> int | None:
    status = inspect.status(root)
    state = status.state
    if print_output(
        args,
        lambda: {
            "view": root,
            "link_type": status.link_type,
            "python": status.python,
            "interpreter_there": status.interpreter_there,
            "packages": [{**owner._asdict(), "entries": n} for owner, n in status.packages],
            "gone": [owner.name for owner in status.missing_owners],
            "entries": status.entries,
            "missing": len(state.missing),
            "altered": len(state.modified),
            "dangling": len(status.dangling),
            "foreign": len(state.extra),
            "distributions": [_plain(x) for x in status.unmanaged],
            "limits": status.limits,
        },
    ):
        return None
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    message(f"the view {root}")
    if status.python is not None:
        there = "" if status.interpreter_there else paint("  is missing", "bad")
        print(f"    Python    {status.python['version']}, {status.python['executable']}{there}")
    print(f"    entries   {status.entries} in {status.folders} folders, by {status.link_type}")
    print(f"    packages  {len(status.packages)}")
    width = max((len(str(count)) for _, count in status.packages), default=0)
    for owner, count in status.packages:
        missing_owners = (
            paint("  its prefix is missing", "bad") if owner in status.missing_owners else ""
        )
        print(f"        {count:{width}}  {_label(owner)}{missing_owners}")
    for distribution in status.unmanaged:
        print(f"    unmanaged {_describe(distribution)}")
    for limit in status.limits:
        print(f"    {paint('limited', 'bad')}   {limit}")
    if state.whole and not status.dangling:
        what = "intact" if status.limits else "whole "
        print(f"    {what}    everything is there as it was made")
    else:
        broken = _counts(state, status.dangling)
        print(f"    {paint('broken', 'bad')}    {broken}: see `spack view verify`")
    return None


def _which(session: Session, args: argparse.Namespace, root: str) -> int | None:
    manifest = inspect.need_manifest(root)
    found = {name: inspect.find_path(root, manifest, name, str(session.cwd)) for name in args.names}
    hits = [one for ones in found.values() for one in ones]
    unknown = [name for name, ones in found.items() if not ones]
    if not print_output(args, lambda: [_hit(one) for one in hits]):
        for one in hits:
            print(f"{one.path}: {_origin(one)}")
    for name in unknown:
        message(f"{name} is not in the view {root}", sys.stderr)
    return 1 if unknown else None


def _hit(found: inspect.Found) -> dict[str, Any]:
    return {
        "path": found.path,
        "package": None if found.owner is None else found.owner._asdict(),
        "how": None if found.item is None else found.item.how,
        "others": [owner._asdict() for owner in found.others],
        "distribution": found.distribution and _plain(found.distribution),
    }


def _origin(found: inspect.Found) -> str:
    if found.owner is not None:
        text = _label(found.owner)
        if found.item is not None:
            text += " (rewritten)" if found.item.how == "text" else f" ({found.item.how})"
        return text + "".join(f", also {_label(owner)}" for owner in found.others)
    if found.item is not None:
        return "the virtual environment itself"
    if found.distribution is not None:
        return f"unmanaged, of {_describe(found.distribution)}"
    return "unmanaged: no package of the view has it"


def _verify(session: Session, args: argparse.Namespace, root: str) -> int | None:
    manifest, state, distributions = inspect.verify(root)
    dangling = inspect.dangling(manifest, state)
    if print_output(
        args,
        lambda: {
            "view": root,
            "missing": state.missing,
            "altered": state.modified,
            "dangling": dangling,
            "foreign": state.extra,
            "distributions": [_plain(x) for x in distributions],
        },
    ):
        return 1 if dangling or not state.whole else None
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    found = (("missing", state.missing), ("modified", state.modified), ("dangling", dangling))
    for word, paths in found:
        for path in paths[:_SHOWN]:
            owner = manifest.owner(path)
            print(f"{paint(word, 'bad')}  {path}{'' if owner is None else f'  ({_label(owner)})'}")
        _more(paths)
    covered = {path for x in distributions for path in x.files}
    for distribution in distributions:
        print(f"unmanaged {_describe(distribution)}, {len(distribution.files)} files")
    rest = [x for x in state.extra if x not in covered and not x.endswith("/")]
    for path in rest[:_SHOWN]:
        print(f"unmanaged {path}")
    _more(rest)
    if state.whole and not dangling:
        message(f"{len(manifest.items)} entries checked: all as they were made")
        return None
    cure = "`spack env view regenerate` makes them right"
    if dangling:
        cure = "`spack install` installs again what is missing in the store"
    if any(manifest.items[path].owner == OWN for path in dangling):
        cure = "its Python is missing: `spack concretize --force` and `spack install` use another"
    message(f"{len(manifest.items)} entries checked: {_counts(state, dangling)}; {cure}")
    return 1


def _conflicts(session: Session, args: argparse.Namespace, root: str) -> int | None:
    manifest, _, distributions = inspect.verify(root)
    claims = inspect.claims(manifest)
    shadowing = [x for x in distributions if x.shadows]
    if print_output(
        args,
        lambda: {
            "shared": [
                {
                    "path": claim.path,
                    "reason": claim.reason,
                    "shown": claim.shown._asdict(),
                    "others": [owner._asdict() for owner in claim.others],
                }
                for claim in claims
            ],
            "shadowing": [_plain(x) for x in shadowing],
        },
    ):
        return None
    for claim in claims:
        also = ", ".join(map(_label, claim.others))
        print(f"{claim.path}: {_label(claim.shown)}, also in {also} ({_REASONS[claim.reason]})")
    for distribution in shadowing:
        print(_describe(distribution))
    if not claims and not shadowing:
        message("every file of the view comes from one package")
    return None


def _describe(distribution: UserDistribution) -> str:
    return distribution.label + (f", over {distribution.package}" if distribution.shadows else "")


def _counts(state: VerificationResult, dangling: Sequence[str]) -> str:
    text = f"{len(state.missing)} missing, {len(state.modified)} modified"
    return f"{text}, {len(dangling)} dangling" if dangling else text


def _more(paths: Sequence[str]) -> None:
    if len(paths) > _SHOWN:
        print(f"         … and {len(paths) - _SHOWN} more")


def _label(owner: FileOwner) -> str:
    return f"{owner.name}@{owner.version}/{owner.hash[:7]}"


def _plain(distribution: UserDistribution) -> dict[str, Any]:
    files = {"files": sorted(distribution.files), "removed": sorted(distribution.removed)}
    return {**distribution._asdict(), **files}


_VERBS: dict[str, Callable[[Session, argparse.Namespace, str], int | None]] = {
    "status": _status,
    "which": _which,
    "verify": _verify,
    "sizes": show_sizes,
    "conflicts": _conflicts,
}

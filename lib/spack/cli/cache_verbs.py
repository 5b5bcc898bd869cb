"""The subcommands of ``spack buildcache`` that look at caches and keep them in order."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.cli.commands.spec import (
    add_concretizer_arguments,
    concretize_arguments,
    concretize_options,
)
from spack.cli.output import add_output_options, print_output
from spack.cli.render import Colors, columns, message, table, terminal_width, use_color
from spack.cli.scope_option import add_scope_argument, scopes_of
from spack.cli.spec_text import node_text
from spack.errors import UsageError
from spack.session import Session
from spack.spec import RUN_TIME, ConcreteSpec
from spack.spec.parser import parse_many
from spack.util.text import count_of

if TYPE_CHECKING:
    from spack.actions.buildcache import ShownBinary
    from spack.actions.cache_upkeep import IndexProblem, ViewMode
    from spack.binary.binary_cache import BinaryCache
    from spack.binary.signatures import Trust

__all__ = ["CACHE", "VERBS", "add_verbs", "need_caches"]

CACHE = "a mirror's name, a directory or a URL"


def add_verbs(verbs: Any) -> None:
    """Add all subcommands but ``push`` and ``install``."""
    keys = verbs.add_parser("keys", help="list, make and trust keys that sign binaries")
    keys.add_argument("--create", nargs="?", const="", metavar="COMMENT", help="make your key")
    keys.add_argument("--add", metavar="FILE", help="trust the public key in a file")
    keys.add_argument("-i", "--install", action="store_true", help="trust the keys of the caches")
    keys.add_argument("-t", "--trust", action="store_true", help="the same")
    keys.add_argument("-f", "--force", action="store_true", help="fetch them again (always so)")

    shown = verbs.add_parser("list", help="list the packages of the configured caches")
    shown.add_argument("-l", "--long", action="store_true", help="with short hashes")
    shown.add_argument("-L", "--very-long", action="store_true", help="with hashes")
    shown.add_argument("-N", "--namespaces", action="store_true", help="with namespaces")
    shown.add_argument("-v", "--variants", action="store_true", help="with variants")
    shown.add_argument("-a", "--allarch", action="store_true", help="of all architectures")
    shown.add_argument("spec", nargs="*", help="only what satisfies one of these")

    show = verbs.add_parser(
        "show", help="show what the caches have of a package, and how it was made"
    )
    add_output_options(show.add_mutually_exclusive_group())
    show.add_argument("spec", nargs="+", help="packages")

    _add_upkeep(verbs)
    _add_index(verbs)
    _add_exports(verbs)


def _add_upkeep(verbs: Any) -> None:
    check = verbs.add_parser("check", help="list what the caches lack of packages")
    check.add_argument("-m", "--mirror-url", metavar="MIRROR", help="only this cache")
    check.add_argument("-o", "--output-file", metavar="FILE", help="write the hashes there")
    add_concretizer_arguments(check)
    add_scope_argument(check, "only the mirrors of this scope")
    check.add_argument("spec", nargs="*", help="packages; of the environment without")

    index = verbs.add_parser("check-index", help="examine all packages in the index of a cache")
    index.add_argument(
        "--verify",
        nargs="+",
        choices=("exists", "manifests", "blobs", "all"),
        default=["exists"],
        help="archives are there (default), signatures, contents",
    )
    index.add_argument("-n", "--name", help="of this index view")
    index.add_argument("-o", "--output", metavar="FILE", help="write what is wrong there, as JSON")
    index.add_argument("mirror", help=CACHE)

    sync = verbs.add_parser(
        "sync", help="copy what one cache has to another; in an environment, its packages only"
    )
    sync.add_argument("source", help=CACHE)
    sync.add_argument("target", help=CACHE)

    prune = verbs.add_parser("prune", help="remove what nothing in a cache names any more")
    prune.add_argument(
        "-k", "--keeplist", metavar="FILE", help="keep only packages of these hashes"
    )
    prune.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    prune.add_argument("mirror", help=CACHE)


def _add_index(verbs: Any) -> None:
    update = verbs.add_parser(
        "update-index",
        aliases=["rebuild-index"],
        help="make the index again, and the one that Spack reads; or one of environments alone",
    )
    update.add_argument("-n", "--name", help="the index view of environments, to make or change")
    mode = update.add_mutually_exclusive_group()
    mode.add_argument("-a", "--append", action="store_true", help="add to that view")
    mode.add_argument("-f", "--force", action="store_true", help="replace that view")
    update.add_argument("-k", "--keys", action="store_true", help="offer your public key, too")
    update.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask (never does)")
    update.add_argument("mirror", help=CACHE)
    update.add_argument("sources", nargs="*", help="environments; the active one without")


def _add_exports(verbs: Any) -> None:
    migrate = verbs.add_parser("migrate", help="write a cache of layout version 2 as version 3")
    migrate.add_argument(
        "-u", "--unsigned", action="store_true", help="verify and make no signatures"
    )
    migrate.add_argument(
        "-d", "--delete-existing", action="store_true", help="remove what version 2 has"
    )
    migrate.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask (never does)")
    migrate.add_argument("mirror", help=CACHE)

    download = verbs.add_parser("download", help="write the archive of a package to a directory")
    download.add_argument("-s", "--spec", required=True, help="the package, as it is concretized")
    download.add_argument("-p", "--path", required=True, metavar="DIR", help="where to")
    add_concretizer_arguments(download)

    save = verbs.add_parser("save-specfile", help="write spec files of what a package needs")
    save.add_argument("--root-spec", required=True, metavar="SPEC", help="the package")
    save.add_argument("-s", "--specs", required=True, help="which of its nodes")
    save.add_argument("--specfile-dir", required=True, metavar="DIR", help="where to")
    add_concretizer_arguments(save)


def _keys(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.buildcache import known_keys, trust_keys
    from spack.session.binary_parts import configured_caches, key_ring

    ring = key_ring(session)
    if args.create is not None:
        key = ring.create(args.create or session.environ.get("USER") or "spack")
        message(f"made a key in {ring.folder}; its public part is", sys.stdout)
        print(key)
        return None
    if args.add:
        trusted = ring.trust([ring.read(session.cwd / args.add)])
        message(f"trusted {count_of(len(trusted), 'new key')}")
        return None
    caches = configured_caches(session)
    if args.install or args.trust:
        for name, what in trust_keys(caches, ring):
            message(f"trusted {what} of the cache {name}")
        return None
    rows = [(key.state, key.origin, key.text) for key in known_keys(caches, ring)]
    print(table(rows, indent=0)) if rows else message("there are no keys", sys.stdout)
    return None


def _update_index(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_upkeep import rebuild_index
    from spack.session.binary_parts import named_cache

    cache = named_cache(session, args.mirror, push=True, view=args.name)
    if args.keys:
        cache.trust.publish(cache.storage)
    if cache.view:
        return _update_view(session, args, cache)
    if args.sources or args.append:
        raise UsageError(
            "spack buildcache update-index: an index of environments needs a name",
            hint="--name NAME; a mirror with `view: NAME` reads it",
        )
    count, problems = rebuild_index(cache)
    cache.write_spack_index()
    message(f"the index of {cache.storage.url} lists {count_of(count, 'package')}")
    return _report_problems(problems)


def _update_view(session: Session, args: argparse.Namespace, cache: BinaryCache) -> int | None:
    from spack.actions.cache_upkeep import write_index_view
    from spack.session.binary_parts import named_cache

    if args.sources:
        environments = [session.find_environment(name) for name in args.sources]
    else:
        environments = [session.need_environment("buildcache update-index --name")]
    hashes = frozenset(
        node.dag_hash()
        for environment in environments
        for root in environment.roots()
        for node in root.traverse()
        if node.external is None
    )
    whole = named_cache(session, args.mirror, push=True, view="")
    mode: ViewMode = "append" if args.append else "replace" if args.force else "create"
    count, lacking = write_index_view(whole, cache, hashes, mode)
    what = f"the index view {cache.view} of {cache.storage.url}"
    message(f"{what} lists {count_of(count, 'package')}")
    if lacking:
        message(f"{count_of(lacking, 'package')} of the environments are not in the cache")
    return None


def _check(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_upkeep import missing_nodes
    from spack.session.binary_parts import caches_of, named_cache

    if args.mirror_url:
        caches: Sequence[BinaryCache] = [named_cache(session, args.mirror_url, push=False)]
    elif args.scope:
        caches = caches_of(session, scopes_of(session, args.scope))
    else:
        caches = need_caches(session)
    roots = concretize_arguments(session, args)
    missing = missing_nodes(caches, [node for root in roots for node in root.traverse(RUN_TIME)])
    lines = [f"{node.short} is in no cache" for node in missing]
    if args.output_file:
        text = "".join(f"{node.dag_hash()}\n" for node in missing)
        (session.cwd / args.output_file).write_text(text, encoding="utf-8")
    print("\n".join(lines)) if lines else message("the caches have all of it", sys.stdout)
    return 1 if missing else 0


def _check_index(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_upkeep import check_index
    from spack.session.binary_parts import named_cache

    depth = {"exists", "manifests", "blobs"} if "all" in args.verify else set(args.verify)
    cache = named_cache(session, args.mirror, push=False, view=args.name)
    count, problems = check_index(cache, depth)
    if args.output:
        rows = [{"package": x.package, "problem": x.error.message} for x in problems]
        text = json.dumps({"examined": count, "problems": rows}, indent=1) + "\n"
        (session.cwd / args.output).write_text(text, encoding="utf-8")
    message(f"{count_of(count, 'package')} examined, {len(problems)} with problems", sys.stdout)
    return _report_problems(problems)


def _report_problems(problems: Sequence[IndexProblem]) -> int:
    for problem in problems:
        print(f"{problem.package}: {problem.error.message}")
    return 1 if problems else 0


def _sync(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_upkeep import sync
    from spack.session.binary_parts import named_cache

    source = named_cache(session, args.source, push=False)
    target = named_cache(session, args.target, push=True)
    environment = session.environment
    report = sync(source, target, None if environment is None else environment.hashes())
    message(
        f"copied {count_of(len(report.copied), 'package')} to {target.storage.url}, "
        f"{report.present} were there",
        sys.stdout,
    )
    return _report_problems(report.problems)


def _prune(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_upkeep import prune
    from spack.session.binary_parts import named_cache

    keep = None
    if args.keeplist:
        try:
            text = (session.cwd / args.keeplist).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"cannot read the list of hashes {args.keeplist}: {error}", hint="one hash a line"
            ) from error
        keep = set(text.split())
    cache = named_cache(session, args.mirror, push=True)
    report = prune(cache, keep, dry_run=args.dry_run)
    verb = "would remove" if args.dry_run else "removed"
    for name in (*report.packages, *report.files) if args.dry_run else ():
        print(name)
    message(
        f"{verb} {count_of(len(report.packages), 'package')} and "
        f"{count_of(len(report.files), 'blob')}",
        sys.stdout,
    )
    return None


def need_caches(session: Session, trust: Trust | None = None) -> list[BinaryCache]:
    """Return the configured caches.

    :raises UsageError: there are none.
    """
    from spack.session.binary_parts import configured_caches

    caches = configured_caches(session, trust)
    if not caches:
        raise UsageError(
            "no caches of binaries are configured",
            hint="spack mirror add --type binary NAME DIR-OR-URL",
            ref="no-caches",
        )
    return caches


def _list(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.buildcache import listed

    constraints = parse_many(args.spec)
    host = (session.host.platform, session.host.os)
    specs = [
        spec
        for spec in listed(need_caches(session))
        if (args.allarch or (spec.platform, spec.os) == host)
        and (not constraints or any(spec.satisfies(x) for x in constraints))
    ]
    colors = Colors(use_color(sys.stdout, session.options.color))
    for architecture, group in groupby(specs, key=lambda x: (x.platform, x.os, x.target)):
        title = "-".join(architecture)
        print(colors.paint(f"-- {title} " + "-" * max(4, 60 - len(title)), "dim"))
        lines = [_line(spec, args, colors) for spec in group]
        wide = args.long or args.very_long or args.variants or colors.enabled
        text = "\n".join(lines) if wide else columns(lines, terminal_width(session.environ))
        print(text)
    message(f"{count_of(len(specs), 'cached package')}")
    return None


def _line(spec: ConcreteSpec, args: argparse.Namespace, colors: Colors) -> str:
    digest = spec.dag_hash() if args.very_long else spec.dag_hash()[:7]
    hashes = [colors.paint(digest, "hash")] if args.long or args.very_long else []
    text = node_text(
        spec,
        colors.paint,
        namespaces=args.namespaces,
        variants=args.variants,
        architecture=False,
    )
    return " ".join([*hashes, text])


def _show(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.buildcache import shown_binaries

    caches = need_caches(session)
    found = [row for spec in parse_many(args.spec) for row in shown_binaries(caches, spec)]
    if not found:
        raise UsageError(
            f"no cache has {' '.join(args.spec)}",
            hint="`spack buildcache list --allarch` shows what they have",
            ref="not-cached",
        )
    if not print_output(args, lambda: [_binary_data(row) for row in found]):
        for row in found:
            print(_binary_text(row))
    return None


def _binary_data(row: ShownBinary) -> dict[str, Any]:
    archive = row.archive
    return {
        "spec": row.spec.short,
        "hash": row.spec.dag_hash(),
        "cache": row.cache,
        "size": None if archive is None else archive.size,
        "sha256": None if archive is None else archive.digest,
        "problem": row.problem or None,
        "provenance": row.provenance,
    }


def _binary_text(row: ShownBinary) -> str:
    lines = [f"{row.spec.name}@{row.spec.version}/{row.spec.dag_hash()}", f"  cache: {row.cache}"]
    if row.archive is None:
        return "\n".join([*lines, f"  not trusted: {row.problem}"])
    lines.append(f"  archive: {row.archive.size} bytes, sha256 {row.archive.digest}")
    if row.provenance is None:
        return "\n".join([*lines, "  provenance: none"])
    predicate = row.provenance["predicate"]
    definition, details = predicate["buildDefinition"], predicate["runDetails"]
    held = definition.get("internalParameters", {})
    builder = details["builder"]
    lines += [
        f"  built: {details.get('metadata', {}).get('finishedOn', 'at an unknown time')} "
        f"by {builder['id']}",
        *(f"  from: {_material(x)}" for x in definition.get("resolvedDependencies", ())),
        *(f"  protected by: {x}" for x in held.get("protected", ())),
        *(f"  not protected by: {x}" for x in held.get("unprotected", ())),
    ]
    return "\n".join(lines)


def _material(row: dict[str, Any]) -> str:
    digests = ", ".join(f"{kind} {text}" for kind, text in row.get("digest", {}).items())
    return f"{row['name']} ({digests})" if digests else str(row["name"])


def _migrate(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_migration import migrate
    from spack.binary.signatures import NoSignatures
    from spack.session.binary_parts import named_cache

    trust = NoSignatures() if args.unsigned else None
    source = named_cache(session, args.mirror, push=False, trust=trust)
    target = named_cache(session, args.mirror, push=True, trust=trust)
    done = migrate(source, target, delete=args.delete_existing)
    message(
        f"wrote {count_of(done.written, 'package')} in layout version 3, {done.present} were there",
        sys.stdout,
    )
    return _report_problems(done.problems)


def _download(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_exports import download

    spec = _one_concrete(session, args, args.spec)
    for path in download(need_caches(session), spec, _directory(session, args.path)):
        print(path)
    return None


def _save_specfile(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_exports import save_spec_files

    root = _one_concrete(session, args, args.root_spec)
    wanted = parse_many(args.specs.replace(",", " "))
    for path in save_spec_files(root, wanted, _directory(session, args.specfile_dir)):
        print(path)
    return None


def _one_concrete(session: Session, args: argparse.Namespace, text: str) -> ConcreteSpec:
    """Return what the one spec in *text* becomes.

    :raises UsageError: there is none, or more than one.
    """
    specs = parse_many(text)
    if len(specs) != 1:
        raise UsageError(
            f"spack buildcache {args.verb}: {len(specs)} packages are named, not one",
            hint="name one package",
        )
    return session.concretize(specs, concretize_options(args)).roots[0]


def _directory(session: Session, text: str) -> Path:
    return Path(session.cwd, Path(text).expanduser())


#: By their names; each is given the session and the arguments.
VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "check": _check,
    "check-index": _check_index,
    "download": _download,
    "keys": _keys,
    "list": _list,
    "migrate": _migrate,
    "prune": _prune,
    "save-specfile": _save_specfile,
    "show": _show,
    "sync": _sync,
    "update-index": _update_index,
}

"""``spack buildcache``: caches of binaries."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.cli.commands.spec import add_concretizer_arguments, concretize_arguments
from spack.cli.render import Colors, columns, message, table, terminal_width, use_color
from spack.cli.spec_text import node_text
from spack.errors import UsageError
from spack.session import Session
from spack.spec import RUN_TIME, ConcreteSpec
from spack.spec.parser import parse_many
from spack.util.text import count_of

if TYPE_CHECKING:
    from spack.actions.cache_upkeep import IndexProblem
    from spack.binary.binary_cache import BinaryCache
    from spack.binary.signatures import Trust

REPORTS = True

_CACHE = "a mirror's name, a directory or a URL"
DESCRIPTION = """push installed packages to caches of binaries, and install from them

A cache is a mirror of the type binary, a directory or a URL. Its layout is Spack's. A package that
was pushed is installed under any prefix: the paths in it are changed to those of this machine.
`spack mirror add --type binary site ./cache` makes installs look there; with
`spack install --cache-only` nothing is built.

examples:
  spack buildcache push ./cache py-black          py-black and what it needs at run time
  spack -e work buildcache push ./cache           all of an environment
  spack buildcache list -l
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(
        dest="verb", metavar="push|install|list|check|keys|sync|prune|update-index"
    )
    _add_push(verbs.add_parser("push", aliases=["create"], help="push installed packages"))

    install = verbs.add_parser("install", help="install packages from caches; nothing is built")
    install.add_argument("-f", "--force", action="store_true", help="install them again")
    install.add_argument("-m", "--multiple", action="store_true", help="all that match")
    install.add_argument("-u", "--unsigned", action="store_true", help="also without signatures")
    install.add_argument(
        "-o", "--otherarch", action="store_true", help="also of other architectures and systems"
    )
    install.add_argument("spec", nargs="+", help="packages")

    keys = verbs.add_parser("keys", help="list, make and trust keys that sign binaries")
    keys.add_argument("--create", nargs="?", const="", metavar="COMMENT", help="make your key")
    keys.add_argument("--add", metavar="FILE", help="trust the public key in a file")
    keys.add_argument("-i", "--install", action="store_true", help="trust the keys of the caches")
    keys.add_argument("-t", "--trust", action="store_true", help="the same")
    keys.add_argument("-f", "--force", action="store_true", help="fetch them again (always so)")

    update = verbs.add_parser(
        "update-index",
        aliases=["rebuild-index"],
        help="make the index again, and the one that Spack reads",
    )
    update.add_argument("mirror", help=_CACHE)
    _add_upkeep(verbs)

    shown = verbs.add_parser("list", help="list the packages of the configured caches")
    shown.add_argument("-l", "--long", action="store_true", help="with short hashes")
    shown.add_argument("-L", "--very-long", action="store_true", help="with hashes")
    shown.add_argument("-v", "--variants", action="store_true", help="with variants")
    shown.add_argument("-a", "--allarch", action="store_true", help="of all architectures")
    shown.add_argument("spec", nargs="*", help="only what satisfies one of these")


def _add_upkeep(verbs: Any) -> None:
    check = verbs.add_parser("check", help="list what the caches lack of packages")
    check.add_argument("-m", "--mirror-url", metavar="MIRROR", help="only this cache")
    check.add_argument("-o", "--output-file", metavar="FILE", help="write the hashes there")
    add_concretizer_arguments(check)
    check.add_argument("spec", nargs="*", help="packages; of the environment without")

    index = verbs.add_parser("check-index", help="examine all packages in the index of a cache")
    index.add_argument(
        "--verify",
        nargs="+",
        choices=("exists", "manifests", "blobs", "all"),
        default=["exists"],
        help="archives are there (default), signatures, contents",
    )
    index.add_argument("mirror", help=_CACHE)

    sync = verbs.add_parser("sync", help="copy what one cache has to another")
    sync.add_argument("source", help=_CACHE)
    sync.add_argument("target", help=_CACHE)

    prune = verbs.add_parser("prune", help="remove what nothing in a cache names any more")
    prune.add_argument(
        "-k", "--keeplist", metavar="FILE", help="keep only packages of these hashes"
    )
    prune.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    prune.add_argument("mirror", help=_CACHE)


def _add_push(push: argparse.ArgumentParser) -> None:
    push.add_argument("-f", "--force", action="store_true", help="replace what the cache has")
    sign = push.add_mutually_exclusive_group()
    sign.add_argument("-u", "--unsigned", action="store_true", help="do not sign manifests")
    sign.add_argument("--signed", action="store_true", help="sign them (the mirror's default)")
    sign.add_argument("-k", "--key", metavar="KEY", help="sign them with this key of gpg")
    push.add_argument(
        "--only",
        choices=("package", "dependencies"),
        help="only the packages themselves, or only what they need",
    )
    push.add_argument(
        "--update-index",
        "--rebuild-index",
        action="store_true",
        help="write the index that Spack reads, too",
    )
    push.add_argument(
        "--with-build-dependencies", action="store_true", help="push what builds need, too"
    )
    push.add_argument(
        "--without-build-dependencies", action="store_true", help="leave it out (the default)"
    )
    push.add_argument("-j", "--jobs", type=int, help="threads that compress")
    push.add_argument(
        "--wheels",
        metavar="DIR",
        help="instead put the wheels that builds have kept into an index for pip and uv",
    )
    push.add_argument("mirror", nargs="?", help=_CACHE)
    push.add_argument("spec", nargs="*", help="installed packages; of the environment without")


def run(session: Session, args: argparse.Namespace) -> int | None:
    verb = _ALIASES.get(args.verb, args.verb)
    if verb is None:
        raise UsageError(
            "spack buildcache: a subcommand is required", hint="see `spack buildcache --help`"
        )
    return _VERBS[verb](session, args)


def _push(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.buildcache import push, pushed_nodes
    from spack.session.binary_parts import named_cache

    texts = [x for x in (args.mirror, *args.spec) if x] if args.wheels else args.spec
    if args.wheels is None and args.mirror is None:
        raise UsageError(
            "spack buildcache push: no cache is named",
            hint="spack buildcache push DIR-OR-MIRROR [SPEC ...]",
        )
    nodes = pushed_nodes(
        _installed(session, texts),
        package=args.only != "dependencies",
        dependencies=args.only != "package",
        build=args.with_build_dependencies,
    )
    if args.wheels is not None:
        return _push_wheels(session, nodes, args.wheels)
    cache = named_cache(session, args.mirror, push=True, trust=_signing(session, args))
    report = push(
        nodes,
        session.store,
        cache,
        session.reporter,
        force=args.force,
        jobs=args.jobs or session.settings.config.build_jobs,
    )
    message(
        f"pushed {count_of(len(report.pushed), 'package')} ({report.size / 1e6:.1f} MB) to "
        f"{cache.storage.url}, {len(report.present)} were there"
    )
    if args.update_index:
        cache.write_spack_index()
    report.raise_failures()
    return None


def _push_wheels(session: Session, nodes: Sequence[ConcreteSpec], target: str) -> int | None:
    from spack.actions.wheel_index import publish_wheels

    index = Path(os.path.abspath(session.cwd / os.path.expanduser(target)))
    kept = session.settings.fetch.source_cache / "wheels"
    wheels, missing = publish_wheels(nodes, kept, index)
    new = sum(wheel.new for wheel in wheels)
    message(f"{count_of(new, 'new wheel')} in {index}, {len(wheels) - new} were there")
    if missing:
        message(f"without a kept wheel: {', '.join(node.short for node in missing)}")
    return None


def _signing(session: Session, args: argparse.Namespace) -> Trust | None:
    """Return how the command line says that manifests are signed; None: as the mirror says."""
    from spack.binary.signatures import NoSignatures, TrustedKeys
    from spack.session.binary_parts import key_ring

    if args.unsigned:
        return NoSignatures()
    return TrustedKeys(key_ring(session), args.key) if args.signed or args.key else None


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

    cache = named_cache(session, args.mirror, push=True)
    count, problems = rebuild_index(cache)
    cache.write_spack_index()
    message(f"the index of {cache.storage.url} lists {count_of(count, 'package')}")
    return _report_problems(problems)


def _check(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.cache_upkeep import missing_nodes
    from spack.session.binary_parts import named_cache

    caches = (
        [named_cache(session, args.mirror_url, push=False)] if args.mirror_url else _caches(session)
    )
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
    cache = named_cache(session, args.mirror, push=False)
    count, problems = check_index(cache, depth)
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
    report = sync(source, target)
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


def _installed(session: Session, texts: Sequence[str]) -> list[ConcreteSpec]:
    """Return the installed nodes that *texts* mean, or the roots of the environment."""
    if not texts:
        environment = session.need_environment("buildcache push")
        return list(environment.roots())
    found: dict[str, ConcreteSpec] = {}
    database = session.store.database
    for spec in parse_many(texts):
        records = database.query(spec, external=False)
        if not records:
            raise UsageError(
                f"{spec} matches no installed package",
                hint="`spack find` lists what is installed",
                ref="not-installed",
            )
        found.update(database.specs(record.hash for record in records))
    return list(found.values())


def _install(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.binary_installs import CachePolicy
    from spack.actions.installing import install
    from spack.binary.signatures import NoSignatures
    from spack.cli.commands.install import install_options
    from spack.install.plan import PlanOptions
    from spack.session.binary_parts import cached_installs

    caches = _caches(session, NoSignatures() if args.unsigned else None)
    roots = _cached(caches, args.spec, several=args.multiple, runs=_runs_on(session, args))
    work = install_options(
        session, caches=cached_installs(session, CachePolicy("only", "only"), caches)
    )
    again = frozenset(root.dag_hash() for root in roots) if args.force else frozenset()
    install(roots, PlanOptions(overwrite=again), work)
    for root in roots:
        record = session.store.database.record(root.dag_hash())
        if record is not None:
            message(f"{record.short} is in {record.prefix}", color=session.options.color)
    return None


def _caches(session: Session, trust: Trust | None = None) -> list[BinaryCache]:
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


def _runs_on(session: Session, args: argparse.Namespace) -> Callable[[ConcreteSpec], bool]:
    """Return what decides whether a binary is for this machine; with --otherarch, all are."""
    host = session.host
    targets = frozenset(host.targets)

    def runs(spec: ConcreteSpec) -> bool:
        return (spec.platform, spec.os) == (host.platform, host.os) and spec.target in targets

    return (lambda spec: True) if args.otherarch else runs


def _cached(
    caches: Sequence[BinaryCache],
    texts: Sequence[str],
    *,
    several: bool,
    runs: Callable[[ConcreteSpec], bool],
) -> list[ConcreteSpec]:
    """Return the packages of *caches* that *texts* mean, one each unless *several*.

    :param runs: decides whether one is for this machine.
    :raises UsageError: there is none, or more than one.
    """
    from spack.actions.buildcache import matching

    found: dict[str, ConcreteSpec] = {}
    for spec in parse_many(texts):
        every = matching(caches, spec)
        matches = [x for x in every if runs(x)]
        if every and not matches:
            systems = sorted({f"{x.platform}-{x.os}-{x.target}" for x in every})
            raise UsageError(
                f"the binaries of {spec} are for other machines: {', '.join(systems)}",
                hint="--otherarch installs one all the same; `spack arch` shows this machine",
                ref="other-machine",
            )
        if not matches:
            raise UsageError(
                f"no cache has {spec}",
                hint="`spack buildcache list` shows what they have; without an index "
                "(`spack buildcache update-index`) only `spack install` finds packages",
                ref="not-cached",
            )
        if len(matches) > 1 and not several:
            names = ", ".join(f"{x.short}" for x in matches)
            raise UsageError(
                f"{spec} matches {len(matches)} packages: {names}",
                hint="name one by its hash, /HASH, or take all with --multiple",
                ref="several-cached",
            )
        found.update((x.dag_hash(), x) for x in matches)
    return list(found.values())


def _list(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.buildcache import listed

    constraints = parse_many(args.spec)
    host = (session.host.platform, session.host.os)
    specs = [
        spec
        for spec in listed(_caches(session))
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
    text = node_text(spec, colors.paint, variants=args.variants, architecture=False)
    return " ".join([*hashes, text])


_ALIASES = {"create": "push", "rebuild-index": "update-index"}

_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "push": _push,
    "install": _install,
    "check": _check,
    "check-index": _check_index,
    "keys": _keys,
    "list": _list,
    "prune": _prune,
    "sync": _sync,
    "update-index": _update_index,
}

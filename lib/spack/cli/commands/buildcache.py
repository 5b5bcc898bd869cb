"""``spack buildcache``: caches of binaries."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from spack.cli.cache_verbs import CACHE, VERBS, add_verbs, need_caches
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.spec import ConcreteSpec
from spack.spec.parser import parse_many
from spack.util.text import count_of

if TYPE_CHECKING:
    from spack.binary.binary_cache import BinaryCache
    from spack.binary.signatures import Trust

REPORTS = True

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
        dest="verb",
        metavar="push|install|list|show|check|keys|sync|prune|update-index|migrate|download",
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

    add_verbs(verbs)


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
    push.add_argument(
        "--fail-fast", action="store_true", help="stop at the first package that cannot be pushed"
    )
    push.add_argument(
        "--private",
        action="store_true",
        help="also what its recipe does not allow to be passed on (redistribute)",
    )
    push.add_argument("-j", "--jobs", type=int, help="threads that compress")
    push.add_argument(
        "--wheels",
        metavar="DIR",
        help="instead put the wheels that builds have kept into an index for pip and uv",
    )
    push.add_argument("mirror", nargs="?", help=CACHE)
    push.add_argument("spec", nargs="*", help="installed packages; of the environment without")


def run(session: Session, args: argparse.Namespace) -> int | None:
    verb = _ALIASES.get(args.verb, args.verb)
    if verb is None:
        raise UsageError(
            "spack buildcache: a subcommand is required", hint="see `spack buildcache --help`"
        )
    return _VERBS[verb](session, args)


def _push(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.buildcache import push, pushed_nodes, redistributable
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
    if not args.private:
        nodes, kept = redistributable(nodes, session.recipes)
        if kept:
            names = ", ".join(node.name for node in kept)
            message(f"left out, as their recipes do not allow to pass them on: {names}")
    cache = named_cache(session, args.mirror, push=True, trust=_signing(session, args))
    report = push(
        nodes,
        session.store,
        cache,
        session.reporter,
        force=args.force,
        fail_fast=args.fail_fast,
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

    caches = need_caches(session, NoSignatures() if args.unsigned else None)
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


_ALIASES = {"create": "push", "rebuild-index": "update-index"}

_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "push": _push,
    "install": _install,
    **VERBS,
}

"""``spack gpg``: the keys of GnuPG that sign binaries."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Callable

from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """keep the keys of GnuPG that sign binaries as Spack does

The key ring is ~/.spack/gpg, or $SPACK_GNUPGHOME. Keys of OpenSSH are simpler where real Spack
need not verify: `spack buildcache keys`.

examples:
  spack gpg create "Site builder" builder@example.org
  spack gpg publish -d ./cache
  spack gpg trust builder.pub
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(
        dest="verb", metavar="create|list|trust|untrust|export|publish|init|sign|verify"
    )
    create = verbs.add_parser("create", help="make a key")
    create.add_argument("--comment", default="", help="a comment of its user")
    create.add_argument("--expires", default="0", help="when it expires (never)")
    create.add_argument("--export", metavar="FILE", help="write its public part there")
    create.add_argument("--export-secret", metavar="FILE", help="write its secret part there")
    create.add_argument("name", help="of its user")
    create.add_argument("email", help="of its user")

    shown = verbs.add_parser("list", help="list the keys")
    shown.add_argument("--trusted", action="store_true", help="those whose binaries are taken")
    shown.add_argument("--signing", action="store_true", help="those that sign")

    trust = verbs.add_parser("trust", help="take binaries that the keys in a file have signed")
    trust.add_argument("keyfile", help="as gpg exports keys")

    untrust = verbs.add_parser("untrust", help="take them no more")
    untrust.add_argument("--signing", action="store_true", help="remove keys that sign, too")
    untrust.add_argument("keys", nargs="+", help="fingerprints or users")

    export = verbs.add_parser("export", help="write keys to a file")
    export.add_argument("--secret", action="store_true", help="their secret parts")
    export.add_argument("location", help="the file")
    export.add_argument("keys", nargs="*", help="fingerprints or users (all)")

    publish = verbs.add_parser("publish", help="offer keys to the readers of a cache")
    where = publish.add_mutually_exclusive_group(required=True)
    where.add_argument("-d", "--directory", metavar="DIR", help="the cache's directory")
    where.add_argument("-m", "--mirror-name", metavar="NAME", help="a configured mirror")
    where.add_argument("--mirror-url", metavar="URL", help="its URL")
    publish.add_argument(
        "--update-index", "--rebuild-index", action="store_true", help="the list of keys (always)"
    )
    publish.add_argument("keys", nargs="*", help="fingerprints or users (all that sign)")

    init = verbs.add_parser("init", help="trust the keys in a directory")
    init.add_argument("--from", dest="import_dir", metavar="DIR", help="of files *.key")

    sign = verbs.add_parser("sign", help="sign a file")
    sign.add_argument("--output", metavar="FILE", help="where to (FILE.asc)")
    sign.add_argument("--key", default="", help="with this key")
    sign.add_argument("--clearsign", action="store_true", help="write the file, too")
    sign.add_argument("spec", metavar="FILE", help="the file")

    verify = verbs.add_parser("verify", help="check the signature of a file")
    verify.add_argument("spec", metavar="FILE", help="the file")
    verify.add_argument("signature", nargs="?", help="its signature (FILE.asc)")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError("spack gpg: a subcommand is required", hint="see `spack gpg --help`")
    return _VERBS[args.verb](session, args)


def _create(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import NewKey, create_key, export_keys
    from spack.session.binary_parts import key_ring

    ring = key_ring(session)
    made = create_key(ring, NewKey(args.name, args.email, args.comment, args.expires))
    print(made)
    if args.export:
        export_keys(ring, [made], _path(session, args.export))
    if args.export_secret:
        export_keys(ring, [made], _path(session, args.export_secret), secret=True)
    return None


def _list(session: Session, args: argparse.Namespace) -> int | None:
    from spack.session.binary_parts import key_ring

    ring = key_ring(session)
    both = args.trusted == args.signing
    rows = [f"trusted  {x}" for x in ring.gpg_keys()] if both or args.trusted else []
    rows += [f"signing  {x}" for x in ring.gpg_secret_keys()] if both or args.signing else []
    print("\n".join(rows)) if rows else message("there are no keys", sys.stdout)
    return None


def _trust(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import import_keys
    from spack.session.binary_parts import key_ring

    import_keys(key_ring(session), [_path(session, args.keyfile)])
    return None


def _untrust(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import remove_keys
    from spack.session.binary_parts import key_ring

    remove_keys(key_ring(session), args.keys, secret=args.signing)
    return None


def _export(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import export_keys
    from spack.session.binary_parts import key_ring

    target = _path(session, args.location)
    export_keys(key_ring(session), args.keys, target, secret=args.secret)
    return None


def _publish(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import publish_keys
    from spack.session.binary_parts import key_ring, named_cache

    directory = str(_path(session, args.directory)) if args.directory else None
    name = directory or args.mirror_name or args.mirror_url
    storage = named_cache(session, name, push=True).storage
    published = publish_keys(key_ring(session), args.keys, storage)
    message(f"{storage.url} offers {count_of(len(published), 'key')}")
    return None


def _init(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import import_keys
    from spack.session.binary_parts import key_ring

    if args.import_dir:
        folder = _path(session, args.import_dir)
        files = sorted(folder.glob("*.key"))
        if not files:
            raise UsageError(f"there are no keys in {folder}", hint="its files end with .key")
        import_keys(key_ring(session), files)
        message(f"trusted the keys in {count_of(len(files), 'file')}")
    return None


def _sign(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import sign_file
    from spack.session.binary_parts import key_ring

    target = _path(session, args.output or f"{args.spec}.asc")
    file = _path(session, args.spec)
    sign_file(key_ring(session), file, target, args.key, clear=args.clearsign)
    return None


def _verify(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.gpg_keys import verify_file
    from spack.session.binary_parts import key_ring

    signature = _path(session, args.signature or f"{args.spec}.asc")
    verify_file(key_ring(session), _path(session, args.spec), signature)
    message(f"{args.spec} is signed by a trusted key", sys.stdout)
    return None


def _path(session: Session, text: str) -> Path:
    return Path(session.cwd, Path(text).expanduser())


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "create": _create,
    "export": _export,
    "init": _init,
    "list": _list,
    "publish": _publish,
    "sign": _sign,
    "trust": _trust,
    "untrust": _untrust,
    "verify": _verify,
}

"""``spack env pack``, ``unpack``, ``mount`` and ``unmount``: environments for other machines."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.cli.render import message, warning
from spack.errors import UsageError
from spack.session import Session

if TYPE_CHECKING:
    from spack.actions.pack_needs import MachineFacts, Needs
    from spack.actions.programs import Programs
    from spack.environment import Environment, ViewDescriptor

__all__ = ["PACKING_VERBS", "add_packing_verbs", "chosen_view"]

#: The kind of archive that is made where neither --format nor the file's name says one.
_USUAL = "tar.gz"


def add_packing_verbs(verbs: Any) -> None:
    """Add the subcommands of ``spack env``."""
    pack = verbs.add_parser("pack", help="write one archive of the environment's view")
    pack.add_argument("--view", metavar="NAME", help="which view, if there are several")
    pack.add_argument(
        "--format",
        choices=("tar.gz", "tar.xz", "tar.zst", "tar", "squashfs"),
        help=f"the kind of archive; by default what the ending of FILE says, else {_USUAL}",
    )
    pack.add_argument("-o", "--output", metavar="FILE", help="the same as FILE")
    pack.add_argument("file", metavar="FILE", nargs="?", help="by default NAME.FORMAT")

    unpack = verbs.add_parser("unpack", help="unpack what `spack env pack` has made")
    _add_checks(unpack)
    unpack.add_argument("file", metavar="FILE")
    unpack.add_argument("dir", metavar="DIR", help="a new directory")

    mount = verbs.add_parser("mount", help="mount what `spack env pack --format squashfs` has made")
    _add_checks(mount)
    mount.add_argument("file", metavar="FILE")
    mount.add_argument("dir", metavar="DIR", help="an empty directory, or a new one")

    unmount = verbs.add_parser("unmount", aliases=["umount"], help="take a mounted view away")
    unmount.add_argument("dir", metavar="DIR", help="the directory that it is mounted at")


def _add_checks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f", "--force", action="store_true", help="even if this machine lacks what it needs"
    )
    parser.add_argument("--digest", metavar="SHA256", help="refuse another file than this one")


def chosen_view(
    session: Session, environment: Environment, name: str | None
) -> ViewDescriptor | None:
    """Return the view of that name, or the default one.

    :raises UsageError: there is none of that name.
    """
    if not name:
        return environment.default_view(session.variables)
    views = {view.name: view for view in environment.views(session.variables)}
    if name not in views:
        raise UsageError(
            f"{environment.name} has no view named {name}",
            hint="its views: " + (", ".join(views) or "none"),
            ref="view-unknown",
        )
    return views[name]


def _packed_view(session: Session, environment: Environment, name: str | None) -> ViewDescriptor:
    """Return the view that is to be packed, or one that is made for that.

    :raises UsageError: there is nothing to pack.
    """
    from spack.actions.package_views import plain_view

    view = chosen_view(session, environment, name)
    if environment.lockfile is None:
        raise UsageError(
            f"{environment.name} is not concretized, so it has nothing to pack",
            hint="spack install",
            ref="not-concretized",
        )
    if view is None and not environment.views(session.variables):
        view = plain_view(str(environment.path))
    if view is None:
        raise UsageError(
            f"{environment.name} has no default view to pack",
            hint="name one with --view",
            ref="no-view",
        )
    return view


def _pack(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.pack_formats import FORMATS, format_of_name
    from spack.actions.packing import pack_view

    environment = session.need_environment("env pack")
    view = _packed_view(session, environment, args.view)
    if args.file and args.output:
        raise UsageError("the file is named twice", hint="give FILE, or -o FILE", ref="pack-twice")
    given = args.file or args.output
    name = given or f"{environment.name}.{args.format or _USUAL}"
    packed = pack_view(
        view,
        environment.roots_of(view.groups),
        session.view_parts,
        name=environment.name,
        target=session.cwd / name,
        form=FORMATS[args.format] if args.format else format_of_name(name),
        programs=_programs(session),
    )
    message(f"packed {packed.entries} files into {packed.path}")
    print(f"    sha256:{packed.digest}")
    _print_needs(packed.needs)
    return None


def _print_needs(needs: Needs) -> None:
    """Print what a packed view needs from its machine."""
    machine = "-".join(x for x in (needs.platform, ", ".join(needs.targets)) if x)
    print(f"    needs {machine}" + (f" with {needs.libc} or newer" if needs.libc else ""))
    if needs.python:
        print(f"    needs Python {needs.python_version} at {needs.python}")
    elif needs.python_version:
        print(f"    contains its own Python {needs.python_version}")
    if needs.store:
        shown = ", ".join(needs.store[:3]) + (", …" if len(needs.store) > 3 else "")
        print(
            f"    {len(needs.store)} binary files look for libraries in the store they were built "
            f"in ({shown}): they need that store at its path"
        )


def _unpack(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.packing import check_digest, unpack_view

    file, path = session.cwd / args.file, Path(os.path.abspath(session.cwd / args.dir))
    if args.digest:
        check_digest(file, args.digest)
    unpacked = unpack_view(
        file, path, machine=_machine(session), programs=_programs(session), force=args.force
    )
    message(f"unpacked a view into {path}")
    _print_needs(unpacked.needs)
    for line in unpacked.lacking:
        warning(line)
    return None


def _mount(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.mounting import mount_view
    from spack.actions.packing import check_digest

    file, path = session.cwd / args.file, Path(os.path.abspath(session.cwd / args.dir))
    if args.digest:
        check_digest(file, args.digest)
    mounted = mount_view(
        file,
        path,
        machine=_machine(session),
        programs=_programs(session),
        root=os.geteuid() == 0,
        force=args.force,
    )
    message(f"mounted a view at {path} (by {mounted.way})")
    print(f"    . {args.dir}/bin/activate; spack env unmount {args.dir}")
    for line in mounted.lacking:
        warning(line)
    return None


def _unmount(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.mounting import unmount_view

    unmount_view(Path(os.path.abspath(session.cwd / args.dir)), _programs(session))
    return None


def _programs(session: Session) -> Programs:
    from spack.actions.programs import Programs

    return Programs(os.pathsep.join(session.search_path))


def _machine(session: Session) -> MachineFacts:
    """Return this machine, with the names of all processors whose programs it runs."""
    from spack.actions.pack_needs import MachineFacts, this_libc
    from spack.host.platform import Host

    host = Host.detect(str(session.cache / "host"))
    return MachineFacts(host.platform, host.targets, this_libc(), session.run_program)


PACKING_VERBS = {"pack": _pack, "unpack": _unpack, "mount": _mount, "unmount": _unmount}

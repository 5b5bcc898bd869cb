"""``spack env pack``, ``unpack``, ``mount`` and ``unmount``: environments for other machines."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.cli.render import message, warning
from spack.errors import UsageError
from spack.session import Session
from spack.util.text import count_of

if TYPE_CHECKING:
    from spack.actions.pack_needs import MachineFacts, Needs
    from spack.actions.programs import Programs
    from spack.environment import Environment, ViewDescriptor

__all__ = ["PACKING_VERBS", "add_packing_verbs", "chosen_view"]

#: The kind of archive that is made where neither --format nor the file's name says one.
_USUAL = "tar.gz"

#: Layers that every container engine takes.
_LAYERS = 127


def add_packing_verbs(verbs: Any) -> None:
    """Add the subcommands of ``spack env``."""
    pack = verbs.add_parser("pack", help="write one archive of the environment's view")
    pack.add_argument("--view", metavar="NAME", help="which view, if there are several")
    pack.add_argument(
        "--format",
        choices=("tar.gz", "tar.xz", "tar.zst", "tar", "squashfs", "oci"),
        help=f"the kind of archive; by default what the ending of FILE says, else {_USUAL}",
    )
    pack.add_argument(
        "--base-image", metavar="IMAGE", help="for oci: put it upon this image, as oci://HOST/NAME"
    )
    pack.add_argument("-j", "--jobs", metavar="N", type=int, help="for oci: threads that compress")
    pack.add_argument("-o", "--output", metavar="FILE", help="the same as FILE")
    pack.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="by default NAME.FORMAT; for oci a directory or oci://HOST/NAME, with :TAG or not",
    )

    pull = verbs.add_parser("pull", help="install what `spack env pack --format oci` has made")
    pull.add_argument(
        "-f", "--force", action="store_true", help="even if this machine lacks what it needs"
    )
    pull.add_argument(
        "image", metavar="IMAGE", help="oci://HOST/NAME[:TAG][@sha256:DIGEST], or DIR[:TAG]"
    )
    pull.add_argument("dir", metavar="DIR", help="a new directory: an environment of its own")

    unpack = verbs.add_parser("unpack", help="unpack what `spack env pack` has made")
    _add_checks(unpack)
    unpack.add_argument(
        "--python", metavar="PATH", help="the interpreter here, if it is at another path"
    )
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
    if args.format == "oci" or (given and given.startswith(("oci://", "oci+http://"))):
        return _pack_image(session, args, environment, view, given or f"{environment.name}.oci")
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


def _pack_image(
    session: Session,
    args: argparse.Namespace,
    environment: Environment,
    view: ViewDescriptor,
    target: str,
) -> int | None:
    from spack.actions.image_packing import BaseImage, ImageRequest, pack_image
    from spack.actions.image_pulling import lock_of_roots
    from spack.binary.oci_image import load_image, machine_architecture
    from spack.session.image_parts import image_reference

    store, tag = image_reference(session, target, push=True)
    base = None
    if args.base_image:
        below = image_reference(session, args.base_image, push=False)
        image = load_image(*below, machine_architecture(session.host.family))
        base = BaseImage(below.store, image)
    roots = environment.roots_of(view.groups)
    assert environment.lockfile is not None
    packed = pack_image(
        ImageRequest(
            view=view,
            roots=roots,
            parts=session.view_parts,
            lock=lock_of_roots(environment.lockfile, roots).to_json(),
            target=store,
            reference=tag,
            known=session.cache / "layers",
            jobs=args.jobs or session.settings.config.build_jobs,
            base=base,
        )
    )
    message(
        f"packed {count_of(len(packed.packages), 'package')} into {store.name}:{tag}, "
        f"{packed.moved / 1e6:.1f} of {packed.size / 1e6:.1f} MB were new"
    )
    print(f"    sha256:{packed.digest}")
    _print_needs(packed.needs)
    if packed.layers > _LAYERS:
        warning(f"it has {packed.layers} layers; some container engines take {_LAYERS} at most")
    return None


def _pull(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.binary_installs import CachePolicy
    from spack.actions.environments import regenerate_views
    from spack.actions.image_pulling import (
        ImageArchives,
        environment_of_image,
        refuse_existing,
        write_environment,
    )
    from spack.actions.installing import install
    from spack.actions.pack_needs import lacking
    from spack.actions.packing import lacks
    from spack.binary.oci_image import load_image, machine_architecture
    from spack.cli.commands.install import install_options
    from spack.install.plan import PlanOptions
    from spack.session.binary_parts import cached_installs, image_cache
    from spack.session.image_parts import image_reference
    from spack.util.filesystem import remove_tree

    store, name = image_reference(session, args.image, push=False)
    image = load_image(store, name, machine_architecture(session.host.family))
    found = environment_of_image(image, f"the image {args.image}")
    lines = lacking(found.needs, _machine(session))
    if lines and not args.force:
        raise lacks(f"the image {args.image}", lines)
    path = Path(os.path.abspath(session.cwd / args.dir))
    refuse_existing(path)
    kept = session.settings.fetch.source_cache / "layers"
    archives = ImageArchives(store, found.archives, list(found.lock.specs.values()), kept)
    archives.fetch()
    environment = write_environment(found, path)
    try:
        inner = session.within(environment)
        only = CachePolicy("only", "only")
        caches = cached_installs(inner, only, [image_cache(inner, archives)])
        install(environment.roots(), PlanOptions(), install_options(inner, caches=caches))
        regenerate_views(inner.environment_work(environment))
    except BaseException:
        remove_tree(path)
        raise
    message(
        f"pulled {count_of(len(found.archives), 'package')} into {path} "
        f"({archives.moved / 1e6:.1f} MB moved)"
    )
    print(f"    sha256:{image.digest}")
    print(f"    . {args.dir}/view/bin/activate")
    for line in lines:
        warning(line)
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
        file,
        path,
        machine=_machine(session),
        programs=_programs(session),
        force=args.force,
        python=os.path.abspath(session.cwd / args.python) if args.python else "",
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


PACKING_VERBS = {
    "pack": _pack,
    "unpack": _unpack,
    "pull": _pull,
    "mount": _mount,
    "unmount": _unmount,
}

"""What a build sees of the machine: which paths, and whether it has a network.

A build reads the system, its dependencies and its own directories. The homes of users, directories
for temporary files and for sockets of running programs are empty to it, but for what it needs of
them. It writes as :mod:`spack.build.sandbox` says.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import spack
from spack.spec import ConcreteSpec
from spack.util.helper_process import run

__all__ = [
    "HOMES",
    "Isolation",
    "external_locations",
    "has_namespaces",
    "namespace_trial",
    "homes_of",
    "own_locations",
]

#: Directories of users.
HOMES = ("/home", "/root")

#: Where running programs listen: message buses, agents, container engines.
_RUNNING = "/run"

#: Of these, what systems keep there beside sockets: NixOS, resolvers, drivers.
_RUNNING_READABLE = (
    "/run/current-system",
    "/run/opengl-driver",
    "/run/systemd/resolve",
    "/run/NetworkManager/resolv.conf",
    "/run/resolvconf",
)

#: What no build is shown, even if the home that it is in must be seen; relative to a home.
SECRETS = (
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/gh",
    ".docker",
    ".git-credentials",
    ".kube",
    ".netrc",
    ".password-store",
    ".pgpass",
    ".pypirc",
    ".vault-token",
)

#: Homes are not hidden where the system itself is below them.
_SYSTEM = ("/usr", "/bin", "/lib", "/etc")


#: Tries, in a process of its own, what a build's needs; prints why that is not possible.
_TRIAL = """
import os, sys
sys.path[:0] = sys.argv[1:]
from spack.util.linux_namespaces import MountPlan, arrange_mounts, unshare
try:
    unshare(network=True)
    child = os.fork()
    if child:
        sys.exit(os.waitpid(child, 0)[1] != 0)
    arrange_mounts(MountPlan((), {}, (), (), ()))
except OSError as error:
    print(f"{error.filename}: {error.strerror}")
    sys.exit(1)
"""


def namespace_trial(interpreter: str, library_path: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a command that succeeds if a build can have mounts and a network of its own.

    :param library_path: further directories of modules; those of the engine are known.
    """
    engine = os.path.dirname(os.path.dirname(os.path.abspath(spack.__file__)))
    return (interpreter, "-I", "-S", "-c", _TRIAL, engine, *library_path)


@functools.cache
def has_namespaces(interpreter: str, library_path: tuple[str, ...]) -> bool:
    """Return whether this process may give a build mounts and a network of its own.

    :param library_path: as of :func:`namespace_trial`.
    """
    return run(namespace_trial(interpreter, library_path)).ok


@dataclass(frozen=True)
class Isolation:
    """What a build is kept from; part of its job.

    :param hidden: directories that are empty to it.
    :param readable: paths that it sees although they are below those, or below ``/tmp``.
    :param masked: files and directories that are empty wherever they are.
    :param network: whether it may reach other machines.
    """

    hidden: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    network: bool = False

    @classmethod
    def of(cls, homes: Iterable[str], readable: Iterable[str], *, network: bool) -> Isolation:
        """Return the isolation of a build.

        :param homes: of the user; those of all users are added.
        :param readable: what the build needs, wherever it is.
        """
        users = [os.path.realpath(path) for path in dict.fromkeys((*HOMES, *homes)) if path]
        needed = tuple(dict.fromkeys((*_RUNNING_READABLE, *readable)))
        real = {os.path.realpath(path) for path in needed}
        hidden = [
            path
            for path in dict.fromkeys((*users, _RUNNING))
            if os.path.isdir(path) and path not in real and not _holds_system(path)
        ]
        outermost = [path for path in hidden if not any(_is_below(path, x) for x in hidden)]
        masked = [
            os.path.join(home, name)
            for home in users
            for name in SECRETS
            if os.path.lexists(os.path.join(home, name))
        ]
        return cls(tuple(outermost), needed, tuple(masked), network)


def _holds_system(path: str) -> bool:
    return path == "/" or any(x == path or _is_below(x, path) for x in _SYSTEM)


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")


def homes_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the user's home directories: of the system's list of users, and of HOME."""
    import pwd

    found = [environment.get("HOME", "")]
    with contextlib.suppress(KeyError):  # a container's user may be in no list
        found.append(pwd.getpwuid(os.getuid()).pw_dir)
    return tuple(path for path in found if os.path.isabs(path))


def own_locations() -> tuple[str, ...]:
    """Return what this process runs from: its interpreter and its modules."""
    executable = os.path.dirname(os.path.realpath(sys.executable))
    paths = (sys.prefix, sys.base_prefix, sys.exec_prefix, executable, *sys.path)
    return tuple(dict.fromkeys(path for path in paths if os.path.isabs(path)))


def external_locations(node: ConcreteSpec) -> tuple[str, ...]:
    """Return the paths of an external: its prefix, and programs that it names."""
    if node.external is None:
        return ()
    paths = [node.external.path] if node.external.path else []
    paths += _paths_in(node.extra_attributes)
    real = [os.path.dirname(os.path.realpath(path)) for path in paths if os.path.isfile(path)]
    return tuple(dict.fromkeys((*paths, *real)))


def _paths_in(value: Any) -> list[str]:
    """Return all absolute paths in a JSON value that exist."""
    if isinstance(value, str):
        return [value] if os.path.isabs(value) and os.path.exists(value) else []
    if isinstance(value, Mapping):
        return [path for item in value.values() for path in _paths_in(item)]
    if isinstance(value, (list, tuple)):
        return [path for item in value for path in _paths_in(item)]
    return []

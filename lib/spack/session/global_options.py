"""What a session takes from its process: options, directory, user, what the interpreter finds."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spack import spack_version
from spack.config.variables import Variables
from spack.host.platform import Host

if TYPE_CHECKING:
    from spack.config.paths import InstallationPaths
    from spack.config.settings import Settings
    from spack.util.helper_process import Completed

__all__ = [
    "GlobalOptions",
    "condition_names",
    "configuration_variables",
    "library_path",
    "run_program",
    "search_path",
    "upstream_roots",
]

#: Where programs of the system are when PATH does not say so.
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


class GlobalOptions(NamedTuple):
    """The global options of the command line; see ``spack help``."""

    env: str | None = None
    env_dir: str | None = None
    no_env: bool = False
    config: tuple[str, ...] = ()
    config_scope: tuple[str, ...] = ()
    insecure: bool = False
    debug: bool = False
    quiet: bool = False
    verbose: bool = False
    color: str | None = None


def configuration_variables(
    locations: InstallationPaths, environ: Mapping[str, str], cwd: Path, home: str
) -> Variables:
    """Return ``$spack`` and its like, without ``$env``."""
    return Variables(
        {
            "spack": str(locations.root),
            "data": str(locations.data),
            "tree": str(locations.tree),
            "user_cache_path": str(locations.user_cache),
            "tempdir": lambda: _temporary_directory(environ),
            "user": lambda: _user_name(environ),
            "SPACK_ROOT": str(locations.root),
            "cwd": str(cwd),
            "SSL_CERT_FILE": environ.get("SSL_CERT_FILE", ""),
        },
        environ,
        home,
    )


def upstream_roots(settings: Settings, locations: InstallationPaths) -> tuple[Path, ...]:
    """Return the upstream install trees: the configured ones, and that of a clone's owner.

    A user that may not write to the clone uses what its owner has installed there, beside packages
    of their own.
    """
    shared, own = locations.shared, settings.config.install_tree
    if shared is None or own != locations.tree or not (shared / ".spack-db").is_dir():
        return settings.upstreams
    return tuple(dict.fromkeys((*settings.upstreams, shared)))


def _temporary_directory(environ: Mapping[str, str]) -> str:
    """Return :func:`tempfile.gettempdir`'s directory; that import takes 3 ms."""
    named = [environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    for path in (*named, "/tmp", "/var/tmp", "/usr/tmp"):
        if path and os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK):
            return os.path.abspath(path)
    return os.getcwd()


def _user_name(environ: Mapping[str, str]) -> str:
    """Return the user as :func:`getpass.getuser` does, whose import takes 0.5 ms."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if environ.get(name):
            return environ[name]
    import pwd  # only there where users have names

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def condition_names(locations: InstallationPaths, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the names that conditions in ``spack.yaml`` may use."""
    from spack.config.when_conditions import ArchitectureText, VersionText  # start-up: seldom

    host = Host.detect(str(locations.user_cache / "cache" / "host"))
    arch = ArchitectureText(f"{host.platform}-{host.os}-{host.target}")
    return {
        "platform": host.platform,
        "os": host.os,
        "target": host.target,
        "arch": arch,
        "architecture": arch,
        "arch_str": f"platform={host.platform} os={host.os} target={host.target}",
        "hostname": os.uname().nodename,
        "spack_version": VersionText(spack_version),
        "env": environ,
    }


def search_path(environ: Mapping[str, str], further: Sequence[Path]) -> tuple[str, ...]:
    """Return directories where programs of the machine are looked for.

    :param further: those of the configuration, each with the ``bin`` in it.
    """
    path = [item for item in environ.get("PATH", "").split(os.pathsep) if item]
    own = [str(item) for item in further]
    bins = [os.path.join(item, "bin") for item in own]
    return tuple(dict.fromkeys((*path, *_SYSTEM_PATH, *own, *bins)))


def run_program(argv: Sequence[str]) -> Completed:
    """Run a program of the machine to ask it what it is, in a neutral environment."""
    from spack.util.helper_process import run  # start-up: what programs say is remembered

    return run(argv, env={"PATH": os.pathsep.join(_SYSTEM_PATH), "LC_ALL": "C"}, cwd="/")


def library_path() -> tuple[str, ...]:
    """Return the entries of ``sys.path`` that a child started with ``-I -S`` needs."""
    standard = os.path.dirname(os.__file__)
    own = str(Path(__file__).resolve().parents[2])
    return (
        own,
        *(
            item
            for item in sys.path
            if item not in (own, standard, os.path.join(standard, "lib-dynload"))
            and os.path.isdir(item)
        ),
    )

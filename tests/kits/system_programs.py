"""What tests need from the system: which of it is missing, and how it is installed.

``--install`` installs it with apt-get, as root on a Debian-like system; elsewhere nothing happens.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence

__all__ = ["PACKAGES", "command_for", "find_program", "missing_program_of", "missing_programs"]

#: Debian packages by what tests need of them: a program, a path, a pattern of paths.
PACKAGES = {
    "gcc": "gcc",
    "g++": "g++",
    "/usr/include/stdio.h": "libc6-dev",
    "make": "make",
    "cmake": "cmake",
    "ninja": "ninja-build",
    "autoreconf": "autoconf",
    "automake": "automake",
    "pkg-config": "pkg-config",
    "git": "git",
    "patch": "patch",
    "xz": "xz-utils",
    "openssl": "openssl",
    "zsh": "zsh",
    "fish": "fish",
    "tcsh": "tcsh",
    "ksh": "ksh",
    "mksh": "mksh",
    "busybox": "busybox",
    "patchelf": "patchelf",
    "readelf": "binutils",
    "gpg": "gnupg",
    "docker-registry": "docker-registry",
    "ssh-keygen": "openssh-client",
    "debootstrap": "debootstrap",
    "mksquashfs": "squashfs-tools",
    "squashfuse": "squashfuse",
    "fusermount3": "fuse3",  # which squashfuse needs to take a mount away
    "zstd": "zstd",
    "/usr/bin/python3d": "python3-dbg",
    "/usr/include/python3.*/Python.h": "python3-dev",
    "/usr/lib/python3*/ensurepip/__init__.py": "python3-venv",
    "/usr/lib/*/libz.so.1": "zlib1g",
    "/usr/share/lmod/lmod/init/bash": "lmod",
    "/usr/sbin/slurmctld": "slurm-wlm",
    "/usr/sbin/munged": "munge",
    "nu": "npm",  # which has Nushell: Debian has none
}


#: Texts of this tool about something that the system lacks: what to look for in its place.
SAYINGS = (
    (r"let spack external find (?:c|gcc|llvm) search for more", "gcc"),
    (r"let spack external find gmake search for more", "make"),
    (r"let spack external find (\S+) search for more", r"\1"),
    (r"need the program (\S+), which is not on PATH", r"\1"),
    (r"sh: (?:line )?\d+: (\S+): (?:command )?not found", r"\1"),
    (r"no (\S+), which is for packages with", r"\1"),
    (r"cannot (?:run|compare with \S+): .*No such file or directory: '(\S+)'", r"\1"),
    (r"no Python\.h of", "/usr/include/python3.*/Python.h"),
    (r"no compiler of c\b", "gcc"),
)


def missing_programs() -> list[str]:
    """Return the keys of :data:`PACKAGES` that are not on this machine."""
    return [name for name in PACKAGES if not _is_there(name)]


def find_program(name: str) -> str | None:
    """Return the path of a program, those of the administrator included, or None.

    A user's PATH lacks their directories on Debian.
    """
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(name, path=f"{path}:/usr/local/sbin:/usr/sbin:/sbin")


def _is_there(name: str) -> bool:
    return bool(glob.glob(name)) if name.startswith("/") else find_program(name) is not None


def missing_program_of(error: BaseException, output: str = "") -> str | None:
    """Return the program of :data:`PACKAGES` that a test failed without, or None.

    The test or this tool could not start it, or the tool says that the system lacks it. It is not
    on this machine: an error about a program that is there is a failure.

    :param output: what the test has printed.
    """
    if isinstance(error, FileNotFoundError):
        names = [str(error.filename)]
    else:
        text = f"{error}\n{output}"
        found = ((re.search(pattern, text), name) for pattern, name in SAYINGS)
        names = [match.expand(name) for match, name in found if match is not None]
    return next((name for name in names if name in PACKAGES and not _is_there(name)), None)


def command_for(names: Iterable[str]) -> str:
    """Return the command that installs the packages of *names*."""
    packages = sorted({PACKAGES[name] for name in names})
    return f"apt-get install --no-install-recommends {' '.join(packages)}"


def install(names: Sequence[str]) -> None:
    """Install the packages of *names*; what cannot be installed is left to the tests' report."""
    packages = sorted({PACKAGES[name] for name in names})
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    print(f"installing {' '.join(packages)}", flush=True)
    run(["apt-get", "update", "-qq"], quiet)
    for package in packages:  # one that is not there does not keep the rest away
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], quiet)
    if "nu" in names and shutil.which("npm"):
        install_nushell()


def install_nushell() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        options = ["--loglevel=error", "--no-audit", "--no-fund", "--prefix", folder]
        run(["npm", "install", *options, "nushell"], dict(os.environ))
        for program in glob.glob(f"{folder}/node_modules/@nushell/*/bin/nu"):
            shutil.copy(program, "/usr/local/bin/nu")


def run(argv: Sequence[str], environ: dict[str, str]) -> None:
    done = subprocess.run(argv, env=environ, stdout=subprocess.DEVNULL)
    if done.returncode:
        print(f"{' '.join(argv)}: status {done.returncode}", file=sys.stderr)


if __name__ == "__main__":
    missing = missing_programs()
    if missing and "--install" in sys.argv and os.getuid() == 0 and shutil.which("apt-get"):
        install(missing)

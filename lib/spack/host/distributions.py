"""The commands that install what builds need, by distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["DISTRIBUTIONS", "install_command"]


class Distribution(NamedTuple):
    """How one family of distributions installs, and what it calls what builds need."""

    command: str
    names: Mapping[str, str]


_RPM = {
    "c": "gcc",
    "certificates": "ca-certificates",
    "cxx": "gcc-c++",
    "git": "git",
    "headers": "python3-devel",
    "make": "make",
    "python": "python3",
}

_DEBIAN = Distribution(
    "apt-get install",
    {
        "c": "gcc libc6-dev",
        "certificates": "ca-certificates",
        "cxx": "g++",
        "git": "git",
        "headers": "python3-dev",
        "make": "make",
        "python": "python3",
    },
)
_FEDORA = Distribution("dnf install", _RPM)

#: Beginning of the system's name, as concrete specs have it -> its family.
DISTRIBUTIONS: Mapping[str, Distribution] = {
    "alma": _FEDORA,
    "alpine": Distribution(
        "apk add",
        {
            "c": "gcc musl-dev",
            "certificates": "ca-certificates",
            "cxx": "g++",
            "git": "git",
            "headers": "python3-dev",
            "make": "make",
            "python": "python3",
        },
    ),
    "amzn": _FEDORA,
    "arch": Distribution(
        "pacman -S",
        {
            "c": "gcc",
            "certificates": "ca-certificates",
            "cxx": "gcc",
            "git": "git",
            "headers": "python",
            "make": "make",
            "python": "python",
        },
    ),
    "centos": _FEDORA,
    "debian": _DEBIAN,
    "fedora": _FEDORA,
    "linuxmint": _DEBIAN,
    "opensuse": Distribution("zypper install", _RPM),
    "rhel": _FEDORA,
    "rocky": _FEDORA,
    "sles": Distribution("zypper install", _RPM),
    "ubuntu": _DEBIAN,
}


def install_command(system: str, *things: str, root: bool) -> str:
    """Return the command that installs *things*, in words where the distribution is not known.

    :param system: ``debian12``.
    :param things: keys of :attr:`Distribution.names`.
    :param root: whether the user is root.
    """
    family = next((row for name, row in DISTRIBUTIONS.items() if system.startswith(name)), None)
    if family is None:
        return f"install with the system's package manager: {', '.join(things)}"
    names = " ".join(dict.fromkeys(family.names[thing] for thing in things))
    return f"{'' if root else 'sudo '}{family.command} {names}"

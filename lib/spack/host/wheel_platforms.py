"""The platform tags of wheels that run on a machine (PEP 425, 600, 656)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

__all__ = ["platforms_elsewhere", "wheel_platforms"]

#: Systems -> the C library of their first release. Of one that is not here little is assumed.
_C_LIBRARIES: tuple[tuple[str, tuple[int, int]], ...] = (
    (r"debian10", (2, 28)),
    (r"debian11", (2, 31)),
    (r"debian12", (2, 36)),
    (r"debian13", (2, 41)),
    (r"ubuntu18\.04", (2, 27)),
    (r"ubuntu20\.04", (2, 31)),
    (r"ubuntu22\.04", (2, 35)),
    (r"ubuntu24\.04", (2, 39)),
    (r"(rhel|almalinux|rocky|centos|ol)8", (2, 28)),
    (r"(rhel|almalinux|rocky|centos|ol)9", (2, 34)),
    (r"(rhel|almalinux|rocky|centos|ol)10", (2, 39)),
    (r"amzn2023", (2, 34)),
    (r"sles15|opensuse-leap15", (2, 31)),
)

#: Of every Linux with the GNU C library on which wheels are used at all.
_OLDEST = (2, 17)

#: Names of the baselines of PEP 513, 571 and 599, by their C library.
_NAMES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}

#: Minor versions of musl 1 that a release of Alpine may have.
_MUSL = 2

_MACOS = {"bigsur": 11, "monterey": 12, "ventura": 13, "sonoma": 14, "sequoia": 15, "tahoe": 26}


@cache
def wheel_platforms() -> tuple[str, ...]:
    """Return the platform tags, the best first: those of the C library, then the plain one."""
    from packaging.tags import platform_tags  # start-up: only where wheels may be chosen

    return tuple(platform_tags())


def platforms_elsewhere(platform: str, os: str, family: str) -> tuple[str, ...]:
    """Return the platform tags of another machine, the best first.

    What is not known of its system is assumed to be old: a wheel that is chosen runs there.

    :param family: of its processor, as archspec names it.
    """
    if platform == "darwin":
        from packaging.tags import mac_platforms  # start-up: as above

        release = _MACOS.get(os) or int((re.findall(r"\d+", os) or ["11"])[0])
        return tuple(mac_platforms((release, 0), "arm64" if family == "aarch64" else family))
    return (f"linux_{family}", *_linux(os, family))


def _linux(os: str, family: str) -> Iterator[str]:
    if os.startswith("alpine"):
        yield from (f"musllinux_1_{minor}_{family}" for minor in range(_MUSL, -1, -1))
        return
    library = next((found for name, found in _C_LIBRARIES if re.fullmatch(name, os)), _OLDEST)
    oldest = 5 if family in ("x86_64", "x86", "i686") else _OLDEST[1]
    for minor in range(library[1], oldest - 1, -1):
        yield f"manylinux_2_{minor}_{family}"
        if (2, minor) in _NAMES:
            yield f"{_NAMES[2, minor]}_{family}"

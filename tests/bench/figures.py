"""What is measured, what real Spack takes for it, and what this project wants.

The peer's figures and the goals are those of the project's FACTS ("The peer", measured on a
2-core machine with Debian 12 and Python 3.11, Spack 1.2-dev with all of its recipes), and of the
section Speed of issue 2. Machines differ and are noisy: read ratios, or measure the peer beside
us (``run --peer DIR``).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FIGURES", "Figure"]


class Figure(NamedTuple):
    """One line of the table.

    :param peer: seconds of the peer, the fastest and the slowest that were seen; None: unknown.
    :param goal: seconds that are wanted here at most.
    """

    title: str
    peer: tuple[float, float] | None
    goal: float | None


#: The order is that of the table.
FIGURES: dict[str, Figure] = {
    "version": Figure("spack --version", (0.26, 0.26), 0.03),
    "find": Figure("spack find", (0.27, 0.31), 0.08),
    "env-list": Figure("spack env list", (0.34, 0.34), 0.08),
    "activate": Figure("spack env activate --sh", (0.57, 0.57), 0.10),
    "load": Figure("spack load --sh py-black", (0.50, 0.50), 0.10),
    "flake8-warm": Figure("spack spec py-flake8, warm", (12.8, 12.8), 0.4),
    "flake8-cold": Figure("spack spec py-flake8, cold", (44.6, 44.6), 4.0),
    "black-warm": Figure("spack spec py-black, warm", (15.7, 15.7), 0.5),
    "black-cold": Figure("spack spec py-black, cold", (58.0, 58.0), 4.0),
    "concretize": Figure("style environment: concretize", (17.3, 17.3), 1.0),
    "concretize-again": Figure("  again, lock up to date", (0.30, 0.30), 0.08),
    "install-p1": Figure("style environment: install, -p 1", (54.0, 55.0), None),
    "install-p2": Figure("style environment: install, -p 2", (54.0, 55.0), 25.0),
    "pure": Figure("  of that a pure Python package", (0.5, 1.1), 0.2),
    "install-wheels": Figure("  again elsewhere, wheels at hand", None, None),
    "install-nothing": Figure("  install with nothing to do", (0.68, 0.68), 0.10),
    "view-symlink": Figure("its view: symlink", (0.6, 2.7), 0.2),
    "view-hardlink": Figure("its view: hardlink", (0.5, 0.5), 0.12),
    "view-copy": Figure("its view: copy", (1.0, 2.9), 0.35),
    "view-unchanged": Figure("its view: unchanged", (0.40, 0.40), 0.08),
}

"""The composition root: everything that a command works with, made once and when first used.

Only this package and :mod:`spack.cli` read the process's environment, its directory and the
user; the layers below get the narrow pieces they need as arguments (DESIGN, decision 1).

``process`` says what is taken from the process, ``session`` makes the parts; ``concretizing`` and
``building`` put together what those need of them, and are imported when they are needed.
"""

from __future__ import annotations

from spack.session.global_options import GlobalOptions
from spack.session.session import ACTIVE, Session, make_session

__all__ = ["ACTIVE", "GlobalOptions", "Session", "make_session"]

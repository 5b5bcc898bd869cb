"""The composition root: everything that a command works with, made once and when first used.

Only this package and :mod:`spack.cli` read the process's environment, its directory and the
user; the layers below get the narrow pieces they need as arguments (DESIGN, decision 1).

``from_process`` says what is taken from the process, ``session`` makes the parts; other modules put
together what a use case needs of them, and are imported when they are needed.
"""

from __future__ import annotations

from spack.session.from_process import make_session
from spack.session.global_options import GlobalOptions
from spack.session.session import ACTIVE, Session

__all__ = ["ACTIVE", "GlobalOptions", "Session", "make_session"]

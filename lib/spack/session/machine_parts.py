"""A session that solves for another machine: its processor, its packages, its wheels."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from spack.actions.index_wheels import index_wheels

if TYPE_CHECKING:
    from spack.config.other_machines import OtherMachine
    from spack.session.session import Session

__all__ = ["session_for"]


def session_for(session: Session, machine: OtherMachine) -> Session:
    """Return a session like this one that solves for *machine*."""
    fetcher = session.fetcher(checksum=session.settings.config.checksum)
    other = copy.copy(session)
    other.__dict__.update(
        host=machine.host(session.host),
        packages=machine.packages(session.packages),
        wheels=index_wheels(fetcher, machine.wheel_platforms),
    )
    return other

"""The environment of the style tools: made when it is missing, and again when it does not work.

It and its install tree are this tool's own (``bootstrap:root``), so whatever is in the way there is
removed. What does not work any more is made again in two steps: first the lock and the view,
which name an interpreter that may have been removed or replaced; then the install tree.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spack.actions.concretizing import ConcretizeOptions
from spack.actions.environments import install_environment
from spack.actions.installing import InstallOptions
from spack.actions.notices import ToolsMadeAgain
from spack.bootstrap.style_tools import LOCATION, STORE, TOOLS, prepare_environment
from spack.errors import SpackError
from spack.util.filesystem import remove_tree
from spack.util.lock import FileLock

if TYPE_CHECKING:
    from spack.session.session import Session

__all__ = ["Repair", "has_tools", "provide_tools", "remove_tools"]


class Repair(enum.IntEnum):
    """How much of the environment is made again."""

    NOTHING = 0
    LOCK = 1
    STORE = 2


def provide_tools(session: Session, repair: Repair = Repair.NOTHING) -> Path:
    """Return the view with the style tools, built if it is missing.

    :param repair: what is made again at least.
    :raises SpackError: the tools cannot be built.
    """
    root = session.settings.bootstrap.root
    root.mkdir(parents=True, exist_ok=True)
    reason = ""
    with FileLock(root / f"{LOCATION}.lock"):
        for step in Repair:
            if step < repair:
                continue
            if step > Repair.NOTHING:
                session.reporter.report(ToolsMadeAgain(reason, step is Repair.STORE))
            try:
                _remove(root, step)
                view = _made(session, root)
                reason = "" if _works(session, view) else "its interpreter does not start"
            except SpackError as error:
                if step is Repair.STORE or error.ref in _NOT_MENDED:
                    raise
                reason = error.message
            if not reason:
                return view
    raise SpackError(
        f"the style tools do not work although they were built again: {reason}",
        hint="`spack python --version` names the interpreter; packages:python configures another",
        ref="style-tools",
    )


#: Errors that another attempt would only repeat.
_NOT_MENDED = frozenset({"fetch", "interrupted", "lock-timeout"})


def has_tools(session: Session) -> bool:
    """Return whether the tools are there and their interpreter starts."""
    view = session.settings.bootstrap.root / LOCATION / "view"
    return _works(session, view)


def remove_tools(root: Path) -> None:
    """Remove the environment and its install tree."""
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{LOCATION}.lock"):
        _remove(root, Repair.STORE)


def _remove(root: Path, repair: Repair) -> None:
    if repair >= Repair.LOCK:
        remove_tree(root / LOCATION)
    if repair >= Repair.STORE:
        remove_tree(root / STORE)


def _made(session: Session, root: Path) -> Path:
    """Return the view after everything in it is installed."""
    location = prepare_environment(session.locations.share, root)
    environment = session.find_environment(str(location), directory_only=True)
    values = [f"config:install_tree:root:{root / STORE}", *_wheels(session)]
    inner = session.within(environment, *values)
    try:
        config = inner.settings.config
        work = InstallOptions(
            inner.store,
            inner.build_options,
            session.reporter,
            config.build_jobs,
            config.concurrent_packages,
        )
        with environment.lock():
            install_environment(inner.environment_work(environment), work, ConcretizeOptions())
        view = environment.default_view(inner.variables)
        assert view is not None  # share/environments/style asks for one
        return Path(view.root)
    finally:
        inner.close()


def _wheels(session: Session) -> Iterator[str]:
    """Yield the value that prefers wheels for the tools, unless the user has decided."""
    origin = session.settings.origin("concretizer", "wheels")
    if origin is None or Path(origin.file).parent == session.locations.etc:
        yield "concretizer:wheels:prefer"


def _works(session: Session, view: Path) -> bool:
    """Return whether all tools are in *view*, and their interpreter finds its library."""
    if not all(os.access(view / "bin" / tool, os.X_OK) for tool in TOOLS):
        return False
    return session.run_program([str(view / "bin" / "python3"), "-c", "import encodings"]).ok

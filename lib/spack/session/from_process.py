"""The session of this process: what is read of its environment, its directory and its user."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.session.global_options import GlobalOptions
from spack.session.session import Session

if TYPE_CHECKING:
    from spack.util.report import Reporter

__all__ = ["make_session"]


def make_session(options: Any, make_reporter: Callable[[], Reporter]) -> Session:
    """Return the session of this process for the parsed global options.

    :param make_reporter: called when progress is first reported.
    """
    environ = dict(os.environ)
    home = os.path.expanduser("~")
    values: dict[str, Any] = {
        key: getattr(options, key) for key in GlobalOptions._fields if hasattr(options, key)
    }
    for key in ("config", "config_scope"):
        values[key] = tuple(values.get(key) or ())
    try:
        directory = Path.cwd()
    except OSError:
        # It was removed: only a command that needs it will miss it.
        directory = Path(environ.get("PWD") or "/")
    return Session(GlobalOptions(**values), environ, directory, home, make_reporter)

"""The scope that a command changes: ``--scope user``, or the active environment."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spack.config.edit import SectionFile
from spack.config.scopes import Scope
from spack.errors import UsageError
from spack.session import Session

__all__ = [
    "add_scope_argument",
    "edited_section",
    "scopes_of",
    "section_path",
    "writable_scopes",
]

#: Scopes that are directories, highest first.
_DIRECTORIES = ("user", "site", "system")
_ENVIRONMENT = "environment"


def add_scope_argument(parser: argparse.ArgumentParser, text: str) -> None:
    """Add ``--scope``."""
    parser.add_argument("--scope", metavar="SCOPE", help=f"{text}: user, site, system or env:NAME")


def writable_scopes(session: Session) -> tuple[str, ...]:
    """Return the scopes that commands change, highest first."""
    known = {scope.name for scope in session.scopes}
    return tuple(name for name in (_ENVIRONMENT, *_DIRECTORIES) if name in known)


def scopes_of(session: Session, name: str) -> tuple[Scope, ...]:
    """Return the scope called *name* alone.

    :raises UsageError: there is none.
    """
    if name.startswith("env:"):
        session = session.within(session.find_environment(name[4:]))
        name = _ENVIRONMENT
    found = tuple(scope for scope in session.scopes if scope.name == name)
    if not found:
        known = dict.fromkeys(scope.name for scope in session.scopes)
        raise UsageError(
            f"there is no configuration scope {name}",
            hint=f"there are {', '.join(known)} and env:NAME",
            ref="config-scope",
        )
    return found


@contextmanager
def edited_section(
    session: Session, section: str, scope: str | None = None
) -> Iterator[SectionFile]:
    """Yield a section of the scope's file for editing; an environment is locked meanwhile.

    :param scope: by default the active environment, or the user's.
    :raises UsageError: there is no such scope, or it is not changed by commands.
    """
    name = scope or writable_scopes(session)[0]
    if name == _ENVIRONMENT or name.startswith("env:"):
        environment = (
            session.need_environment("--scope environment")
            if name == _ENVIRONMENT
            else session.find_environment(name[4:])
        )
        with environment.lock():
            yield SectionFile(environment.manifest.path, section, within="spack")
        return
    yield SectionFile(section_path(session, section, name), section)


def section_path(session: Session, section: str, scope: str | None = None) -> Path:
    """Return the file that a scope has a section in, whether it is there or not.

    :param scope: by default the active environment, or the user's.
    :raises UsageError: as :func:`edited_section`.
    """
    name = scope or writable_scopes(session)[0]
    if name.startswith("env:"):
        return session.find_environment(name[4:]).path / "spack.yaml"
    if name == _ENVIRONMENT and session.environment is not None:
        return session.environment.path / "spack.yaml"
    found = scopes_of(session, name)
    if name not in _DIRECTORIES:
        raise UsageError(
            f"the scope {name} is not changed by commands",
            hint=f"there are {', '.join(writable_scopes(session))} and env:NAME",
            ref="config-scope",
        )
    return Path(found[0].path) / f"{section}.yaml"

"""Text for shells: quoting, and statements that set and unset.

Families of shells are rows of :data:`SHELLS`; ``sh`` serves bash, zsh, dash, ash and ksh. Every
statement ends with ``;`` and a newline, so that the text survives ``eval`` in csh, which joins
lines with blanks.

Limits: csh cannot hold a newline in a quoted word without a backslash, which is written; no shell
can hold a NUL byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spack.errors import UsageError
from spack.util.shells import csh, fish, nushell, posix, pwsh

if TYPE_CHECKING:
    from spack.util.shells.shell_text import Dialect, Shell

__all__ = [
    "SHELLS",
    "dialect",
    "quote",
    "set_statement",
    "shell_named",
    "unset_statement",
]

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

#: What is known of each family of shells, by name.
SHELLS: Mapping[str, Shell] = {
    shell.name: shell for shell in (posix.SHELL, csh.SHELL, fish.SHELL, pwsh.SHELL, nushell.SHELL)
}

_NAMES = {name: shell for shell in SHELLS.values() for name in (shell.name, *shell.synonyms)}


def shell_named(name: str) -> Shell:
    """Return the family of the shell *name* (``bash``, ``zsh``, ``tcsh``, …).

    :raises UsageError: for a shell that has no row in the table.
    """
    found = _NAMES.get(name)
    if found is None:
        raise _unknown(name)
    return found


def dialect(shell: str) -> Dialect:
    """Return the dialect of *shell*.

    :raises UsageError: there is none, or the shell evaluates no text.
    """
    found = _NAMES.get(shell)
    if found is None or not found.evaluates:
        raise _unknown(shell)
    return found.dialect


def _unknown(shell: str) -> UsageError:
    known = {name: row for name, row in _NAMES.items() if row.evaluates}
    return UsageError(
        f"there is no text for the shell '{shell}'",
        facts={"shell": shell, "known": sorted(known)},
        hint=f"use one of {', '.join(sorted({row.name for row in known.values()}))}",
        ref="unknown-shell",
    )


def quote(shell: str, text: str) -> str:
    """Return *text* as one word of *shell*; without quotes where none are needed."""
    row = dialect(shell)
    return text if row.plain_words and _PLAIN.match(text) else row.quote(text)


def set_statement(shell: str, name: str, value: str) -> str:
    """Set and export the environment variable *name*."""
    row = dialect(shell)
    return row.set.format(name=_checked(name), value=quote(shell, value))


def unset_statement(shell: str, name: str) -> str:
    """Remove *name* from the environment; no error if it is not there, also under ``set -eu``."""
    return dialect(shell).unset.format(name=_checked(name))


def _checked(name: str) -> str:
    """Return *name* if every shell can have a variable of that name.

    :raises UsageError: if not every shell can have a variable called *name*.
    """
    if not _NAME.match(name):
        raise UsageError(
            f"'{name}' cannot be the name of a variable in a shell",
            facts={"name": name},
            hint="names are letters, digits and underscores, and begin with no digit",
            ref="variable-name",
        )
    return name

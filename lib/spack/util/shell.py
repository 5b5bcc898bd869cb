"""Text for shells: quoting, and statements that set and unset.

The dialects are rows of :data:`DIALECTS`; ``sh`` serves bash, zsh, dash, ash and ksh. Every
statement ends with ``;`` and a newline, so that the text survives ``eval`` in csh, which joins
lines with blanks.

Limits: csh cannot hold a newline in a quoted word without a backslash, which is written; no shell
can hold a NUL byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Callable, NamedTuple

from spack.errors import UsageError

__all__ = [
    "DIALECTS",
    "Dialect",
    "dialect",
    "quote",
    "set_statement",
    "unset_statement",
]

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _quote_sh(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _quote_csh(text: str) -> str:
    # "!" is history expansion even between single quotes, and a newline ends the word.
    escaped = text.replace("'", "'\\''").replace("!", "\\!").replace("\n", "\\\n")
    return f"'{escaped}'"


def _quote_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quote_pwsh(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Dialect(NamedTuple):
    """The words of one family of shells; templates have the fields ``name`` and ``value``."""

    quote: Callable[[str], str]
    set: str
    unset: str
    plain_words: bool = True


DIALECTS: Mapping[str, Dialect] = {
    "sh": Dialect(
        quote=_quote_sh,
        set="export {name}={value};\n",
        unset="unset {name};\n",
    ),
    "csh": Dialect(
        quote=_quote_csh,
        set="setenv {name} {value};\n",
        unset="unsetenv {name};\n",
    ),
    "fish": Dialect(
        quote=_quote_fish,
        set="set -gx {name} {value};\n",
        unset="set -e {name};\n",
    ),
    "pwsh": Dialect(
        quote=_quote_pwsh,
        set="$Env:{name} = {value};\n",
        unset="Remove-Item -ErrorAction SilentlyContinue -LiteralPath Env:{name};\n",
        plain_words=False,
    ),
}

#: Names under which people know the dialects.
_SYNONYMS: dict[str, str] = {
    "ash": "sh",
    "bash": "sh",
    "dash": "sh",
    "ksh": "sh",
    "zsh": "sh",
    "tcsh": "csh",
    "powershell": "pwsh",
    "ps1": "pwsh",
}


def dialect(shell: str) -> Dialect:
    """Return the dialect of *shell* (``bash``, ``zsh``, ``tcsh``, …).

    :raises UsageError: for a shell that has no row in the table.
    """
    found = DIALECTS.get(_SYNONYMS.get(shell, shell))
    if found is None:
        raise UsageError(
            f"there is no text for the shell '{shell}'",
            facts={"shell": shell, "known": sorted([*DIALECTS, *_SYNONYMS])},
            hint=f"use one of {', '.join(sorted(DIALECTS))}",
            ref="unknown-shell",
        )
    return found


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

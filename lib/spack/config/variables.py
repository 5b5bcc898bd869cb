"""Variables in configured paths: ``$spack``, ``$env``, ``${HOME}``, ``~``, ...

The names are Spack's, and ``$data``: where this installation keeps what it makes (the clone
itself, or a directory of the user's when the code is not writable), and ``$tree``: the usual
install tree. What is not such a variable
is looked up in the environment that the composition root passed in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Callable

from spack.config.schema import suggestion

if TYPE_CHECKING:
    from spack.config.schema import ConfigReport, Origin

__all__ = ["Variables"]

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

_HINTS = {"env": "$env is known while an environment is active"}


class Variables:
    """Values for names; a value that is costly to know may be a function, called when needed.

    :param values: the variables, without the dollar.
    :param environ: environment variables, used for all other names.
    :param home: what ``~`` means.
    """

    __slots__ = ("environ", "home", "values")

    def __init__(
        self,
        values: Mapping[str, str | Callable[[], str]] | None = None,
        environ: Mapping[str, str] | None = None,
        home: str = "",
    ) -> None:
        self.values = dict(values or {})
        self.environ = environ or {}
        self.home = home

    def with_values(self, **values: str | Callable[[], str]) -> Variables:
        """Return these variables with some more."""
        return Variables({**self.values, **values}, self.environ, self.home)

    def expand(self, text: str) -> tuple[str, list[str]]:
        """Return the text with its variables replaced, and the names that are not known."""
        if "$" not in text and not text.startswith("~"):
            return text, []
        missing: list[str] = []

        def value(match: re.Match[str]) -> str:
            name = match.group(1) or match.group(2)
            found = self.values.get(name)
            if found is None:
                found = self.environ.get(name)
            if found is None:
                missing.append(name)
                return match.group(0)
            return found if isinstance(found, str) else found()

        text = _VARIABLE.sub(value, text)
        if text == "~" or text.startswith("~/"):
            text = (self.home or os.path.expanduser("~")) + text[1:]
        elif text.startswith("~"):
            text = os.path.expanduser(text)
        return text, missing

    def path(self, text: str, origin: Origin, report: ConfigReport) -> str:
        """Return an absolute path; a relative one starts at the directory of the file.

        Values outside of files (command line) are taken from ``$cwd``.
        """
        expanded, missing = self.expand(text)
        for name in missing:
            report.add(
                origin,
                f"unknown variable ${name} in {text!r}",
                _HINTS.get(name)
                or suggestion(name, self.values)
                or f"set {name} in the environment",
            )
        if "://" in expanded:
            return expanded
        if not os.path.isabs(expanded):
            base = os.path.dirname(origin.file) if os.path.isabs(origin.file) else ""
            if not base:
                cwd = self.values.get("cwd", "")
                base = cwd if isinstance(cwd, str) else cwd()
            expanded = os.path.join(base, expanded)
        return os.path.normpath(expanded)

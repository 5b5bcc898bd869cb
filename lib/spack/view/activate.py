"""Text that activates a view in a shell, and the changes of the environment it is made from.

A view contains ``bin/activate`` and its siblings, which find their own path; ``spack env
activate`` prints the same text with the path written in. Both come from one template of
``share/activate`` per shell, and one row of :data:`spack.util.shell.SHELLS` that says how a
:class:`EnvStep` is written, so they cannot disagree.

Lines of a template that hold a marker are replaced:

=============  ==============================================================================
``@LOCATE@``   finds the view: sets ``_spack_root`` and ``_spack_name``
``@SAVE@``     keeps the value of each variable that will change, or that it was not set
``@APPLY@``    the steps
``@RESTORE@``  gives every variable its kept value
``@NAME@``     the name that the prompt shows
=============  ==============================================================================

PATH, PYTHONHOME and PS1 are kept under the names that Python's own ``activate`` uses, so that one
can be activated over the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from spack.util.shell import SHELLS

__all__ = ["NAME", "ROOT", "EnvStep", "render", "steps_from_json"]

#: Marks the view in the value of a step, and the name shown in the prompt.
ROOT = "@VIEW@"
NAME = "@NAME@"

_TOKEN = re.compile(f"({ROOT}|{NAME})")


#: What a step may do.
ACTIONS = ("set", "unset", "prepend", "append")


class EnvStep(NamedTuple):
    """One change of one variable.

    :param action: ``set``, ``unset``, ``prepend`` or ``append``.
    :param value: text; :data:`ROOT` and :data:`NAME` in it are filled in by the shell.
    :param separator: between old and new text, for ``prepend`` and ``append``.
    :param tail: for ``prepend``: what follows if the variable was unset or empty, separator
        included (``MANPATH`` needs ``:`` to keep the system's pages).
    """

    action: str
    name: str
    value: str = ""
    separator: str = ":"
    tail: str = ""


def steps_from_json(rows: Iterable[Sequence[Any]]) -> tuple[EnvStep, ...]:
    """Return steps from the lists that JSON makes of them.

    :raises ValueError: one of them is something else.
    :raises TypeError: likewise.
    """
    steps = tuple(EnvStep(*row) for row in rows)
    for step in steps:
        if step.action not in ACTIONS or not all(isinstance(part, str) for part in step):
            raise ValueError(f"not a step of an activation: {list(step)!r}")
    return steps


_STANDARD_KEEPERS = {"PATH": "_OLD_VIRTUAL_PATH", "PYTHONHOME": "_OLD_VIRTUAL_PYTHONHOME"}


def _keeper(name: str) -> str:
    return _STANDARD_KEEPERS.get(name, f"_SPACK_OLD_{name}")


def _value(shell: str, text: str) -> str:
    """Return *text* as a word (PowerShell, Nushell: an expression), tokens filled in."""
    row, quoted = SHELLS[shell].activation, SHELLS[shell].dialect.quote
    tokens = {ROOT: row.root, NAME: row.name}
    words = [tokens.get(part) or quoted(part) for part in _TOKEN.split(text) if part]
    if not words:
        return quoted("")
    joined = row.joint.join(words)
    return f"({joined})" if row.joint and len(words) > 1 else joined


def _apply(shell: str, step: EnvStep) -> str:
    action = step.action
    if action == "prepend" and step.tail:
        action = "prepend_tail"
    # The tail carries its separator, the templates write it.
    tail = step.tail[len(step.separator) :]
    return (
        SHELLS[shell]
        .activation.actions[action]
        .format(n=step.name, v=_value(shell, step.value), s=step.separator, t=tail)
    )


def _distinct(steps: Iterable[EnvStep]) -> list[str]:
    return list(dict.fromkeys(step.name for step in steps))


def render(
    shell: str, template: str, steps: Sequence[EnvStep], *, root: str = "", name: str = ""
) -> str:
    """Return the text that activates a view in *shell* (a key of :data:`SHELLS`).

    :param template: of ``share/activate``.
    :param root: path of the view; if empty the text finds itself.
    :param name: for the prompt; if empty the last component of the view's path.
    :returns: with *root*, text for ``eval``: without comments.
    """
    row, quoted = SHELLS[shell].activation, SHELLS[shell].dialect.quote
    variables = _distinct(steps)
    locate = row.locate_fixed.format(v=quoted(root)) if root else row.locate.strip("\n")
    shown = quoted(name) if name else row.basename
    blocks: dict[str, list[str]] = {
        "@LOCATE@": [*locate.split("\n"), row.locate_name.format(v=shown)],
        "@SAVE@": [row.save.format(n=x, o=_keeper(x)) for x in variables],
        "@APPLY@": [_apply(shell, step) for step in steps],
        "@RESTORE@": [row.restore.format(n=x, o=_keeper(x)) for x in variables],
        NAME: [shown],
    }
    lines: list[str] = []
    for line in template.splitlines():
        lines.extend(_filled(line, blocks))
    if root:
        lines = [x for x in lines if x.strip() and not x.lstrip().startswith(row.comment)]
    return "\n".join(lines) + "\n"


def _filled(line: str, blocks: Mapping[str, list[str]]) -> list[str]:
    """Return a line of a template with its markers replaced; one that is only a marker may grow."""
    bare = line.strip()
    if bare in blocks:
        indent = line[: len(line) - len(line.lstrip())]
        return [indent + text if text else text for text in blocks[bare]]
    for marker, texts in blocks.items():
        if marker in line:
            line = line.replace(marker, " ".join(texts))
    return [line]

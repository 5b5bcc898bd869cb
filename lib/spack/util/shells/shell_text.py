"""What is known of a shell: the type of the rows of :data:`spack.util.shell.SHELLS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable, NamedTuple

__all__ = ["ActivationText", "Dialect", "Shell", "guarded"]


class Dialect(NamedTuple):
    """The words of one family of shells; templates have the fields ``name`` and ``value``.

    :ivar plain_words: words without special characters need no quotes.
    """

    quote: Callable[[str], str]
    set: str
    unset: str
    plain_words: bool = True


class ActivationText(NamedTuple):
    """What :mod:`spack.view.activate` fills a template with.

    In statements ``{n}`` is the name of a variable, ``{o}`` that of the one that keeps its old
    value, ``{v}`` a value, ``{s}`` a separator, ``{t}`` a tail.

    :ivar template: file of ``share/activate``, which is also its name in ``bin`` of views.
    :ivar root: the path of the view. :ivar name: the name that the prompt shows.
    :ivar basename: the last component of the view's path.
    :ivar actions: statement by action of a step.
    :ivar save: keeps the value of a variable, or that it was not set.
    :ivar restore: gives a variable its kept value.
    :ivar locate: finds the view. :ivar locate_fixed: sets its path instead.
    :ivar joint: between the parts of a value; "" where they form one word.
    :ivar comment: begins a comment.
    """

    template: str
    root: str
    name: str
    basename: str
    actions: Mapping[str, str]
    save: str
    restore: str
    locate: str
    locate_fixed: str
    locate_name: str
    joint: str = ""
    comment: str = "#"


class Shell(NamedTuple):
    """A family of shells.

    :ivar name: as options of commands and configuration name it.
    :ivar synonyms: other names, those of its members.
    :ivar prompt: statements that set ``VIRTUAL_ENV_DISABLE_PROMPT`` to ``{}``, and that give it
        its value back; those between them write the prompt.
    :ivar deactivate: returns text that calls the function ``deactivate`` or, where a shell has
        none, does the statements that it is given; they unset the variable that it is given last.
    :ivar completion: script for completion by member of the family.
    :ivar evaluates: whether it can evaluate text that a command prints.
    """

    name: str
    dialect: Dialect
    activation: ActivationText
    prompt: tuple[str, str]
    deactivate: Callable[[str, str], str]
    synonyms: tuple[str, ...] = ()
    completion: Mapping[str, str] = {}  # never changed
    evaluates: bool = True


def guarded(opening: str, nothing: str, closing: str) -> Callable[[str, str], str]:
    """Return a deactivation whose statements are between *opening* and *closing*.

    :param nothing: used where there are no statements.
    """
    return lambda statements, _: f"{opening}\n{statements or nothing}\n{closing}\n"

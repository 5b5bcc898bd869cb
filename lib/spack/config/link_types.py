"""The link types of views: how the file of a package gets into a view.

The one table of them. How each is made and verified is in :mod:`spack.view.materialize` and
:mod:`spack.view.verify`, by name.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEFAULT", "LINK_TYPES", "LinkType", "canonical", "spellings"]


class LinkType(NamedTuple):
    """One link type.

    :ivar synonyms: what else Spack's users write for it.
    :ivar help: of the command that makes such a view.
    """

    name: str
    synonyms: tuple[str, ...]
    help: str


LINK_TYPES: tuple[LinkType, ...] = (
    LinkType(
        "symlink", ("soft", "add", "relative"), "show packages in a directory by symbolic links"
    ),
    LinkType("hardlink", ("hard",), "show packages in a directory by hard links"),
    LinkType("copy", ("relocate",), "show packages in a directory by copies that need no store"),
)

DEFAULT = LINK_TYPES[0].name

_NAMES = {text: row.name for row in LINK_TYPES for text in (row.name, *row.synonyms)}


def canonical(text: str) -> str | None:
    """Return the name of the link type that *text* names or is a synonym of; else None."""
    return _NAMES.get(text)


def spellings() -> tuple[str, ...]:
    """Return all names and synonyms, names first."""
    return tuple(dict.fromkeys([*(row.name for row in LINK_TYPES), *_NAMES]))

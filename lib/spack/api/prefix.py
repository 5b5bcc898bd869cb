"""``Prefix``: a path as text, on which every attribute is a path below it.

``prefix.lib.python`` is ``<prefix>/lib/python``; names that are not identifiers go through
:meth:`Prefix.join`. Names of :class:`str` methods keep their meaning as methods, as recipes
expect (``prefix.join("x")`` is the one that is redefined).
"""

from __future__ import annotations

import os

__all__ = ["Prefix"]


class Prefix(str):
    """Root of an installation.

    >>> str(Prefix("/usr").lib64.pkgconfig)
    '/usr/lib64/pkgconfig'
    """

    def __getattr__(self, name: str) -> Prefix:
        if name.startswith("__"):  # copy, pickle and inspect ask for such names
            raise AttributeError(name)
        return Prefix(os.path.join(self, name))

    def join(self, string: str) -> Prefix:  # type: ignore[override]  # the API's meaning
        """Return the path *string* below this one, for names that are not identifiers."""
        return Prefix(os.path.join(self, str(string)))

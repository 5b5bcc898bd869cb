"""The three spellings of a package's name, and near names for typing errors.

======================  ===============  ==================================================
spelling                example          rule
======================  ===============  ==================================================
package name            ``py-black``     lower-case letters, digits, ``-``; what specs use
directory               ``py_black``     ``-`` becomes ``_``; ``_`` in front of a digit or of
                                         a Python keyword, so that it can be imported
class                   ``PyBlack``      parts capitalized and joined; ``_`` in front of a
                                         digit or of a Python keyword
======================  ===============  ==================================================
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

__all__ = [
    "INDEX_NAMESPACE",
    "building_name",
    "class_name",
    "directory_name",
    "suggest_names",
    "package_name",
]

#: The namespace of packages whose projects on the package index have no recipe.
INDEX_NAMESPACE = "pypi"


def package_name(directory: str) -> str:
    """Return ``py-black`` for ``py_black``, ``7zip`` for ``_7zip``."""
    return directory.lstrip("_").replace("_", "-") if directory else directory


def directory_name(name: str) -> str:
    """Return ``py_black`` for ``py-black``, ``_7zip`` for ``7zip``.

    The inverse of :func:`package_name`.
    """
    directory = name.replace("-", "_")
    if directory[:1].isdigit() or keyword.iskeyword(directory):
        return f"_{directory}"
    return directory


def class_name(name: str) -> str:
    """Return ``PyBlack`` for ``py-black``."""
    result = "".join(part.capitalize() for part in re.split("[-_]", name))
    if result[:1].isdigit() or keyword.iskeyword(result):
        return f"_{result}"
    return result


def suggest_names(name: str, names: Iterable[str], count: int = 5) -> list[str]:
    """Return the known names that resemble *name*, best first.

    A name that only lacks the ``py-`` in front, or has one too many, comes first.
    """
    import difflib  # start-up: only after an error

    known = set(names)
    wanted = name.lower().replace("_", "-")
    stem = wanted[3:] if wanted.startswith("py-") else wanted
    found = [alias for alias in (wanted, f"py-{stem}", stem) if alias in known and alias != name]
    found += difflib.get_close_matches(wanted, known, n=count, cutoff=0.75)
    return list(dict.fromkeys(found))[:count]


#: Recipes of upstream that make nothing which a build of this engine can use: it has its own. A
#: node of a lock that Spack wrote has the namespace ``builtin``.
_REPLACED = frozenset({"builtin.compiler-wrapper"})


def building_name(fullname: str) -> str:
    """Return the name by which the recipe that builds the node *fullname* is found.

    It has a namespace, except where the engine's recipe takes the role of upstream's.
    """
    return fullname.rpartition(".")[2] if fullname in _REPLACED else fullname

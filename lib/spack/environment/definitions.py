"""Lists of specs in ``spack.yaml``: definitions, ``$references`` and matrices.

::

    definitions:
    - compilers: ["%gcc", "%clang"]
    - libraries: [hdf5, zlib]
      when: platform == "linux"
    specs:
    - $libraries
    - matrix:
      - [py-numpy@2.0, py-numpy@1.26]
      - [$compilers]
      exclude: [py-numpy@2.0%clang]

A definition that occurs twice is extended; one whose ``when`` does not hold is empty. ``$^name``
and ``$%name`` put a sigil before each item. A cell of a matrix may be a matrix. The cells of one
combination are constraints on one package, whichever of them names it, so that ``[^mpich]`` before
``[+fortran]`` says nothing of mpich's Fortran.

``when`` is a condition of :mod:`spack.config.when_conditions`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.config.schema import suggestion
from spack.errors import ConfigError, SpecError
from spack.spec import Spec, parse

if TYPE_CHECKING:
    from spack.config.schema import Origin, Tree

__all__ = ["DEFAULT_GROUP", "UserSpec", "expand", "expand_definitions"]

#: The group of the specs that are in no named one.
DEFAULT_GROUP = "default"

#: A matrix with more combinations than this is a mistake.
_MOST_ROWS = 10_000


class UserSpec(NamedTuple):
    """A requested root: its text, where it is written, and the group that it is in."""

    text: str
    origin: Origin
    group: str = DEFAULT_GROUP


Lists = Mapping[str, Sequence[UserSpec]]


def expand_definitions(tree: Tree | None, names: Mapping[str, Any]) -> dict[str, list[UserSpec]]:
    """Return the lists below ``definitions``, references resolved.

    :param names: values for ``when``; see the module's docstring.
    :raises ConfigError: unknown reference or malformed ``when``, with file and line.
    """
    parts: dict[str, list[Tree]] = {}
    for entry in [] if tree is None else tree.value:
        condition = entry.value.get("when")
        true = True
        if condition is not None:
            # start-up: few environments have conditions
            from spack.config.when_conditions import holds

            true = holds(condition.value, names, condition.origin)
        for name, items in entry.value.items():
            if name != "when":
                parts.setdefault(name, []).extend([items] if true else [])
    lists: dict[str, list[UserSpec]] = {}
    for name, trees in parts.items():
        lists[name] = [spec for items in trees for spec in expand(items, lists)]
    return lists


def expand(items: Tree, lists: Lists) -> list[UserSpec]:
    """Return the specs of one list in order: plain ones, ``$references`` and matrices.

    :raises ConfigError: an unknown reference, a malformed cell or contradicting ones, a matrix
        of too many combinations, a list of too many specs; with file and line.
    """
    result: list[UserSpec] = []
    for item in items.value:
        if isinstance(item.value, str):
            result.extend(_resolve(item, lists))
        elif isinstance(item.value, dict):
            result.extend(_matrix(item, lists))
        if len(result) > _MOST_ROWS:
            raise ConfigError(
                f"{item.origin}: the list has more than {_MOST_ROWS} specs",
                facts={"file": item.origin.file, "line": item.origin.line},
                hint="refer to a list once, or make several environments",
            )
    return result


def _resolve(item: Tree, lists: Lists) -> list[UserSpec]:
    text = item.value.strip()
    if not text.startswith("$"):
        return [UserSpec(text, item.origin)]
    sigil = text[1] if text[1:2] in ("^", "%") else ""
    name = text[1 + len(sigil) :]
    found = lists.get(name)
    if found is None:
        raise ConfigError(
            f"{item.origin}: there is no definition named '{name}' before this line",
            facts={"file": item.origin.file, "line": item.origin.line, "name": name},
            hint=suggestion(name, lists) or "write it below 'definitions:'",
        )
    return [UserSpec(sigil + spec.text.lstrip(sigil or " "), item.origin) for spec in found]


def _matrix(item: Tree, lists: Lists) -> list[UserSpec]:
    axes = [[spec.text for spec in expand(axis, lists)] for axis in item.value["matrix"].value]
    size = 1
    for axis in axes:
        size *= len(axis)
    if size > _MOST_ROWS:
        raise ConfigError(
            f"{item.origin}: the matrix has {size} combinations, more than {_MOST_ROWS}",
            facts={"file": item.origin.file, "line": item.origin.line, "combinations": size},
            hint="leave out rows, or write several smaller matrices",
        )
    excluded: list[Spec] = []
    if "exclude" in item.value:
        for entry in item.value["exclude"].value:
            excluded.extend(_parsed(spec.text, item.origin) for spec in _resolve(entry, lists))
    result = []
    for cells in itertools.product(*axes):
        spec = _combined(cells, item.origin)
        if not any(spec.satisfies(unwanted) for unwanted in excluded):
            result.append(UserSpec(_text_of(cells, spec), item.origin))
    return result


def _parsed(text: str, origin: Origin) -> Spec:
    try:
        return parse(text)
    except SpecError as error:
        raise error.at(origin) from error


def _combined(cells: Iterable[str], origin: Origin) -> Spec:
    """Return the spec that satisfies all *cells*; one of them names the package, or none."""
    specs = [_parsed(text, origin) for text in cells]
    named = next((spec for spec in specs if spec.name), Spec())
    try:
        for spec in specs:
            if spec is not named:
                named = named.constrain(spec)
    except SpecError as error:
        raise error.at(origin) from error
    return named


def _text_of(cells: Sequence[str], spec: Spec) -> str:
    """Return the user's own words where they mean *spec*, else its canonical text."""
    joined = " ".join(cells)
    try:
        return joined if parse(joined) == spec else str(spec)
    except SpecError:  # such as "%gcc hdf5": a second spec begins there
        return str(spec)

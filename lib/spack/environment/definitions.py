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

A definition that occurs twice is extended. ``$^name`` and ``$%name`` put a sigil before each item.
``when`` is an expression over ``platform``, ``os``, ``target``, ``arch``, ``hostname``, ``env``
(the environment variables) and ``re``; it is read as data and not executed as code.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from spack.config.schema import Origin, Tree, suggestion
from spack.errors import ConfigError
from spack.spec import parse

__all__ = ["UserSpec", "expand", "expand_definitions"]


class UserSpec(NamedTuple):
    """A requested root: its text, and where it is written."""

    text: str
    origin: Origin


Lists = Mapping[str, Sequence[UserSpec]]


def expand_definitions(tree: Tree | None, names: Mapping[str, Any]) -> dict[str, list[UserSpec]]:
    """Return the lists below ``definitions``, references resolved.

    :param names: values for ``when``; see the module's docstring.
    :raises ConfigError: unknown reference or malformed ``when``, with file and line.
    """
    lists: dict[str, list[UserSpec]] = {}
    for entry in [] if tree is None else tree.value:
        condition = entry.value.get("when")
        if condition is not None:
            # start-up: few environments have conditions
            from spack.environment.when_conditions import holds

            if not holds(condition.value, names, condition.origin):
                continue
        for name, items in entry.value.items():
            if name != "when":
                lists.setdefault(name, []).extend(expand(items, lists))
    return lists


def expand(items: Tree, lists: Lists) -> list[UserSpec]:
    """Return the specs of one list in order: plain ones, ``$references`` and matrices."""
    result: list[UserSpec] = []
    for item in items.value:
        if isinstance(item.value, str):
            result.extend(_resolve(item, lists))
        elif isinstance(item.value, dict):
            result.extend(_matrix(item, lists))
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
    axes = [
        [spec.text for entry in axis.value for spec in _resolve(entry, lists)]
        for axis in item.value["matrix"].value
    ]
    excluded: list[str] = []
    if "exclude" in item.value:
        for entry in item.value["exclude"].value:
            excluded.extend(spec.text for spec in _resolve(entry, lists))
    rows = [" ".join(words) for words in itertools.product(*axes)]
    if excluded:
        unwanted = [parse(text) for text in excluded]
        rows = [row for row in rows if not any(parse(row).satisfies(spec) for spec in unwanted)]
    return [UserSpec(row, item.origin) for row in rows]

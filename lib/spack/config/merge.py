"""Merging the trees of several scopes, by Spack's rules.

Mappings merge key by key, the higher scope's keys first. Lists of the higher scope come before
the lower one's, and no item occurs twice. Scalars of the higher scope win. ``key::`` in the higher
scope drops what lower scopes say, ``key+:`` puts the lower scope's list (or text) first.
"""

from __future__ import annotations

from collections.abc import Iterator

from spack.config.schema import Origin, Tree, key_name, strip

__all__ = ["leaves", "merge"]


def merge(low: Tree | None, high: Tree) -> Tree:
    """Return ``high`` over ``low``; neither is changed, and the result has no suffixed keys."""
    return _merge(low, high, append=False)


def _merge(low: Tree | None, high: Tree, append: bool) -> Tree:
    below = None if low is None else low.value
    value = high.value
    if isinstance(value, dict):
        lower: dict[str, Tree] = below if isinstance(below, dict) else {}
        result: dict[str, Tree] = {}
        for key, child in value.items():
            name = key_name(key)
            suffix = key[len(name) :]
            base = None if suffix == ":" else result.get(name, lower.get(name))
            result[name] = _merge(base, child, append=suffix == "+")
        for name, child in lower.items():
            result.setdefault(name, child)
        return Tree(result, high.origin)
    if isinstance(value, list) and isinstance(below, list):
        first, second = (below, value) if append else (value, below)
        known = [strip(item) for item in first]
        return Tree([*first, *(item for item in second if strip(item) not in known)], high.origin)
    if append and isinstance(value, str) and isinstance(below, str):
        return Tree(below + value, high.origin)
    return high


def leaves(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Tree]]:
    """Yield every scalar and every empty container, with the keys that lead to it.

    Items of a list have the key ``"-"``. This is what ``spack config blame`` prints.
    """
    value = tree.value
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, list) and value:
        for child in value:
            yield from leaves(child, (*path, "-"))
    else:
        yield path, tree


def find(tree: Tree | None, *keys: str) -> Tree | None:
    """Return the subtree below ``keys``, or None."""
    for key in keys:
        if tree is None or not isinstance(tree.value, dict):
            return None
        tree = tree.value.get(key)
    return tree


#: The origin of what no scope says.
BUILT_IN = Origin("built-in default")

"""What a view will hold: pure, from the packages' manifests and the options.

A view shows the files of several prefixes as one tree. Every path of it has one owner; a path that
two packages provide is fine if it is a folder in both or the same content in both, and a conflict
otherwise. All conflicts are found before anything is written, and the result does not depend on
the order in which the packages are given.

How a path comes into the view (:class:`Item`):

=============  ==============================================================================
``symlink``    a symbolic link to the file in the prefix
``hardlink``   another name of the file
``copy``       a file of its own (sharing its blocks where the file system can)
``link``       a symbolic link with a target of its own: links of a prefix keep pointing inside
``text``       a file whose content the plan holds: rewritten scripts, ``pyvenv.cfg``, …
=============  ==============================================================================

Files that would name the store's Python are read through an argument and become ``text``, whatever
the link type. Cost: about 1 µs a file, and reading those that may be scripts.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import Callable

from spack.view.activate import EnvStep
from spack.view.folding import fold
from spack.view.hooks import HookRecord
from spack.view.path_rewriting import rewrite
from spack.view.plan_types import (
    OWN,
    FileOwner,
    Item,
    Limit,
    Read,
    ViewOptions,
    ViewPlan,
    ViewSource,
    options_digest,
    ordered_sources,
    plan_digest,
    python_facts,
    source_digest,
)
from spack.view.search_paths import path_steps, projected_steps
from spack.view.venv_parts import BasePython
from spack.view.view_tree import ViewTree

__all__ = ["Ask", "plan_added", "plan_own", "plan_view"]

#: Asks the recipes of the packages that customize views; the answers by hash.
Ask = Callable[[Sequence[ViewSource]], Mapping[str, HookRecord]]


def plan_view(
    sources: Sequence[ViewSource], options: ViewOptions, read: Read, ask: Ask | None = None
) -> ViewPlan:
    """Decide every path of the view.

    :param read: reads files of the prefixes.
    :param ask: see :mod:`spack.view.hooks`; None if no recipe has anything to say.
    :raises ViewError: a link type that is not known. Conflicts are in the result: see
        :meth:`ViewPlan.check`.
    """
    ordered = ordered_sources(sources)
    tree = ViewTree(ordered, options)
    tree.conflicts.read = read
    if options.python is not None:
        tree.reserve(options.python)
    answers = {} if ask is None else ask(ordered)
    tree.conflicts.tolerated = {path for answer in answers.values() for path in answer.tolerated}
    for index, source in enumerate(ordered):
        answer = answers.get(source.hash)
        if source.role == "python-venv":
            continue
        if answer is None:
            tree.add(index, source)
        else:
            tree.add_recorded(index, source, answer)
    rewrite(tree, read)
    if options.fold:
        fold(tree, read)
    return _result(tree, _add_own(tree, tree.folders, tree.shows))


def plan_added(
    sources: Sequence[ViewSource],
    added: Sequence[ViewSource],
    options: ViewOptions,
    read: Read,
    answers: Mapping[str, HookRecord],
) -> ViewPlan:
    """Return the entries that the packages *added* add to a view of *sources*, and nothing else.

    Its digest and owners are those of the whole view. Conflicts with the other packages are not
    seen.
    """
    tree = ViewTree(ordered_sources(sources), options)
    tree.conflicts.read = read
    if options.python is not None:
        tree.reserve(options.python)
        tree.folders.clear()
    for index, source in enumerate(tree.sources):
        answer = answers.get(source.hash)
        if source in added and answer is not None:
            tree.add_recorded(index, source, answer)
        elif source in added:
            tree.add(index, source)
    rewrite(tree, read)
    if options.fold:
        fold(tree, read)
    return _result(tree, ())


def plan_own(
    sources: Sequence[ViewSource],
    options: ViewOptions,
    folders: set[str],
    exists: Callable[[str], bool],
) -> ViewPlan:
    """Return the view's own entries, for one with these *folders*."""
    tree = ViewTree(ordered_sources(sources), options)
    return _result(tree, _add_own(tree, folders, exists))


def _add_own(
    tree: ViewTree, folders: Container[str], exists: Callable[[str], bool]
) -> tuple[EnvStep, ...]:
    """Add what belongs to the view itself; gives the steps of its activation."""
    steps, pth = projected_steps(
        [(s.prefix, s.projection, s.environment) for s in tree.sources], exists
    )
    outside = tuple(EnvStep("prepend", "PATH", x) for x in tree.options.program_directories)
    steps = outside + path_steps(folders, (), is_venv=tree.lib64) + steps
    python = tree.options.python
    if python is not None:
        further = tree.options.site_directories
        projected = _projected_sites(tree, python, exists)
        if pth or further or projected:
            depth = "../" * (python.purelib.count("/") + 1)
            lines = "".join(f"{depth}{path}\n" for path in pth)
            lines += "".join(_SITE_LINE.format(f"{depth}{path}") for path in projected)
            lines += "".join(f"import site; site.addsitedir({path!r})\n" for path in further)
            tree.text(f"{python.purelib}/_spack_view.pth", lines.encode(), OWN, 0o644)
        for name, path in tree.options.external_modules:
            location = f"{python.purelib}/{name}"
            if location not in tree.items and location not in tree.folders:
                tree.items[location] = Item("link", OWN, path, 0o777, "")
        _add_venv(tree, python, steps)
    return steps


#: Adds a directory relative to the one of the ``.pth`` file, with the ``.pth`` files in it.
_SITE_LINE = "import os, site; site.addsitedir(os.path.normpath(os.path.join(sitedir, {!r})))\n"


def _projected_sites(
    tree: ViewTree, python: BasePython, exists: Callable[[str], bool]
) -> tuple[str, ...]:
    """Return the directories of modules of extensions that are shown in folders of their own.

    Of several versions of a package the view's Python imports one: that without a folder, else
    the newest; the others are recorded as limits.
    """
    found: dict[str, None] = {}
    chosen: dict[str, ViewSource] = {}
    extensions = [source for source in tree.sources if source.role == "extension"]
    for source in sorted(extensions, key=_precedence):
        folder = source.projection.strip("/")
        first = chosen.setdefault(source.name, source)
        if first is not source:
            text = f"{source.label}, shown in {folder}, is not imported: {first.label} is"
            tree.limits.append(Limit(OWN, "", text))
        elif folder:
            sites = (f"{folder}/{site}" for site in (python.purelib, python.platlib))
            found.update(dict.fromkeys(site for site in sites if exists(site)))
    return tuple(found)


def _precedence(source: ViewSource) -> tuple[bool, Sequence[int], str]:
    """Return what extensions are ordered by: shown in the view itself first, then the newest."""
    numbers = [-int(x) for x in re.findall(r"\d+", source.version)]
    return bool(source.projection), numbers, source.hash


def _result(tree: ViewTree, steps: tuple[EnvStep, ...]) -> ViewPlan:
    """Return the plan as far as it has been made."""
    python = tree.options.python
    for folder, owner in tree.folders.items():
        item = tree.items.get(folder)
        if item is not None:
            tree.conflicts.clash(folder, item.owner, owner)
    return ViewPlan(
        digest=plan_digest(tree.sources, tree.options),
        options=options_digest(tree.options),
        sources=tuple(map(source_digest, tree.sources)),
        link_type=tree.options.link_type,
        owners=tuple(FileOwner(s.name, s.version, s.hash, s.prefix) for s in tree.sources),
        folders=tuple(sorted(tree.folders)),
        bare={path: tuple(owners) for path, owners in tree.bare.items()},
        items=tree.items,
        texts=tree.texts,
        steps=steps,
        python=None if python is None else python_facts(python, tree.base),
        conflicts=tuple(tree.conflicts.found()),
        shared=tree.conflicts.shared,
        limits=tuple(tree.limits),
    )


def _add_venv(tree: ViewTree, python: BasePython, steps: Sequence[EnvStep]) -> None:
    own = tree.venv_parts(python, steps)
    for path, target in own.links.items():
        tree.items[path] = Item("link", OWN, target, 0o777, "")
    for path, content in own.texts.items():
        tree.text(path, content, OWN, 0o644)

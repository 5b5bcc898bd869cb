"""What a view records of itself.

``.spack-view/manifest.json`` is the head: what the view was made from, its packages and folders,
and which Python it is based on. ``.spack-view/items/<hash>.json`` says for every path of one
package its kind and hash (``view.json`` for what belongs to the view itself), so that a package
can come and removed without the records of the rest being read. ``environment.json`` holds what
activation needs and no more. None of them holds the path of the view, so that it can be moved. No
Python of the view is run to read them.

Format 3 of the head::

    {"format": 3, "digest": "…", "options": "…", "link_type": "symlink",
     "python": {"executable": "/usr/bin/python3.11", "version": "3.11.2", "purelib": "…", …},
     "owners": [[name, version, hash, prefix], …], "sources": [digest, …],
     "folders": ["bin", …], "bare": {folder: [owner, …], …},
     "shared": {path: [reason, owner, …], …}, "limits": [[owner, path, text], …]}

``owner`` is an index into ``owners``; ``sources`` are parallel to them. ``bare`` are folders that
a package has and puts nothing into; ``shared`` the paths that several packages provide
(:class:`spack.view.plan_types.Shared`).

Items are ``{path: [how, source, digest, size, mtime_ns], …}``: ``how`` is a kind
of :class:`~spack.view.plan_types.Item`, ``source`` is 0 for the same path below the owner's
prefix; size and time are 0 for links.

``change.json`` is there while the view is changed in place (:mod:`spack.view.incremental`);
``checked.json`` says when it was last found to be right (:mod:`spack.view.stat_cache`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from spack.errors import ViewError
from spack.util.filesystem import atomic_write
from spack.util.frozen import field, fields_of, frozen
from spack.util.json_input import parse_json
from spack.view.activate import EnvStep, steps_from_json
from spack.view.plan_types import OWN, FileOwner, Item, Limit, Shared, ViewPlan

__all__ = [
    "FOLDER",
    "Activation",
    "Head",
    "ViewRecord",
    "ViewManifest",
    "is_view",
    "load_activation",
    "load_head",
    "load_items",
    "load_manifest",
    "write_records",
]

#: The view's own folder.
FOLDER = ".spack-view"
MANIFEST = f"{FOLDER}/manifest.json"
ENVIRONMENT = f"{FOLDER}/environment.json"
ITEMS = f"{FOLDER}/items"
CHANGE = f"{FOLDER}/change.json"
CHECKED = f"{FOLDER}/checked.json"
DISPLACED = f"{FOLDER}/displaced"

FORMAT = 3

#: Marks the hash of the view itself.
SELF = "view"


class ViewRecord(NamedTuple):
    """One path of a view that is not a directory, as it was made."""

    how: str
    owner: int
    source: str
    digest: str
    size: int
    mtime_ns: int


@frozen
class Head:
    """What a view is made of, without its items; see the module's docstring.

    :ivar inline: the items of a view in a former format.
    """

    digest: str
    options: str
    link_type: str
    python: Mapping[str, str] | None
    owners: tuple[FileOwner, ...]
    sources: tuple[str, ...]
    folders: tuple[str, ...]
    bare: Mapping[str, tuple[int, ...]]
    shared: Mapping[str, Shared]
    limits: tuple[Limit, ...] = ()
    inline: Mapping[str, Any] = field(default_factory=dict)


@frozen
class ViewManifest(Head):
    """All that a view records of its tree.

    :ivar interrupted: a change in place did not come to its end; *items* are those of before and
        those that were to come.
    """

    items: Mapping[str, ViewRecord] = field(default_factory=dict)
    interrupted: bool = False

    def folded(self, path: str) -> str:
        """Return the link above *path* that shows a whole directory of a package; else ``""``."""
        above = path.rpartition("/")[0]
        while above:
            item = self.items.get(above)
            if item is not None:
                return above if item.how == "symlink" else ""
            above = above.rpartition("/")[0]
        return ""

    def owner(self, path: str) -> FileOwner | None:
        """Return the package of *path* (relative); None for the view's own, or unknown."""
        item = self.items.get(self.folded(path) or path)
        return None if item is None or item.owner < 0 else self.owners[item.owner]


class Activation(NamedTuple):
    """What activating a view needs: the steps, and the name for the prompt if one is fixed."""

    steps: tuple[EnvStep, ...]
    prompt: str
    is_venv: bool


Made = Mapping[str, tuple[int, int]]


def head_of(plan: ViewPlan) -> Head:
    """Return the head of a view that is made from *plan*."""
    return Head(
        plan.digest,
        plan.options,
        plan.link_type,
        plan.python,
        owners=plan.owners,
        sources=plan.sources,
        folders=plan.folders,
        bare=plan.bare,
        shared=plan.shared,
        limits=plan.limits,
    )


def head_text(head: Head) -> str:
    """Return the text of the file that :func:`load_head` reads."""
    data: dict[str, Any] = {"format": FORMAT, **{x: getattr(head, x) for x in _HEAD}}
    data["shared"] = {path: [row.reason, *row.owners] for path, row in head.shared.items()}
    return json.dumps(data, separators=(",", ":"))


_HEAD = tuple(name for name in fields_of(Head) if name != "inline")


def item_rows(
    items: Iterable[tuple[str, Item]], owners: tuple[FileOwner, ...], made: Made
) -> dict[int, dict[str, list[Any]]]:
    """Return the rows of :func:`load_items` by owner; *made* has size and mtime of real files."""
    starts = [owner.prefix + "/" for owner in owners]
    rows: dict[int, dict[str, list[Any]]] = {owner: {} for owner in range(-1, len(owners))}
    none = (0, 0)
    for path, (how, owner, source, _, digest) in items:
        size, mtime = made.get(path, none)
        shown: Any = 0 if owner >= 0 and source == starts[owner] + path else source
        # A hard link that could not be had was copied.
        if how == "hardlink" and path in made:
            how = "copy"
        rows[owner][path] = [how, shown, digest, size, mtime]
    return rows


def write_records(root: str, plan: ViewPlan, prompt: str, made: Made) -> None:
    """Write all records of a new view."""
    os.mkdir(os.path.join(root, ITEMS))
    for owner, rows in item_rows(plan.items.items(), plan.owners, made).items():
        key = SELF if owner == OWN else plan.owners[owner].hash
        _write(os.path.join(root, ITEMS, f"{key}.json"), rows)
    with open(os.path.join(root, ENVIRONMENT), "w", encoding="utf-8") as stream:
        stream.write(activation_text(plan.steps, prompt, plan.python is not None))
    with open(os.path.join(root, MANIFEST), "w", encoding="utf-8") as stream:
        stream.write(head_text(head_of(plan)))


def _write(path: str, rows: Mapping[str, Any]) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(rows, separators=(",", ":")))


def write_items(root: str, key: str, rows: Mapping[str, Any]) -> None:
    """Replace the records of one package, at once."""
    text = json.dumps(rows, separators=(",", ":"))
    atomic_write(os.path.join(root, ITEMS, f"{key}.json"), text)


def activation_text(steps: Iterable[EnvStep], prompt: str, is_venv: bool) -> str:
    """Return the text of the file that :func:`load_activation` reads."""
    data = {"steps": list(steps), "prompt": prompt, "venv": is_venv}
    return json.dumps(data, separators=(",", ":"))


def is_view(root: str) -> bool:
    """Return whether a view of this project is at *root*."""
    return os.path.isfile(os.path.join(root, MANIFEST))


def load_head(root: str) -> Head | None:
    """Return the head of the view at *root*, None if there is no view.

    :raises ViewError: it is damaged or from a newer version.
    """
    text = _read(os.path.join(root, MANIFEST))
    if text is None:
        return None
    try:
        data = parse_json(text)
        if data["format"] not in range(1, FORMAT + 1):
            raise ValueError(f"format {data['format']}")
        # Formats 1 and 2 had no parts; such a view is only ever made again.
        shared = data.get("shared", {})
        return Head(
            digest=data["digest"],
            options=data.get("options", ""),
            link_type=data["link_type"],
            python=data["python"],
            owners=tuple(FileOwner(*row) for row in data["owners"]),
            sources=tuple(data.get("sources", ())),
            folders=tuple(data["folders"]),
            bare={path: tuple(row) for path, row in data.get("bare", {}).items()},
            shared={path: Shared(row[0], tuple(row[1:])) for path, row in shared.items()},
            limits=tuple(Limit(*row) for row in data.get("limits", ())),
            inline=data.get("items", {}),
        )
    except _MALFORMED as error:
        raise _damaged(root, error) from error


def load_items(root: str, head: Head, owner: int) -> dict[str, ViewRecord]:
    """Return the paths of one package of a view, or with :data:`OWN` those of the view itself.

    :raises ViewError: they cannot be read.
    """
    key = SELF if owner == OWN else head.owners[owner].hash
    text = _read(os.path.join(root, ITEMS, f"{key}.json"))
    try:
        return recorded(parse_json(text or ""), head, owner)
    except _MALFORMED as error:
        raise _damaged(root, error) from error


def recorded(rows: Mapping[str, Any], head: Head, owner: int) -> dict[str, ViewRecord]:
    """Return the rows of a file of items, read."""
    start = head.owners[owner].prefix + "/" if owner >= 0 else ""
    make = ViewRecord._make
    return {
        path: make((how, owner, start + path if source == 0 else source, digest, size, mtime))
        for path, (how, source, digest, size, mtime) in rows.items()
    }


def load_manifest(root: str) -> ViewManifest | None:
    """Return all records of the view at *root*, None if there is no view.

    :raises ViewError: they are damaged or from a newer version.
    """
    head = load_head(root)
    if head is None:
        return None
    items: dict[str, ViewRecord] = {}
    for path, (how, owner, source, *rest) in head.inline.items():
        items.update(recorded({path: (how, source, *rest)}, head, owner))
    for owner in () if head.inline else range(OWN, len(head.owners)):
        items.update(load_items(root, head, owner))
    coming = coming_items(root, head)
    folders = tuple(dict.fromkeys((*head.folders, *coming.folders))) if coming else head.folders
    if coming is not None:
        items = {**coming.items, **items}
    values = {name: getattr(head, name) for name in _HEAD}
    values["folders"] = folders
    return ViewManifest(items=items, interrupted=coming is not None, **values)


class Coming(NamedTuple):
    """What an interrupted change in place was about to add."""

    folders: tuple[str, ...]
    items: Mapping[str, ViewRecord]


def coming_items(root: str, head: Head) -> Coming | None:
    """Return the content of ``change.json``; None if no change was interrupted."""
    text = _read(os.path.join(root, CHANGE))
    if text is None:
        return None
    try:
        data = parse_json(text)
        items = {path: ViewRecord._make(row) for path, row in data["items"].items()}
        # The change was complete but for removing its note.
        return None if data["digest"] == head.digest else Coming(tuple(data["folders"]), items)
    except _MALFORMED as error:
        raise _damaged(root, error) from error


#: What reading a file of JSON that holds something else raises.
_MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError)


def _damaged(root: str, error: Exception) -> ViewError:
    return ViewError(
        f"{root}: the view's manifest cannot be read: {error}",
        facts={"view": root},
        hint="move the view away and make it again: spack env view regenerate",
        ref="view-manifest",
    )


def load_activation(root: str) -> Activation | None:
    """Return what activating the view at *root* does; None if there is no view."""
    text = _read(os.path.join(root, ENVIRONMENT))
    if text is None:
        return None
    try:
        data = parse_json(text)
        return Activation(steps_from_json(data["steps"]), data["prompt"], data["venv"])
    except _MALFORMED as error:
        raise ViewError(
            f"{root}: {ENVIRONMENT} cannot be read: {error}",
            facts={"view": root},
            hint="make the view again: spack env view regenerate",
            ref="view-manifest",
        ) from error


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ViewError(
            f"{path}: cannot be read: {error.strerror}", facts={"path": path}, ref="view-manifest"
        ) from error

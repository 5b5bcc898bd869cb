"""``spack.lock``: what the environment's specs were decided to be, so that they stay so.

Spack's lock file, version 6 (versions 4 and 5 are read too): JSON, with one node a line, so that
a diff shows what changed::

    {"_meta": {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5},
     "configuration": "<digest of what spack.yaml configures>",
     "roots": [{"hash": "…", "spec": "py-black"}, …],
     "concrete_specs": {"<hash>": {…}, …},
     "include_concrete": {"<directory>": {"roots": […], "concrete_specs": {…}}, …}}

``configuration``, and ``group`` of a root, are this tool's; Spack ignores them.
``include_concrete`` is there only where other environments are included: their roots, as they
were when this environment was concretized.

The nodes are as :func:`spack.spec.dump` writes them. The file is read without building the
graph; that is done when the user asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.environment.definitions import DEFAULT_GROUP
from spack.errors import EnvironmentFileError, SpecError
from spack.spec import DEPTYPES, Spec, dump, load, traverse_all
from spack.spec.stored import stored_closure, verify, written
from spack.util.filesystem import atomic_write
from spack.util.frozen import field, frozen, replace
from spack.util.hashing import sha256_hex

if TYPE_CHECKING:
    from spack.environment.definitions import UserSpec
    from spack.spec import ConcreteSpec

__all__ = [
    "LOCKFILE_NAME",
    "LockedRoot",
    "Lockfile",
    "configuration_digest",
    "parse_lockfile",
    "read_lockfile",
]

LOCKFILE_NAME = "spack.lock"

#: Begins digests of the environment's own configuration.
_DIGEST = "own:"

FILE_TYPE = "spack-lockfile"
#: What is written, and what else is read.
VERSION, SPECFILE_VERSION = 6, 5
_READ = (4, 5, 6)

#: What this tool wrote before it took Spack's form.
_EARLIER = ("spack-venv-lockfile", 1)


class LockedRoot(NamedTuple):
    """A root as the user wrote it, its concrete spec, and the group that it is in."""

    spec: str
    hash: str
    group: str = DEFAULT_GROUP


@frozen
class Lockfile:
    """The content of a lock file.

    :param configuration: digest of what the environment itself configures, see
        :func:`configuration_digest`.
        Empty in a lock that Spack wrote.
    :param nodes: plain data by hash.
    :param included: the roots of each included environment, by its directory.
    """

    roots: tuple[LockedRoot, ...]
    configuration: str
    nodes: Mapping[str, Any]
    included: Mapping[str, tuple[LockedRoot, ...]] = field(default_factory=dict)

    @property
    def every_root(self) -> tuple[LockedRoot, ...]:
        """The environment's own roots and those of included ones, each concrete spec once."""
        every = [*self.roots, *(root for roots in self.included.values() for root in roots)]
        own = {root.hash for root in self.roots}
        more = {root.hash: root for root in every if root.hash not in own}
        return (*self.roots, *more.values())

    def replace(self, **parts: Any) -> Lockfile:
        """Return this lock with some fields changed."""
        return replace(self, **parts)

    def including(self, locks: Mapping[str, Lockfile]) -> Lockfile:
        """Return this lock with the roots of other environments' locks, by directory."""
        nodes = dict(self.nodes)
        for lock in locks.values():
            nodes.update(lock.nodes)
        roots = {path: lock.every_root for path, lock in locks.items()}
        return self.replace(nodes=nodes, included=roots)

    @classmethod
    def from_solution(
        cls, roots: Iterable[tuple[UserSpec, ConcreteSpec]], configuration: str = ""
    ) -> Lockfile:
        """Return the lock of pairs (what the user asked for, concrete spec)."""
        pairs = list(roots)
        data = dump([spec for _, spec in pairs])
        locked = tuple(LockedRoot(x.text, spec.dag_hash(), x.group) for x, spec in pairs)
        return cls(locked, configuration, data["nodes"])

    @cached_property
    def specs(self) -> Mapping[str, ConcreteSpec]:
        """All nodes by hash.

        :raises EnvironmentFileError: a node is damaged, or not what its hash says.
        """
        try:
            specs = load({"nodes": self.nodes})
            verify(specs)
            return specs
        except SpecError as error:
            raise EnvironmentFileError(
                f"the lock file cannot be used: {error.message}",
                hint="restore it, or make it again: spack concretize --force",
                ref="environment-lockfile",
            ) from error

    def concrete_roots(self) -> tuple[ConcreteSpec, ...]:
        """Return the roots in order, those of included environments last."""
        return tuple(self.specs[root.hash] for root in self.every_root)

    def is_current(self, specs: Sequence[UserSpec], configuration: str) -> bool:
        """Return whether the lock was made for exactly these roots under this configuration.

        A lock whose digest is of another kind, from an earlier version or from Spack, is taken as
        it is; Spack writes the roots in its own words and order.
        """
        asked = [(spec.text, spec.group) for spec in specs]
        if [(root.spec, root.group) for root in self.roots] == asked:
            of_another_kind = not self.configuration.startswith(_DIGEST)
            return of_another_kind or self.configuration == configuration
        return not self.configuration and self._spack_asked(specs)

    def _spack_asked(self, specs: Sequence[UserSpec]) -> bool:
        """Return whether the roots of a lock that Spack wrote are *specs*, in any order."""
        locked = sorted((str(Spec.parse(root.spec)), root.group) for root in self.roots)
        return sorted((str(Spec.parse(spec.text)), spec.group) for spec in specs) == locked

    def to_json(self) -> str:
        """Return the text of the file."""
        meta = {
            "file-type": FILE_TYPE,
            "lockfile-version": VERSION,
            "specfile-version": SPECFILE_VERSION,
        }
        parts = [
            f'"_meta": {json.dumps(meta)}',
            f'"configuration": {json.dumps(self.configuration)}',
            self._part(self.roots, self.nodes),
        ]
        if self.included:
            included = [
                f"{json.dumps(path)}: {{\n{self._part(roots, self._below(roots))}\n}}"
                for path, roots in self.included.items()
            ]
            parts.append(f'"include_concrete": {_rows("{", included, "}")}')
        return "{\n" + ",\n".join(parts) + "\n}\n"

    def _part(self, roots: Iterable[LockedRoot], nodes: Mapping[str, Any]) -> str:
        rows = [
            f"{json.dumps(key)}: {json.dumps(written(key, nodes[key]))}" for key in sorted(nodes)
        ]
        return (
            f'"roots": {_rows("[", [_root_text(root) for root in roots], "]")},\n'
            f'"concrete_specs": {_rows("{", rows, "}")}'
        )

    def _below(self, roots: Iterable[LockedRoot]) -> dict[str, Any]:
        """Return the plain nodes of *roots* and of all below them."""
        return stored_closure([root.hash for root in roots], self.nodes)

    def write(self, path: Path) -> None:
        """Replace the file atomically.

        :raises EnvironmentFileError: it cannot be written.
        """
        try:
            atomic_write(path, self.to_json())
        except OSError as error:
            raise EnvironmentFileError(
                f"{path} cannot be written: {error.strerror}",
                facts={"path": str(path)},
                hint="make the environment's directory writable",
                ref="environment-write",
            ) from error


def _root_text(root: LockedRoot) -> str:
    data = {"hash": root.hash, "spec": root.spec}
    return json.dumps(data if root.group == DEFAULT_GROUP else {**data, "group": root.group})


def _rows(opening: str, rows: Sequence[str], closing: str) -> str:
    return opening + "\n" + ",\n".join(rows) + "\n" + closing if rows else opening + closing


def read_lockfile(path: Path) -> Lockfile | None:
    """Return the lock file at *path*; None if there is none.

    :raises EnvironmentFileError: its version is not supported, or it is damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    return parse_lockfile(text, path)


def parse_lockfile(text: str, path: Path) -> Lockfile:
    """Return the lock file in *text*.

    :param path: for messages. :raises EnvironmentFileError: as :func:`read_lockfile`.
    """
    try:
        data = json.loads(text)
        meta = data["_meta"]
        kind, version = meta["file-type"], meta["lockfile-version"]
        if (kind, version) == _EARLIER:
            lock = _read_earlier(path, data)
        elif kind == FILE_TYPE and version in _READ:
            lock = _read(data)
        else:
            raise _unsupported(path, str(kind), version)
        missing = [root.hash for root in lock.every_root if root.hash not in lock.nodes]
        if missing:
            raise _unusable(path, f"has no node for its root {missing[0]}")
        return lock
    except json.JSONDecodeError as error:
        raise _unusable(path, f"is malformed at line {error.lineno}: {error.msg}") from error
    except RecursionError:
        raise _unusable(path, "is nested too deeply") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise _unusable(path, f"is not a lock file: {error!r}") from error


def _read(data: Mapping[str, Any]) -> Lockfile:
    nodes = dict(data["concrete_specs"])
    included: dict[str, tuple[LockedRoot, ...]] = {}
    _read_included(data, nodes, included)
    roots = _read_roots(data["roots"])
    return Lockfile(roots, data.get("configuration", ""), nodes, included)


def _read_included(
    data: Mapping[str, Any],
    nodes: dict[str, Any],
    included: dict[str, tuple[LockedRoot, ...]],
) -> None:
    """Add what a lock says of included environments; Spack nests those that these include."""
    for path, part in data.get("include_concrete", {}).items():
        nodes.update(part.get("concrete_specs", {}))
        included.setdefault(str(path), _read_roots(part["roots"]))
        _read_included(part, nodes, included)


def _read_earlier(path: Path, data: Mapping[str, Any]) -> Lockfile:
    """Return the lock that an earlier version of this tool wrote, its nodes hashed by Spack's rule.

    :raises EnvironmentFileError: a node is damaged, or not what its hash says.
    """
    try:
        specs = load({"nodes": data["concrete_specs"]})
    except SpecError as error:
        raise _unusable(path, f"cannot be used: {error.message}") from error

    def roots(rows: Iterable[Mapping[str, str]]) -> tuple[LockedRoot, ...]:
        old = _read_roots(rows)
        return tuple(root._replace(hash=specs[root.hash].dag_hash()) for root in old)

    included = data.get("include_concrete", {})
    return Lockfile(
        roots(data["roots"]),
        data["configuration"],
        dump(traverse_all(specs.values(), DEPTYPES))["nodes"],
        {str(name): roots(rows) for name, rows in included.items()},
    )


def _read_roots(rows: Iterable[Mapping[str, str]]) -> tuple[LockedRoot, ...]:
    return tuple(
        LockedRoot(row["spec"], row["hash"], row.get("group", DEFAULT_GROUP)) for row in rows
    )


def _unsupported(path: Path, kind: str, version: object) -> EnvironmentFileError:
    error = _unusable(path, f"is a {kind} of version {version}")
    if kind != FILE_TYPE:
        hint = "another program wrote it"
    elif type(version) is int and version < min(_READ):
        hint = "Spack before 0.18 wrote it"
    else:
        hint = "a newer version of Spack or of this tool wrote it"
    hint += ": keep a copy; `spack concretize --force` replaces it"
    facts = {**error.facts, "supported": ", ".join(map(str, _READ))}
    return EnvironmentFileError(error.message, facts=facts, hint=hint, ref=error.ref)


def _unusable(path: Path, what: str) -> EnvironmentFileError:
    return EnvironmentFileError(
        f"{path}: {what}",
        facts={"path": str(path)},
        hint="make it again from spack.yaml: spack concretize --force",
        ref="environment-lockfile",
    )


def configuration_digest(parts: Mapping[str, Any]) -> str:
    """Return a digest of *parts* (plain data): what ``spack.yaml`` and its includes configure.

    Other scopes are left out: a lock changes when the user changes the environment, never because
    the machine's or the user's configuration did.
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return _DIGEST + sha256_hex(text)[:32]

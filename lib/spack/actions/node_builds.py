"""Single nodes of locked graphs, built one by one: the unit of work that engines call."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Literal

from spack.actions.developing import outdated
from spack.actions.installing import InstallOptions, install
from spack.errors import InstallError, SpackError, UsageError
from spack.install.plan import BINARY, PlanOptions
from spack.spec import ConcreteSpec
from spack.util.frozen import frozen, replace

if TYPE_CHECKING:
    from spack.install.install_report import InstallReport
    from spack.store import InstallRecord

__all__ = ["NodeOutcome", "NodeStatus", "build_node", "is_hash", "locked_node"]

#: What became of a node: built from its sources, taken from a cache, found in the store, failed,
#: or not tried since a dependency is neither in the store nor in a cache.
NodeStatus = Literal["built", "fetched", "present", "failed", "missing"]

#: A hash, or its beginning, as the command line has it.
_HASH = re.compile(r"/([a-z0-9]+)\Z")

#: References of errors that say that a dependency is missing.
_MISSING = frozenset({"cache-only", "install-dependency-missing"})


@frozen
class NodeOutcome:
    """What became of one node.

    :param seconds: wall time of this command for the node.
    :param record: of the node in the store; None if it is not there.
    :param error: of what failed.
    """

    node: ConcreteSpec
    status: NodeStatus
    seconds: float
    record: InstallRecord | None = None
    error: SpackError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain data, in the order in which it is printed."""
        data: dict[str, Any] = {
            "hash": self.node.dag_hash(),
            "name": self.node.name,
            "version": str(self.node.version),
            "status": self.status,
            "seconds": round(self.seconds, 3),
        }
        if self.record is not None:
            data["prefix"] = self.record.prefix
        if self.error is not None:
            shown = _innermost(self.error)
            data.update(error=shown.message, details=shown.long_message, hint=shown.hint)
            data["missing"] = list(self.error.facts.get("missing", ()))
            data["logs"] = list(self.error.facts.get("logs", ()))
        return {key: value for key, value in data.items() if value not in ([], None)}


def is_hash(text: str) -> bool:
    """Return whether *text* is ``/HASH``: an absolute path has a dot or a second slash."""
    return _HASH.match(text) is not None


def locked_node(text: str, nodes: Mapping[str, ConcreteSpec]) -> ConcreteSpec:
    """Return the node of *nodes*, by hash, that ``/HASH`` or its beginning names.

    :raises UsageError: it is not a hash, or names none or several of the nodes.
    """
    match = _HASH.match(text)
    if match is None:
        raise UsageError(
            f"spack build: {text} is neither a hash nor a file",
            hint="write /HASH for a node of the environment's lock file, or the path of a file "
            "that `spack spec --json SPEC` has written",
            ref="build-what",
        )
    found = [node for digest, node in sorted(nodes.items()) if digest.startswith(match[1])]
    if len(found) != 1:
        names = ", ".join(node.short for node in found)
        raise UsageError(
            f"{text} is ambiguous: {names}" if found else f"the lock file has no node {text}",
            hint="`spack spec --json` and `spack.lock` have whole hashes",
            ref="build-what",
        )
    return found[0]


def build_node(
    node: ConcreteSpec,
    work: InstallOptions,
    *,
    explicit: bool,
    excluded_directories: Callable[[], tuple[Path, ...]] = tuple,
) -> NodeOutcome:
    """Build *node* alone, or take it from a cache, unless it is in the store.

    What it needs must be in the store or come from a cache; nothing else is built. Two processes
    that do this at once build it once.

    :param work: its caches are asked for dependencies whatever they are asked for the node.
    :param explicit: whether the node counts as requested by the user.
    """
    begin = time.monotonic()
    reports: list[InstallReport] = []
    digest = node.dag_hash()
    changed = outdated([node], work.store, excluded_directories, work.reporter)
    options = PlanOptions(explicit=explicit, overwrite=changed & {digest})
    error: SpackError | None = None
    try:
        install([node], options, replace(work, on_report=reports.append))
    except SpackError as caught:
        error = caught
    took = time.monotonic() - begin
    record = work.store.database.record(digest)
    if error is not None:
        status: NodeStatus = "missing" if _is_missing(error, digest) else "failed"
        if status == "missing":
            error = _dependencies_missing(node, error)
        return NodeOutcome(node, status, took, record if status == "failed" else None, error)
    return NodeOutcome(node, _status(reports, digest), took, record)


def _status(reports: Sequence[InstallReport], digest: str) -> NodeStatus:
    for report in reports:
        for step in report.installed:
            if step.hash == digest:
                return "fetched" if step.kind == BINARY else "built"
    return "present"


def _is_missing(error: SpackError, digest: str) -> bool:
    """Return whether *error* says that a dependency is missing, not that something failed."""
    if error.ref in _MISSING:
        return digest not in error.facts.get("missing", ())
    return bool(error.causes) and all(
        isinstance(cause, SpackError) and _is_missing(cause, digest) for cause in error.causes
    )


def _dependencies_missing(node: ConcreteSpec, error: SpackError) -> InstallError:
    known = {below.dag_hash(): below for below in node.traverse()}
    missing = [digest for digest in _missing_in(error) if digest in known]
    names = ", ".join(known[digest].short for digest in missing)
    return InstallError(
        f"cannot build {node.short}: its dependencies are neither in the store nor in a cache: "
        f"{names}",
        facts={"missing": tuple(missing)},
        hint="build them first, each with `spack build /HASH`; `spack env depfile` orders them",
        causes=[cause for cause in error.causes if error.ref == "cache-only"],
        ref="dependency-missing",
    )


def _missing_in(error: BaseException) -> Iterable[str]:
    """Return the hashes that *error* and its causes name as missing, each once."""
    if not isinstance(error, SpackError):
        return ()
    own = error.facts.get("missing", ())
    found = [own] if isinstance(own, str) else list(own)
    for cause in error.causes:
        found.extend(_missing_in(cause))
    return list(dict.fromkeys(found))


def _innermost(error: SpackError) -> SpackError:
    """Return the one cause that *error* is about, if there is one."""
    while len(error.causes) == 1 and isinstance(error.causes[0], SpackError):
        error = error.causes[0]
    return error

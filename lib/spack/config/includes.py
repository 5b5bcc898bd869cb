"""``include:``: which files and directories an entry means, and whether it counts at all.

An entry is a path; or a mapping with ``path`` (a local one, or a URL with its ``sha256``), or with
``git`` and ``paths`` in that repository. ``when`` is a condition, and ``optional`` lets what is
missing be missing. What has to be downloaded or cloned is got through :class:`IncludeAccess`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from spack.errors import SpackError
from spack.util.hashing import sha256_hex

if TYPE_CHECKING:
    from spack.config.schema import ConfigReport, Origin, Tree
    from spack.config.variables import Variables

__all__ = ["IncludeAccess", "included_paths"]


def _unavailable(*_: str) -> str:
    raise SpackError("remote files cannot be read here")


class IncludeAccess(NamedTuple):
    """What includes need beside the file system.

    :ivar names: gives what conditions may ask.
    :ivar download: takes a URL and a sha256 and returns the path of the file that has it.
    :ivar clone: takes a URL, branch, tag and commit and returns the directory of a clone.
    """

    names: Callable[[], Mapping[str, Any]] = dict
    download: Callable[[str, str], str] = _unavailable
    clone: Callable[[str, str, str, str], str] = _unavailable


def included_paths(
    item: Tree, variables: Variables, access: IncludeAccess, report: ConfigReport
) -> list[str]:
    """Return the local paths that an entry of ``include:`` means; problems go to *report*.

    :raises ConfigError: a condition cannot be evaluated.
    """
    entry: Mapping[str, Tree] = item.value if isinstance(item.value, dict) else {"path": item}
    when = entry.get("when")
    if when is not None:
        from spack.config.when_conditions import holds  # start-up: few includes have a condition

        if not holds(when.value, access.names(), when.origin):
            return []
    optional = "optional" in entry and bool(entry["optional"].value)
    if "git" in entry:
        return _cloned(entry, item.origin, optional, access, report)
    location = _overridden(entry, variables)
    if location is None:
        return []  # reported already
    path = variables.path(location, item.origin, report)
    digest = str(entry["sha256"].value).lower() if "sha256" in entry else ""
    if "://" in path and not path.startswith("file://"):
        return _downloaded(path, digest, item.origin, optional, access=access, report=report)
    path = path[len("file://") :] if path.startswith("file://") else path
    if not os.path.exists(path):
        if not optional:
            text = f"included path {path} does not exist"
            report.add(item.origin, text, "or add 'optional: true'")
        return []
    if digest and not _has_digest(path, digest):
        report.add(
            item.origin,
            f"included path {path} does not have the sha256 {digest}",
            "look at what has changed in it, then correct the digest or remove it",
        )
        return []
    return [path]


def _overridden(entry: Mapping[str, Tree], variables: Variables) -> str | None:
    """Return the path as it is written, or as the environment variable says that may replace it."""
    variable = entry.get("path_override_env_var")
    given = variables.environ.get(str(variable.value)) if variable is not None else None
    if given:
        return given
    return str(entry["path"].value) if "path" in entry else None


def _downloaded(
    url: str,
    digest: str,
    origin: Origin,
    optional: bool,
    access: IncludeAccess,
    report: ConfigReport,
) -> list[str]:
    if not digest:
        report.add(origin, f"cannot include {url}: its sha256 is missing", "add 'sha256: <digest>'")
        return []
    try:
        return [access.download(url, digest)]
    except SpackError as error:
        if not optional:
            report.add(origin, f"cannot include {url}: {error.message}", error.hint)
        return []


def _cloned(
    entry: Mapping[str, Tree],
    origin: Origin,
    optional: bool,
    access: IncludeAccess,
    report: ConfigReport,
) -> list[str]:
    url = str(entry["git"].value)
    names = entry["paths"].value if "paths" in entry else []
    if not names:
        text = f"cannot include {url}: 'paths' is missing"
        report.add(origin, text, "name the files in the repository: 'paths: [packages.yaml]'")
        return []
    pins = [str(entry[key].value) if key in entry else "" for key in ("branch", "tag", "commit")]
    try:
        clone = os.path.realpath(access.clone(url, *pins))
    except SpackError as error:
        if not optional:
            report.add(origin, f"cannot include {url}: {error.message}", error.hint)
        return []
    found: list[str] = []
    for name in names:
        path = os.path.realpath(os.path.join(clone, str(name.value)))
        inside = path == clone or path.startswith(clone + os.sep)
        if inside and os.path.exists(path):
            found.append(path)
        elif not (optional and inside):
            report.add(name.origin, f"the repository {url} has no {name.value}")
    return found


def _has_digest(path: str, digest: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return sha256_hex(stream.read()) == digest
    except OSError:
        return False

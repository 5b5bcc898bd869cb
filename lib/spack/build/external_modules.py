"""The Python modules of external extensions.

An external that has a prefix of its own is seen whole, by its directories of modules. One in the
prefix of the interpreter (``/usr`` with Debian's or Fedora's packages) shares its directory with
everything else that is installed there: only its own modules are shown, by a link each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Protocol

from spack.spec import ConcreteSpec
from spack.util.project_names import normalized

__all__ = ["ModulePaths", "external_modules", "external_sites", "has_modules"]

#: Directories of modules below a prefix, besides those of the interpreter's scheme; ``{}`` is the
#: directory of the standard library's name, such as ``python3.11``.
_LAYOUTS = (
    "lib/{}/site-packages",
    "lib64/{}/site-packages",
    "local/lib/{}/site-packages",  # Fedora: what the user installs
    "local/lib64/{}/site-packages",
    "local/lib/{}/dist-packages",  # Debian: what the user installs
    "lib/python3/dist-packages",  # Debian: its own packages
    "lib/{}/dist-packages",
)

_METADATA = (".dist-info", ".egg-info")


class ModulePaths(Protocol):
    """What must be known of an interpreter."""

    @property
    def executable(self) -> str: ...
    @property
    def purelib(self) -> str: ...
    @property
    def platlib(self) -> str: ...


def external_sites(node: ConcreteSpec, python: ModulePaths) -> tuple[str, ...]:
    """Return the directories of modules of an external extension with a prefix of its own."""
    return () if _in_base(node, python) else _directories(node, python)


def external_modules(node: ConcreteSpec, python: ModulePaths) -> Mapping[str, str]:
    """Return what an external extension has in the interpreter's prefix: paths by name.

    Modules, packages and metadata as they are called in a directory of modules.
    """
    if not _in_base(node, python):
        return {}
    project = normalized(node.name[len("py-") :])
    for site in _directories(node, python):
        names = list(_names(site, project))
        if names:
            return {name: os.path.join(site, name) for name in dict.fromkeys(names)}
    return {}


def has_modules(node: ConcreteSpec, python: ModulePaths) -> bool:
    """Return whether an external extension has modules that *python* can import."""
    return bool(external_sites(node, python) or external_modules(node, python))


def _is_extension(node: ConcreteSpec) -> bool:
    return node.external is not None and bool(node.external.path) and node.name.startswith("py-")


def _in_base(node: ConcreteSpec, python: ModulePaths) -> bool:
    """Return whether an external extension is in the prefix of the interpreter."""
    base = os.path.dirname(os.path.dirname(python.executable))
    return _is_extension(node) and os.path.realpath(str(node.external_path)) == os.path.realpath(
        base
    )


def _directories(node: ConcreteSpec, python: ModulePaths) -> tuple[str, ...]:
    if not _is_extension(node):
        return ()
    prefix = str(node.external_path)
    name = os.path.basename(os.path.dirname(python.purelib))
    texts = (python.purelib, python.platlib, *(text.format(name) for text in _LAYOUTS))
    paths = (os.path.join(prefix, text) for text in texts)
    return tuple(dict.fromkeys(path for path in paths if os.path.isdir(path)))


def _names(site: str, project: str) -> Iterator[str]:
    """Yield the names in *site* that belong to *project*."""
    entries = os.listdir(site)
    for entry in entries:
        stem, ending = os.path.splitext(entry)
        if ending in _METADATA and normalized(stem.partition("-")[0]) == project:
            yield entry
            yield from _recorded(site, entry, entries)
    for entry in entries:
        is_module = "." not in entry or entry.endswith((".py", ".so"))
        if is_module and normalized(entry.partition(".")[0]) == project:
            yield entry


def _recorded(site: str, metadata: str, entries: list[str]) -> Iterator[str]:
    """Yield the names in *site* that the metadata of a distribution says are its own."""
    known = set(entries)
    for path in _lines(os.path.join(site, metadata, "RECORD")):
        top = path.partition(",")[0].strip('"').partition("/")[0]
        if top in known and top not in ("__pycache__", ".."):
            yield top
    for module in _lines(os.path.join(site, metadata, "top_level.txt")):
        yield from (x for x in entries if x == module or x.startswith(f"{module}."))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().split("\n")
    except (OSError, UnicodeDecodeError):
        return []

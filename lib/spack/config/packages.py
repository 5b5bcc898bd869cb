"""``packages.yaml`` as typed values: preferences, requirements, externals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.config.schema import strip

if TYPE_CHECKING:
    from spack.config.schema import ConfigReport, Tree
    from spack.config.variables import Variables

__all__ = ["ExternalEdge", "ExternalEntry", "PackageSettings", "RequirementGroup", "read_packages"]


class ExternalEdge(NamedTuple):
    """A dependency of an external on another one.

    :ivar name: of the other's package. :ivar position: of the other among its package's externals.
    :ivar deptypes: empty for those that the recipe declares.
    """

    name: str
    position: int
    deptypes: tuple[str, ...] = ()
    virtuals: tuple[str, ...] = ()


class ExternalEntry(NamedTuple):
    """Software that is there already, configured or detected.

    :ivar spec: spec text such as ``python@3.11.2`` or ``gcc@12.2.0 languages='c,c++'``.
    :ivar extra_attributes: ``{"compilers": {"c": path, ...}}``, ``{"executable": path,
        "layout": {...}}``, and whatever the configuration adds.
    :ivar origin: ``file:line`` of the entry, or ``detected: <executable>``.
    :ivar dependencies: as configured: mappings with ``id``, ``spec``, ``deptypes``, ``virtuals``.
    :ivar edges: what they are, see :mod:`spack.config.external_dependencies`.
    """

    spec: str
    prefix: str | None = None
    modules: tuple[str, ...] = ()
    extra_attributes: Mapping[str, Any] = {}
    origin: str = ""
    id: str | None = None
    dependencies: tuple[Mapping[str, Any], ...] = ()
    edges: tuple[ExternalEdge, ...] = ()


class RequirementGroup(NamedTuple):
    """A ``require``, ``prefer`` or ``conflict`` entry.

    :ivar specs: the specs of ``one_of``/``any_of``; a plain text or ``spec:`` gives one.
    :ivar policy: ``one_of`` or ``any_of``; ``prefer`` and ``conflict`` for those sections.
    :ivar when: the condition as a spec text; empty means always.
    """

    specs: tuple[str, ...]
    policy: str = "one_of"
    when: str = ""
    message: str | None = None
    origin: str = ""


class Permissions(NamedTuple):
    """The permissions of what is installed; None is as ``all`` says."""

    read: str | None = None
    write: str | None = None
    group: str | None = None


class PackageSettings(NamedTuple):
    """What is configured for one package, or for ``all``; empty means nothing is said.

    :ivar buildable: None when not said, which means true.
    :ivar version: preferred versions, best first.
    :ivar variants: preferred variants as spec texts.
    :ivar providers: per virtual, the preferred provider specs, best first.
    :ivar target: preferred targets, best first.
    """

    buildable: bool | None = None
    externals: tuple[ExternalEntry, ...] = ()
    version: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    require: tuple[RequirementGroup, ...] = ()
    prefer: tuple[RequirementGroup, ...] = ()
    conflict: tuple[RequirementGroup, ...] = ()
    providers: Mapping[str, tuple[str, ...]] = {}
    target: tuple[str, ...] = ()
    permissions: Permissions = Permissions()
    package_attributes: Mapping[str, Any] = {}
    origin: str = ""


def read_packages(
    tree: Tree | None, variables: Variables, report: ConfigReport
) -> dict[str, PackageSettings]:
    """Return settings by package name, ``all`` among them.

    Externals belong to the package that their spec names: those of providers may be listed under
    the name of a virtual package.
    """
    if tree is None:
        return {}
    found = {name: _package(child, variables, report) for name, child in tree.value.items()}
    for name, settings in list(found.items()):
        moved = [(package_name(entry.spec) or name, entry) for entry in settings.externals]
        if all(owner == name for owner, _ in moved):
            continue
        own = tuple(entry for owner, entry in moved if owner == name)
        found[name] = settings._replace(externals=own)
        for owner, entry in moved:
            if owner != name:
                there = found.get(owner, PackageSettings(origin=entry.origin))
                found[owner] = there._replace(externals=(*there.externals, entry))
    return found


def package_name(spec: str) -> str:
    """Return the name that the text of a spec begins with, without its namespace; or ""."""
    matched = re.match(r"\s*([\w.-]+)", spec)
    return matched.group(1).rpartition(".")[2] if matched else ""


def _package(tree: Tree, variables: Variables, report: ConfigReport) -> PackageSettings:
    fields: dict[str, Tree] = tree.value
    known: dict[str, Any] = {"origin": str(tree.origin)}
    for key, child in fields.items():
        reader = _READERS.get(key)
        if reader is not None:
            known[key] = reader(child)
    if "externals" in fields:
        known["externals"] = tuple(
            _external(item, variables, report) for item in fields["externals"].value
        )
    return PackageSettings(**known)


def _texts(tree: Tree) -> tuple[str, ...]:
    items = tree.value if isinstance(tree.value, list) else [tree]
    return tuple(item.value for item in items)


def _groups(tree: Tree, single: str) -> tuple[RequirementGroup, ...]:
    items: list[Tree] = tree.value if isinstance(tree.value, list) else [tree]
    groups = []
    for item in items:
        if isinstance(item.value, str):
            groups.append(RequirementGroup((item.value,), single, origin=str(item.origin)))
            continue
        entry: dict[str, Tree] = item.value
        when = entry["when"].value if "when" in entry else ""
        message = entry["message"].value if "message" in entry else None
        for key in ("one_of", "any_of", "spec"):
            if key in entry:
                policy = single if key == "spec" else key
                specs = _texts(entry[key])
                groups.append(RequirementGroup(specs, policy, when, message, str(item.origin)))
    return tuple(groups)


_READERS = {
    "buildable": lambda tree: tree.value,
    "version": _texts,
    "variants": _texts,
    "target": _texts,
    "require": lambda tree: _groups(tree, "one_of"),
    "prefer": lambda tree: _groups(tree, "prefer"),
    "conflict": lambda tree: _groups(tree, "conflict"),
    "providers": lambda tree: {name: _texts(child) for name, child in tree.value.items()},
    "permissions": lambda tree: Permissions(**strip(tree)),
    "package_attributes": strip,
}


def _external(tree: Tree, variables: Variables, report: ConfigReport) -> ExternalEntry:
    entry: dict[str, Tree] = tree.value
    prefix = entry.get("prefix")
    modules = entry.get("modules")
    extra = entry.get("extra_attributes")
    identity = entry.get("id")
    dependencies = entry.get("dependencies")
    has_prefix = prefix is not None and prefix.value
    if not has_prefix and (modules is None or not modules.value):
        report.add(
            tree.origin,
            f"the external {entry['spec'].value!r} has neither a prefix nor modules",
            "add 'prefix: <directory>'",
        )
    return ExternalEntry(
        spec=entry["spec"].value,
        prefix=variables.path(prefix.value, prefix.origin, report)
        if prefix and has_prefix
        else None,
        modules=_texts(modules) if modules is not None and modules.value else (),
        extra_attributes=strip(extra) if extra is not None else {},
        origin=str(tree.origin),
        id=identity.value if identity is not None else None,
        dependencies=tuple(strip(item) for item in dependencies.value) if dependencies else (),
    )

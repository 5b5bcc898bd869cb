"""Detected software as configuration: in memory, and in the user's ``packages.yaml``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from spack.config.packages import ExternalEntry, PackageSettings
from spack.config.settings import Settings
from spack.errors import ConfigError, HostError
from spack.host.compiler_families import FAMILIES
from spack.host.detection import ON_THE_FLY, Detected, detect
from spack.host.interpreter import layout_of
from spack.host.search import Search
from spack.util.helper_process import Runner
from spack.util.yaml import Document

__all__ = [
    "external_entry",
    "externals_data",
    "merge_externals",
    "packages_with_detected",
    "with_compilers",
    "with_detected",
    "with_layout",
]

#: Variants that distinguish Pythons of one version in one prefix, by the ABI flag of their names.
_KINDS: Mapping[str, str] = {"t": "freethreading", "d": "debug"}


def external_entry(found: Detected) -> ExternalEntry:
    """Return a detected package as a configuration entry."""
    entry = ExternalEntry(
        spec=found.spec_text,
        prefix=found.prefix,
        extra_attributes=found.extra_attributes,
        origin=f"detected: {found.executable}",
    )
    return _with_kind(entry)


def with_detected(
    packages: Mapping[str, PackageSettings], found: Iterable[Detected]
) -> dict[str, PackageSettings]:
    """Return ``packages`` with detected externals for the packages that have none configured.

    Where the user has no preference for versions, the order of detection becomes one, so that
    the first ``python3`` of PATH is preferred to a newer one elsewhere.
    """
    result = dict(packages)
    by_name: dict[str, list[Detected]] = {}
    for item in found:
        by_name.setdefault(item.name, []).append(item)
    for name, items in by_name.items():
        settings = result.get(name, PackageSettings())
        if settings.externals:
            continue
        version = settings.version or tuple(dict.fromkeys(item.version for item in items))
        result[name] = settings._replace(
            externals=tuple(external_entry(item) for item in items), version=version
        )
    return result


def with_layout(entry: ExternalEntry, search: Search) -> ExternalEntry:
    """Return an external Python with its ``executable`` and ``layout``, asked from the interpreter.

    :raises ConfigError: there is no usable interpreter below its prefix, or another version, or it
        is not a debug build, say, where the entry says so.
    """
    if entry.extra_attributes.get("layout") or not entry.prefix:
        return _with_kind(entry)
    given = entry.extra_attributes.get("executable")
    version = entry.spec.partition("@")[2].lstrip("=").split()[:1]
    short = ".".join(version[0].split("+")[0].split(".")[:2]) if version else "3"
    suffix = "".join(flag for flag, name in _KINDS.items() if _said(entry.spec, name))
    names = (f"python{short}{suffix}", f"python3{suffix}", f"python{short}", "python3", "python")
    candidates = [given] if given else [os.path.join(entry.prefix, "bin", name) for name in names]
    executable = next((path for path in candidates if os.path.exists(path)), None)
    if executable is None:
        raise ConfigError(
            f"{entry.origin}: no Python interpreter is at {candidates[0]}",
            facts={"spec": entry.spec, "searched": candidates},
            hint="correct the prefix, or set extra_attributes:executable",
            ref="external-missing",
        )
    try:
        layout = layout_of(executable, search)
    except HostError as error:
        raise ConfigError(
            f"{entry.origin}: {error.message}", facts=error.facts, hint=error.hint, ref=error.ref
        ) from error
    if version:
        _check_version(entry, version[0], layout.executable, layout.version)
    extra = {**entry.extra_attributes, "executable": layout.executable, "layout": layout.to_json()}
    return _with_kind(entry._replace(extra_attributes=extra))


def _with_kind(entry: ExternalEntry) -> ExternalEntry:
    """Return an external Python whose spec states its interpreter's kind, so that no other matches.

    A variant that an external does not speak of can have any value (it fits ``+debug``).

    :raises ConfigError: it says something else.
    """
    layout = entry.extra_attributes.get("layout") or {}
    spec = entry.spec
    for flag, name in _KINDS.items() if "abiflags" in layout else ():
        true, said = flag in layout["abiflags"], _said(spec, name)
        if said is None:
            spec += f" {'+' if true else '~'}{name}"
        elif said is not true:
            raise ConfigError(
                f"{entry.origin}: '{entry.spec}' says {'+' if said else '~'}{name}, "
                f"but {layout['executable']} is {'' if true else 'not '}such a build",
                facts={"spec": entry.spec, "program": layout["executable"], "variant": name},
                hint="correct the spec, or set extra_attributes:executable",
                ref="external-variant",
            )
    return entry._replace(spec=spec)


def _said(spec: str, variant: str) -> bool | None:
    """Return the value of a boolean variant in a spec text; None where it has none."""
    from spack.spec.parser import parse  # start-up: only where there is an external Python

    value = parse(spec).variants.get(variant)
    return None if value is None else value.value is True


def _check_version(entry: ExternalEntry, said: str, program: str, found: str) -> None:
    """Refuse an entry that calls *program* another version than it is; ``3.11`` fits 3.11.2."""
    numbers = said.split("+")[0].split(".")
    if all(part.isdigit() for part in numbers) and found.split(".")[: len(numbers)] != numbers:
        raise ConfigError(
            f"{entry.origin}: '{entry.spec}' says {said}, but {program} is {found}",
            facts={"spec": entry.spec, "program": program, "version": found},
            hint=f"write @{found}, or correct the prefix",
            ref="external-version",
        )


def with_compilers(
    name: str, entry: ExternalEntry, run: Runner, cache: str | None
) -> ExternalEntry:
    """Return an external compiler with the paths of its programs, searched below its prefix.

    Without them a build would fall back to whatever ``cc`` is on PATH.

    :raises ConfigError: its programs are not there, or are of another version.
    """
    if entry.extra_attributes.get("compilers") or not entry.prefix or entry.modules:
        return entry
    directory = os.path.join(entry.prefix, "bin")
    found = detect((name,), [directory], run, cache)
    if not found:
        raise ConfigError(
            f"{entry.origin}: no compiler of {name} is in {directory}",
            facts={"spec": entry.spec, "searched": [directory]},
            hint="correct the prefix, or name the programs: extra_attributes:compilers:c",
            ref="external-missing",
        )
    said = entry.spec.partition("@")[2].lstrip("=").split()[:1]
    fitting = [
        item
        for item in found
        if not said or f"{item.version}.".startswith(f"{said[0].rstrip(':')}.") or ":" in said[0]
    ]
    if not fitting:
        _check_version(entry, said[0], found[0].prefix, found[0].version)
        fitting = list(found)
    extra = {**entry.extra_attributes, "compilers": fitting[0].extra_attributes["compilers"]}
    return entry._replace(extra_attributes=extra)


def packages_with_detected(
    settings: Settings,
    paths: Sequence[str],
    run: Runner,
    cache: str | None = None,
    names: Iterable[str] | None = None,
    interpreters: Iterable[str] = (),
    unusable: Callable[[Detected], None] | None = None,
) -> dict[str, PackageSettings]:
    """Return the package settings of the concretizer: configured, completed, detected.

    ``concretizer:externals:detect`` says whether, or for which packages, detection is used. A
    package with externals of its own, or with ``buildable: true``, is left alone.

    :param names: only these packages are of interest; None means all that can be detected.
    :param interpreters: as for :func:`spack.host.detection.detect`; so is *unusable*.
    :raises ConfigError: a configured Python or compiler is not there, or is another version.
    """
    packages = dict(settings.packages)
    allowed = settings.concretizer.detect_externals
    wanted = ON_THE_FLY if names is None else tuple(names)
    if isinstance(allowed, tuple):
        wanted = tuple(name for name in (allowed if names is None else wanted) if name in allowed)
    elif not allowed:
        wanted = ()
    wanted = tuple(
        name
        for name in wanted
        if not settings.package(name).externals and settings.package(name).buildable is not True
    )
    more = [str(path) for path in settings.config.additional_external_search_paths]
    found = detect(
        wanted, [*more, *paths], run, cache, interpreters=interpreters, unusable=unusable
    )
    python = packages.get("python")
    if python is not None and python.externals:
        search = Search([], run, cache)
        entries = tuple(with_layout(entry, search) for entry in python.externals)
        search.memory.save()
        packages["python"] = python._replace(externals=entries)
    for name in (family.name for family in FAMILIES if family.name in packages):
        compiler = packages[name]
        entries = tuple(with_compilers(name, entry, run, cache) for entry in compiler.externals)
        packages[name] = compiler._replace(externals=entries)
    return with_detected(packages, found)


def externals_data(
    found: Iterable[Detected], buildable: bool | None = None
) -> dict[str, dict[str, Any]]:
    """Return the mapping below ``packages:`` that describes what was found.

    Layouts of interpreters are left out: they are asked again when needed, and a stored one would
    be wrong after an update.

    :param buildable: also written for each package, unless None.
    """
    result: dict[str, dict[str, Any]] = {}
    for item in found:
        package = result.setdefault(item.name, {"externals": []})
        if buildable is not None:
            package["buildable"] = buildable
        entry: dict[str, Any] = {"spec": item.spec_text, "prefix": item.prefix}
        extra = {key: value for key, value in item.extra_attributes.items() if key != "layout"}
        if item.name != "python" and "compilers" not in extra:
            extra = {}
        if extra:
            entry["extra_attributes"] = {
                key: dict(value) if isinstance(value, Mapping) else value
                for key, value in extra.items()
            }
        package["externals"].append(entry)
    return result


def merge_externals(
    document: Document, found: Iterable[Detected], buildable: bool | None = None
) -> list[Detected]:
    """Add what was found to a user's ``packages.yaml`` (or ``spack.yaml``), keeping its comments.

    An entry whose spec, or whose prefix and version, are there already is left alone.

    :returns: what was added; the caller saves the document.
    """
    data = document.data
    if "spack" in data:
        data = data["spack"]
    if data.get("packages") is None:
        data["packages"] = {}
    packages = data["packages"]
    added: list[Detected] = []
    for item in found:
        rendered = externals_data([item], buildable)[item.name]
        package = packages.get(item.name)
        if package is None:
            package = packages[item.name] = {}
        if package.get("externals") is None:
            package["externals"] = []
        entries = package["externals"]
        if any(_same(entry, item) for entry in entries):
            continue
        entries.append(rendered["externals"][0])
        if buildable is not None:
            package.setdefault("buildable", buildable)
        added.append(item)
    return added


def _same(entry: Mapping[str, Any], found: Detected) -> bool:
    spec = str(entry.get("spec", ""))
    head = f"{found.name}@{found.version}"
    starts = spec.replace("@=", "@").startswith(head)
    same_version = starts and not spec.replace("@=", "@")[len(head) :][:1].isalnum()
    same_version = same_version and spec.replace("@=", "@")[len(head) :][:1] != "."
    kinds = [f"+{name}" for name in _KINDS.values()]
    same_kind = all((text in spec) == (text in found.spec_text) for text in kinds)
    same_location = same_version and same_kind and entry.get("prefix") == found.prefix
    return spec == found.spec_text or same_location

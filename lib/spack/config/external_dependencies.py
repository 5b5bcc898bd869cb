"""``dependencies`` of externals: which external depends on which.

An entry names another external by its ``id``, or by a ``spec`` that one external satisfies::

    mpich:
      externals:
      - spec: mpich@4.0 %gcc@12        # the same as a dependency {spec: gcc@12}
        prefix: /opt/mpich
        dependencies:
        - {id: slurm-site, deptypes: [link, run]}
    slurm:
      externals: [{spec: slurm@22, prefix: /opt/slurm, id: slurm-site}]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spack.config.packages import ExternalEdge, ExternalEntry, PackageSettings
from spack.errors import ConfigError
from spack.spec import Spec, parse

__all__ = ["of_system", "with_external_dependencies"]

Located = tuple[str, int, ExternalEntry]


def with_external_dependencies(
    packages: Mapping[str, PackageSettings],
) -> Mapping[str, PackageSettings]:
    """Return *packages* whose externals know their ``edges``.

    :raises ConfigError: a dependency names no external, or several; with file and line.
    """
    every = [
        (name, index, entry)
        for name, settings in packages.items()
        for index, entry in enumerate(settings.externals)
    ]
    if not any(entry.dependencies or _SIGILS.intersection(entry.spec) for _, _, entry in every):
        return packages
    result = dict(packages)
    for name, settings in packages.items():
        entries = tuple(
            entry._replace(edges=tuple(_edges(entry, every))) for entry in settings.externals
        )
        if entries != settings.externals:
            result[name] = settings._replace(externals=entries)
    return result


def of_system(
    packages: Mapping[str, PackageSettings], platform: str, operating_system: str
) -> Mapping[str, PackageSettings]:
    """Return *packages* without the externals whose specs name another platform or system."""
    result = dict(packages)
    for name, settings in packages.items():
        kept = tuple(e for e in settings.externals if _is_of(e, platform, operating_system))
        if len(kept) < len(settings.externals):
            result[name] = settings._replace(externals=kept)
    return result


_SYSTEM_KEYS = ("os=", "platform=", "arch=")


def _is_of(entry: ExternalEntry, platform: str, operating_system: str) -> bool:
    if not any(key in entry.spec for key in _SYSTEM_KEYS):
        return True
    arch = parse(entry.spec).arch
    return arch.os in (None, operating_system) and arch.platform in (None, platform)


_SIGILS = frozenset("%^")


def _edges(entry: ExternalEntry, every: list[Located]) -> Iterator[ExternalEdge]:
    for row in (*entry.dependencies, *_rows_of_spec(entry)):
        found = _named(row, every)
        if len(found) != 1:
            text = row.get("id") or row.get("spec") or "an entry without 'id' and 'spec'"
            several = " or ".join(sorted(item[2].spec for item in found))
            what = f"several externals: {several}" if found else "not among the externals"
            raise ConfigError(
                f"{entry.origin}: the external '{entry.spec}' depends on '{text}', which is {what}",
                facts={"spec": entry.spec, "dependency": text},
                hint=_AMBIGUOUS if found else _MISSING,
                ref="external-dependency",
            )
        yield _edge(found[0], row)


_AMBIGUOUS = "give the other external an 'id', and name that under 'dependencies'"
_MISSING = "add that external, or name one that is there"


def _rows_of_spec(entry: ExternalEntry) -> Iterator[Mapping[str, Any]]:
    """Yield what the spec of an external says after ``%`` and ``^``, as entries of its own."""
    for dependency in parse(entry.spec).dependencies if _SIGILS.intersection(entry.spec) else ():
        yield {
            "spec": str(dependency.spec),
            "deptypes": dependency.deptypes,
            "virtuals": ",".join(dependency.virtuals),
        }


def _edge(found: Located, row: Mapping[str, Any]) -> ExternalEdge:
    kinds = row.get("deptypes") or ()
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    virtuals = tuple(filter(None, str(row.get("virtuals") or "").replace(" ", "").split(",")))
    return ExternalEdge(found[0], found[1], kinds, virtuals)


def _named(row: Mapping[str, Any], every: list[Located]) -> list[Located]:
    if row.get("id"):
        return [item for item in every if item[2].id == row["id"]]
    return _satisfying(parse(str(row["spec"])), every) if row.get("spec") else []


def _satisfying(wanted: Spec, every: list[Located]) -> list[Located]:
    named = [item for item in every if item[0] == wanted.name]
    return [item for item in named if parse(item[2].spec).satisfies(wanted.without_dependencies())]

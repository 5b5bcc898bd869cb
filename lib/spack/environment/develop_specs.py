"""``develop:`` of ``spack.yaml``: packages that are built from a developer's directory.

As in Spack::

    spack:
      develop:
        py-foo:
          spec: py-foo@=1.0 +editable
          path: ../foo            # relative to the environment; its name by default

Every node of the package then has that version, the variants that are named, and ``dev_path``,
which is part of its hash. ``+editable`` is this project's: the install refers to the directory
instead of holding a copy (PEP 660).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from spack.config.schema import ConfigReport, Tree
from spack.errors import EnvironmentFileError, SpecError
from spack.spec import VariantValue, VersionList, parse

if TYPE_CHECKING:
    from spack.config.schema import Origin
    from spack.spec import Spec

__all__ = ["DevelopSpec", "read_develop", "remove_entries", "row_of", "spec_with_version"]


class DevelopSpec(NamedTuple):
    """A package that is developed.

    :ivar spec: with its one version, without ``dev_path``.
    :ivar path: absolute.
    """

    name: str
    spec: Spec
    path: str
    origin: Origin

    @property
    def constraint(self) -> Spec:
        """What every node of the package must be."""
        variants = {**self.spec.variants, "dev_path": VariantValue.single("dev_path", self.path)}
        return self.spec.replace(variants=variants)


def spec_with_version(spec: Spec) -> Spec | None:
    """Return *spec* with its version as the only one, ``@=1.0`` for ``@1.0``.

    None if it names none.
    """
    version = spec.versions.concrete or spec.versions.concrete_range_as_version
    return None if version is None else spec.replace(versions=VersionList([version]))


def read_develop(
    tree: Tree | None, path_of: Callable[[Tree, ConfigReport], str]
) -> tuple[DevelopSpec, ...]:
    """Return the checked section.

    :param path_of: makes a path absolute.
    :raises ConfigError: every entry that says nothing, or something else than its key.
    """
    report = ConfigReport()
    found: list[DevelopSpec] = []
    for name, row in tree.value.items() if tree is not None else ():
        given: Tree = row.value["spec"]
        spec = parse(given.value)
        ready = spec_with_version(spec)
        if spec.name != name:
            report.add(
                given.origin, f"'{given.value}' is not about {name}", "name the same package"
            )
        elif ready is None:
            text = f"'{given.value}' does not say which version is developed"
            report.add(given.origin, text, f"name one: {name}@=1.0")
        else:
            location = row.value.get("path") or Tree(name, row.origin)
            found.append(DevelopSpec(name, ready, path_of(location, report), row.origin))
    report.raise_if_any()
    return tuple(found)


def row_of(spec: Spec, path: str) -> Mapping[str, str]:
    """Return an entry of the section; a path that is the package's name is left out."""
    if spec_with_version(spec) is None:
        raise SpecError(f"'{spec}' does not say which package and version is developed")
    text = str(spec)
    return {"spec": text} if path == spec.name else {"spec": text, "path": path}


def remove_entries(data: Any, names: Sequence[str], path: Path) -> None:
    """Take *names* out of the section in ruamel's data of ``spack.yaml``.

    :raises EnvironmentFileError: one of them is not there; nothing is changed then.
    """
    section = (data["spack"] or {}).get("develop") or {}
    missing = [name for name in names if name not in section]
    if missing:
        known = ", ".join(section)
        raise EnvironmentFileError(
            f"{path}: {', '.join(missing)} is not developed",
            facts={"packages": missing},
            hint=f"what is developed: {known}" if known else "nothing is developed here",
            ref="environment-develop",
        )
    for name in names:
        del section[name]
    if not section:
        data["spack"].pop("develop", None)

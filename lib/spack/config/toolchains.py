"""``toolchains:`` as specs, and requirements of packages.yaml that name one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spack.config.packages import PackageSettings, RequirementGroup
from spack.config.schema import Tree
from spack.errors import SpecError
from spack.spec import Dependency, Spec, expand_toolchains, parse, toolchain

__all__ = ["read_toolchains", "with_toolchains"]


def read_toolchains(tree: Tree | None) -> dict[str, Spec]:
    """Return the toolchains by name.

    :raises SpecError: an entry is not what a toolchain can consist of, with file and line.
    """
    found: dict[str, Spec] = {}
    for name, item in tree.value.items() if tree is not None else ():
        try:
            found[name] = toolchain(item.value if isinstance(item.value, str) else _pairs(item))
        except SpecError as error:
            raise error.at(item.origin) from error
    return found


def _pairs(item: Tree) -> list[tuple[str, str]]:
    return [
        (str(row.value["spec"].value), str(row.value["when"].value) if "when" in row.value else "")
        for row in item.value
    ]


def with_toolchains(
    packages: Mapping[str, PackageSettings], toolchains: Mapping[str, Spec]
) -> Mapping[str, PackageSettings]:
    """Return *packages* with the toolchains in their requirements replaced.

    :raises SpecError: a requirement contradicts a toolchain that it names, with file and line.
    """
    if not toolchains:
        return packages
    return {
        name: settings._replace(
            require=_groups(settings.require, toolchains),
            prefer=_groups(settings.prefer, toolchains),
            conflict=_groups(settings.conflict, toolchains, split=False),
        )
        for name, settings in packages.items()
    }


def _groups(
    groups: Sequence[RequirementGroup], toolchains: Mapping[str, Spec], split: bool = True
) -> tuple[RequirementGroup, ...]:
    result: list[RequirementGroup] = []
    for group in groups:
        try:
            specs = [expand_toolchains(parse(text), toolchains) for text in group.specs]
            changed = any(spec != parse(text) for spec, text in zip(specs, group.specs))
        except SpecError as error:
            raise error.at(group.origin) from error
        if not changed:
            result.append(group)
        elif split and len(specs) == 1:
            result.extend(_by_condition(group, specs[0]))
        else:
            result.append(group._replace(specs=tuple(map(str, specs))))
    return tuple(result)


def _by_condition(group: RequirementGroup, spec: Spec) -> list[RequirementGroup]:
    """Return a group for the unconditional part of *spec*, and one for each conditional edge."""
    always = [edge for edge in spec.dependencies if edge.when is None]
    result = []
    plain = spec.replace(dependencies=tuple(always))
    if plain != Spec.of(plain.name):
        result.append(group._replace(specs=(str(plain),)))
    for edge in spec.dependencies:
        if edge.when is not None:
            when = str(edge.when.constrain(group.when)) if group.when else str(edge.when)
            result.append(group._replace(specs=(_text(edge),), when=when))
    return result


def _text(edge: Dependency) -> str:
    return str(edge.replace(when=None))

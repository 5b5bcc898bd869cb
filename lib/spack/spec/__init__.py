"""Specs: versions, variants, architectures, constraints and concrete graphs. Pure values.

Start with :func:`parse` (text to :class:`Spec`) and :class:`ConcreteSpec`. This layer reads no
files, no configuration and no repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spack.util.lazy_names import lazy_names

if TYPE_CHECKING:
    from spack.spec.algebra import FLAG_NAMES
    from spack.spec.architecture import ArchSpec, target_intersection, target_satisfies
    from spack.spec.concrete import ConcreteSpec, ProvidedVersions
    from spack.spec.constraint import Spec
    from spack.spec.dependency import Dependency
    from spack.spec.deptypes import DEPTYPES, RUN_TIME
    from spack.spec.edge import Edge, External
    from spack.spec.parser import parse, parse_many
    from spack.spec.stored import dump, from_specfile, load, to_specfile
    from spack.spec.toolchain_expansion import expand_toolchains, toolchain
    from spack.spec.traversal import traverse_all
    from spack.spec.variant import RESERVED_NAMES, VariantValue
    from spack.spec.version import DEVELOP_NAMES, GitVersion, Version, VersionError
    from spack.spec.version_list import EmptyRangeError, VersionList, VersionRange, any_version, ver

__all__ = [
    "ArchSpec",
    "ConcreteSpec",
    "DEPTYPES",
    "RUN_TIME",
    "DEVELOP_NAMES",
    "Dependency",
    "Edge",
    "EmptyRangeError",
    "External",
    "FLAG_NAMES",
    "GitVersion",
    "ProvidedVersions",
    "RESERVED_NAMES",
    "Spec",
    "VariantValue",
    "Version",
    "VersionError",
    "VersionList",
    "VersionRange",
    "any_version",
    "dump",
    "expand_toolchains",
    "from_specfile",
    "load",
    "parse",
    "parse_many",
    "target_intersection",
    "target_satisfies",
    "to_specfile",
    "toolchain",
    "traverse_all",
    "ver",
]

__getattr__ = lazy_names(
    __name__,
    {
        "algebra": "FLAG_NAMES",
        "architecture": "ArchSpec target_intersection target_satisfies",
        "concrete": "ConcreteSpec ProvidedVersions",
        "constraint": "Spec",
        "dependency": "Dependency",
        "deptypes": "DEPTYPES RUN_TIME",
        "edge": "Edge External",
        "parser": "parse parse_many",
        "stored": "dump from_specfile load to_specfile",
        "toolchain_expansion": "expand_toolchains toolchain",
        "traversal": "traverse_all",
        "variant": "RESERVED_NAMES VariantValue",
        "version": "DEVELOP_NAMES GitVersion Version VersionError",
        "version_list": "EmptyRangeError VersionList VersionRange any_version ver",
    },
)

"""Specs: versions, variants, architectures, constraints and concrete graphs. Pure values.

Start with :func:`parse` (text to :class:`Spec`) and :class:`ConcreteSpec`. This layer reads no
files, no configuration and no repository.
"""

from __future__ import annotations

from spack.spec.algebra import FLAG_NAMES
from spack.spec.architecture import ArchSpec, target_intersection, target_satisfies
from spack.spec.concrete import ConcreteSpec, ProvidedVersions
from spack.spec.constraint import Spec
from spack.spec.dependency import Dependency
from spack.spec.deptypes import DEPTYPES, RUN_TIME
from spack.spec.edge import Edge, External
from spack.spec.parser import parse, parse_many
from spack.spec.stored import dump, from_specfile, load, to_specfile
from spack.spec.toolchain import expand_toolchains, toolchain
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

"""Concrete specs: the nodes of a solved graph, immutable, with a hash that names them.

A node knows everything that makes an install what it is, and its dependencies by typed edges.
Two nodes are equal when their hashes are. The hash covers the node and, through their hashes,
all its dependencies (:mod:`spack.spec.dag_hash`); it is computed when first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable, Optional

from spack.errors import SpecError
from spack.spec.algebra import NOTHING, node_satisfies, read_only
from spack.spec.architecture import ArchSpec
from spack.spec.constraint import Spec
from spack.spec.dag_hash import dag_hash
from spack.spec.dependency import Dependency
from spack.spec.deptypes import DEPTYPES, RUN_TIME, USUAL
from spack.spec.edge import Edge, External
from spack.spec.format import format_spec
from spack.spec.traversal import DepTypes, dependency_types, traverse_all, traverse_edges
from spack.spec.variant import VariantValue
from spack.spec.version import Version
from spack.spec.version_list import VersionList, any_version

__all__ = ["ConcreteSpec", "Edge", "External", "ProvidedVersions"]

_set = object.__setattr__

#: Returns the versions of a virtual package that a node provides, None if it does not provide it.
#: It takes recipes to know: the layers that have them pass one.
ProvidedVersions = Callable[["ConcreteSpec", str], Optional[VersionList]]


class ConcreteSpec:
    """One node with its dependencies; immutable, hashable, equal by hash.

    :param variants: by name; values are exact (:meth:`VariantValue.single` and friends).
    :param flags: compiler flags by name.
    :param external: where it lives when it is not built here.
    :param package_hash: the recipe's content hash, None for externals that are found here.
    :param patch_order: sha256 of the patches in the order in which they are applied.
    """

    __slots__ = (
        "_hash",
        "_lists",
        "_stored",
        "built_as",
        "edges",
        "external_data",
        "flags",
        "name",
        "namespace",
        "os",
        "package_hash",
        "patch_order",
        "platform",
        "target",
        "variants",
        "version",
    )

    name: str
    namespace: str | None
    version: Version
    variants: Mapping[str, VariantValue]
    flags: Mapping[str, tuple[str, ...]]
    platform: str
    os: str
    target: str
    edges: tuple[Edge, ...]
    external_data: External | None
    package_hash: str | None
    patch_order: tuple[str, ...]
    _hash: str | None
    _stored: Mapping[str, Any] | None
    _lists: tuple[VersionList, ArchSpec] | None
    #: Of a node whose dependencies Spack has exchanged, the one that was built, where it is known.
    built_as: ConcreteSpec | None

    #: It is not a constraint, but one configuration.
    concrete = True
    #: There is no abbreviated hash in it.
    hash_prefix = None

    def __init__(  # noqa: PLR0913 - keywords of independent settings
        self,
        name: str,
        namespace: str | None,
        version: Version | str,
        variants: Mapping[str, VariantValue] = NOTHING,
        flags: Mapping[str, tuple[str, ...]] = NOTHING,
        platform: str = "",
        os: str = "",
        target: str = "",
        edges: Iterable[Edge] = (),
        external: External | None = None,
        package_hash: str | None = None,
        patch_order: tuple[str, ...] = (),
    ) -> None:
        _set(self, "name", name)
        _set(self, "namespace", namespace)
        _set(self, "version", version if isinstance(version, Version) else Version(version))
        _set(self, "variants", read_only(variants) if type(variants) is dict else variants)
        _set(self, "flags", read_only(flags) if type(flags) is dict else flags)
        _set(self, "platform", platform)
        _set(self, "os", os)
        _set(self, "target", target)
        _set(self, "edges", tuple(edges))
        _set(self, "external_data", external)
        _set(self, "package_hash", package_hash)
        _set(self, "patch_order", patch_order)
        _set(self, "_hash", None)
        _set(self, "_lists", None)
        _set(self, "_stored", None)
        _set(self, "built_as", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("ConcreteSpec is immutable")

    def replace(self, **parts: Any) -> ConcreteSpec:
        """Return this node with the given parts (the constructor's keywords) exchanged."""
        for part in _PARTS:
            parts.setdefault(part, getattr(self, "external_data" if part == "external" else part))
        return ConcreteSpec(**parts)

    # ---- identity -------------------------------------------------------------------------

    def dag_hash(self, length: int | None = None) -> str:
        """Return the hash of node and dependencies, or its first *length* characters."""
        digest = self._hash or dag_hash(self)
        return digest if length is None else digest[:length]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, ConcreteSpec):
            return self.name == other.name and self.dag_hash() == other.dag_hash()
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.dag_hash())

    def __lt__(self, other: ConcreteSpec) -> bool:
        first = (self.name, self.version, self.dag_hash())
        return first < (other.name, other.version, other.dag_hash())

    def copy(self, deps: bool = True) -> ConcreteSpec:
        """Return this node, which never changes; without its edges if not *deps*."""
        return self if deps else self.replace(edges=())

    def __copy__(self) -> ConcreteSpec:
        return self

    def __deepcopy__(self, memo: object) -> ConcreteSpec:
        return self

    # ---- text -----------------------------------------------------------------------------

    def __str__(self) -> str:
        return f"{self.name}@{self.version}/{self.dag_hash()}"

    def __repr__(self) -> str:
        return f'ConcreteSpec("{self.short}")'

    @property
    def short(self) -> str:
        """``name@version/hash7``."""
        return f"{self.name}@{self.version}/{self.dag_hash(7)}"

    def format(
        self,
        template: str = "{name}{@version}{variants}",
        extra: Mapping[str, Any] = NOTHING,
    ) -> str:
        """Return *template* with its ``{attribute}`` filled in; see :mod:`spack.spec.format`.

        :param extra: attributes that a spec itself does not know, such as ``prefix``.
        """
        return format_spec(self, template, extra)

    # ---- parts ----------------------------------------------------------------------------

    @property
    def external(self) -> External | None:
        """Where it lives when it is not built here; None (false) otherwise."""
        return self.external_data

    @property
    def external_path(self) -> str | None:
        """Prefix of an external."""
        return self.external_data.path if self.external_data is not None else None

    @property
    def extra_attributes(self) -> Mapping[str, Any]:
        """What detection or configuration says of an external."""
        return self.external_data.extra_attributes if self.external_data is not None else NOTHING

    @property
    def versions(self) -> VersionList:
        """The version as a list of one."""
        return self._views()[0]

    @property
    def arch(self) -> ArchSpec:
        """Platform, operating system and target."""
        return self._views()[1]

    @property
    def architecture(self) -> ArchSpec:
        """The same as :attr:`arch`."""
        return self._views()[1]

    def _views(self) -> tuple[VersionList, ArchSpec]:
        views = self._lists
        if views is None:
            arch = ArchSpec(self.platform or None, self.os or None, self.target or None)
            views = (VersionList.of(self.version), arch)
            _set(self, "_lists", views)
        return views

    @property
    def fullname(self) -> str:
        """Namespace and name, ``venv.py-black``."""
        return f"{self.namespace}.{self.name}" if self.namespace else self.name

    @property
    def is_develop(self) -> bool:
        """Whether it is built from a directory of its developer."""
        return "dev_path" in self.variants

    @property
    def is_of_spack(self) -> bool:
        """Whether Spack made it: its recipe was hashed by Spack, in base 32 with padding."""
        return self.package_hash is not None and self.package_hash.endswith("=")

    @property
    def earlier_compiler(self) -> str:
        """``name@=version`` of a node from before version 5 of spec files; else empty."""
        stored = self._stored or {}
        compiler = stored.get("compiler")
        if compiler:
            return f"{compiler['name']}@={compiler['version']}"
        return str(stored.get("annotations", {}).get("compiler") or "")

    @property
    def is_spliced(self) -> bool:
        """Whether Spack exchanged dependencies after it was built: it cannot be built as it is."""
        return self._stored is not None and "build_spec" in self._stored

    @property
    def anonymous(self) -> bool:
        """Never: a concrete spec has a name."""
        return False

    # ---- graph ----------------------------------------------------------------------------

    def edges_to_dependencies(
        self,
        name: str | None = None,
        deptype: DepTypes = DEPTYPES,
        virtuals: str | Iterable[str] | None = None,
    ) -> list[Edge]:
        """Return direct edges to *name* of one of the types that provide one of *virtuals*."""
        types = dependency_types(deptype)
        bound = {virtuals} if isinstance(virtuals, str) else set(virtuals or ())
        return [
            edge
            for edge in self.edges
            if (name is None or edge.spec.name == name)
            and not edge.deptypes.isdisjoint(types)
            and (not bound or not bound.isdisjoint(edge.virtuals))
        ]

    def dependencies(
        self,
        name: str | None = None,
        deptype: DepTypes = DEPTYPES,
        virtuals: str | Iterable[str] | None = None,
    ) -> list[ConcreteSpec]:
        """Return direct dependencies, selected as in :meth:`edges_to_dependencies`."""
        return [edge.spec for edge in self.edges_to_dependencies(name, deptype, virtuals)]

    def has_virtual_dependency(self, virtual: str) -> bool:
        """Return whether a direct dependency provides *virtual*."""
        return any(virtual in edge.virtuals for edge in self.edges)

    def traverse(
        self,
        deptypes: DepTypes = USUAL,
        root: bool = True,
        order: str = "pre",
    ) -> Iterator[ConcreteSpec]:
        """Return every node below, once.

        :param deptypes: follow edges that have one of these types.
        :param root: whether this node is among them.
        :param order: ``"pre"`` (dependents first), ``"post"`` (dependencies before their
            dependents) or ``"breadth"``.
        """
        nodes = traverse_all((self,), deptypes, order)
        return nodes if root else (node for node in nodes if node is not self)

    def traverse_edges(self, deptypes: DepTypes = USUAL) -> Iterator[Edge]:
        """Return every edge below, once, breadth first."""
        return traverse_edges(self, deptypes)

    def find_edge(self, name: str) -> Edge | None:
        """Return the edge to the dependency that *name* (a package or a virtual) means, if any.

        Direct build and test dependencies come first, then what is linked or run, breadth first.
        """
        for edge in self.edges:
            if not edge.deptypes.isdisjoint(("build", "test")) and (
                edge.spec.name == name or name in edge.virtuals
            ):
                return edge
        if name == self.name:
            return Edge(self, DEPTYPES)
        for edge in self.traverse_edges(RUN_TIME):
            if edge.spec.name == name or name in edge.virtuals:
                return edge
        return None

    def lookup(self, name: str) -> ConcreteSpec:
        """Return the dependency that *name* means, as :meth:`find_edge`.

        :raises KeyError: when there is none.
        """
        edge = self.find_edge(name)
        if edge is None:
            raise KeyError(f"there is no dependency '{name}' in {self.short}")
        return edge.spec

    __getitem__ = lookup

    def __contains__(self, wanted: str | Spec | ConcreteSpec) -> bool:
        """Return whether this node, or the dependency of that name, satisfies."""
        return self.holds(wanted)

    def holds(
        self, wanted: str | Spec | ConcreteSpec, provided: ProvidedVersions | None = None
    ) -> bool:
        """Return the same as ``wanted in self``; *provided* as in :meth:`satisfies`."""
        if isinstance(wanted, ConcreteSpec):
            return any(node == wanted for node in self.traverse(DEPTYPES))
        wanted = Spec(wanted)
        if not wanted.name or wanted.name == self.name:
            return self.satisfies(wanted, provided=provided)
        edge = self.find_edge(wanted.name)
        return edge is not None and _edge_spec_satisfies(edge, wanted, provided)

    # ---- relations ------------------------------------------------------------------------

    def satisfies(
        self,
        other: str | Spec | ConcreteSpec,
        deps: bool = True,
        provided: ProvidedVersions | None = None,
    ) -> bool:
        """Return whether this configuration is one of *other*.

        ``%x`` looks at direct edges, ``^x`` at direct build edges and everything linked or run;
        ``^x %y`` at the direct edges of that ``x``. A name after ``%`` or ``^`` may be a virtual
        that an edge provides.

        :param provided: which versions of a virtual a node provides, for ``^mpi@3:``; without it
            no version of a virtual is satisfied, since that takes the recipe of the provider.
        :raises SpecError: *other* is a file, which another layer reads.
        """
        if isinstance(other, str):
            other = Spec.parse(other)
        if isinstance(other, ConcreteSpec):
            return self == other
        if other.file is not None:
            raise SpecError(
                f"{other.file} is a file, and this takes specs",
                hint="name the spec, or give its hash: /abcdef",
                facts={"file": other.file},
                ref="spec-file",
            )
        if other.hash_prefix and not self.dag_hash().startswith(other.hash_prefix):
            return False
        if other.name and other.name != self.name and provided is not None:
            return _provides_versions(self, other, provided)
        if not node_satisfies(self, other):
            return False
        return not deps or all(self._has(wanted, provided) for wanted in other.dependencies)

    def intersects(
        self,
        other: str | Spec | ConcreteSpec,
        deps: bool = True,
        provided: ProvidedVersions | None = None,
    ) -> bool:
        """Return :meth:`satisfies`: one configuration either is in *other* or is not."""
        return self.satisfies(other, deps, provided)

    def _has(self, wanted: Dependency, provided: ProvidedVersions | None) -> bool:
        """Return whether an edge is like *wanted*."""
        if wanted.when is not None and not self.satisfies(wanted.when, provided=provided):
            return True
        if wanted.direct:
            return any(
                edge.deptypes.issuperset(wanted.deptypes)
                and _provides(edge, wanted.virtuals)
                and _edge_spec_satisfies(edge, wanted.spec, provided)
                for edge in self.edges
            )
        return any(
            _provides(edge, wanted.virtuals) and _edge_spec_satisfies(edge, wanted.spec, provided)
            for edge in self._edges_below()
        )

    def _edges_below(self) -> Iterator[Edge]:
        """Yield direct build edges and all edges that are linked or run."""
        for edge in self.edges:
            if "build" in edge.deptypes and edge.deptypes.isdisjoint(RUN_TIME):
                yield edge
        yield from self.traverse_edges(RUN_TIME)

    def as_spec(self, dependencies: bool = False) -> Spec:
        """Return the constraint that only this node (and, if asked, its direct edges) satisfies."""
        edges: tuple[Dependency, ...] = ()
        if dependencies:
            edges = tuple(
                Dependency(
                    edge.spec.as_spec(),
                    True,
                    tuple(kind for kind in DEPTYPES if kind in edge.deptypes),
                    edge.virtuals,
                )
                for edge in self.edges
            )
        return Spec.of(
            self.name,
            namespace=self.namespace,
            versions=self.versions,
            variants=self.variants,
            flags=self.flags,
            arch=self.arch,
            dependencies=edges,
        )


_PARTS = (
    "name",
    "namespace",
    "version",
    "variants",
    "flags",
    "platform",
    "os",
    "target",
    "edges",
    "external",
    "package_hash",
    "patch_order",
)


def _provides(edge: Edge, virtuals: tuple[str, ...]) -> bool:
    return all(virtual in edge.virtuals or virtual == edge.spec.name for virtual in virtuals)


def _edge_spec_satisfies(edge: Edge, wanted: Spec, provided: ProvidedVersions | None) -> bool:
    """Return whether the node at *edge* is *wanted*, whose name may be a virtual of the edge."""
    if wanted.name and wanted.name != edge.spec.name:
        if wanted.name not in edge.virtuals:
            return False
        # the version of a virtual is not that of its provider
        if wanted.versions is not any_version:
            if provided is None or not _provides_versions(edge.spec, wanted, provided):
                return False
            wanted = wanted.replace(versions=any_version)
        wanted = wanted.with_name("")
    return edge.spec.satisfies(wanted, provided=provided)


def _provides_versions(node: ConcreteSpec, wanted: Spec, provided: ProvidedVersions) -> bool:
    """Return whether *node* provides a version of the virtual *wanted* that is asked for."""
    versions = provided(node, wanted.name)
    return versions is not None and versions.intersects(wanted.versions)

"""Concrete specs: the nodes of a solved graph, immutable, with a hash that names them.

A node knows everything that makes an install what it is, and its dependencies by typed edges.
Two nodes are equal when their hashes are. The hash covers the node and, through their hashes,
all its dependencies but those that are only tested with; it is computed when first asked for.
Graphs are traversed with a stack, never by recursion: depth costs no stack frames.

:func:`dump` and :func:`load` are the one plain form, used by lock files, prefixes, the database
and build jobs::

    {"roots": [hash, ...],
     "nodes": {hash: {"name": ..., "namespace": ..., "version": ...,
                      "platform": ..., "os": ..., "target": ...,
                      "variants": {name: true | false | "one" | ["several"]},
                      "flags": {"cflags": [...]},                    # only if there are any
                      "external": {"path": ..., "modules": [...], "extra_attributes": {...}},
                      "package_hash": ...,
                      "edges": [{"hash": ..., "name": ..., "deptypes": [...],
                                 "virtuals": [...]}, ...]}}}
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Tuple, Union

from spack.errors import SpecError
from spack.spec.algebra import DEPTYPES, node_satisfies
from spack.spec.arch import ArchSpec
from spack.spec.constraint import NOTHING, Dependency, Spec
from spack.spec.format import format_spec
from spack.spec.hashing import node_hash
from spack.spec.variant import VariantValue
from spack.spec.version import Version
from spack.spec.version_list import VersionList, any_version

__all__ = ["ConcreteSpec", "Edge", "External", "dump", "load", "traverse_all"]

_set = object.__setattr__
_read_only = type(type.__dict__)  # types.MappingProxyType, without the import

#: Types of dependencies that an install or its users can meet.
RUN_TIME = frozenset(("link", "run"))
_DEFAULT_TYPES = ("build", "link", "run")

DepTypes = Union[str, Iterable[str]]


class External:
    """Where a node that is not built here lives; immutable.

    :param path: its prefix, or None when it is only known by modules.
    :param modules: environment modules to load for it.
    :param extra_attributes: plain data from detection or configuration (compilers' paths, ...).
    """

    __slots__ = ("extra_attributes", "modules", "path")

    path: Union[str, None]
    modules: Tuple[str, ...]
    extra_attributes: Mapping[str, Any]

    def __init__(
        self,
        path: Union[str, None] = None,
        modules: Tuple[str, ...] = (),
        extra_attributes: Mapping[str, Any] = NOTHING,
    ) -> None:
        _set(self, "path", path)
        _set(self, "modules", tuple(modules))
        _set(self, "extra_attributes", extra_attributes)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("External is immutable")

    def to_data(self) -> Dict[str, Any]:
        """Plain data, without what is empty."""
        data: Dict[str, Any] = {"path": self.path}
        if self.modules:
            data["modules"] = list(self.modules)
        if self.extra_attributes:
            data["extra_attributes"] = _plain(self.extra_attributes)
        return data

    def __eq__(self, other: object) -> bool:
        if isinstance(other, External):
            return self.to_data() == other.to_data()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.path, self.modules))

    def __repr__(self) -> str:
        return f"External({self.path!r}, {self.modules!r})"


class Edge:
    """A dependency of a concrete spec; immutable.

    :param deptypes: a subset of build, link, run, test; not empty.
    :param virtuals: the virtual packages that ``spec`` provides on this edge, sorted.
    """

    __slots__ = ("deptypes", "spec", "virtuals")

    spec: ConcreteSpec
    deptypes: FrozenSet[str]
    virtuals: Tuple[str, ...]

    def __init__(
        self,
        spec: ConcreteSpec,
        deptypes: Iterable[str],
        virtuals: Tuple[str, ...] = (),
    ) -> None:
        _set(self, "spec", spec)
        _set(self, "deptypes", deptypes if type(deptypes) is frozenset else frozenset(deptypes))
        _set(self, "virtuals", virtuals)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Edge is immutable")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Edge):
            return (self.spec, self.deptypes, self.virtuals) == (
                other.spec,
                other.deptypes,
                other.virtuals,
            )
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.spec, self.deptypes, self.virtuals))

    def __repr__(self) -> str:
        types = ",".join(kind for kind in DEPTYPES if kind in self.deptypes)
        bound = ",".join(self.virtuals)
        return f"Edge({bound + '=' if bound else ''}{self.spec.short} [{types}])"


class ConcreteSpec:
    """One node with its dependencies; immutable, hashable, equal by hash.

    :param variants: by name; values are exact (:meth:`VariantValue.single` and friends).
    :param flags: compiler flags by name.
    :param external: where it lives when it is not built here.
    :param package_hash: the recipe's content hash, None for externals.
    """

    __slots__ = (
        "_hash",
        "_lists",
        "edges",
        "external_data",
        "flags",
        "name",
        "namespace",
        "os",
        "package_hash",
        "platform",
        "target",
        "variants",
        "version",
    )

    name: str
    namespace: Union[str, None]
    version: Version
    variants: Mapping[str, VariantValue]
    flags: Mapping[str, Tuple[str, ...]]
    platform: str
    os: str
    target: str
    edges: Tuple[Edge, ...]
    external_data: Union[External, None]
    package_hash: Union[str, None]
    _hash: Union[str, None]
    _lists: Union[Tuple[VersionList, ArchSpec], None]

    #: It is no constraint, but one configuration.
    concrete = True
    #: There is no abbreviated hash in it.
    hash_prefix = None

    def __init__(
        self,
        name: str,
        namespace: Union[str, None],
        version: Union[Version, str],
        variants: Mapping[str, VariantValue] = NOTHING,
        flags: Mapping[str, Tuple[str, ...]] = NOTHING,
        platform: str = "",
        os: str = "",
        target: str = "",
        edges: Iterable[Edge] = (),
        external: Union[External, None] = None,
        package_hash: Union[str, None] = None,
    ) -> None:
        _set(self, "name", name)
        _set(self, "namespace", namespace)
        _set(self, "version", version if isinstance(version, Version) else Version(version))
        _set(self, "variants", _read_only(variants) if type(variants) is dict else variants)
        _set(self, "flags", _read_only(flags) if type(flags) is dict else flags)
        _set(self, "platform", platform)
        _set(self, "os", os)
        _set(self, "target", target)
        _set(self, "edges", tuple(edges))
        _set(self, "external_data", external)
        _set(self, "package_hash", package_hash)
        _set(self, "_hash", None)
        _set(self, "_lists", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("ConcreteSpec is immutable")

    def replace(self, **parts: Any) -> ConcreteSpec:
        """This node with the given parts (keywords of the constructor) instead of its own."""
        for part in _PARTS:
            parts.setdefault(part, getattr(self, "external_data" if part == "external" else part))
        return ConcreteSpec(**parts)

    # ---- identity -------------------------------------------------------------------------

    def dag_hash(self, length: Union[int, None] = None) -> str:
        """The hash of node and dependencies, or its first *length* characters."""
        digest = self._hash or _compute_hash(self)
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
        mine = (self.name, self.version, self.dag_hash())
        return mine < (other.name, other.version, other.dag_hash())

    def __reduce__(self) -> Tuple[Any, ...]:
        return _from_dump, (dump([self]),)

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
        """*template* with its ``{attribute}`` filled in; see :mod:`spack.spec.format`.

        :param extra: attributes that a spec itself does not know, such as ``prefix``.
        """
        return format_spec(self, template, extra)

    # ---- parts ----------------------------------------------------------------------------

    @property
    def external(self) -> Union[External, None]:
        """Where it lives when it is not built here; None (false) otherwise."""
        return self.external_data

    @property
    def external_path(self) -> Union[str, None]:
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

    def _views(self) -> Tuple[VersionList, ArchSpec]:
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
    def anonymous(self) -> bool:
        """Never: a concrete spec has a name."""
        return False

    # ---- graph ----------------------------------------------------------------------------

    def edges_to_dependencies(
        self,
        name: Union[str, None] = None,
        deptype: DepTypes = DEPTYPES,
        virtuals: Union[str, Iterable[str], None] = None,
    ) -> List[Edge]:
        """Direct edges to *name* that have one of the types and provide one of *virtuals*."""
        types = _types(deptype)
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
        name: Union[str, None] = None,
        deptype: DepTypes = DEPTYPES,
        virtuals: Union[str, Iterable[str], None] = None,
    ) -> List[ConcreteSpec]:
        """Direct dependencies, selected as in :meth:`edges_to_dependencies`."""
        return [edge.spec for edge in self.edges_to_dependencies(name, deptype, virtuals)]

    def has_virtual_dependency(self, virtual: str) -> bool:
        """Whether a direct dependency provides *virtual*."""
        return any(virtual in edge.virtuals for edge in self.edges)

    def traverse(
        self,
        deptypes: DepTypes = _DEFAULT_TYPES,
        root: bool = True,
        order: str = "pre",
    ) -> Iterator[ConcreteSpec]:
        """Every node below, once.

        :param deptypes: follow edges that have one of these types.
        :param root: whether this node is among them.
        :param order: ``"pre"`` (dependents first), ``"post"`` (dependencies before their
            dependents) or ``"breadth"``.
        """
        nodes = traverse_all((self,), deptypes, order)
        return nodes if root else (node for node in nodes if node is not self)

    def traverse_edges(self, deptypes: DepTypes = _DEFAULT_TYPES) -> Iterator[Edge]:
        """Every edge below, once, breadth first."""
        types = _types(deptypes)
        seen = {id(self)}
        queue = [self]
        for node in queue:
            for edge in node.edges:
                if edge.deptypes.isdisjoint(types):
                    continue
                yield edge
                if id(edge.spec) not in seen:
                    seen.add(id(edge.spec))
                    queue.append(edge.spec)

    def find_edge(self, name: str) -> Union[Edge, None]:
        """The edge to the dependency that *name* (a package or a virtual) means here, if any.

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
        """The dependency that *name* means here, as :meth:`find_edge`.

        :raises KeyError: when there is none.
        """
        edge = self.find_edge(name)
        if edge is None:
            raise KeyError(f"there is no dependency '{name}' in {self.short}")
        return edge.spec

    __getitem__ = lookup

    def __contains__(self, wanted: Union[str, Spec, ConcreteSpec]) -> bool:
        """Whether this node (anonymous or own name), or the dependency of that name, satisfies."""
        if isinstance(wanted, ConcreteSpec):
            return any(node == wanted for node in self.traverse(DEPTYPES))
        wanted = Spec(wanted)
        if not wanted.name or wanted.name == self.name:
            return self.satisfies(wanted)
        edge = self.find_edge(wanted.name)
        return edge is not None and _edge_spec_satisfies(edge, wanted)

    # ---- relations ------------------------------------------------------------------------

    def satisfies(self, other: Union[str, Spec, ConcreteSpec], deps: bool = True) -> bool:
        """Whether this configuration is one of *other*.

        ``%x`` looks at direct edges, ``^x`` at direct build edges and everything linked or run;
        ``^x %y`` at the direct edges of that ``x``. A name after ``%`` or ``^`` may be a virtual
        that an edge provides.
        """
        if isinstance(other, str):
            other = Spec.parse(other)
        if isinstance(other, ConcreteSpec):
            return self == other
        if other.hash_prefix and not self.dag_hash().startswith(other.hash_prefix):
            return False
        if not node_satisfies(self, other):
            return False
        return not deps or all(self._has(wanted) for wanted in other.dependencies)

    def intersects(self, other: Union[str, Spec, ConcreteSpec], deps: bool = True) -> bool:
        """The same as :meth:`satisfies`: one configuration either is in *other* or is not."""
        return self.satisfies(other, deps)

    def _has(self, wanted: Dependency) -> bool:
        """Whether an edge is like *wanted*."""
        if wanted.when is not None and not self.satisfies(wanted.when):
            return True
        if wanted.direct:
            return any(
                edge.deptypes.issuperset(wanted.deptypes)
                and _provides(edge, wanted.virtuals)
                and _edge_spec_satisfies(edge, wanted.spec)
                for edge in self.edges
            )
        return any(
            _provides(edge, wanted.virtuals) and _edge_spec_satisfies(edge, wanted.spec)
            for edge in self._edges_below()
        )

    def _edges_below(self) -> Iterator[Edge]:
        """Direct build edges and all edges that are linked or run."""
        for edge in self.edges:
            if "build" in edge.deptypes and edge.deptypes.isdisjoint(RUN_TIME):
                yield edge
        yield from self.traverse_edges(RUN_TIME)

    def as_spec(self, dependencies: bool = False) -> Spec:
        """The constraint that only this node (and, if asked, its direct edges) satisfies."""
        edges: Tuple[Dependency, ...] = ()
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
)


def _types(deptypes: DepTypes) -> FrozenSet[str]:
    if isinstance(deptypes, str):
        return frozenset(DEPTYPES) if deptypes == "all" else frozenset((deptypes,))
    return deptypes if isinstance(deptypes, frozenset) else frozenset(deptypes)


def _provides(edge: Edge, virtuals: Tuple[str, ...]) -> bool:
    return all(virtual in edge.virtuals or virtual == edge.spec.name for virtual in virtuals)


def _edge_spec_satisfies(edge: Edge, wanted: Spec) -> bool:
    """Whether the node at *edge* is *wanted*, whose name may be a virtual of the edge."""
    if wanted.name and wanted.name != edge.spec.name:
        if wanted.name not in edge.virtuals or wanted.versions is not any_version:
            return False  # the version of a virtual is not that of its provider
        wanted = wanted.with_name("")
    return edge.spec.satisfies(wanted)


def traverse_all(
    roots: Iterable[ConcreteSpec],
    deptypes: DepTypes = _DEFAULT_TYPES,
    order: str = "pre",
) -> Iterator[ConcreteSpec]:
    """Every node of the graphs below *roots*, once, in the given order; nodes are told apart by
    identity, so equal nodes of separately loaded graphs appear each."""
    types = _types(deptypes)
    if order == "post":
        return iter(_post_order(roots, types))
    return _walk(roots, types, order == "breadth")


def _walk(
    roots: Iterable[ConcreteSpec], types: FrozenSet[str], breadth: bool
) -> Iterator[ConcreteSpec]:
    seen = set()
    waiting = list(roots)
    if not breadth:
        waiting.reverse()
    position = 0
    while position < len(waiting):
        if breadth:
            node = waiting[position]
            position += 1
        else:
            node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        below = [edge.spec for edge in node.edges if not edge.deptypes.isdisjoint(types)]
        waiting.extend(below if breadth else reversed(below))


def _post_order(roots: Iterable[ConcreteSpec], types: FrozenSet[str]) -> List[ConcreteSpec]:
    done: List[ConcreteSpec] = []
    seen = set()
    for root in roots:
        if id(root) in seen:
            continue
        seen.add(id(root))
        stack = [(root, iter(root.edges))]
        while stack:
            node, edges = stack[-1]
            for edge in edges:
                if id(edge.spec) in seen or edge.deptypes.isdisjoint(types):
                    continue
                seen.add(id(edge.spec))
                stack.append((edge.spec, iter(edge.spec.edges)))
                break
            else:
                stack.pop()
                done.append(node)
    return done


# ---- plain form ---------------------------------------------------------------------------


def _compute_hash(spec: ConcreteSpec) -> str:
    """Hash everything below *spec* that is not hashed yet, and *spec*."""
    digest = ""
    for node in _post_order((spec,), frozenset(DEPTYPES)):
        digest = node._hash or ""
        if not digest:
            data = _node_data(node)
            data["edges"] = [edge for edge in data["edges"] if edge["deptypes"] != ["test"]]
            data["edges"].sort(key=lambda edge: (edge["name"], edge["hash"], edge["deptypes"]))
            for edge in data["edges"]:
                edge["deptypes"] = [kind for kind in edge["deptypes"] if kind != "test"]
            digest = node_hash(data)
            _set(node, "_hash", digest)
    return digest


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _variant_data(value: VariantValue) -> Union[bool, str, List[str]]:
    if value.kind == "bool":
        return value.value is True
    return value.values[0] if value.kind == "single" else list(value.values)


def _node_data(node: ConcreteSpec) -> Dict[str, Any]:
    """The plain form of one node; the hashes of its dependencies must be known."""
    data: Dict[str, Any] = {
        "name": node.name,
        "namespace": node.namespace,
        "version": str(node.version),
        "platform": node.platform,
        "os": node.os,
        "target": node.target,
        "variants": {name: _variant_data(node.variants[name]) for name in sorted(node.variants)},
        "package_hash": node.package_hash,
        "edges": [
            {
                "hash": edge.spec._hash,
                "name": edge.spec.name,
                "deptypes": [kind for kind in DEPTYPES if kind in edge.deptypes],
                "virtuals": list(edge.virtuals),
            }
            for edge in node.edges
        ],
    }
    if node.flags:
        data["flags"] = {
            name: [str(flag) for flag in node.flags[name]] for name in sorted(node.flags)
        }
    if node.external_data is not None:
        data["external"] = node.external_data.to_data()
    return data


def dump(specs: Iterable[ConcreteSpec]) -> Dict[str, Any]:
    """The graphs below *specs* as plain data, each node once; see the module's docstring."""
    roots = list(specs)
    nodes: Dict[str, Any] = {}
    for root in roots:
        root.dag_hash()
    for node in _post_order(roots, frozenset(DEPTYPES)):
        digest = node.dag_hash()
        if digest not in nodes:
            nodes[digest] = _node_data(node)
    return {"roots": [root.dag_hash() for root in roots], "nodes": nodes}


def load(data: Mapping[str, Any]) -> Dict[str, ConcreteSpec]:
    """All nodes in what :func:`dump` gave, by hash; equal nodes are one object.

    Hashes are taken as they stand. Cost: about 20 us a node.

    :raises SpecError: when a node is missing or malformed, or nodes depend on each other.
    """
    done: Dict[str, ConcreteSpec] = {}
    try:
        nodes = data["nodes"]
        for start in nodes:
            stack = [start]
            open_nodes = set()
            while stack:
                digest = stack[-1]
                if digest in done:
                    stack.pop()
                    continue
                node = nodes[digest]
                missing = [edge["hash"] for edge in node["edges"] if edge["hash"] not in done]
                if not missing:
                    done[digest] = _load_node(digest, node, done)
                    stack.pop()
                    continue
                if digest in open_nodes:
                    raise SpecError(
                        f"the stored nodes depend on each other at {digest}",
                        facts={"hash": digest},
                        ref="spec-data",
                    )
                open_nodes.add(digest)
                stack.extend(missing)
    except (KeyError, TypeError, AttributeError) as error:
        raise SpecError(
            f"the stored specs are incomplete: {error!r}", ref="spec-data", causes=(error,)
        ) from error
    return done


def _load_node(digest: str, node: Mapping[str, Any], done: Mapping[str, Any]) -> ConcreteSpec:
    variants: Dict[str, VariantValue] = {}
    for name, value in node["variants"].items():
        if type(value) is bool:
            variants[name] = VariantValue.boolean(name, value)
        elif type(value) is str:
            variants[name] = VariantValue.single(name, value)
        else:
            variants[name] = VariantValue.multi(name, tuple(value))
    flags = node.get("flags")
    external = node.get("external")
    spec = ConcreteSpec(
        node["name"],
        node["namespace"],
        Version(node["version"]),
        variants or NOTHING,
        {name: tuple(values) for name, values in flags.items()} if flags else NOTHING,
        node["platform"],
        node["os"],
        node["target"],
        [
            Edge(done[edge["hash"]], frozenset(edge["deptypes"]), tuple(edge["virtuals"]))
            for edge in node["edges"]
        ],
        External(
            external["path"],
            tuple(external.get("modules", ())),
            external.get("extra_attributes", NOTHING),
        )
        if external is not None
        else None,
        node["package_hash"],
    )
    _set(spec, "_hash", digest)
    return spec


def _from_dump(data: Mapping[str, Any]) -> ConcreteSpec:
    return load(data)[data["roots"][0]]

"""The build at hand, and specs as recipes see them.

:class:`SpecView` wraps a concrete spec and adds what needs files, other packages and the build:
``prefix``, ``package``, ``libs``, ``headers``, ``command``, ``home``, ``compiler``. Recipes also
set attributes on it (``spec.mpicc = ...``), which dependents read; they are kept per node.

The build worker makes one :class:`BuildContext` and sets it as the current one. It is the only
ambient value of a build, and exists in the worker process alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.api.compiler_view import CompilerView
from spack.api.executable import Executable
from spack.api.files import find_headers, find_libraries
from spack.api.libraries import HeaderList, LibraryList, NoHeadersError, NoLibrariesError
from spack.api.package_base import PackageBase
from spack.api.prefix import Prefix
from spack.api.targets import Target
from spack.errors import InstallError, SpackError
from spack.recipe.provisions import provided_by
from spack.spec import VersionList
from spack.spec.deptypes import DEPTYPES
from spack.spec.languages import LANGUAGE_NAMES

if TYPE_CHECKING:
    from spack.spec import ConcreteSpec

__all__ = ["BuildContext", "EdgeView", "Query", "SpecView", "current_build"]


class BuildContext:
    """What a build offers to the specs in it.

    :param packages: the package class of a node, by its hash.
    :param prefix: the prefix of a node, by its hash.
    :param jobs: how many jobs this build may run at once.
    :param jobserver: whether a make jobserver hands out the jobs.
    :param overrides: answers that replace a dependency's own, by (name, attribute) such as
        ``("python", "command")``; called with the view and returning None to decline.
    """

    def __init__(
        self,
        packages: Callable[[str], Any],
        prefix: Callable[[str], str],
        *,
        jobs: int = 1,
        jobserver: bool = False,
        overrides: Mapping[tuple[str, str], Callable[[SpecView], Any]] | None = None,
    ) -> None:
        self.packages = packages
        self.prefix = prefix
        self.jobs = jobs
        self.jobserver = jobserver
        self.overrides = dict(overrides or {})
        #: See :meth:`spack.spec.ConcreteSpec.satisfies`.
        self.provided = provided_by(lambda node: packages(node.dag_hash()).provisions())
        self._states: dict[str, dict[str, Any]] = {}
        self._objects: dict[str, Any] = {}

    def view(self, spec: ConcreteSpec) -> SpecView:
        """Return the view of *spec* that its own package object has."""
        return SpecView(spec, self)

    def state(self, spec: ConcreteSpec) -> dict[str, Any]:
        """Return the attributes that recipes have set on *spec*."""
        return self._states.setdefault(spec.dag_hash(), {})

    def package(self, spec: ConcreteSpec) -> Any:
        """Return the package object of *spec*, made once."""
        key = spec.dag_hash()
        package = self._objects.get(key)
        if package is None:
            package = self._objects[key] = self.packages(key)(self.view(spec))
        return package


#: The build that this process does; unset outside of the build worker.
current_build: ContextVar[BuildContext] = ContextVar("spack_current_build")


class Query(NamedTuple):
    """How a dependency was asked for: ``spec["hdf5:hl,cxx"]``."""

    name: str
    extra_parameters: list[str]
    isvirtual: bool


class EdgeView:
    """An edge of the graph with its target as a view."""

    __slots__ = ("depflag", "deptypes", "spec", "virtuals")

    def __init__(self, edge: Any, context: BuildContext) -> None:
        self.spec = SpecView(edge.spec, context)
        self.deptypes = tuple(sorted(edge.deptypes))
        self.depflag = self.deptypes
        self.virtuals = tuple(edge.virtuals)


class _Architecture:
    """``spec.architecture``: three parts, ``"x86_64" in spec.architecture``."""

    def __init__(self, platform: str, os: str, target: Target) -> None:
        self.platform = platform
        self.os = os
        self.target = target

    def __str__(self) -> str:
        return f"{self.platform}-{self.os}-{self.target}"

    def __contains__(self, text: str) -> bool:
        return text in str(self)

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class SpecView:
    """A concrete spec as recipes see it.

    Unknown attributes are those that recipes have set, then those of the concrete spec.

    :param asked_by: the view on which this dependency was looked up.
    """

    __slots__ = ("_asked_by", "_context", "_node", "_query", "_state")

    def __init__(
        self,
        node: ConcreteSpec,
        context: BuildContext,
        query: Query | None = None,
        asked_by: SpecView | None = None,
    ) -> None:
        set_ = object.__setattr__
        set_(self, "_node", node)
        set_(self, "_context", context)
        set_(self, "_query", query)
        set_(self, "_asked_by", asked_by)
        set_(self, "_state", context.state(node))

    # Identity: views of one node are equal, and equal to the node.

    def __eq__(self, other: object) -> bool:
        node = other._node if isinstance(other, SpecView) else other
        return bool(self._node == node)

    def __hash__(self) -> int:
        return hash(self._node)

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)

    def __str__(self) -> str:
        return str(self._node)

    def __repr__(self) -> str:
        return f"<SpecView {self._node}>"

    def __bool__(self) -> bool:
        return True

    # Attributes that recipes set.

    def __getattr__(self, name: str) -> Any:
        if name in self._state:
            return self._state[name]
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._node, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._state[name] = value

    # The graph.

    def __getitem__(self, key: str) -> SpecView:
        """Return a dependency by name or virtual; ``"name:parameter,..."`` keeps the parameters.

        :raises KeyError: there is none.
        """
        text, _, parameters = key.partition(":")
        name = text.strip()
        extra = [part.strip() for part in parameters.split(",") if part.strip()]
        if name == self._node.name:
            return SpecView(self._node, self._context, Query(name, extra, False), self)
        try:
            node = self._node.lookup(name)
        except KeyError:
            raise KeyError(f"No spec with name {name} in {self._node.short}") from None
        query = Query(name, extra, node.name != name)
        return SpecView(node, self._context, query, self)

    def __contains__(self, text: Any) -> bool:
        return bool(self._node.holds(_bare(text), self._context.provided))

    def satisfies(self, constraint: Any, deps: bool = True) -> bool:
        """Return whether the spec is one of those that *constraint* describes.

        The recipes of providers say which version of a virtual (``^mpi@3:``) they provide.
        """
        return bool(self._node.satisfies(_bare(constraint), deps, self._context.provided))

    intersects = satisfies

    def dependencies(
        self, name: str | None = None, deptype: Any = None, virtuals: Any = None
    ) -> list[SpecView]:
        """Return direct dependencies, all or those of one name."""
        return [
            edge.spec
            for edge in self.edges_to_dependencies(name, deptype)
            if virtuals is None or set(_texts(virtuals)) & set(edge.virtuals)
        ]

    def edges_to_dependencies(self, name: str | None = None, deptype: Any = None) -> list[EdgeView]:
        """Return edges to direct dependencies."""
        wanted = _types(deptype)
        return [
            EdgeView(edge, self._context)
            for edge in self._node.edges
            if (name is None or edge.spec.name == name or name in edge.virtuals)
            and (wanted is None or wanted & edge.deptypes)
        ]

    def traverse(
        self, *, deptype: Any = "all", root: bool = True, order: str = "pre", **_: Any
    ) -> Iterator[SpecView]:
        """Yield the nodes of the graph below, each once."""
        types = _types(deptype) or DEPTYPES
        for node in self._node.traverse(deptypes=tuple(sorted(types)), root=root, order=order):
            yield SpecView(node, self._context)

    def has_virtual_dependency(self, virtual: str) -> bool:
        """Return whether a direct dependency provides *virtual* to this spec."""
        return any(virtual in edge.virtuals for edge in self._node.edges)

    # The node.

    @property
    def version(self) -> Any:
        """The exact version."""
        return self._node.version

    @property
    def versions(self) -> Any:
        """The version as a list of one."""
        return VersionList.parse(f"={self._node.version}")

    @property
    def target(self) -> Target:
        """The microarchitecture."""
        return Target(self._node.target)

    @property
    def architecture(self) -> _Architecture:
        """Platform, operating system and target."""
        return _Architecture(self._node.platform, self._node.os, self.target)

    @property
    def compiler_flags(self) -> dict[str, list[str]]:
        """Flags by name; a name without flags gives an empty list."""
        names = ("cflags", "cxxflags", "fflags", "cppflags", "ldflags", "ldlibs")
        return {name: list(self._node.flags.get(name, ())) for name in names}

    @property
    def last_query(self) -> Query:
        """How this spec was asked for, most recently where a package's own view is asked."""
        return self._query or self._state.get(_LAST_QUERY) or Query(self._node.name, [], False)

    @property
    def external(self) -> bool:
        """Whether the prefix is not of this install tree."""
        return self._node.external is not None

    @property
    def external_path(self) -> str | None:
        """The prefix of an external."""
        external = self._node.external
        return external.path if external is not None else None

    @property
    def external_modules(self) -> list[str]:
        """The environment modules of an external."""
        external = self._node.external
        return list(external.modules) if external is not None else []

    @property
    def extra_attributes(self) -> dict[str, Any]:
        """What the configuration says of an external."""
        external = self._node.external
        return dict(external.extra_attributes) if external is not None else {}

    @property
    def build_spec(self) -> SpecView:
        """The spec as it was built: itself, nothing is spliced."""
        return self

    def format(self, text: str = "{name}{@version}") -> str:
        """Return the spec in a format; ``{prefix}`` is the installation prefix."""
        if "prefix" in text:
            text = text.replace("{prefix}", str(self.prefix))
        return str(self._node.format(text))

    # The installation.

    @property
    def prefix(self) -> Prefix:
        """Where the spec is or will be installed."""
        own = self._state.get("prefix")
        return Prefix(own if own is not None else self._context.prefix(self._node.dag_hash()))

    @prefix.setter
    def prefix(self, value: str) -> None:
        self._state["prefix"] = value

    @property
    def installed(self) -> bool:
        """Whether the prefix is there."""
        return os.path.isdir(self.prefix)

    @property
    def package(self) -> Any:
        """The package object."""
        return self._context.package(self._node)

    @property
    def package_class(self) -> Any:
        """The package class."""
        return type(self.package)

    @property
    def home(self) -> Prefix:
        """Where bin, lib and include are."""
        return Prefix(self._ask("home", lambda: self.prefix))

    @property
    def command(self) -> Executable:
        """The main program.

        :raises RuntimeError: it is not there.
        """
        result: Executable = self._ask("command", self._default_command)
        return result

    @property
    def libs(self) -> LibraryList:
        """The libraries.

        :raises NoLibrariesError: there are none.
        """
        result: LibraryList = self._ask("libs", self._default_libs)
        return result

    @property
    def headers(self) -> HeaderList:
        """The headers.

        :raises NoHeadersError: there are none.
        """
        result: HeaderList = self._ask("headers", self._default_headers)
        return result

    def _ask(self, attribute: str, default: Callable[[], Any]) -> Any:
        """Return the package's ``<virtual>_<attribute>``, its *attribute*, or *default*."""
        if attribute in self._state:
            return self._state[attribute]
        override = self._context.overrides.get((self._node.name, attribute))
        if override is not None and self._asked_by is not None:
            answer = override(self)
            if answer is not None:
                return answer
        query = self.last_query
        if attribute == "command" and self._node.name == "python" and self._asked_by is not None:
            venv = self._asked_by._venv()
            if venv is not None:
                return Executable(str(venv.prefix.bin.join("python3")))
        package, previous = self.package, self._state.get(_LAST_QUERY)
        self._state[_LAST_QUERY] = query
        try:
            names = [attribute]
            if query.isvirtual:
                names.insert(0, f"{query.name.replace('-', '_')}_{attribute}")
            for name in names:
                if _defines(package, name):
                    return self._value(package, name)
            return default()
        finally:
            self._state[_LAST_QUERY] = previous

    def _value(self, package: Any, name: str) -> Any:
        """Return an attribute of the recipe.

        An AttributeError must not look like a missing attribute.
        """
        hint = f"correct {name} in the recipe of {package.name}"
        try:
            value = getattr(package, name)
        except AttributeError as error:
            message = f"{name} of {self._node.short}: {error}"
            raise InstallError(message, hint=hint, pkg=package) from error
        if value is None:
            raise InstallError(f"{name} of {self._node.short} is None", hint=hint, pkg=package)
        return value

    def _venv(self) -> SpecView | None:
        for edge in self._node.edges:
            if edge.spec.name == "python-venv":
                return SpecView(edge.spec, self._context)
        return None

    def _default_command(self) -> Executable:
        path = os.path.join(str(self.home), "bin", self._node.name)
        if os.access(path, os.X_OK):
            return Executable(path)
        raise RuntimeError(f"unable to locate {self._node.name} command in {self.home}/bin")

    def _default_headers(self) -> HeaderList:
        root = os.path.join(str(self.home), "include")
        found = find_headers("*", root=root, recursive=True)
        if found:
            return found
        raise NoHeadersError(f"unable to locate {self._node.name} headers in {root}")

    def _default_libs(self) -> LibraryList:
        name = self._node.name.replace("-", "?")
        variant = self._node.variants.get("shared")
        orders = {None: (True, False), True: (True,), False: (False,)}
        shared = variant.value if variant is not None else None
        names = [name] if name.startswith("lib") else [f"lib{name}", name]
        for is_shared in orders.get(shared, (True, False)):
            for candidate in names:
                found = find_libraries(candidate, str(self.home), shared=is_shared, recursive=True)
                if found:
                    return found
        raise NoLibrariesError(f"unable to locate {self._node.name} libraries in {self.home}")

    @property
    def compiler(self) -> Any:
        """Deprecated access to the compilers.

        :raises SpackError: the spec uses none.
        """
        if not any(self.has_virtual_dependency(lang) for lang in LANGUAGE_NAMES):
            raise SpackError(
                f"{self._node.short} uses no compiler",
                hint='add depends_on("c", type="build") or the like to its recipe',
            )
        return CompilerView(self)


_LAST_QUERY = "__last_query__"


def _defines(package: Any, name: str) -> bool:
    """Return whether the recipe (not the engine's base class) has an attribute of this name."""
    if name in package.__dict__:
        return True
    for owner in type(package).__mro__:
        if name in owner.__dict__:
            return owner is not PackageBase
    return False


def _bare(constraint: Any) -> Any:
    return constraint._node if isinstance(constraint, SpecView) else constraint


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _types(deptype: Any) -> frozenset[str] | None:
    if deptype is None or deptype == "all" or deptype == ("all",):
        return None
    return frozenset(_texts(deptype))

"""Constraints on packages: :class:`Spec`, its dependencies and its algebra.

A constraint is the set of all configurations that it allows:

- ``a.satisfies(b)``: every configuration of ``a`` is one of ``b`` (a partial order on the
  constraints on one package; an anonymous constraint is tested as if it had the other's name);
- ``a.intersects(b)``: some configuration may be in both (symmetric);
- ``a.constrain(b)``: the intersection; it satisfies both, and is an error when it is empty.

What needs a repository is not decided here: a virtual package is known only where an edge binds
it (``%c=gcc`` satisfies ``%gcc`` and ``%c``). Values are immutable, hashable and memoised by
text. Equal canonical texts mean equal constraints, but for namespaces of named nodes, which are
not printed; equal constraints have equal texts, but for spellings of versions (``1-2``, ``1.2``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from spack.errors import SpecError
from spack.spec.algebra import (
    NOTHING,
    merged_flags,
    node_intersects,
    node_satisfies,
    read_only,
)
from spack.spec.architecture import NO_ARCH
from spack.spec.canonical_text import spec_text
from spack.spec.dependency import Dependency, merged_dependencies
from spack.spec.format import format_spec
from spack.spec.version_list import any_version

if TYPE_CHECKING:
    from spack.spec.architecture import ArchSpec
    from spack.spec.variant import VariantValue
    from spack.spec.version import Version
    from spack.spec.version_list import VersionList

__all__ = ["Spec"]

_set = object.__setattr__


class Spec:
    """A constraint. ``Spec("py-black@24: +d2k ^python@3.11")`` parses; ``Spec()`` is anything.

    :raises SpecError: when the text is malformed, with carets under the positions.
    """

    __slots__ = (
        "_key_cache",
        "_text",
        "arch",
        "dependencies",
        "file",
        "flags",
        "hash_prefix",
        "name",
        "namespace",
        "variants",
        "versions",
    )

    #: ``""`` for an anonymous constraint.
    name: str
    namespace: str | None
    versions: VersionList
    variants: Mapping[str, VariantValue]
    #: Compiler flags by name; the flags are :class:`spack.spec.algebra.Flag`.
    flags: Mapping[str, tuple[str, ...]]
    arch: ArchSpec
    #: First characters of the hash of a concrete spec (``/abcdef``), or None.
    hash_prefix: str | None
    dependencies: tuple[Dependency, ...]
    #: A spec file that was given instead of a name; resolved by a layer that may read files.
    file: str | None
    _key_cache: tuple[Any, ...]
    _text: str

    #: A constraint is never a concrete spec.
    concrete = False

    def __new__(cls, text: str | Spec = "") -> Spec:
        if isinstance(text, Spec):
            return text
        return cls.parse(text)

    @staticmethod
    def parse(text: str) -> Spec:
        """Return the one spec in *text*; memoized.

        :raises SpecError: when *text* is malformed or holds several specs.
        """
        known = parsed.get(text)
        if known is not None:
            return known
        # the parser builds specs, so it cannot be loaded before them
        from spack.spec.parser import parse

        return parse(text)

    @staticmethod
    def of(  # noqa: PLR0913 - keywords of independent settings
        name: str = "",
        *,
        namespace: str | None = None,
        versions: VersionList = any_version,
        variants: Mapping[str, VariantValue] = NOTHING,
        flags: Mapping[str, tuple[str, ...]] = NOTHING,
        arch: ArchSpec = NO_ARCH,
        hash_prefix: str | None = None,
        dependencies: tuple[Dependency, ...] = (),
        file: str | None = None,
    ) -> Spec:
        """Return a constraint from its parts; mappings are taken over, not copied."""
        spec = object.__new__(Spec)
        _set(spec, "name", name)
        _set(spec, "namespace", namespace)
        _set(spec, "versions", versions)
        _set(spec, "variants", read_only(variants) if type(variants) is dict else variants)
        _set(spec, "flags", read_only(flags) if type(flags) is dict else flags)
        _set(spec, "arch", arch)
        _set(spec, "hash_prefix", hash_prefix)
        _set(spec, "dependencies", dependencies)
        _set(spec, "file", file)
        return spec

    def replace(self, **parts: Any) -> Spec:
        """Return this constraint with the given parts (keywords of :meth:`of`) exchanged."""
        for part in _PARTS:
            parts.setdefault(part, getattr(self, part))
        return Spec.of(**parts)

    def with_name(self, name: str) -> Spec:
        """Return the same constraint on another package; ``""`` makes it anonymous."""
        return self if name == self.name else self.replace(name=name)

    def without_dependencies(self) -> Spec:
        """Return the constraint on the node itself."""
        return self.replace(dependencies=()) if self.dependencies else self

    # ---- identity -------------------------------------------------------------------------

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Spec is immutable")

    @property
    def _key(self) -> tuple[Any, ...]:
        try:
            return self._key_cache
        except AttributeError:
            flags = tuple(
                (name, tuple((str(f), getattr(f, "propagate", False)) for f in values))
                for name, values in sorted(self.flags.items())
            )
            key = (
                self.name,
                self.namespace,
                self.versions.order,
                frozenset(self.variants.values()),
                flags,
                self.arch,
                self.hash_prefix,
                frozenset(self.dependencies),
                self.file,
            )
            _set(self, "_key_cache", key)
            return key

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (
            {
                part: dict(value) if part in ("variants", "flags") else value
                for part, value in ((part, getattr(self, part)) for part in _PARTS)
            },
        )

    def copy(self, deps: bool = True) -> Spec:
        """Return this constraint, which never changes; without dependencies if not *deps*."""
        return self if deps else self.without_dependencies()

    def __copy__(self) -> Spec:
        return self

    def __deepcopy__(self, memo: object) -> Spec:
        return self

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Spec):
            return self._key == other._key
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __lt__(self, other: Spec) -> bool:
        return self._order < other._order

    def __le__(self, other: Spec) -> bool:
        return self == other or self._order < other._order

    def __gt__(self, other: Spec) -> bool:
        return other._order < self._order

    def __ge__(self, other: Spec) -> bool:
        return self == other or other._order < self._order

    @property
    def _order(self) -> tuple[Any, ...]:
        """Name, namespace, versions, variants, and then the text of everything."""
        variants = sorted((v.name, v.propagate, v.values) for v in self.variants.values())
        return (self.name, self.namespace or "", self.versions.order, variants, str(self))

    # ---- text -----------------------------------------------------------------------------

    def __str__(self) -> str:
        try:
            return self._text
        except AttributeError:
            text = spec_text(self)
            _set(self, "_text", text)
            return text

    def __repr__(self) -> str:
        return f'Spec("{self}")'

    def format(
        self,
        template: str = "{name}{@versions}{variants}",
        extra: Mapping[str, Any] = NOTHING,
    ) -> str:
        """Return *template* with its ``{attribute}`` filled in; see :mod:`spack.spec.format`.

        :param extra: attributes that a spec itself does not know, such as ``prefix``.
        """
        return format_spec(self, template, extra)

    # ---- parts ----------------------------------------------------------------------------

    @property
    def anonymous(self) -> bool:
        """Whether it names no package."""
        return not self.name

    @property
    def fullname(self) -> str:
        """Namespace and name, as far as given."""
        return f"{self.namespace}.{self.name}" if self.namespace else self.name

    @property
    def version(self) -> Version:
        """The version, when exactly one is allowed.

        :raises SpecError: otherwise.
        """
        version = self.versions.concrete
        if version is None:
            raise SpecError(
                f"'{self}' has no single version",
                hint="an exact version is written @=1.2",
                facts={"spec": str(self)},
            )
        return version

    @property
    def platform(self) -> str | None:
        """Platform of the architecture, or None."""
        return self.arch.platform

    @property
    def os(self) -> str | None:
        """Operating system of the architecture, or None."""
        return self.arch.os

    @property
    def target(self) -> str | None:
        """Target constraint, or None."""
        return self.arch.target

    @property
    def architecture(self) -> ArchSpec | None:
        """The architecture, or None when it is not constrained."""
        return self.arch or None

    def traverse(self) -> Iterator[Spec]:
        """Yield this node and those of all dependencies, each once per mention."""
        yield self
        for dependency in self.dependencies:
            yield from dependency.spec.traverse()

    def __contains__(self, text: str | Spec) -> bool:
        wanted = Spec(text)
        if not wanted.name or wanted.name == self.name:
            return self.satisfies(wanted)
        return any(edge.satisfies(Dependency(wanted)) for edge in self.dependencies)

    # ---- relations ------------------------------------------------------------------------

    def satisfies(self, other: Any, deps: bool = True) -> bool:  # noqa: C901 - one test for each part of a spec
        """Return whether every configuration of this is one of *other* (a spec or its text)."""
        if isinstance(other, str):
            other = Spec.parse(other)
        if self is other:
            return True
        if other.concrete:
            return False  # more than one configuration is never within one
        if other.hash_prefix and not (self.hash_prefix or "").startswith(other.hash_prefix):
            return False
        if other.file != self.file and other.file is not None:
            return False
        if not node_satisfies(self, other):
            return False
        if not deps:
            return True
        for wanted in other.dependencies:
            if wanted.when is not None and not self.without_dependencies().intersects(wanted.when):
                continue
            if not any(edge.satisfies(wanted) for edge in self.dependencies):
                return False
        return True

    def intersects(self, other: Any, deps: bool = True) -> bool:
        """Return whether some configuration may be in both; *other* is a spec or its text."""
        if isinstance(other, str):
            other = Spec.parse(other)
        if other.concrete:
            return bool(other.satisfies(self))
        if self.hash_prefix and other.hash_prefix and not _same_hash(self, other):
            return False
        if self.file and other.file and self.file != other.file:
            return False
        if not node_intersects(self, other):
            return False
        if not deps:
            return True
        return not any(
            first.same_kind(second)
            and not first.spec.intersects(second.spec)
            and (first.when is None or self._implies(first.when) or other._implies(first.when))
            for first in self.dependencies
            for second in other.dependencies
        )

    def _implies(self, condition: Spec) -> bool:
        """Return whether the node alone makes sure of *condition*."""
        return self.without_dependencies().satisfies(condition)

    def constrain(self, other: Any, deps: bool = True) -> Spec:
        """Return the constraint that allows what both allow; *other* is a spec or its text.

        :raises SpecError: when nothing satisfies both, or when dependencies under one condition
            contradict each other; ``facts`` name the part that clashes.
        """
        if isinstance(other, str):
            other = Spec.parse(other)
        if self is other or other is ANYTHING:
            return self
        if self is ANYTHING and deps:
            return other  # type: ignore[no-any-return]  # a Spec by contract
        if not self.intersects(other, deps):
            raise _clash(self, other)
        variants: dict[str, VariantValue] = dict(self.variants)
        for name, value in other.variants.items():
            variants[name] = variants[name].constrain(value) if name in variants else value
        flags: dict[str, tuple[str, ...]] = dict(self.flags)
        for name, values in other.flags.items():
            flags[name] = merged_flags(flags.get(name, ()), values)
        prefixes = (self.hash_prefix or "", other.hash_prefix or "")
        return Spec.of(
            self.name or other.name,
            namespace=self.namespace or other.namespace,
            versions=self.versions.intersection(other.versions),
            variants=variants or NOTHING,
            flags=flags or NOTHING,
            arch=self.arch.constrain(other.arch),
            hash_prefix=max(prefixes, key=len) or None,
            dependencies=(
                merged_dependencies(self.dependencies, other.dependencies)
                if deps
                else self.dependencies
            ),
            file=self.file or other.file,
        )


_PARTS = (
    "name",
    "namespace",
    "versions",
    "variants",
    "flags",
    "arch",
    "hash_prefix",
    "dependencies",
    "file",
)

#: Constraints by the texts that were parsed; filled by :mod:`spack.spec.parser`.
parsed: dict[str, Spec] = {}

#: The constraint that allows everything.
ANYTHING = Spec.of()


def _rebuild(parts: dict[str, Any]) -> Spec:
    return Spec.of(**parts)


def _same_hash(first: Spec, second: Spec) -> bool:
    """Return whether one abbreviated hash starts with the other."""
    shorter, longer = sorted((first.hash_prefix or "", second.hash_prefix or ""), key=len)
    return longer.startswith(shorter)


def _clash(first: Spec, second: Spec) -> SpecError:
    """Return the error that says which part of two constraints has nothing in common."""
    part, left, right = "dependencies", str(first), str(second)
    if first.name and second.name and first.name != second.name:
        part, left, right = "name", first.name, second.name
    elif first.namespace and second.namespace and first.namespace != second.namespace:
        part, left, right = "name", first.fullname, second.fullname
    elif first.hash_prefix and second.hash_prefix and not _same_hash(first, second):
        part, left, right = "hash", f"/{first.hash_prefix}", f"/{second.hash_prefix}"
    elif not first.versions.intersects(second.versions):
        part, left, right = "versions", f"@{first.versions}", f"@{second.versions}"
    elif not first.arch.intersects(second.arch):
        part, left, right = "architecture", str(first.arch), str(second.arch)
    else:
        for name, value in second.variants.items():
            if name in first.variants and not value.intersects(first.variants[name]):
                part, left, right = f"variant {name}", str(first.variants[name]), str(value)
                break
    return SpecError(
        f"'{first}' and '{second}' have nothing in common: {left} and {right} exclude each other",
        facts={"left": str(first), "right": str(second), "part": part},
        ref="spec-conflict",
    )

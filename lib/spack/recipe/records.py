"""Declaration records: what a recipe says, frozen and free of code.

Directives (:mod:`spack.api.directives`) append these records while a package class is made;
the repository's index stores them (as plain tuples, see :func:`Recipe.to_data`), and the
solver reads nothing else. Spec texts stay texts here: a reader that needs a
parsed constraint parses it, and the parser caches.

``when`` is always the *whole* condition as one anonymous spec text, the conjunction of the
enclosing ``with when(...)`` blocks and the directive's own ``when=``; ``""`` means always.
``line`` is the line of the directive's call in the file ``path`` of its recipe, or, for a
directive that a base class contributes, 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Union

__all__ = [
    "RECORDS",
    "ConflictRecord",
    "DependencyRecord",
    "ExtendsRecord",
    "LicenseRecord",
    "PatchRecord",
    "ProvidesRecord",
    "Recipe",
    "RequirementRecord",
    "ResourceRecord",
    "VariantRecord",
    "VersionRecord",
]

#: Scalars that may be in the free-form parts of a record: marshal and JSON know them all.
Plain = Union[None, bool, int, float, str, tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class VersionRecord:
    """``version("1.2", sha256=...)``.

    :param url: where the archive is, after ``url``, ``pypi``, ``url_for_version`` and the
        version's own ``url=`` have had their say; None for a version from git. A ``pypi``
        source is written ``pypi:<project>/<file name>`` and resolved by file name on the
        configured index (DESIGN, decision 7).
    :param sha256: lower-case hex of the archive, or None.
    :param options: the remaining keywords as given: ``git``, ``commit``, ``tag``, ``branch``,
        ``submodules``, ``expand``, ``extension``, ``no_cache``, ``get_full_repo``, ``md5``, ...
    :param error: why the url could not be computed, or None.
    """

    version: str
    url: str | None = None
    sha256: str | None = None
    preferred: bool = False
    deprecated: bool = False
    options: Mapping[str, Plain] = field(default_factory=dict)
    line: int = 0
    error: str | None = None


@dataclass(frozen=True)
class VariantRecord:
    """``variant("name", default=..., values=..., multi=..., when=...)``.

    :param kind: ``"bool"``, ``"single"`` or ``"multi"``.
    :param default: always a tuple of texts; booleans are ``("true",)`` / ``("false",)``.
    :param values: the allowed values as pairs (text, when condition), or None when any text
        is allowed (``values`` was a type or a predicate, or absent with a string default).
    :param sets: for ``disjoint_sets`` and friends: groups of values that may not be mixed.
    """

    name: str
    kind: str
    default: tuple[str, ...]
    values: tuple[tuple[str, str], ...] | None
    description: str = ""
    sets: tuple[tuple[str, ...], ...] | None = None
    sticky: bool = False
    when: str = ""
    line: int = 0


@dataclass(frozen=True)
class DependencyRecord:
    """``depends_on("spec", when=..., type=...)``; ``types`` is sorted."""

    spec: str
    types: tuple[str, ...]
    when: str = ""
    patches: tuple[PatchRecord, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class ExtendsRecord:
    """``extends("spec", when=..., type=...)``: the node shares its layout with ``spec``."""

    spec: str
    types: tuple[str, ...]
    when: str = ""
    line: int = 0


@dataclass(frozen=True)
class ConflictRecord:
    """``conflicts("spec", when=..., msg=...)``."""

    spec: str
    when: str = ""
    message: str | None = None
    line: int = 0


@dataclass(frozen=True)
class RequirementRecord:
    """``requires("a", "b", policy="one_of", when=..., msg=...)``."""

    specs: tuple[str, ...]
    policy: str = "one_of"
    when: str = ""
    message: str | None = None
    line: int = 0


@dataclass(frozen=True)
class ProvidesRecord:
    """``provides("mpi@3:", "c", when=...)``: names given together are provided together."""

    virtuals: tuple[str, ...]
    when: str = ""
    line: int = 0


@dataclass(frozen=True)
class PatchRecord:
    """``patch("file-or-url", level=1, when=..., sha256=...)``.

    :param source: a file beside the recipe, or a url.
    :param sha256: of the patch itself (computed for a file), lower-case hex; None for a file
        that is missing.
    """

    source: str
    sha256: str | None
    level: int = 1
    when: str = ""
    working_dir: str = "."
    reverse: bool = False
    archive_sha256: str | None = None
    line: int = 0


@dataclass(frozen=True)
class ResourceRecord:
    """``resource(name=..., url=... | git=..., destination=..., placement=..., when=...)``."""

    name: str
    url: str | None = None
    sha256: str | None = None
    destination: str = ""
    placement: Plain = None
    when: str = ""
    options: Mapping[str, Plain] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class LicenseRecord:
    """``license("Apache-2.0 OR MIT", when=...)``, an SPDX expression."""

    expression: str
    when: str = ""
    line: int = 0


@dataclass(frozen=True)
class Recipe:
    """Everything that may be known of a package without running its build code.

    :param name: the package's name, such as ``py-black``.
    :param namespace: of the repository that it comes from.
    :param path: absolute path of ``package.py``.
    :param content_hash: hex sha256 over the recipe file and the patches beside it; part of the
        hash of a concrete spec.
    :param virtual: the recipe only describes a virtual package (``virtual = True``).
    :param executables: regular expressions by which ``spack external find`` detects it.
    :param hooks: names that the package class or one of its bases other than the engine's own
        defines and that the engine must know of without loading the class, such as
        ``add_files_to_view``, ``view_destination``, ``determine_version``.
    :param attributes: further class attributes of plain type that commands show or need
        (``homepage``, ``url``, ``list_url``, ``git``, ``pypi``, ``has_code``, ``manual_download``,
        ``tags``, ``maintainers``, ``parallel``, ``build_system`` ...).
    """

    name: str
    namespace: str
    path: str
    content_hash: str
    description: str = ""
    virtual: bool = False
    versions: tuple[VersionRecord, ...] = ()
    variants: tuple[VariantRecord, ...] = ()
    dependencies: tuple[DependencyRecord, ...] = ()
    extends: tuple[ExtendsRecord, ...] = ()
    conflicts: tuple[ConflictRecord, ...] = ()
    requirements: tuple[RequirementRecord, ...] = ()
    provides: tuple[ProvidesRecord, ...] = ()
    patches: tuple[PatchRecord, ...] = ()
    resources: tuple[ResourceRecord, ...] = ()
    licenses: tuple[LicenseRecord, ...] = ()
    executables: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    attributes: Mapping[str, Plain] = field(default_factory=dict)

    @property
    def fullname(self) -> str:
        """Namespace and name, ``venv.py-black``."""
        return f"{self.namespace}.{self.name}"

    def with_variants(self, variants: tuple[VariantRecord, ...]) -> Recipe:
        """Return this recipe with other variants; what was not decoded yet still is not."""
        changed: Recipe = object.__new__(type(self))
        changed.__dict__.update(self.__dict__, variants=variants)
        return changed

    def to_data(self) -> tuple[Any, ...]:
        """Return plain nested tuples and dicts (for marshal and JSON), for :meth:`from_data`."""
        values = []
        for name, value in self.__dict__.items():
            if name in RECORDS:
                value = tuple(_row(record) for record in value)
            values.append(value)
        return tuple(values)

    @classmethod
    def from_data(cls, data: tuple[Any, ...]) -> Recipe:
        """Return the inverse of :meth:`to_data`; *data* may have lists where tuples were.

        The records of a kind are made when they are first read, so that reading one field
        of a large recipe costs little.
        """
        recipe = object.__new__(_LazyRecipe)
        state = recipe.__dict__
        pending = {}
        for f, value in zip(_FIELDS, data):
            if f in RECORDS:
                pending[f] = value
            else:
                state[f] = tuple(value) if isinstance(value, list) else value
        state["_pending"] = pending
        return recipe


class _Decoded:
    """A field of records that are made from rows when they are first asked for.

    It is not a data descriptor: from then on the instance's own attribute is found first.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, recipe: Any, owner: Any = None) -> Any:
        if recipe is None:
            return ()
        kind = RECORDS[self.name]
        rows = recipe.__dict__["_pending"][self.name]
        value = recipe.__dict__[self.name] = tuple(_record(kind, row) for row in rows)
        return value


class _LazyRecipe(Recipe):
    """A recipe whose records are still rows."""

    def to_data(self) -> tuple[Any, ...]:
        values = []
        for name in _FIELDS:
            value = getattr(self, name)
            values.append(tuple(map(_row, value)) if name in RECORDS else value)
        return tuple(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.to_data() == other.to_data()

    def __hash__(self) -> int:
        return hash((self.namespace, self.name, self.content_hash))

    def __reduce__(self) -> Any:
        return Recipe.from_data, (self.to_data(),)


_FIELDS = tuple(f.name for f in fields(Recipe))

#: Fields of a recipe that hold records -> their class.
RECORDS: Mapping[str, type[Any]] = {
    "versions": VersionRecord,
    "variants": VariantRecord,
    "dependencies": DependencyRecord,
    "extends": ExtendsRecord,
    "conflicts": ConflictRecord,
    "requirements": RequirementRecord,
    "provides": ProvidesRecord,
    "patches": PatchRecord,
    "resources": ResourceRecord,
    "licenses": LicenseRecord,
}


def _row(record: Any) -> tuple[Any, ...]:
    """Return the fields of a record in order; a dataclass without slots keeps them so."""
    values = tuple(record.__dict__.values())
    if record.__class__ is DependencyRecord and record.patches:
        patches = tuple(_row(patch) for patch in record.patches)
        return (*values[:3], patches, *values[4:])
    return values


def _record(record: Any, row: Any) -> Any:
    if isinstance(row, list):
        row = _tuples(row)
    if record is DependencyRecord and row[3]:
        row = (*row[:3], tuple(_record(PatchRecord, patch) for patch in row[3]), *row[4:])
    new = object.__new__(record)
    new.__dict__.update(zip(_NAMES[record], row))
    return new


_NAMES = {
    record: tuple(f.name for f in fields(record)) for record in (*RECORDS.values(), PatchRecord)
}


def _tuples(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(_tuples(item) for item in value)
    return value


for _name in RECORDS:
    setattr(_LazyRecipe, _name, _Decoded(_name))

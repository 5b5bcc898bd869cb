"""The package language: every directive appends a frozen record to the class being defined.

A directive call costs a few microseconds and reads no file; specs stay texts. What the texts
mean is checked where they are used, and ``spack audit``-like commands read the records.

Two kinds of declarations are not plain records, because recipes use them at run time too:
:class:`spack.api.variants.Variant` (its values may be objects) and :class:`VersionDeclaration`
(its url is computed later, when the whole class is known).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from spack.api.declaration_checks import check_dependency, check_license, check_version
from spack.api.definition import Definition, directive
from spack.api.variants import Variant, conditional
from spack.errors import RecipeError
from spack.recipe.records import (
    ConflictRecord,
    DependencyRecord,
    ExtendsRecord,
    LicenseRecord,
    PatchRecord,
    ProvidesRecord,
    RequirementRecord,
    ResourceRecord,
)
from spack.spec.deptypes import DEPTYPES

__all__ = [
    "BuildSystemDeclaration",
    "MaintainersDeclaration",
    "RedistributeDeclaration",
    "SpliceDeclaration",
    "VersionDeclaration",
    "build_system",
    "can_splice",
    "conditional",
    "conflicts",
    "depends_on",
    "extends",
    "license",
    "maintainers",
    "patch",
    "provides",
    "redistribute",
    "requires",
    "resource",
    "variant",
    "version",
]


@dataclass(frozen=True)
class VersionDeclaration:
    """``version(...)`` as it was called, without the keywords that were not given."""

    version: str
    options: Mapping[str, Any]
    line: int = 0


@dataclass(frozen=True)
class MaintainersDeclaration:
    """``maintainers("a", "b")``."""

    names: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True)
class BuildSystemDeclaration:
    """``build_system("cmake", "autotools", default="cmake")``; it declares the variant."""

    values: tuple[str, ...]
    default: str
    line: int = 0


@dataclass(frozen=True)
class RedistributeDeclaration:
    """``redistribute(source=False, binary=False, when=...)``."""

    source: bool
    binary: bool
    when: str = ""
    line: int = 0


@dataclass(frozen=True)
class SpliceDeclaration:
    """``can_splice("other@1", when=...)``; recorded, splicing itself is not done."""

    target: str
    when: str
    match_variants: str | tuple[str, ...] | None = None
    line: int = 0


_VERSION_KEYWORDS = frozenset(
    [
        "branch",
        "commit",
        "cvs",
        "date",
        "deprecated",
        "expand",
        "extension",
        "fetch_options",
        "get_full_repo",
        "git",
        "git_sparse_paths",
        "hg",
        "md5",
        "no_cache",
        "preferred",
        "revision",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "submodules",
        "submodules_delete",
        "svn",
        "tag",
        "url",
    ]
)


@directive
def version(
    definition: Definition, ver: str | int, checksum: Any = None, **options: Any
) -> VersionDeclaration:
    """Declare a version and where its source is.

    :param ver: the exact version.
    :param checksum: the hash of the archive; its length gives the kind (write ``sha256=``).
    :param options: the digest (``sha256``); where the source is (``url``, ``git`` with ``tag``,
        ``commit`` or ``branch``, ``submodules``, ``extension``, ``expand``); ``preferred`` and
        ``deprecated``. ``when`` is not accepted.
    :raises RecipeError: inside ``with when``, an unknown keyword, or a version that is not a text.
    :raises VersionError: the text is not one version.
    """
    if definition.conditions:
        raise RecipeError(
            f'version("{ver}") is inside of a "with when" block',
            hint="a version is known or not; put conditions on what depends on the version",
        )
    if isinstance(ver, bool) or not isinstance(ver, (str, int)):
        hint = 'write the version in quotes: "1.10"'
        raise RecipeError(f"version({ver!r}) is not a text", hint=hint)
    text = str(ver)
    check_version(text)
    options.pop("when", None) if options.get("when") is None else None
    unknown = options.keys() - _VERSION_KEYWORDS
    if unknown:
        raise RecipeError(
            f'version("{text}") has no keyword {min(unknown)!r}',
            hint=f"known keywords: {', '.join(sorted(_VERSION_KEYWORDS))}",
        )
    given = {key: value for key, value in options.items() if value is not None}
    if checksum is not None:
        given[_CHECKSUM_KINDS.get(len(checksum), "sha256")] = checksum
    declared = VersionDeclaration(text, given, definition.line())
    definition.declared.append(declared)
    return declared


_CHECKSUM_KINDS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@directive
def variant(
    definition: Definition,
    name: str,
    default: Any = None,
    description: str = "",
    values: Any = None,
    multi: bool | None = None,
    validator: Callable[..., Any] | None = None,
    when: Any = None,
    sticky: bool = False,
) -> Variant:
    """Declare an option of the build.

    :param default: the value without a choice: a bool, a text, or a tuple for ``multi``.
    :param values: a tuple of texts, a set of values (``any_combination_of(...)``), a predicate or
        a type; absent with a boolean default, the variant is boolean.
    :param sticky: the solver may not choose another value than the default by itself.
    """
    declared = Variant(
        name,
        default,
        description,
        values,
        multi=multi,
        validator=validator,
        sticky=sticky,
        when=definition.condition(when),
        line=definition.line(),
    )
    definition.declared.append(declared)
    return declared


def _types(name: str, type: Any) -> tuple[str, ...]:  # the keyword's own name
    types = (type,) if isinstance(type, str) else tuple(type)
    if "all" in types:
        return DEPTYPES
    for item in types:
        if item not in DEPTYPES:
            raise RecipeError(
                f"{name}: unknown dependency type {item!r}",
                hint=f"the types are {', '.join(DEPTYPES)}",
            )
    return tuple(sorted(set(types)))


@directive
def depends_on(
    definition: Definition,
    spec: str,
    when: Any = None,
    type: Any = ("build", "link"),  # the keyword's own name
    patches: Any = None,
) -> DependencyRecord | None:
    """Declare a dependency.

    :param spec: name and constraints of one package; ``^`` is an error, ``%`` is not.
    :param type: one or more of ``build``, ``link``, ``run``, ``test``, or ``all``.
    :param patches: a ``patch(...)``, a file name, or a list of these, applied to the dependency.
    """
    nested = _nested_patches(definition, patches)
    condition = definition.condition(when)
    text = str(spec).strip()
    check_dependency(text)
    record = DependencyRecord(
        text, _types("depends_on", type), condition, nested, definition.line()
    )
    definition.declared.append(record)
    return record


def _nested_patches(definition: Definition, patches: Any) -> tuple[PatchRecord, ...]:
    if patches is None:
        return ()
    items = patches if isinstance(patches, (list, tuple)) else (patches,)
    result = []
    for item in items:
        if isinstance(item, str):
            record = PatchRecord(item, None, line=definition.line())
        elif isinstance(item, PatchRecord):
            record = item
            definition.remove(item)
        elif item is None:  # patch(when=False)
            continue
        else:
            raise RecipeError(
                f"patches={item!r} is not a patch", hint='write patches=patch("file.patch")'
            )
        result.append(record)
    return tuple(result)


@directive
def extends(
    definition: Definition,
    spec: str,
    when: Any = None,
    type: Any = ("build", "run"),  # the keyword's own name
    patches: Any = None,
) -> ExtendsRecord:
    """Declare that the package's files belong into *spec*'s layout; also a dependency on it.

    Extending ``python`` also adds ``python-venv`` (build, run), which defines the layout; the
    facts of python-venv itself leave that out.
    """
    nested = _nested_patches(definition, patches)
    condition = definition.condition(when)
    text, types, line = str(spec).strip(), _types("extends", type), definition.line()
    record = ExtendsRecord(text, types, condition, line)
    definition.declared.append(DependencyRecord(text, types, condition, nested, line))
    if _name_of(text) == "python":
        venv = DependencyRecord("python-venv", ("build", "run"), condition, (), line)
        definition.declared.append(venv)
    definition.declared.append(record)
    return record


def _name_of(text: str) -> str:
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] in "_-."):
        end += 1
    return text[:end].rpartition(".")[2]


@directive
def conflicts(
    definition: Definition, conflict_spec: str, when: Any = None, msg: str | None = None
) -> ConflictRecord:
    """Declare that *conflict_spec* cannot be where *when* holds."""
    record = ConflictRecord(
        str(conflict_spec).strip(), definition.condition(when), msg, definition.line()
    )
    definition.declared.append(record)
    return record


@directive
def requires(
    definition: Definition,
    *specs: str,
    policy: str = "one_of",
    when: Any = None,
    msg: str | None = None,
) -> RequirementRecord:
    """Declare that one (``one_of``) or at least one (``any_of``) of *specs* must hold."""
    if policy not in ("one_of", "any_of"):
        raise RecipeError(
            f"requires(policy={policy!r}) is unknown", hint='write "one_of" or "any_of"'
        )
    record = RequirementRecord(
        tuple(str(spec).strip() for spec in specs),
        policy,
        definition.condition(when),
        msg,
        definition.line(),
    )
    definition.declared.append(record)
    return record


@directive
def provides(definition: Definition, *specs: str, when: Any = None) -> ProvidesRecord:
    """Declare that the package provides virtual packages; names of one call go together."""
    record = ProvidesRecord(
        tuple(str(spec).strip() for spec in specs), definition.condition(when), definition.line()
    )
    definition.declared.append(record)
    return record


@directive
def patch(
    definition: Definition,
    url_or_filename: str,
    level: int = 1,
    when: Any = None,
    working_dir: str = ".",
    reverse: bool = False,
    sha256: str | None = None,
    archive_sha256: str | None = None,
) -> PatchRecord:
    """Declare a patch: a file beside the recipe, or a url with its ``sha256``."""
    if "://" in url_or_filename and sha256 is None:
        raise RecipeError(f"patch {url_or_filename} has no sha256", hint="add sha256=...")
    record = PatchRecord(
        source=url_or_filename,
        sha256=sha256,
        level=level,
        when=definition.condition(when),
        working_dir=working_dir,
        reverse=reverse,
        archive_sha256=archive_sha256,
        line=definition.line(),
    )
    definition.declared.append(record)
    return record


@directive
def resource(
    definition: Definition,
    *,
    name: str | None = None,
    destination: str = "",
    placement: Any = None,
    when: Any = None,
    url: str | None = None,
    sha256: str | None = None,
    checksum: str | None = None,
    **options: Any,
) -> ResourceRecord:
    """Declare a further source that is unpacked into the package's.

    :param destination: where, below the source directory.
    :param placement: the name there, or a mapping from names in the resource to names there.
    """
    record = ResourceRecord(
        name=name or (str(url or options.get("git", "")).rpartition("/")[2]),
        url=url,
        sha256=sha256 or checksum,
        destination=str(destination),
        placement=placement,
        when=definition.condition(when),
        options=options,
        line=definition.line(),
    )
    definition.declared.append(record)
    return record


@directive
def license(  # the directive's own name
    definition: Definition,
    license_identifier: str,
    checked_by: str | tuple[str, ...] | None = None,
    when: Any = None,
) -> LicenseRecord:
    """Declare the license, an SPDX expression."""
    record = LicenseRecord(str(license_identifier), definition.condition(when), definition.line())
    check_license(definition.declared, record)
    definition.declared.append(record)
    return record


@directive
def maintainers(definition: Definition, *names: str) -> MaintainersDeclaration:
    """Name the maintainers of the recipe; the calls of base classes add up."""
    record = MaintainersDeclaration(names, definition.line())
    definition.declared.append(record)
    return record


@directive
def build_system(definition: Definition, *values: Any, default: str | None = None) -> Variant:
    """Declare which build systems can build the package: the variant ``build_system``."""
    flat = values[0] if len(values) == 1 and isinstance(values[0], (tuple, list)) else values
    texts: list[str] = []
    for value in flat:
        members = value if isinstance(value, tuple) else (value,)
        texts.extend(str(member) for member in members)
    chosen = default or texts[0]
    declared = Variant(
        "build_system",
        chosen,
        "Build systems supported by the package",
        tuple(flat),
        False,
        when=definition.condition(None),
        line=definition.line(),
    )
    definition.declared.append(BuildSystemDeclaration(tuple(texts), chosen, declared.line))
    definition.declared.append(declared)
    return declared


@directive
def redistribute(
    definition: Definition,
    source: bool | None = None,
    binary: bool | None = None,
    when: Any = None,
) -> RedistributeDeclaration:
    """Declare that sources or binaries may not be passed on; it can only switch off."""
    if source or binary:
        raise RecipeError(
            "redistribute() can only switch off", hint="source=True and binary=True are the rule"
        )
    record = RedistributeDeclaration(
        source is None, binary is None, definition.condition(when), definition.line()
    )
    definition.declared.append(record)
    return record


@directive
def can_splice(
    definition: Definition, target: str, *, when: Any = None, match_variants: Any = None
) -> SpliceDeclaration:
    """Declare that the package may replace *target* (recorded only)."""
    variants = tuple(match_variants) if isinstance(match_variants, list) else match_variants
    record = SpliceDeclaration(str(target), definition.condition(when), variants, definition.line())
    definition.declared.append(record)
    return record

"""Facts of recipes: a package class becomes a :class:`spack.recipe.Recipe`.

``python -m spack.api.recipe_facts <request> <answer>`` is the process in which that happens, so
that no recipe code runs where a solution is computed. The request is JSON::

    {"repositories": [<root>, ...], "work": [[<index of the repository>, <directory>], ...]}

The answer is a stream of marshalled rows, one for each piece of work, in any order::

    (index, directory, identity, data | None, error | None, virtual, provided, bases, files,
     project)

``data`` is the marshalled :meth:`Recipe.to_data`; ``error`` is (message, hint) of a recipe that
cannot be used; ``bases`` are the directories of other recipes whose classes it derives from;
``identity`` is (mtime_ns, size, ctime_ns, CRC-32) of the recipe;
``files`` are the patches beside it, and recipes of other repositories that it derives from, as
(name, mtime_ns, size, ctime_ns); ``project`` is the project of the package index that it names
where its own name is not the usual one for that, or "". Rows describe what was on disk when the
recipe was loaded: the stat is taken first.
"""

from __future__ import annotations

import gc
import hashlib
import json
import marshal
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Callable, Protocol, TypeVar
from zlib import crc32

from spack.api import definition
from spack.api.directives import (
    BuildSystemDeclaration,
    MaintainersDeclaration,
    RedistributeDeclaration,
    SpliceDeclaration,
    VersionDeclaration,
)
from spack.api.identity import is_recipe_module
from spack.api.package_base import PackageBase
from spack.api.variants import Variant
from spack.api.version_facts import version_records
from spack.errors import RecipeError, SpecError
from spack.recipe.package_names import package_name
from spack.recipe.records import (
    RECORDS,
    DependencyRecord,
    PatchRecord,
    Recipe,
    VariantRecord,
    VersionRecord,
)
from spack.repo.finder import install_finder
from spack.repo.load_class import load_class, recipe_error
from spack.repo.repository import Repository
from spack.spec import Spec
from spack.util.project_names import normalized

__all__ = ["main", "recipe_of"]

_PackageClass = type[PackageBase]


class _Located(Protocol):
    @property
    def line(self) -> int: ...


_Record = TypeVar("_Record", bound=_Located)

#: Methods and attributes that the engine must know of without loading the class.
HOOKS = (
    "add_files_to_view",
    "command",
    "determine_spec_details",
    "determine_variants",
    "determine_version",
    "filter_detected_exes",
    "flag_handler",
    "headers",
    "home",
    "libs",
    "patch",
    "remove_files_from_view",
    "runtime_constraints",
    "setup_dependent_build_environment",
    "setup_dependent_package",
    "setup_dependent_run_environment",
    "setup_run_environment",
    "url_for_version",
    "validate_detected_spec",
    "view_destination",
    "view_file_conflicts",
    "view_source",
)

#: Class attributes of plain type that are kept.
ATTRIBUTES = (
    "homepage",
    "url",
    "list_url",
    "list_depth",
    "git",
    "hg",
    "svn",
    "pypi",
    "has_code",
    "installs_more",
    "manual_download",
    "download_instr",
    "extendable",
    "libraries",
    "license_required",
    "license_url",
    "parallel",
    "sanity_check_is_file",
    "sanity_check_is_dir",
    "submodules",
    "tags",
    "test_requires_compiler",
    "urls",
)

#: Records that are kept as they are -> field of the recipe. Versions and variants are declared
#: as objects of their own.
_OWN_LINES = {
    record: name for name, record in RECORDS.items() if record not in (VariantRecord, VersionRecord)
}


class _Facts:
    """What the declarations of a class say, collected in their order."""

    def __init__(self, cls: _PackageClass, own: set[int], attributes: dict[str, Any]) -> None:
        self.cls = cls
        self.own = own
        self.attributes = attributes
        self.rows: dict[str, list[Any]] = {field: [] for field in _OWN_LINES.values()}
        self.variants: dict[tuple[str, str], VariantRecord] = {}
        self.versions: dict[str, VersionDeclaration] = {}

    def add(self, item: Any, file: Path) -> None:
        """Take in one declaration.

        :raises RecipeError: no facts are kept of what the directive declares.
        """
        field = _OWN_LINES.get(type(item))
        if field is not None:
            self.rows[field].append(_located(item, self.own))
            return
        take = _DECLARATIONS.get(type(item))
        if take is None:
            raise RecipeError(
                f"{file}:{item.line}: no facts are kept of {type(item).__name__}",
                hint="a new directive needs a row in spack/api/recipe_facts.py",
                ref="unknown-declaration",
            )
        take(self, item)

    def variant(self, item: Variant) -> None:
        """One of the same name and condition as one of a base class replaces it."""
        record = item.record(item.line if id(item) in self.own else 0)
        if item.name == "build_system":
            record = _with_possible_values(self.cls, record)
        self.variants[item.name, item.when] = record

    def version(self, item: VersionDeclaration) -> None:
        self.versions.pop(item.version, None)
        self.versions[item.version] = item

    def maintainers(self, item: MaintainersDeclaration) -> None:
        self.attributes["maintainers"] = (*self.attributes.get("maintainers", ()), *item.names)

    def build_system(self, item: BuildSystemDeclaration) -> None:
        self.attributes["build_system"] = item.default

    def redistribute(self, item: RedistributeDeclaration) -> None:
        known = self.attributes.get("redistribute", ())
        self.attributes["redistribute"] = (*known, (item.source, item.binary, item.when))

    def ignore(self, item: SpliceDeclaration) -> None:
        """Splicing is not done."""


#: Other declarations -> what is kept of them.
_DECLARATIONS: Mapping[type[Any], Callable[[_Facts, Any], None]] = {
    BuildSystemDeclaration: _Facts.build_system,
    MaintainersDeclaration: _Facts.maintainers,
    RedistributeDeclaration: _Facts.redistribute,
    SpliceDeclaration: _Facts.ignore,
    Variant: _Facts.variant,
    VersionDeclaration: _Facts.version,
}


def recipe_of(cls: _PackageClass, repository: Repository, directory: str) -> Recipe:
    """Return the facts of package class *cls*.

    :raises RecipeError: declarations that contradict each other, with file and line.
    """
    name = package_name(directory)
    file = repository.packages / directory / "package.py"
    own = _own_declarations(cls)
    facts = _Facts(cls, own, _attributes(cls))
    for item in cls.__declared__:
        facts.add(item, file)
    rows = facts.rows
    _check_dependencies(cls, name, file, rows["dependencies"])
    _check_specs(file, (record for field in rows.values() for record in field))
    hasher = hashlib.sha256(file.read_bytes())
    patches = [_patch(record, cls, hasher) for record in rows.pop("patches")]
    dependencies = [_with_patches(r, cls, hasher) for r in rows.pop("dependencies")]
    return Recipe(
        name=name,
        namespace=repository.namespace,
        path=str(file),
        content_hash=hasher.hexdigest(),
        description=_description(cls),
        virtual=bool(cls.virtual),
        versions=tuple(version_records(cls, facts.versions, own)),
        variants=tuple(facts.variants.values()),
        dependencies=tuple(dependencies),
        patches=tuple(patches),
        executables=_texts(getattr(cls, "executables", ())),
        hooks=_hooks(cls),
        attributes=facts.attributes,
        **{field: tuple(records) for field, records in rows.items()},
    )


def _with_possible_values(cls: _PackageClass, record: VariantRecord) -> VariantRecord:
    """Return the variant ``build_system`` without values that the class, as written, rules out.

    A base class says so with ``impossible_build_systems(cls) -> names``; at least one remains.
    """
    ask = getattr(cls, "impossible_build_systems", None)
    names = set(ask()) if ask is not None else set()
    kept = tuple(row for row in record.values or () if row[0] not in names)
    if not names or not kept or len(kept) == len(record.values or ()):
        return record
    default = record.default if record.default[0] not in names else (kept[0][0],)
    return _replaced(record, values=kept, default=default)


def _own_declarations(cls: _PackageClass) -> set[int]:
    """Return the declarations of the recipe's own file, the only ones with meaningful lines."""
    return {
        id(item)
        for owner in cls.__mro__
        if owner.__module__ == cls.__module__
        for item in owner.__dict__.get("__own_declared__", ())
    }


def _located(record: _Record, own: set[int]) -> _Record:
    if id(record) in own or not record.line:
        return record
    return _replaced(record, line=0)


def _replaced(record: _Record, **changes: object) -> _Record:
    new = object.__new__(type(record))
    new.__dict__.update(record.__dict__)
    new.__dict__.update(changes)
    return new


_NAME = re.compile(r"(?:[\w-]+\.)*([\w-]+)")


def _check_dependencies(
    cls: _PackageClass, name: str, file: Path, records: list[DependencyRecord]
) -> None:
    for record in list(records):
        match = _NAME.match(record.spec)
        if match is None:
            raise RecipeError(
                f"{file}:{record.line}: depends_on({record.spec!r}) names no package",
                hint='write the name first: depends_on("zlib@1.2:")',
            )
        if match[1] != name:
            continue
        if name == "python-venv":  # extends("python") adds it for everybody else
            records.remove(record)
        elif record.line:
            hint = "remove this depends_on"
            raise RecipeError(f"{file}:{record.line}: {name} cannot depend on itself", hint=hint)
        else:
            raise RecipeError(
                f"{file}:{_class_line(cls)}: {name} cannot depend on itself, as its base class "
                "says of every package",
                hint="derive from a base class without this dependency, such as "
                "PythonExtension and Package",
            )


def _check_specs(file: Path, records: Iterable[_Located]) -> None:
    """Read all specs of the recipe's own directives, so that a bad one has its file and line."""
    problems = []
    for record in records:
        if not record.line:
            continue
        texts = [getattr(record, name, "") for name in ("spec", "when")]
        for name in ("specs", "virtuals"):
            texts += getattr(record, name, ())
        for text in texts:
            try:
                Spec.parse(text)
            except SpecError as error:
                lines = [f"{file}:{record.line}: {error.message}"]
                lines += [f"    {line}" for line in (error.long_message or "").splitlines()]
                problems.append(("\n".join(lines), error.hint))
    if problems:
        raise RecipeError(
            "\n".join(message for message, _ in problems),
            hint=next((hint for _, hint in problems if hint), None),
        )


def _class_line(cls: _PackageClass) -> int:
    lines = (getattr(f, "__code__", None) for f in vars(cls).values())
    return min((code.co_firstlineno for code in lines if code is not None), default=1)


def _attributes(cls: _PackageClass) -> dict[str, Any]:
    result = {}
    for name in ATTRIBUTES:
        value = getattr(cls, name, None)
        if isinstance(value, (list, tuple, set)):
            value = _texts(value)
        if value is not None and isinstance(value, (str, bool, int, tuple)):
            result[name] = value
    return result


def _texts(values: object) -> tuple[str, ...]:
    if isinstance(values, str):
        return (values,)
    if isinstance(values, (list, tuple, set, frozenset)):
        return tuple(str(getattr(value, "pattern", value)) for value in values)
    return ()


def _description(cls: _PackageClass) -> str:
    text = cls.__dict__.get("__doc__") or ""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _hooks(cls: _PackageClass) -> tuple[str, ...]:
    defined: set[str] = set()
    for owner in cls.__mro__:
        if is_recipe_module(owner.__module__):
            defined.update(owner.__dict__)
    tests = sorted(name for name in defined if name.startswith("test_"))
    return (*(name for name in HOOKS if name in defined), *tests)


# Patches.


def _patch(record: PatchRecord, cls: _PackageClass, hasher: hashlib._Hash) -> PatchRecord:
    """Return *record* with its hash.

    The file is looked for beside the recipes of the base classes too.
    """
    if "://" in record.source:
        hasher.update(f"{record.source} {record.sha256}".encode())
        return record
    for position, directory in enumerate(_recipe_directories(cls)):
        path = os.path.join(directory, record.source)
        try:
            with open(path, "rb") as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
        except OSError:
            continue
        hasher.update(f"{record.source} {digest}".encode())
        source = record.source if position == 0 else path
        return _replaced(record, source=source, sha256=digest)
    return record


def _with_patches(
    record: DependencyRecord, cls: _PackageClass, hasher: hashlib._Hash
) -> DependencyRecord:
    if not record.patches:
        return record
    patches = tuple(_patch(patch, cls, hasher) for patch in record.patches)
    return _replaced(record, patches=patches)


def _recipe_directories(cls: _PackageClass) -> list[str]:
    found: dict[str, None] = {}
    for owner in cls.__mro__:
        module = sys.modules.get(owner.__module__)
        if module is not None and is_recipe_module(owner.__module__):
            found[os.path.dirname(module.__file__ or "")] = None
    return list(found)


# The process.


def _row(repositories: list[Repository], index: int, directory: str) -> tuple[Any, ...]:
    repository = repositories[index]
    file = repository.packages / directory / "package.py"
    identity = (0, 0, 0, 0)
    files: tuple[Any, ...] = ()
    try:
        status = os.stat(file)
        checksum = crc32(file.read_bytes())
        identity = (status.st_mtime_ns, status.st_size, status.st_ctime_ns, checksum)
        cls = load_class(repository, directory)
        files = _patch_files(cls, file.parent)
        recipe = recipe_of(cls, repository, directory)
        provided = sorted(set(cls.provided_virtual_names()))
        bases = _bases(cls, directory)
        data = marshal.dumps(recipe.to_data())
    except (Exception, SystemExit) as error:  # recipe code: it must break only itself
        definition.abandon()
        wrapped = error if _is_located(error, file) else recipe_error(error, str(file))
        message = (str(wrapped), getattr(wrapped, "hint", None))
        return (index, directory, identity, None, message, False, (), (), files, "")
    virtual, project = bool(cls.virtual), _project(recipe)
    return (index, directory, identity, data, None, virtual, tuple(provided), bases, files, project)


def _project(recipe: Recipe) -> str:
    """Return the project that a recipe names, if its own name does not say it."""
    named = recipe.attributes.get("pypi")
    project = normalized(named.split("/")[0]) if isinstance(named, str) else ""
    return project if recipe.name != f"py-{project}" else ""


def _is_located(error: BaseException, file: Path) -> bool:
    return isinstance(error, RecipeError) and str(error).startswith(f"{file}:")


def _patch_files(cls: _PackageClass, directory: Path) -> tuple[tuple[str, int, int, int], ...]:
    names = {
        patch.source
        for item in cls.__declared__
        for patch in ((item,) if isinstance(item, PatchRecord) else getattr(item, "patches", ()))
        if "://" not in patch.source
    }
    for owner in cls.__mro__:
        module = sys.modules.get(owner.__module__)
        if module is not None and is_recipe_module(owner.__module__):
            file = os.path.relpath(module.__file__ or "", directory)
            if file.startswith(os.path.join("..", "..", "")):
                names.add(file)
    found = []
    for name in sorted(names):
        try:
            status = os.stat(directory / name)
        except OSError:
            continue
        found.append((name, status.st_mtime_ns, status.st_size, status.st_ctime_ns))
    return tuple(found)


def _bases(cls: _PackageClass, directory: str) -> tuple[str, ...]:
    found = set()
    for owner in cls.__mro__:
        if is_recipe_module(owner.__module__):
            found.add(owner.__module__.split(".")[-2])
    found.discard(directory)
    return tuple(sorted(found))


def main(arguments: list[str]) -> int:
    """Answer the request; see the module's documentation."""
    gc.disable()  # everything that is made here lives until the end
    with open(arguments[0], encoding="utf-8") as stream:
        request = json.load(stream)
    repositories = [Repository.open(Path(root)) for root in request["repositories"]]
    install_finder(repositories)
    with open(arguments[1], "wb") as answer:
        for index, directory in request["work"]:
            marshal.dump(_row(repositories, index, directory), answer)
            answer.flush()  # a recipe may end the process: what was read before it counts
    return 0


def serve(arguments: list[str]) -> int:
    """Answer questions from standard input, ``[index, directory]`` in a line, until it ends.

    :param arguments: the roots of the repositories in JSON, and the descriptor for the answers:
        rows as in :func:`main`, each after its length in four bytes.
    """
    gc.disable()  # see main
    repositories = [Repository.open(Path(root)) for root in json.loads(arguments[0])]
    install_finder(repositories)
    null = os.open(os.devnull, os.O_RDONLY)
    with open(os.dup(0), "rb") as questions, open(int(arguments[1]), "wb") as answers:
        os.dup2(null, 0)  # recipes read nothing
        for line in questions:
            index, directory = json.loads(line)
            row = marshal.dumps(_row(repositories, index, directory))
            answers.write(len(row).to_bytes(4, "big") + row)
            answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

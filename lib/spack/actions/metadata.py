"""Recipes compared with the metadata of what they build: at an install, and in bulk.

At an install the spec is concrete: only what applies to it is compared, with its own Python. An
audit looks at the source archives in the cache, for every Python that both the recipe and the
archive admit.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, Callable, Optional

from spack.build_systems._backend import LEGACY, BuildSystem, parse_build_system
from spack.errors import InstallError, SpackError
from spack.fetch.source import GitSource, source_for
from spack.fetch.source_cache import SourceCache, archive_path
from spack.recipe import requirements
from spack.recipe.package_names import INDEX_NAMESPACE
from spack.recipe.records import Recipe
from spack.recipe.requirements import Declared, RequirementFinding
from spack.spec import ConcreteSpec, Spec, Version
from spack.spec.wheel import BINARY
from spack.util.directory_handle import read_regular
from spack.util.project_names import normalized

__all__ = [
    "PYTHONS",
    "Sdist",
    "audit",
    "cached_archive",
    "hook_findings",
    "installed_findings",
    "module_hint",
    "source_findings",
]

#: Versions of Python that an audit evaluates markers for.
PYTHONS = ("3.9.25", "3.10.20", "3.11.14", "3.12.12", "3.13.9", "3.14.0")

_BUILD_SYSTEMS = ("python_pip", "python_wheel")

RecipeOf = Callable[[str], Optional[Recipe]]


@dataclass(frozen=True)
class Sdist:
    """What a source distribution says of itself.

    :param build: None when it has neither ``pyproject.toml`` nor ``setup.py``.
    :param metadata: of ``PKG-INFO``; None when there is none, or it leaves requirements open.
    :param pyproject: its text, for line numbers.
    """

    build: BuildSystem | None
    metadata: Any
    pyproject: str = ""

    @classmethod
    def from_directory(cls, source: Path) -> Sdist:
        """Return the metadata source of an unpacked sdist; its metadata is left to the build."""
        path = source / "pyproject.toml"
        data = path.read_bytes() if path.is_file() else None
        return cls.from_parts(data, (source / "setup.py").is_file(), None)

    @classmethod
    def from_archive(cls, path: Path) -> Sdist:
        """Return the metadata source of a packed sdist.

        :raises SpackError: it is damaged.
        """
        try:
            files = _top_files(path, ("pyproject.toml", "setup.py", "PKG-INFO"))
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as exc:
            raise SpackError(f"cannot read {path}: {exc}", ref="sdist") from exc
        return cls.from_parts(
            files.get("pyproject.toml"), "setup.py" in files, files.get("PKG-INFO")
        )

    @classmethod
    def from_parts(cls, pyproject: bytes | None, setup: bool, info: bytes | None) -> Sdist:
        build = LEGACY if setup else None
        if pyproject is not None:
            build = parse_build_system(pyproject, "pyproject.toml")
        metadata = BytesHeaderParser().parsebytes(info) if info is not None else None
        if metadata is not None and not _is_final(metadata):
            metadata = None
        return cls(build, metadata, (pyproject or b"").decode("utf-8", "replace"))

    def origin(self, text: str) -> str:
        """Return ``file:line`` of a requirement of the build."""
        if self.build is None or not self.build.declared or text not in self.build.requires:
            return "setup.py"
        for number, line in enumerate(self.pyproject.splitlines(), 1):
            if text in line:
                return f"pyproject.toml:{number}"
        return "pyproject.toml"


def _is_final(metadata: Any) -> bool:
    """Return whether requirements in PKG-INFO are those of every wheel (PEP 643)."""
    dynamic = {value.lower() for value in metadata.get_all("Dynamic", ())}
    version = tuple(int(part) for part in metadata.get("Metadata-Version", "1.0").split("."))
    if "requires-dist" in dynamic:
        return False
    return version >= (2, 2) or "Requires-Dist" in metadata


def _top_files(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.count("/") == 1 and name.partition("/")[2] in names:
                    found[name.partition("/")[2]] = archive.read(name)
        return found
    with tarfile.open(path) as tar:
        for member in tar:
            name = member.name[2:] if member.name.startswith("./") else member.name
            base = name.partition("/")[2]
            if member.isfile() and base in names and base not in found:
                stream = tar.extractfile(member)
                found[base] = stream.read() if stream is not None else b""
    return found


def environment(python: str) -> Mapping[str, str]:
    """Return markers of a CPython on Linux (PEP 508)."""
    return {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
    }


def _compared(
    declared: Declared,
    texts: Iterable[str],
    python: str,
    origin: Callable[[str], str],
) -> list[RequirementFinding]:
    try:
        applying = requirements.read(texts, environment(python), origin)
    except ValueError as exc:
        return [
            RequirementFinding(
                "missing", declared.recipe.path, f"a requirement is malformed: {exc}"
            )
        ]
    return requirements.compare(declared, applying)


def _of_build(declared: Declared, sdist: Sdist, python: str) -> list[RequirementFinding]:
    if sdist.build is None:
        return []
    found = _compared(declared, sdist.build.requires, python, sdist.origin)
    if sdist.build.path:
        # A backend in the tree states its own needs only when it is called.
        found = [row for row in found if row.kind != "extra"]
    return found


# At an install.


def _of_concrete(
    spec: ConcreteSpec,
    recipe: Recipe,
    recipe_of: RecipeOf,
    types: Sequence[str],
    tolerated: Sequence[str],
) -> Declared:
    def holds(when: str) -> bool | None:
        return not when or bool(spec.satisfies(when))

    chosen = {edge.spec.name: str(edge.spec.version) for edge in spec.edges}
    return Declared(recipe, holds, types, recipe_of, tolerated=tolerated, chosen=chosen)


def _python_of(spec: ConcreteSpec, build_systems: Sequence[str] = _BUILD_SYSTEMS) -> str | None:
    build_system = spec.variants.get("build_system")
    if build_system is None or build_system.value not in build_systems:
        return None
    return next((str(e.spec.version) for e in spec.edges if e.spec.name == "python"), None)


def source_findings(
    spec: ConcreteSpec, recipe: Recipe, recipe_of: RecipeOf, source: Path
) -> list[RequirementFinding]:
    """Return the differences of the unpacked source's and the recipe's build dependencies."""
    python = _python_of(spec)
    if python is None:
        return []
    try:
        sdist = Sdist.from_directory(source)
    except InstallError:
        return []  # the build reports it
    declared = _of_concrete(spec, recipe, recipe_of, ("build",), ("run",))
    return _of_build(declared, sdist, python)


def hook_findings(
    spec: ConcreteSpec,
    recipe: Recipe,
    recipe_of: RecipeOf,
    needed: Sequence[str],
    undeclared: Sequence[str],
) -> list[RequirementFinding]:
    """Return the differences of the recipe and what the build backend and the project's code used.

    :param needed: requirements (PEP 508) that the sources do not name.
    :param undeclared: see :class:`spack.build.job.BuildResult`.
    """
    python = _python_of(spec)
    if python is None:
        return []
    declared = _of_concrete(spec, recipe, recipe_of, ("build",), ("run",))
    reported = _compared(declared, needed, python, lambda text: "get_requires_for_build_wheel")
    found = [
        row for row in reported if row.kind in ("missing", "bound") and not _implicit(row, spec)
    ]
    line = next((r.line for r in recipe.versions if spec.satisfies(f"@={r.version}")), 1)
    for row in undeclared:
        module, package = row.split(" ")
        text = (
            f"its build imports {module} of {package}, a dependency of other packages only: "
            f'add depends_on("{package}", type="build")'
        )
        found.append(RequirementFinding("missing", f"{recipe.path}:{line}", text))
    return found


def _implicit(finding: RequirementFinding, spec: ConcreteSpec) -> bool:
    """Return whether the solver adds what is missing: what hatchling needs for editable wheels."""
    return spec.is_develop and '"py-editables' in finding.message


def module_hint(text: str, recipe: Recipe, recipe_of: RecipeOf, spec: ConcreteSpec) -> str | None:
    """Return a hint for ``No module named ...`` in *text*, when a known package has the module.

    :param spec: what was built.
    """
    match = _NO_MODULE.search(text)
    if match is None:
        return None
    top = match.group(1).partition(".")[0]
    names = [MODULES.get(match.group(1)) or MODULES.get(top), f"py-{normalized(top)}"]
    used = {edge.spec.name: edge.spec for edge in spec.edges}
    for name in names:
        if name in used and used[name].external is not None:
            return (
                f"{name} is external in {used[name].external_path}, where this Python finds no "
                f"module {match.group(1)}: correct packages:{name}:externals"
            )
        if name in used:
            last = LAST_VERSIONS.get(top)
            which = f'depends_on("{name}@:{last}", type="build")' if last else "another version"
            return (
                f"{name}@{used[name].version} has no module {match.group(1)}: {which} in "
                f"{recipe.path} would ask for one that has it"
            )
        if name is not None and name != recipe.name and recipe_of(name) is not None:
            return (
                f"{match.group(1)} is a module of {name}: add "
                f'depends_on("{name}", type="build") to {recipe.path}'
            )
    return None


_NO_MODULE = re.compile(r"No module named '?([A-Za-z_][\w.]*)")

#: Modules that were removed from their packages, and the last major version that had them.
LAST_VERSIONS = {"pkg_resources": "81"}

#: Modules that builds import, and the packages that have them, where the names differ.
MODULES = {
    "Cython": "py-cython",
    "PIL": "py-pillow",
    "attr": "py-attrs",
    "dateutil": "py-python-dateutil",
    "distutils": "py-setuptools",
    "google.protobuf": "py-protobuf",
    "mesonpy": "py-meson-python",
    "pkg_resources": "py-setuptools",
    "poetry": "py-poetry-core",
    "pdm": "py-pdm-backend",
    "scikit_build_core": "py-scikit-build-core",
    "skbuild": "py-scikit-build",
    "sklearn": "py-scikit-learn",
    "sphinx": "py-sphinx",
    "yaml": "py-pyyaml",
}


def installed_findings(
    spec: ConcreteSpec, recipe: Recipe, recipe_of: RecipeOf, prefix: Path
) -> list[RequirementFinding]:
    """Return the differences of the installed metadata's and the recipe's run dependencies."""
    python = _python_of(spec, (*_BUILD_SYSTEMS, BINARY))
    if python is None:
        return []
    found: list[RequirementFinding] = []
    declared = _of_concrete(spec, recipe, recipe_of, ("run",), ())
    for path in sorted(prefix.glob("lib*/python*/site-packages/*.dist-info/METADATA")):
        try:
            text = read_regular(path)  # the build may have left anything else
        except OSError:
            continue
        metadata = BytesHeaderParser().parsebytes(text)
        name = normalized(str(metadata.get("Name", "")))
        if name != requirements.project_of(spec.name, recipe):
            continue
        if spec.namespace == INDEX_NAMESPACE:
            found += _of_index_project(spec, recipe, metadata, python)
        else:
            found += _of_metadata(declared, metadata, python)
    return list(dict.fromkeys(found))


def _of_index_project(
    spec: ConcreteSpec, recipe: Recipe, metadata: Any, python: str
) -> list[RequirementFinding]:
    """Return what a wheel requires that the metadata which were solved do not say.

    The package has no recipe to be compared: what counts is what was chosen.
    """
    texts = [" ".join(value.split()) for value in metadata.get_all("Requires-Dist", ())]
    chosen = {requirements.project_of(e.spec.name, None): e.spec for e in spec.edges}
    found = []
    for row in requirements.read(texts, environment(python), lambda text: "Requires-Dist"):
        node = chosen.get(row.name)
        if node is None or not row.specifier.contains(str(node.version), prereleases=True):
            text = f"its wheel requires {row.text}, the metadata of the index do not"
            found.append(RequirementFinding("missing", recipe.path, text))
    return found


def _of_metadata(declared: Declared, metadata: Any, python: str) -> list[RequirementFinding]:
    texts = [" ".join(value.split()) for value in metadata.get_all("Requires-Dist", ())]
    found = _compared(declared, texts, python, lambda text: "Requires-Dist")
    with_extras = {_project(text) for text in texts}
    found = [row for row in found if row.kind != "extra" or not _names(row, with_extras)]
    wanted = metadata.get("Requires-Python")
    return found + (_of_python(declared, wanted, python) if wanted else [])


def _project(text: str) -> str:
    from packaging.requirements import Requirement  # start-up: only audits read requirements

    return normalized(Requirement(text).name)


def _names(finding: RequirementFinding, projects: Iterable[str]) -> bool:
    package = finding.message.split(" ", 1)[0]
    return any(package == f"py-{project}" for project in projects)


def _of_python(declared: Declared, wanted: str, python: str) -> list[RequirementFinding]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # start-up: see _project

    try:
        admitted = SpecifierSet(wanted).contains(python, prereleases=True)
    except InvalidSpecifier:
        return []
    rows = [
        row
        for row in declared.recipe.dependencies
        if Spec.parse(row.spec).name == "python" and declared.holds(row.when)
    ]
    if admitted or not all(_admits_python(row.spec, python) for row in rows):
        return []
    location = f"{declared.recipe.path}:{rows[-1].line if rows else 1}"
    return [
        RequirementFinding(
            "bound", location, f"admits python {python}, but Requires-Python is {wanted}"
        )
    ]


def _admits_python(text: str, python: str) -> bool:
    return bool(Version(python).satisfies(Spec.parse(text).versions))


# In bulk.


def cached_archive(cache: SourceCache, recipe: Recipe, version: str) -> Path | None:
    """Return the archive of a version if it is in the source cache."""
    try:
        source = source_for(recipe, version)
    except SpackError:
        return None
    if isinstance(source, GitSource) or source.checksum is None:
        return None
    return cache.find(archive_path(source.checksum, source.filename))


def audit(
    recipe: Recipe, recipe_of: RecipeOf, archive_of: Callable[[str], Path | None]
) -> Iterator[tuple[str, list[RequirementFinding]]]:
    """Yield each version whose source archive is available, with its findings.

    :param archive_of: the archive of a version, or None.
    :raises SpackError: an archive cannot be read.
    """
    for row in recipe.versions:
        path = archive_of(row.version)
        if path is None or path.suffix == ".whl":
            continue
        sdist = Sdist.from_archive(path)
        found: dict[RequirementFinding, None] = {}
        for python in PYTHONS:
            found.update(dict.fromkeys(_of_version(recipe, row.version, sdist, python, recipe_of)))
        yield row.version, list(found)


def _of_version(
    recipe: Recipe, version: str, sdist: Sdist, python: str, recipe_of: RecipeOf
) -> list[RequirementFinding]:
    spec = Spec.parse(f"{recipe.name}@={version} platform=linux ^python@={python}")

    def holds(when: str) -> bool | None:
        condition = Spec.parse(f"{recipe.name} {when}" if when else recipe.name)
        if spec.satisfies(condition):
            return True
        return None if spec.intersects(condition) else False

    def declared(types: Sequence[str], tolerated: Sequence[str]) -> Declared:
        return Declared(recipe, holds, types, recipe_of, tolerated)

    for row in recipe.dependencies:
        of_python = Spec.parse(row.spec).name == "python" and holds(row.when)
        if of_python and not _admits_python(row.spec, python):
            return []
    found: list[RequirementFinding] = []
    if sdist.metadata is not None:
        found += _of_metadata(declared(("run",), ()), sdist.metadata, python)
        if any("Requires-Python" in row.message for row in found):
            return found
    return found + _of_build(declared(("build",), ("run",)), sdist, python)

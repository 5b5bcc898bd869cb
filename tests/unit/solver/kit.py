"""Recipes from inline data, problems from scenario files, and an independent check of solutions.

A scenario's ``packages`` map names to::

    versions: ["1.1", {version: "1.0", deprecated: true}]
    variants: {mpi: false, cxxstd: {default: "11", values: ["11", "14"], when: "@2:"}}
    depends_on: ["zlib", ["mpi@3:", "build,link", "+mpi"]]      # spec, types, when
    conflicts: [["+mpi", "@1.0", "message"]]                    # spec, when, message
    requires: [{specs: ["+a", "+b"], policy: any_of, when: ""}]
    provides: [["mpi@3:", "@2:"]]                               # names (blank separated), when
    patches: [["fix.patch", "@1.0"]]                            # source, when
    extends: ["python"]
    python_package: true                                        # what the base class declares

``wheels`` maps projects to what the index has: names of wheels, or mappings with ``name``,
``requires_python``, ``yanked`` and ``sha256``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spack.config.external_dependencies import with_external_dependencies
from spack.config.settings import Settings
from spack.fetch.package_index import IndexLink
from spack.recipe.records import (
    ConflictRecord,
    DependencyRecord,
    ExtendsRecord,
    PatchRecord,
    ProvidesRecord,
    Recipe,
    RequirementRecord,
    VariantRecord,
    VersionRecord,
)
from spack.recipe.wheel_offers import WheelTable
from spack.solver import Problem, Root
from spack.solver.concretize import concretize
from spack.spec import ConcreteSpec, Spec, VariantValue, Version
from spack.spec.wheel import BINARY, WHEEL_KEYS, wheel_of

DEFAULT_TYPES = ("build", "link")


@dataclass(frozen=True)
class FakeHost:
    platform: str = "linux"
    os: str = "debian12"
    target: str = "x86_64_v3"
    targets: tuple[str, ...] = ("x86_64_v3", "x86_64_v2", "x86_64")
    family: str = "x86_64"
    ranges: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    microarchitectures: tuple[str, ...] = ()

    def runs(self, target: str) -> bool:
        return target in (*self.targets, *self.microarchitectures)

    def compiler_ranges(self, target: str) -> Mapping[str, Sequence[str]]:
        return self.ranges.get(target, {})


class Recipes:
    """A source of recipes in memory; it counts what is loaded."""

    def __init__(self, recipes: dict[str, Recipe]) -> None:
        self.recipes = recipes
        self.loaded: set[str] = set()
        self.virtuals: dict[str, list[str]] = {}
        for name in sorted(recipes):
            for record in recipes[name].provides:
                for text in record.virtuals:
                    names = self.virtuals.setdefault(Spec.parse(text).name, [])
                    if name not in names:
                        names.append(name)

    def get(self, name: str) -> Recipe | None:
        self.loaded.add(name)
        return self.recipes.get(name)

    def providers(self, virtual: str) -> tuple[str, ...]:
        return tuple(self.virtuals.get(virtual, ()))

    def is_virtual(self, name: str) -> bool:
        return name in self.virtuals

    def suggestions(self, name: str) -> list[str]:
        import difflib

        return difflib.get_close_matches(name, [*self.recipes, *self.virtuals])


def types_of(text: Any) -> tuple[str, ...]:
    if not text:
        return DEFAULT_TYPES
    names = text.split(",") if isinstance(text, str) else text
    return tuple(sorted(name.strip() for name in names))


def patch_records(rows: Any) -> tuple[PatchRecord, ...]:
    found = []
    for row in rows or ():
        source, when = row if isinstance(row, list) else (row, "")
        found.append(PatchRecord(source, hashlib.sha256(source.encode()).hexdigest(), when=when))
    return tuple(found)


def variant_record(name: str, data: Any, line: int) -> VariantRecord:
    if not isinstance(data, dict):
        data = {"default": data}
    default, values = data["default"], data.get("values")
    multi = data.get("multi", "sets" in data)
    kind = "multi" if multi else "single"
    if isinstance(default, bool):
        return VariantRecord(
            name,
            "bool",
            (str(default).lower(),),
            (("true", ""), ("false", "")),
            sticky=data.get("sticky", False),
            when=data.get("when", ""),
            line=line,
        )
    texts = tuple(str(d) for d in (default if isinstance(default, list) else [default]))
    sets = data.get("sets")
    if sets is not None:
        sets = tuple(tuple(group) for group in sets)
        values = [value for group in sets for value in group]
    pairs = None
    if values is not None:
        pairs = (
            tuple(
                (str(v[0]), v[1]) if isinstance(v, list) else (str(v), "")
                for v in dict.fromkeys(tuple(v) if isinstance(v, list) else v for v in values)
            )
            if not any(isinstance(v, list) for v in values)
            else tuple((str(v[0]), v[1]) if isinstance(v, list) else (str(v), "") for v in values)
        )
    return VariantRecord(
        name,
        kind,
        texts,
        pairs,
        sets=sets,
        sticky=data.get("sticky", False),
        when=data.get("when", ""),
        line=line,
    )


def recipe(name: str, data: dict[str, Any] | None) -> Recipe:
    data = data or {}
    line = 10
    versions = []
    for row in data.get("versions", ["1.0"]):
        row = row if isinstance(row, dict) else {"version": row}
        line += 1
        versions.append(
            VersionRecord(
                str(row["version"]),
                preferred=row.get("preferred", False),
                deprecated=row.get("deprecated", False),
                line=line,
            )
        )
    variants = []
    for variant, definitions in (data.get("variants") or {}).items():
        for definition in definitions if isinstance(definitions, list) else [definitions]:
            line += 1
            variants.append(variant_record(variant, definition, line))
    dependencies = []
    for row in data.get("depends_on") or ():
        line += 1
        row = row if isinstance(row, list) else [row]
        spec, types, when, patches = (*row, *[None] * (4 - len(row)))
        dependencies.append(
            DependencyRecord(spec, types_of(types), when or "", patch_records(patches), line)
        )
    extends = []
    for row in data.get("extends") or ():
        line += 1
        extends.append(ExtendsRecord(row, ("build", "run"), "", line))
    conflicts = []
    for row in data.get("conflicts") or ():
        line += 1
        spec, when, message = (*row, *[None] * (3 - len(row)))
        conflicts.append(ConflictRecord(spec or "", when or "", message, line))
    requirements = []
    for row in data.get("requires") or ():
        line += 1
        row = row if isinstance(row, dict) else {"specs": [row]}
        requirements.append(
            RequirementRecord(
                tuple(row["specs"]),
                row.get("policy", "one_of"),
                row.get("when", ""),
                row.get("message"),
                line,
            )
        )
    provides = []
    for row in data.get("provides") or ():
        line += 1
        names, when = row if isinstance(row, list) else (row, "")
        provides.append(ProvidesRecord(tuple(names.split()), when, line))
    made = Recipe(
        name,
        "test",
        f"packages/{name.replace('-', '_')}/package.py",
        hashlib.sha256(name.encode()).hexdigest(),
        versions=tuple(versions),
        variants=tuple(variants),
        dependencies=tuple(dependencies),
        extends=tuple(extends),
        conflicts=tuple(conflicts),
        requirements=tuple(requirements),
        provides=tuple(provides),
        patches=patch_records(data.get("patches")),
    )
    return python_package(made) if data.get("python_package") else made


def python_package(made: Recipe) -> Recipe:
    """Return a recipe with what the base class of Python packages declares."""
    project = made.name[3:]
    whens = [f"build_system={builder}" for builder in BUILDERS]
    types = ("build", "run")
    return replace(
        made,
        variants=(*made.variants, BUILD_SYSTEM),
        dependencies=(
            *made.dependencies,
            *(DependencyRecord(t, types, w) for w in whens for t in ("python", "python-venv")),
        ),
        extends=(*made.extends, *(ExtendsRecord("python", types, when) for when in whens)),
        attributes={"build_system": "python_wheel", "pypi": f"{project}/{project}-1.0.tar.gz"},
    )


BUILDERS = ("python_wheel", "python_pip", "python_binary")

BUILD_SYSTEM = VariantRecord(
    "build_system", "single", ("python_wheel",), tuple((name, "") for name in BUILDERS)
)


class Wheels:
    """An index in memory; it counts which projects are looked up."""

    def __init__(self, projects: dict[str, Any]) -> None:
        self.projects = projects
        self.looked_up: list[str] = []

    def project(self, recipe: Recipe) -> str | None:
        pypi = recipe.attributes.get("pypi")
        return None if pypi is None else str(pypi).split("/")[0]

    def start(self, project: str) -> None:
        """See ``WheelSource``."""

    def table(self, project: str) -> WheelTable | str:
        self.looked_up.append(project)
        rows = self.projects.get(project, ())
        if isinstance(rows, str):
            return rows
        platforms = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "linux_x86_64")
        return WheelTable(project, [self._file(row) for row in rows], platforms)

    def _file(self, row: Any) -> IndexLink:
        data = row if isinstance(row, dict) else {"name": row}
        digest = hashlib.sha256(data["name"].encode()).hexdigest()
        given = data.get("sha256", digest)
        return IndexLink(
            data["name"],
            f"https://index.invalid/{data['name']}",
            {"sha256": given} if given else {},
            data.get("requires_python"),
            data.get("yanked", False),
            100,
        )


def source(packages: dict[str, Any]) -> Recipes:
    return Recipes({name: recipe(name, data) for name, data in packages.items()})


def problem_of(data: dict[str, Any]) -> Problem:
    """Return the problem of a scenario; ``installed`` is solved first, one spec after the other."""
    recipes = source({**COMPILERS, **(data.get("packages") or {})})
    config = {**COMPILER_CONFIG, **(data.get("config") or {})}
    settings = with_external_dependencies(Settings.from_data({"packages": config}).packages)
    options = dict(data.get("options") or {})
    host = FakeHost(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in (data.get("host") or {}).items()}
    )
    if isinstance(options.get("tests"), list):
        options["tests"] = frozenset(options["tests"])
    wheels = Wheels(data["wheels"]) if "wheels" in data else None
    problem = Problem((), recipes, host, settings, wheels=wheels, **options)
    installed: list[ConcreteSpec] = []
    earlier = data.get("installed_config")
    if earlier is not None:  # the configuration changed since
        settings = Settings.from_data({"packages": {**COMPILER_CONFIG, **earlier}}).packages
    for text in data.get("installed") or ():
        root = Root(Spec.parse(text), "installed")
        part = replace(
            problem,
            packages=settings,
            roots=(root,),
            reusable=tuple(installed),
            unify=True,
            reuse=True,
        )
        installed.extend(concretize(part).roots)
    later = data.get("later")
    if later:  # the recipes changed since
        packages = {**COMPILERS, **(data.get("packages") or {}), **later}
        problem = replace(problem, recipes=source(packages))
    roots = []
    for text in data["roots"]:
        for location, spec in enumerate(installed):
            text = text.replace(f"<hash{location}>", spec.dag_hash(7))
        roots.append(Root(Spec.parse(text)))
    develop = {
        name: Root(Spec.parse(text), "spack.yaml:5")
        for name, text in (data.get("develop") or {}).items()
    }
    return replace(problem, roots=tuple(roots), reusable=tuple(installed), develop=develop)


#: Every scenario has these two compilers, as any machine has.
COMPILERS: dict[str, Any] = {
    "gcc": {
        "versions": ["14.1.0", "12.2.0", "10.2.0"],
        "variants": {
            "languages": {
                "default": ["c", "c++", "fortran"],
                "values": ["c", "c++", "fortran"],
                "multi": True,
            },
        },
        "provides": [
            ["c", "languages=c"],
            ["cxx", "languages=c++"],
            ["fortran", "languages=fortran"],
        ],
        "depends_on": [["c", "build"], ["cxx", "build"]],
    },
    "llvm": {
        "versions": ["19.1.0", "14.0.6"],
        "variants": {"clang": True},
        "provides": [["c", "+clang"], ["cxx", "+clang"]],
        "depends_on": [["c", "build"], ["cxx", "build"]],
    },
    "compiler-wrapper": {"versions": ["1.0"]},
}

COMPILER_CONFIG: dict[str, Any] = {
    "gcc": {
        "externals": [
            {
                "spec": "gcc@12.2.0 languages='c,c++,fortran'",
                "prefix": "/usr",
                "extra_attributes": {"compilers": {"c": "/usr/bin/gcc"}},
            }
        ]
    },
    "llvm": {"externals": [{"spec": "llvm@14.0.6 +clang", "prefix": "/usr"}]},
}


# -- the independent check ---------------------------------------------------------------------


def check(problem: Problem, roots: tuple[ConcreteSpec, ...]) -> None:  # noqa: C901 - one test for each reason
    """Assert that a solution keeps everything that recipes, configuration and roots say.

    Written against the records and ``ConcreteSpec.satisfies`` alone: it shares no code with the
    solver.
    """
    assert len(roots) == len(problem.roots)
    installed = {s.dag_hash() for r in problem.reusable for s in r.traverse(("link", "run"))}
    nodes: dict[str, ConcreteSpec] = {}
    for root, wanted in zip(roots, problem.roots):
        if not problem.recipes.is_virtual(wanted.spec.name):
            for clause in _clauses(wanted.spec, root):
                assert root.satisfies(clause), f"{root} does not satisfy {clause}"
        for node in root.traverse(("build", "link", "run", "test")):
            nodes[node.dag_hash()] = node
    reused_below: set[str] = set()
    for node in nodes.values():
        if node.dag_hash() in installed:
            reused_below.update(
                s.dag_hash() for s in node.traverse(("build", "link", "run", "test"))
            )
    for node in nodes.values():
        if node.dag_hash() in reused_below:
            continue
        check_configured(problem, node)
        if node.external is not None:
            check_external(problem, node)
        else:
            check_built(problem, node, root_names={r.name for r in roots})
    groups = [roots] if problem.unify is True else [(root,) for root in roots]
    for group in groups:
        seen: dict[str, str] = {}
        for root in group:
            for node in root.traverse(("link", "run")):
                several = seen.setdefault(node.name, node.dag_hash()) != node.dag_hash()
                assert not several or node.name == "gcc-runtime", node.name


def _clauses(spec: Spec, node: ConcreteSpec) -> list[Spec]:
    """Return the spec without what ``++`` passes on, which is a preference."""
    variants = {
        name: VariantValue(name, v.kind, v.values, exact=v.exact)
        for name, v in spec.variants.items()
        if name in node.variants or not v.propagate
    }
    kept = tuple(d for d in spec.dependencies if not _versioned_virtual(d))
    return [spec.replace(variants=variants, dependencies=kept)]


def _versioned_virtual(dependency: Any) -> bool:
    """Whether a version constrains a virtual: a concrete spec does not know provided versions."""
    return dependency.spec.name in ("mpi", "lapack", "blas") and not dependency.spec.versions.is_any


def check_external(problem: Problem, node: ConcreteSpec) -> None:
    entries = problem.packages[node.name].externals
    matching = [
        e
        for e in entries
        if e.prefix == node.external_path
        and Version(str(Spec.parse(e.spec).versions).lstrip("=")) == node.version
    ]
    assert matching, f"{node} is no external of the configuration"
    assert any(
        all(node.variants[v.name].satisfies(v) for v in Spec.parse(e.spec).variants.values())
        for e in matching
    )
    below = {(edge.spec.name, edge.spec.external_path) for edge in node.edges}
    assert any(
        below == {(x.name, problem.packages[x.name].externals[x.position].prefix) for x in e.edges}
        for e in matching
    )


def holds(node: ConcreteSpec, text: str) -> bool:
    spec = Spec.parse(text)
    if spec.name and spec.name != node.name:
        return any(
            below.satisfies(spec) for below in node.traverse(("link", "run"), root=False)
        ) or any(edge.spec.satisfies(spec) for edge in node.edges)
    return node.satisfies(spec)


def c_library(problem: Problem) -> str | None:
    """Return the package of the machine's C library, if there is an external of one."""
    settings = problem.packages.get("glibc")
    return "glibc" if settings is not None and settings.externals else None


def runtimes_of(problem: Problem, node: ConcreteSpec) -> dict[str, set[str]]:
    """Return what *node* links to because a compiler made it, with its virtual packages."""
    compilers = [e.spec for e in node.edges if not {"c", "cxx", "fortran"}.isdisjoint(e.virtuals)]
    found: dict[str, set[str]] = {}
    if any(c.name == "gcc" for c in compilers) and problem.recipes.get("gcc-runtime") is not None:
        (runtime,) = (e.spec for e in node.edges if e.spec.name == "gcc-runtime")
        assert all(c.version <= runtime.version for c in compilers if c.name == "gcc")
        linked = (n for n in node.traverse(("link", "run")) if n.name == "gcc-runtime")
        assert all(other.version <= runtime.version for other in linked), f"newer below {node}"
        fortran = any("fortran" in e.virtuals for e in node.edges)
        found["gcc-runtime"] = {"fortran-rt", "libgfortran"} if fortran else set()
    library = c_library(problem)
    if compilers and library is not None:
        found[library] = {"libc"}
    return found


def check_built(problem: Problem, node: ConcreteSpec, root_names: set[str]) -> None:
    recipe = problem.recipes.get(node.name)
    assert recipe is not None
    settings = problem.packages.get(node.name)
    buildable = settings.buildable if settings else None
    if buildable is None and "all" in problem.packages:
        buildable = problem.packages["all"].buildable
    assert buildable is not False, f"{node} may not be built"
    if node.name == "gcc-runtime":
        (compiler,) = (e.spec for e in node.edges if e.spec.name == "gcc")
        assert node.version == compiler.version
        return
    declared = {v.version: v for v in recipe.versions}
    named = {
        str(s.versions.concrete)
        for r in (*problem.roots, *problem.develop.values())
        for s in r.spec.traverse()
        if s.name == node.name
    }
    for group in (*settings.require, *settings.prefer) if settings else ():
        named.update(str(Spec.parse(text).versions.concrete) for text in group.specs)
    assert str(node.version) in declared or str(node.version) in named, f"{node} is not declared"
    if str(node.version) in declared and not problem.deprecated:
        assert not declared[str(node.version)].deprecated, f"{node} is deprecated"
    check_variants(recipe, node)
    check_dependencies(problem, recipe, node)
    for conflict in recipe.conflicts:
        both = holds(node, conflict.when) and holds(node, conflict.spec)
        assert not both, f"{node} conflicts with {conflict.spec} when {conflict.when}"
    for requirement in recipe.requirements:
        if holds(node, requirement.when):
            count = sum(holds(node, text) for text in requirement.specs)
            assert count >= 1 if requirement.policy == "any_of" else count == 1, requirement
    seen: dict[str, str] = {}
    for edge in node.edges:
        below = [edge.spec, *edge.spec.traverse(("link", "run"))]
        for other in below:
            digest = other.dag_hash()
            several = seen.setdefault(other.name, digest) != digest
            assert not several or other.name == "gcc-runtime", f"two {other.name} in {node}"


FREE = ("patches", "dev_path", "editable", "commit")


def check_variants(recipe: Recipe, node: ConcreteSpec) -> None:
    names = {record.name for record in recipe.variants}
    for name in node.variants:
        assert name in names or name in (*FREE, *WHEEL_KEYS), name
    for name in names:
        active = None
        for record in recipe.variants:
            if record.name == name and holds(node, record.when):
                active = record
        if active is None:
            assert name not in node.variants, f"{node} should not have {name}"
            continue
        value = node.variants[name]
        assert value.kind == active.kind
        if active.kind != "multi":
            assert len(value.values) == 1
        if active.values is not None:
            allowed = dict(active.values)
            for text in value.values:
                assert text in allowed, f"{name}={text}"
                assert holds(node, allowed[text]), f"{name}={text} only when {allowed[text]}"
        if active.sets is not None:
            assert any(set(value.values) <= set(group) for group in active.sets), value
    wanted = {
        record.sha256 for record in recipe.patches if holds(node, record.when) and record.sha256
    }
    have = set(node.variants["patches"].values) if "patches" in node.variants else set()
    assert wanted <= have or wheel_of(node) is not None


def check_dependencies(problem: Problem, recipe: Recipe, node: ConcreteSpec) -> None:
    expected: dict[tuple[str, ...], set[str]] = {}
    rows = [(r.spec, r.types, r.when) for r in recipe.dependencies]
    rows += [(r.spec, r.types, r.when) for r in recipe.extends]
    if recipe.name != "compiler-wrapper" and problem.recipes.get("compiler-wrapper"):
        rows += [
            ("compiler-wrapper", ("build",), when)
            for text, types, when in rows
            if text in ("c", "cxx", "fortran") and "build" in types
        ]
    found: dict[str, set[str]] = {}
    virtuals: dict[str, set[str]] = {}
    for text, types, when in rows:
        tests = problem.tests is True or (problem.tests and node.name in problem.tests)
        types = tuple(t for t in types if t != "test" or tests)
        if wheel_of(node) is not None and BINARY not in when:
            types = tuple(t for t in types if t in ("run", "test"))
        if not types or not holds(node, when):
            continue
        spec = Spec.parse(text)
        if spec.name == "libc" and c_library(problem) is None:
            continue  # taken for granted
        if problem.recipes.is_virtual(spec.name):
            edges = [e for e in node.edges if spec.name in e.virtuals]
            assert len(edges) == 1, f"{node} needs {text}"
            check_provides(problem, edges[0].spec, spec)
            virtuals.setdefault(edges[0].spec.name, set()).add(spec.name)
        else:
            edges = [e for e in node.edges if e.spec.name == spec.name]
            assert len(edges) == 1, f"{node} needs {text}"
            assert edges[0].spec.satisfies(spec), f"{node} needs {text}, has {edges[0]}"
        found.setdefault(edges[0].spec.name, set()).update(types)
    del expected
    for name, given in runtimes_of(problem, node).items():
        found.setdefault(name, set()).add("link")
        if given:
            virtuals.setdefault(name, set()).update(given)
    assert {e.spec.name: set(e.deptypes) for e in node.edges} == found, f"edges of {node}"
    assert {e.spec.name: set(e.virtuals) for e in node.edges if e.virtuals} == virtuals


def check_provides(problem: Problem, node: ConcreteSpec, wanted: Spec) -> None:
    recipe = problem.recipes.get(node.name)
    assert recipe is not None
    given = [
        spec
        for record in recipe.provides
        for spec in map(Spec.parse, record.virtuals)
        if spec.name == wanted.name and holds(node, record.when)
    ]
    assert given, f"{node} does not provide {wanted}"
    for spec in given:
        assert spec.versions.intersects(wanted.versions), f"{node} does not provide {wanted}"


def check_configured(problem: Problem, node: ConcreteSpec) -> None:
    settings = problem.packages.get(node.name)
    if settings is None:
        return
    for group in settings.require:
        if not holds(node, group.when):
            continue
        count = sum(holds(node, text) for text in group.specs)
        assert count >= 1 if group.policy == "any_of" else count == 1, f"{node}: {group}"
    for group in settings.conflict:
        for text in group.specs:
            assert not (holds(node, group.when) and holds(node, text)), f"{node}: {group}"

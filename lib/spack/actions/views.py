"""The views of an environment: which packages they show, and making them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    NamedTuple,
)

from spack.actions.library_copies import library_copies
from spack.actions.unrecorded_environments import UnrecordedEnvironments
from spack.build.external_modules import external_modules, external_sites, has_modules
from spack.environment.spack_yaml import ViewDescriptor
from spack.errors import SpecError, ViewError
from spack.host.interpreter import PythonLayout
from spack.spec import ConcreteSpec, Version, dump
from spack.spec.deptypes import DEPTYPES, RUN_TIME
from spack.store import METADATA, InstallRecord, Manifest, Metadata, Store, scan
from spack.store.layout import path_part
from spack.util.environment_modifications import Change, is_system_path
from spack.util.json_input import parse_json
from spack.view.apply import ViewResult, update_view
from spack.view.plan_types import Files, ViewOptions, ViewSource
from spack.view.view_manifest import FOLDER

if TYPE_CHECKING:
    from spack.repo import RepoPath
    from spack.view.hooks import HookRecord
    from spack.view.plan_view import Ask

__all__ = [
    "PythonOfView",
    "ViewParts",
    "check_locations",
    "folder_in_view",
    "make_view",
    "python_of",
    "shown",
    "templates",
    "view_sources",
]

#: Which edges a view follows from the roots, by ``link:``.
_FOLLOWED = {"roots": (), "run": RUN_TIME, "all": DEPTYPES}


#: Roles whose part of a view is the view's own, whatever the recipe (such as upstream's) would do.
_OF_VIEW = ("python", "python-venv")


class PythonOfView(NamedTuple):
    """The interpreter that a view is a virtual environment of; paths as in ``PythonLayout``."""

    executable: str
    version: str
    purelib: str
    platlib: str


class ViewParts(NamedTuple):
    """What every view is made with, whatever it shows.

    :ivar store: where the packages are.
    :ivar share: where the templates of activation scripts are.
    :ivar recipes: asked by packages that customize how they appear; opened only when a view is
        planned.
    :ivar library_path: what a child needs on ``sys.path``.
    :ivar splits_env: see :class:`spack.view.plan_types.ViewOptions`.
    :ivar run_environments: those of packages whose install records have none.
    """

    store: Store
    share: Path
    recipes: Callable[[], RepoPath]
    library_path: tuple[str, ...]
    splits_env: bool
    run_environments: UnrecordedEnvironments


def templates(share: Path) -> dict[str, str]:
    """Return the templates of the activation scripts by file name."""
    folder = share / "activate"
    return {
        entry.name: Path(entry.path).read_text(encoding="utf-8")
        for entry in os.scandir(folder)
        if entry.is_file()
    }


def shown(roots: Iterable[ConcreteSpec], view: ViewDescriptor) -> list[ConcreteSpec]:
    """Return the nodes that a view shows, each once, externals included.

    Of several runtimes of one compiler that is the newest, which serves all.
    """
    followed = _FOLLOWED[view.link]
    nodes: dict[str, ConcreteSpec] = {}
    for root in roots:
        for node in root.traverse(deptypes=followed) if followed else [root]:
            nodes.setdefault(node.dag_hash(), node)
    newest: dict[str, Version] = {}
    for node in nodes.values():
        if node.name.endswith("-runtime") and _is_runtime(node.name):
            newest[node.name] = max(node.version, newest.get(node.name, node.version))
    return [
        node
        for node in nodes.values()
        if node.version == newest.get(node.name, node.version)
        and (not view.select or any(node.satisfies(text) for text in view.select))
        and not any(node.satisfies(text) for text in view.exclude)
    ]


def _is_runtime(name: str) -> bool:
    from spack.recipe.compiler_runtimes import COMPILERS_OF_RUNTIMES  # start-up: few views have one

    return name in COMPILERS_OF_RUNTIMES


def check_locations(view: ViewDescriptor, roots: Iterable[ConcreteSpec]) -> None:
    """Check that a view can say which packages it shows, and where; nothing need be installed.

    :raises SpecError: a spec or a format text of it cannot be read; with the position in the file.
    :raises ViewError: a projection leads out of the view.
    """
    try:
        for node in shown(roots, view):
            location = folder_in_view(node, view)
            reason = _unusable(location)
            if reason:
                raise ViewError(
                    f"{view.origin}: the projection of {node.name} {reason}: {location}",
                    facts={"package": node.name, "projection": location},
                    hint="projections are folders below the root of the view",
                    ref="view-projection",
                )
    except SpecError as error:
        hint = error.hint or "write it with what every package has: {name}, {version}, {hash:7}"
        raise error.at(view.origin).replaced(hint=hint) from error


#: Names at the top of a view that are its own.
_OWN_NAMES = (FOLDER, "pyvenv.cfg")


def _unusable(projection: str) -> str:
    """Return why no package can be shown in that folder of a view; empty if it can."""
    parts = projection.split("/")
    if ".." in parts:
        return "leads out of the view"
    if parts[0] in _OWN_NAMES:
        return "is at a name of the view's own"
    if "$" in projection:
        return "names a variable, which projections do not have"
    if not projection.isprintable():
        return "has a character that file names do not have"
    return ""


def python_of(nodes: Iterable[ConcreteSpec], store: Store) -> PythonOfView | None:
    """Return the interpreter of the nodes: that of ``python`` among them or below them.

    :raises ViewError: there are several: one view shows one Python.
    """
    found: dict[str, ConcreteSpec] = {}
    for node in nodes:
        if node.name == "python":
            found[node.dag_hash()] = node
        for edge in node.edges:
            if edge.spec.name == "python" and "run" in edge.deptypes:
                found[edge.spec.dag_hash()] = edge.spec
    if len(found) > 1:
        names = ", ".join(sorted(node.short for node in found.values()))
        raise ViewError(
            f"the view would show several Pythons: {names}",
            hint="let the environment be unified (concretizer: unify: true), or make one view for "
            "each with select: [^python@...]",
            ref="view-pythons",
        )
    for node in found.values():
        return _layout(node, store)
    return None


def _layout(node: ConcreteSpec, store: Store) -> PythonOfView:
    data: Mapping[str, Any] | None = node.extra_attributes.get("layout")
    if data is None:
        record = Path(store.prefix(node)) / METADATA / "python.json"
        if record.is_file():
            data = parse_json(record.read_text(encoding="utf-8"))
    if data is None:
        found = _looked_at(store.prefix(node), str(node.version))
        if found is not None:
            return found
        raise ViewError(
            f"nothing is known of the layout of {node.short}",
            hint="detect it again: spack external find python; then spack concretize --force",
            ref="view-layout",
        )
    layout = PythonLayout.from_json(data)
    return PythonOfView(layout.executable, layout.version, layout.purelib, layout.platlib)


def _looked_at(prefix: Path, version: str) -> PythonOfView | None:
    """Return the layout of a Python in *prefix* that has no record, from the paths of its files."""
    major, minor = [*version.split("."), "0", "0"][:2]
    for stdlib in sorted(prefix.glob(f"lib*/python{major}.{minor}*")):
        executable = prefix / "bin" / stdlib.name
        if (stdlib / "os.py").is_file() and executable.exists():
            full = ".".join([*version.split("."), "0", "0"][:3])
            site = f"lib/{stdlib.name}/site-packages"
            return PythonOfView(str(executable), full, site, site)
    return None


def view_sources(
    nodes: Sequence[ConcreteSpec], parts: ViewParts, view: ViewDescriptor | None = None
) -> tuple[list[ViewSource], list[ConcreteSpec]]:
    """Return the sources of the view, and the nodes that are not installed.

    Externals have no files of their own to show.

    :raises ViewError: a recipe that is asked for the run environment fails.
    """
    sources: list[ViewSource] = []
    missing: list[ConcreteSpec] = []
    own = [node for node in nodes if node.external is None]
    records = {node.dag_hash(): parts.store.database.record(node.dag_hash()) for node in own}
    unrecorded = parts.run_environments.of(
        [node for node in own if _lacks_environment(records[node.dag_hash()])], parts.store
    )
    for node in own:
        record = records[node.dag_hash()]
        changes = unrecorded.get(node.dag_hash(), ())
        try:
            source = None if record is None else _source(node, record, view, changes)
        except FileNotFoundError:  # another process is replacing or removing it
            source = None
        if source is None:
            missing.append(node)
        else:
            sources.append(source)
    return sources, missing


def _lacks_environment(record: InstallRecord | None) -> bool:
    return record is not None and record.run_environment is None


def _source(
    node: ConcreteSpec,
    record: InstallRecord,
    view: ViewDescriptor | None,
    unrecorded: Sequence[Mapping[str, str]],
) -> ViewSource:
    prefix = Path(record.prefix)
    manifest = Metadata(prefix).manifest
    # a package that Spack installed may have no manifest
    listed = manifest.exists() or not record.upstream
    status = os.stat(manifest if listed else prefix)

    def load() -> Files:
        return Manifest.load(manifest).files if listed else scan(prefix).manifest.files

    return ViewSource(
        name=node.name,
        version=str(node.version),
        hash=node.dag_hash(),
        prefix=record.prefix,
        load_files=load,
        fingerprint=f"{status.st_mtime_ns}:{status.st_size}",
        role=_role(node),
        projection=folder_in_view(node, view),
        environment=tuple(Change(**row) for row in record.run_environment or unrecorded),
    )


def _role(node: ConcreteSpec) -> str:
    if node.name in ("python", "python-venv"):
        return node.name
    names = {edge.spec.name for edge in node.edges if "run" in edge.deptypes}
    # extensions that Spack made before it had python-venv need Python itself
    if "python-venv" in names or (node.name.startswith("py-") and "python" in names):
        return "extension"
    return "package"


def folder_in_view(node: ConcreteSpec, view: ViewDescriptor | None) -> str:
    """Return where a view shows the files of *node*, relative to it; empty: in the view itself."""
    if view is None or not view.projections:
        return ""
    for text, projection in view.projections.items():
        if text != "all" and node.satisfies(text):
            return _location(node, projection)
    return _location(node, view.projections["all"]) if "all" in view.projections else ""


def _location(node: ConcreteSpec, projection: str) -> str:
    """Return a projection's folder, relative to the view: ``""`` for the view itself."""
    folder = node.format(projection, {"version": path_part(str(node.version))})
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    return "/".join(parts)


def make_view(
    view: ViewDescriptor,
    roots: Sequence[ConcreteSpec],
    parts: ViewParts,
    *,
    prompt: str = "",
    force: bool = False,
    check: bool = True,
    partial: bool = False,
) -> ViewResult:
    """Update one view.

    :param prompt: shown by its activation scripts.
    :param partial: leave out what is not installed, and say so.
    :raises ViewError: packages are missing, conflict, or the view cannot be written.
    """
    store = parts.store
    nodes = shown(roots, view)
    sources, missing = view_sources(nodes, parts, view)
    if missing and not (partial and sources):
        names = ", ".join(node.short for node in missing)
        raise ViewError(
            f"the view {view.root} cannot be made: not installed: {names}",
            facts={"missing": [node.dag_hash() for node in missing]},
            hint="spack install",
            ref="view-missing",
        )
    venvs = [node for root in roots for node in root.traverse() if node.name == "python-venv"]
    python = python_of(nodes, store)
    nodes = [node for node in nodes if node not in missing]
    absent = (f"{node.short} is not installed, so it is not in the view" for node in missing)
    omissions = (*absent, *_unseen(nodes, python, missing))
    options = ViewOptions(
        link_type=view.link_type,
        python=python,
        system_site_packages=any(
            node.variants["system_packages"].value is True
            for node in nodes
            if node.name == "python-venv" and "system_packages" in node.variants
        ),
        templates=templates(parts.share),
        prompt=prompt,
        winners=view.winners,
        store_prefixes=tuple(sorted({str(store.prefix(node)) for node in venvs})),
        site_directories=_external_sites(nodes, python),
        external_modules=_external_modules(nodes, python),
        program_directories=_program_directories(nodes),
        omissions=omissions,
        splits_env=parts.splits_env,
        fold=view.fold,
    )
    ask = _asker(nodes, options.link_type, view.root, parts)
    result = update_view(view.root, sources, options, force=force, check=check, ask=ask)
    copies = library_copies(nodes, lambda node: Path(store.prefix(node))) if result.changed else ()
    return result._replace(
        notes=(*result.notes, *omissions, *copies),
        site_packages=() if python is None else (python.purelib, python.platlib),
    )


def _external_sites(nodes: Iterable[ConcreteSpec], python: PythonOfView | None) -> tuple[str, ...]:
    """Return the directories of modules of external extensions, for the view's Python."""
    if python is None:
        return ()
    return tuple(dict.fromkeys(x for node in nodes for x in external_sites(node, python)))


def _program_directories(nodes: Iterable[ConcreteSpec]) -> tuple[str, ...]:
    """Return the directories of programs of externals; but for Python's, as the view has one."""
    found: dict[str, None] = {}
    for node in nodes:
        prefix = "" if node.external is None else node.external.path or ""
        programs = os.path.join(prefix, "bin")
        if is_system_path(prefix) or node.name == "python":
            continue
        if prefix and os.path.isdir(programs):
            found[programs] = None
    return tuple(found)


def _external_modules(
    nodes: Iterable[ConcreteSpec], python: PythonOfView | None
) -> tuple[tuple[str, str], ...]:
    """Return the modules of external extensions in the interpreter's own prefix, with paths."""
    if python is None:
        return ()
    found: dict[str, str] = {}
    for node in nodes:
        found.update(external_modules(node, python))
    return tuple(sorted(found.items()))


def _unseen(
    nodes: Sequence[ConcreteSpec],
    python: PythonOfView | None,
    missing: Sequence[ConcreteSpec] = (),
) -> Iterator[str]:
    """Yield a line for each extension that a shown one needs and the view's Python cannot import.

    ``select``, ``exclude`` and ``link: roots`` leave out what is needed at run time; external
    extensions may be where no virtual environment sees them. What is *missing* is not repeated.
    """
    if python is None:
        return
    hashes = {node.dag_hash() for node in (*nodes, *missing)}
    needing: dict[str, tuple[ConcreteSpec, ConcreteSpec]] = {}
    for node in nodes:
        if _role(node) != "extension" and not node.name.startswith("py-"):
            continue
        for below in node.traverse(("run",)):
            needing.setdefault(below.dag_hash(), (below, node))
    for digest, (below, node) in needing.items():
        extension = _role(below) == "extension" or below.name.startswith("py-")
        needed = "" if below is node else f", which {node.name} needs at run time,"
        if below.external is not None and below.name.startswith("py-"):
            if digest not in hashes or not has_modules(below, python):
                yield (
                    f"{below.name}{needed} is external in {below.external_path}, where the view's "
                    "Python does not look for modules"
                )
        elif extension and digest not in hashes:
            yield (
                f"{below.name}{needed} is not in the view: select, exclude or link leaves it out"
            )


def _asker(nodes: Sequence[ConcreteSpec], link_type: str, root: str, parts: ViewParts) -> Ask:
    """Return a function that asks those recipes whose class has view hooks of its own."""
    known = {node.dag_hash(): node for node in nodes}

    def ask(sources: Sequence[ViewSource]) -> Mapping[str, HookRecord]:
        # start-up: a view that is up to date asks no recipe
        from spack.view.hooks import HOOKS, HookContext, ask_recipes

        path = parts.recipes()
        asked = []
        for source in sources:
            if source.role in _OF_VIEW:
                continue
            recipe = path.get(known[source.hash].fullname)
            if recipe is not None and not set(HOOKS).isdisjoint(recipe.hooks):
                asked.append(source)
        if not asked:
            return {}
        specs = [known[source.hash] for source in asked]
        every = {node.dag_hash(): node for spec in specs for node in spec.traverse()}
        context = HookContext(
            dump(specs),
            {digest: str(parts.store.prefix(node)) for digest, node in every.items()},
            path.with_roots(),
            parts.library_path,
        )
        unmanaged = [source for source in sources if source not in asked]
        return ask_recipes(context, asked, unmanaged, link_type, root)

    return ask

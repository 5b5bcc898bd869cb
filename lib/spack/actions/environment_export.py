"""An environment in the formats of Python packaging, and as a bill of materials.

``requirements.txt`` of pip, ``pylock.toml`` (:pep:`751`) and CycloneDX 1.6 as JSON. The last is
written here: it is a plain document, and the library that models it depends on six packages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spack import __version__
from spack.errors import FetchError, SpackError
from spack.fetch.fetcher import Fetcher
from spack.fetch.package_index import IndexLink, PackageIndex
from spack.fetch.source import GitSource, IndexSource, source_for
from spack.recipe.records import Recipe
from spack.recipe.requirements import project_of
from spack.spec import ConcreteSpec

__all__ = ["ExportedNode", "exported_nodes", "pylock_text", "requirements_text", "sbom_text"]


@dataclass(frozen=True)
class ExportedNode:
    """A package of an environment.

    :param source: of its version; None where its recipe does not say.
    :param licenses: SPDX expressions that hold for it.
    """

    spec: ConcreteSpec
    source: Any
    licenses: tuple[str, ...]
    homepage: str | None

    @property
    def on_index(self) -> IndexSource | None:
        """Its source, if that is on the package index."""
        return self.source if isinstance(self.source, IndexSource) else None


def exported_nodes(
    roots: Iterable[ConcreteSpec], recipe_of: Callable[[str], Recipe | None]
) -> list[ExportedNode]:
    """Return what is in an environment: the roots and what they need to run, sorted by name."""
    found: dict[str, ConcreteSpec] = {}
    pending = list(roots)
    while pending:
        spec = pending.pop()
        if spec.dag_hash() not in found:
            found[spec.dag_hash()] = spec
            pending += [edge.spec for edge in spec.edges if {"run", "link"} & set(edge.deptypes)]
    nodes = [_node(spec, recipe_of) for spec in found.values()]
    return sorted(nodes, key=lambda node: (node.spec.name, str(node.spec.version)))


def _node(spec: ConcreteSpec, recipe_of: Callable[[str], Recipe | None]) -> ExportedNode:
    try:
        recipe = recipe_of(spec.fullname) or recipe_of(spec.name)
    except SpackError:
        recipe = None
    if recipe is None:
        return ExportedNode(spec, None, (), None)
    try:
        source = None if spec.external else source_for(recipe, str(spec.version))
    except SpackError:
        source = None
    licenses = [x.expression for x in recipe.licenses if not x.when or spec.satisfies(x.when)]
    homepage = recipe.attributes.get("homepage")
    return ExportedNode(
        spec, source, tuple(licenses), homepage if isinstance(homepage, str) else None
    )


def _project(node: ExportedNode) -> str:
    source = node.on_index
    return project_of(f"py-{source.project}", None) if source is not None else ""


def requirements_text(nodes: Sequence[ExportedNode], source: str) -> str:
    """Return a ``requirements.txt``; what is not on the index is a comment.

    :param source: the name of the environment.
    """
    lines = [f"# The Python packages of the environment {source}."]
    lines += [f"{_project(x)}=={x.spec.version}" for x in nodes if x.on_index]
    rest = [f"{x.spec.name} {x.spec.version}" for x in nodes if not x.on_index]
    if rest:
        lines += ["# Not on the package index:", *(f"#   {text}" for text in rest)]
    return "\n".join(lines) + "\n"


def pylock_text(nodes: Sequence[ExportedNode], fetcher: Fetcher) -> str:
    """Return a ``pylock.toml``: sources as recipes have them, and the wheels of the index.

    :raises FetchError: the index cannot be read, or does not have what a recipe names.
    """
    index, _ = fetcher.connect()
    python = next((x.spec.version for x in nodes if x.spec.name == "python"), None)
    minor = ".".join(str(python).split(".")[:2])
    lines = ['lock-version = "1.0"', f'created-by = "spack-venv {__version__}"']
    if python is not None:
        lines.append(f'requires-python = "=={minor}.*"')
    for node in nodes:
        if node.on_index is not None:
            lines += ["", *_locked(node, node.on_index, index)]
    return "\n".join(lines) + "\n"


def _locked(node: ExportedNode, source: IndexSource, index: PackageIndex) -> list[str]:
    digest = source.checksum.value if source.checksum is not None else None
    links = index.find(source.project, source.filename, digest)
    if not links:
        for error in index.failures.values():
            raise error
        raise FetchError(
            f"no index has {source.filename}, which is {node.spec.name}@{node.spec.version}",
            hint="--requirements needs no index",
            ref="export-index",
        )
    archive = links[0]
    stem = archive.filename.partition("-")[0]
    wheels = [
        link
        for link in index.links(source.project)
        if link.filename.startswith(f"{stem}-{node.spec.version}-") and link.sha256
    ]
    lines = ["[[packages]]", f"name = {json.dumps(_project(node))}"]
    lines.append(f'version = "{node.spec.version}"')
    if archive.requires_python:
        lines.append(f"requires-python = {json.dumps(archive.requires_python)}")
    if not archive.filename.endswith(".whl"):
        lines.append(f"sdist = {_file(archive, digest)}")
    else:
        wheels = [archive, *(link for link in wheels if link != archive)]
    if wheels:
        lines += ["wheels = [", *(f"  {_file(link, None)}," for link in wheels), "]"]
    return lines


def _file(link: IndexLink, digest: str | None) -> str:
    parts = [f"name = {json.dumps(link.filename)}", f"url = {json.dumps(link.url)}"]
    if link.size is not None:
        parts.append(f"size = {link.size}")
    parts.append(f'hashes = {{ sha256 = "{digest or link.sha256}" }}')
    return f"{{ {', '.join(parts)} }}"


def sbom_text(nodes: Sequence[ExportedNode], source: str) -> str:
    """Return a bill of materials (CycloneDX 1.6, JSON).

    :param source: the name of the environment.
    """
    known = {node.spec.dag_hash(): _reference(node) for node in nodes}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [
                    {"type": "application", "name": "spack-venv", "version": __version__}
                ]
            },
            "component": {"type": "application", "bom-ref": "environment", "name": source},
        },
        "components": [_component(node) for node in nodes],
        "dependencies": [
            {
                "ref": _reference(node),
                "dependsOn": sorted(
                    {
                        known[edge.spec.dag_hash()]
                        for edge in node.spec.edges
                        if edge.spec.dag_hash() in known
                    }
                ),
            }
            for node in nodes
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _reference(node: ExportedNode) -> str:
    return f"{node.spec.name}@{node.spec.version}/{node.spec.dag_hash()}"


def _component(node: ExportedNode) -> Mapping[str, Any]:
    spec = node.spec
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": _reference(node),
        "name": _project(node) or spec.name,
        "version": str(spec.version),
        "purl": f"pkg:pypi/{_project(node)}@{spec.version}"
        if node.on_index
        else f"pkg:generic/{spec.name}@{spec.version}",
        "properties": [
            {"name": "spack:spec", "value": str(spec.short)},
            {"name": "spack:hash", "value": spec.dag_hash()},
        ],
    }
    if node.licenses:
        found["licenses"] = [{"expression": " AND ".join(_grouped(node.licenses))}]
    references = _references(node)
    if references:
        found["externalReferences"] = references
    return found


def _grouped(expressions: Sequence[str]) -> list[str]:
    if len(expressions) == 1:
        return list(expressions)
    return [f"({text})" if " " in text else text for text in expressions]


#: Algorithms of recipes -> their names in CycloneDX.
_ALGORITHMS = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}


def _references(node: ExportedNode) -> list[Mapping[str, Any]]:
    """Return where a package comes from, with the checksum of its archive."""
    found: list[Mapping[str, Any]] = []
    source = node.source
    if node.homepage:
        found.append({"type": "website", "url": node.homepage})
    if isinstance(source, GitSource):
        found.append({"type": "vcs", "url": source.url, "comment": source.ref})
    elif source is not None:
        urls = [f"pypi:{source.project}/{source.filename}"] if node.on_index else source.urls[:1]
        checksum = source.checksum
        algorithm = _ALGORITHMS.get(checksum.algorithm) if checksum is not None else None
        hashes = [{"alg": algorithm, "content": checksum.value}] if algorithm else []
        found += [{"type": "distribution", "url": url, "hashes": hashes} for url in urls]
    return found

"""Kept wheels as a package index of files: PEP 503 (pages), 691 (JSON) and 658 (metadata).

A wheel gets a local version label (PEP 440) from the hash that it is kept by, so that builds of one
version with other dependencies or compilers are files of their own, and preferred to those of other
indexes: ``black-26.10.1+spack.1a2b3c4d-py3-none-any.whl``.
"""

from __future__ import annotations

import html
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from spack.build.wheel_cache import recipe_wheels
from spack.errors import BinaryCacheError
from spack.spec import ConcreteSpec
from spack.util.filesystem import atomic_write
from spack.util.hashing import hash_file, sha256_hex
from spack.util.project_names import normalized
from spack.util.record_file import RecordedFile, corrected_record

__all__ = ["PublishedWheel", "labelled_wheel", "publish_wheels"]

_NAME = re.compile(r"(?P<name>\w[\w.]*)-(?P<version>[\w.!]+)(?P<tags>(?:-\w[\w.]*){3,4})\.whl\Z")
_VERSION = re.compile(rb"^Version: *(.*?) *\r?$", re.MULTILINE)

#: All entries have this time: the same wheel gives the same file.
_TIME = (1980, 1, 1, 0, 0, 0)


class PublishedWheel(NamedTuple):
    """A wheel of the index; *new* if it was not there before."""

    filename: str
    project: str
    new: bool


def publish_wheels(
    nodes: Iterable[ConcreteSpec], kept: Path, index: Path
) -> tuple[list[PublishedWheel], list[ConcreteSpec]]:
    """Put the kept wheels of *nodes* into the directory *index*, and make its pages again.

    :param kept: the directory of kept wheels.
    :returns: the wheels, and the Python extensions of which none is kept.
    :raises BinaryCacheError: a wheel cannot be read, or the index cannot be written.
    """
    done: list[PublishedWheel] = []
    missing: list[ConcreteSpec] = []
    try:
        for node in nodes:
            found = list(_kept_of(node, kept))
            done += [_publish(path, label, index) for path, label in found]
            if not found and node.name.startswith("py-"):
                missing.append(node)
        for project in sorted({wheel.project for wheel in done}):
            _write_pages(index / project, project)
        _write_root(index)
    except OSError as error:
        raise BinaryCacheError(
            f"{error.filename or index} cannot be written: {error.strerror}",
            hint="name a directory that you may write to",
            ref="binary-wheels",
        ) from error
    return done, missing


def _kept_of(node: ConcreteSpec, kept: Path) -> Iterator[tuple[Path, str]]:
    """Yield the kept wheels of a node's recipe and version, with their labels."""
    for path in sorted(Path(recipe_wheels(kept, node)).glob("*/*.whl")):
        match = _NAME.match(path.name)
        if match is not None and match["version"] == str(node.version):
            yield path, f"spack.{path.parent.name[:8]}"


def _publish(wheel: Path, label: str, index: Path) -> PublishedWheel:
    filename, content, metadata = labelled_wheel(wheel, label)
    project = normalized(filename.partition("-")[0])
    target = index / project / filename
    new = not target.exists() or hash_file(target) != sha256_hex(content)
    if new:
        target.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(target, content)
        atomic_write(target.with_name(f"{filename}.metadata"), metadata)
    return PublishedWheel(filename, project, new)


def labelled_wheel(wheel: Path, label: str) -> tuple[str, bytes, bytes]:
    """Return name, content and METADATA of *wheel* with a local version label.

    :raises BinaryCacheError: it is not a wheel that can be read.
    """
    match = _NAME.match(wheel.name)
    try:
        if match is None:
            raise ValueError("its name is not that of a wheel")
        with zipfile.ZipFile(wheel) as archive:
            files = {info: archive.read(info) for info in archive.infolist()}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise BinaryCacheError(
            f"the wheel {wheel} cannot be read: {error}",
            hint="remove it: it is kept again by the next build",
            ref="binary-wheels",
        ) from error
    old = f"{match['name']}-{match['version']}"
    new = f"{old}+{label}"
    renamed = {
        _renamed(info.filename, old, new): (content, info.external_attr)
        for info, content in files.items()
    }
    folder = f"{new}.dist-info"
    metadata, mode = renamed[f"{folder}/METADATA"]
    version = f"{match['version']}+{label}"
    metadata = _VERSION.sub(f"Version: {version}".encode(), metadata, count=1)
    renamed[f"{folder}/METADATA"] = (metadata, mode)
    record, mode = renamed[f"{folder}/RECORD"]
    rows = [_renamed(line, old, new) for line in record.decode("utf-8").splitlines()]
    corrected = corrected_record(
        ("\n".join(rows) + "\n").encode(), "", {f"{folder}/METADATA": RecordedFile.of(metadata)}
    )
    renamed[f"{folder}/RECORD"] = (corrected, mode)
    return f"{new}{match['tags']}.whl", _zipped(renamed), metadata


def _renamed(path: str, old: str, new: str) -> str:
    for ending in (".dist-info/", ".data/"):
        if path.startswith(old + ending):
            return new + path[len(old) :]
    return path


def _zipped(files: dict[str, tuple[bytes, int]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, attributes) in files.items():
            info = zipfile.ZipInfo(name, _TIME)
            info.external_attr = attributes
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def _write_pages(folder: Path, project: str) -> None:
    """Write ``index.html`` and ``index.json`` of all wheels in *folder*."""
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.whl")):
        metadata = path.with_name(f"{path.name}.metadata")
        rows.append(
            {
                "filename": path.name,
                "url": path.name.replace("+", "%2B"),
                "hashes": {"sha256": hash_file(path)},
                "size": path.stat().st_size,
                "core-metadata": {"sha256": hash_file(metadata)},
                **_requires_python(metadata),
            }
        )
    links = [
        f'<a href="{row["url"]}#sha256={row["hashes"]["sha256"]}" '
        f'data-core-metadata="sha256={row["core-metadata"]["sha256"]}"'
        f"{_python_attribute(row)}>{html.escape(row['filename'])}</a><br>"
        for row in rows
    ]
    atomic_write(folder / "index.html", _page(project, links))
    versions = sorted({row["filename"].split("-")[1] for row in rows})
    meta = {"api-version": "1.1"}
    data = {"meta": meta, "name": project, "versions": versions, "files": rows}
    atomic_write(folder / "index.json", json.dumps(data, indent=1) + "\n")


def _requires_python(metadata: Path) -> dict[str, str]:
    match = re.search(r"^Requires-Python: *(\S.*?) *$", metadata.read_text("utf-8"), re.MULTILINE)
    return {"requires-python": match.group(1)} if match else {}


def _python_attribute(row: dict[str, Any]) -> str:
    wanted = row.get("requires-python")
    return f' data-requires-python="{html.escape(wanted)}"' if wanted else ""


def _write_root(index: Path) -> None:
    index.mkdir(parents=True, exist_ok=True)
    projects = sorted(x.name for x in index.iterdir() if (x / "index.html").is_file())
    links = [f'<a href="{name}/">{name}</a><br>' for name in projects]
    atomic_write(index / "index.html", _page("Simple index", links))
    data = {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in projects]}
    atomic_write(index / "index.json", json.dumps(data, indent=1) + "\n")


def _page(title: str, lines: list[str]) -> str:
    head = '<!DOCTYPE html>\n<html><head><meta name="pypi:repository-version" content="1.1">'
    body = "\n".join(lines)
    return f"{head}<title>{title}</title></head>\n<body>\n{body}\n</body></html>{os.linesep}"

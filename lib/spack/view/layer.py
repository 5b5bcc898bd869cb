"""A virtual environment on top of a view, for what the user wants to add or change.

A layer is a plain venv of the view's base Python. A ``.pth`` file in it calls
``site.addsitedir`` for the view's ``site-packages``, so that the view's own ``.pth`` files work
too; what is installed into the layer comes before. pip and uv write into the layer and never into
the view.

* pip sees the view's distributions through ``sys.path``; uv reads the folder alone. So each
  distribution of the view has a substitute in the layer: a ``.dist-info`` with the metadata and
  entry points, whose ``RECORD`` names the substitute itself. An upgrade in the layer replaces it.
* The view's Python scripts are copied, and so run the layer's Python: a plugin that is installed
  into the layer is found by the tool of the view.

A layer may be moved; when the view is moved or has other packages, make the layer again: that
renews the substitutes and keeps what was installed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from spack.errors import ViewError
from spack.util.filesystem import atomic_write, remove_tree
from spack.util.shell import SHELLS
from spack.view.activate import ROOT, EnvStep, render
from spack.view.inspect import enclosing_view, need_manifest
from spack.view.user_distributions import own_names
from spack.view.venv_parts import configuration, interpreter_links
from spack.view.view_manifest import FOLDER, ViewManifest, load_activation

__all__ = ["Layer", "make_layer"]

RECORD = f"{FOLDER}/layer.json"
PTH = "_spack_layer.pth"

#: What a substitute copies from a ``.dist-info``.
_METADATA = ("METADATA", "WHEEL", "entry_points.txt", "top_level.txt")

#: Of scripts that find the Python beside them; see :mod:`spack.view.relocate`.
_HEADER = re.compile(rb"#!(?:/usr/bin/env -S sh|/bin/sh\n'''exec' /bin/sh) -c 'p=\$0;")


class Layer(NamedTuple):
    """A layer that was made.

    :ivar renewed: it was there before.
    :ivar stand_ins: how many distributions of the view have one.
    :ivar own: distributions that were installed into it, normalized names.
    """

    path: str
    view: str
    renewed: bool
    stand_ins: int
    own: tuple[str, ...]


class _Base(NamedTuple):
    executable: str
    version: str
    purelib: str
    platlib: str


def make_layer(path: str, view: str, templates: Mapping[str, str], prompt: str = "") -> Layer:
    """Make a layer at *path* on the view at *view*, or renew it.

    :param templates: ``share/activate`` by file name.
    :param prompt: for activation; the last component of *path* by default.
    :raises ViewError: the view has no Python; *path* is something else, or inside a view; it cannot
        be written.
    """
    view = os.path.abspath(view)
    manifest = need_manifest(view)
    if manifest.python is None:
        raise ViewError(
            f"the view {view} shows no Python, so there is nothing to make a layer of",
            hint="add python, py-pip or any Python package to the environment",
            ref="layer-python",
        )
    facts = dict(manifest.python)
    facts["executable"] = os.path.join(view, facts["executable"])
    base = _Base(**facts)
    former = _former(path)
    around = enclosing_view(os.path.dirname(os.path.abspath(path)))
    if around:
        raise ViewError(
            f"the layer {path} would be inside the view {around}",
            facts={"path": path, "view": around},
            hint="choose a directory outside of it",
            ref="layer-place",
        )
    try:
        _make_venv(path, view, base, templates, prompt)
        _remove_stand_ins(path, former or {})
        rows, own = _stand_ins(path, view, manifest, base)
        lines = "".join(
            f"import site; site.addsitedir({os.path.join(view, folder)!r})\n"
            for folder in dict.fromkeys((base.purelib, base.platlib))
        )
        atomic_write(os.path.join(path, base.purelib, PTH), lines)
        record = {"view": view, "stand_ins": rows}
        atomic_write(os.path.join(path, RECORD), json.dumps(record, indent=1))
    except OSError as error:
        raise ViewError(
            f"the layer {path} cannot be written: {error.filename}: {error.strerror}",
            facts={"path": path},
            ref="layer-write",
        ) from error
    return Layer(path, view, former is not None, len(rows), own)


def _former(path: str) -> dict[str, list[str]] | None:
    """Return the substitutes of the layer at *path*; None if there is nothing.

    :raises ViewError: something else is there.
    """
    try:
        with open(os.path.join(path, RECORD), encoding="utf-8") as stream:
            rows: dict[str, list[str]] = json.load(stream)["stand_ins"]
            return rows
    except (OSError, ValueError, KeyError):
        pass
    if os.path.isdir(path) and not os.listdir(path):
        return None
    if os.path.lexists(path):
        raise ViewError(
            f"{path} exists and is not a layer, so it is left as it is",
            facts={"path": path},
            hint="choose another directory, or remove it first",
            ref="layer-foreign",
        )
    return None


def _make_venv(
    path: str, view: str, base: _Base, templates: Mapping[str, str], prompt: str
) -> None:
    for folder in ("bin", "include", base.purelib, base.platlib, FOLDER):
        os.makedirs(os.path.join(path, folder), exist_ok=True)
    system = "include-system-site-packages = true" in _text(os.path.join(view, "pyvenv.cfg"))
    text = configuration(base, system_site_packages=system, prompt=prompt)
    atomic_write(os.path.join(path, "pyvenv.cfg"), text)
    for name, target in {**interpreter_links(base), "lib64": "lib"}.items():
        location = os.path.join(path, name)
        if os.path.islink(location):
            os.unlink(location)
        if not os.path.lexists(location):
            os.symlink(target, location)
    steps = _steps(view)
    for shell, row in SHELLS.items():
        if row.activation.template in templates:
            text = render(shell, templates[row.activation.template], steps, name=prompt)
            atomic_write(os.path.join(path, "bin", row.activation.template), text)


def _steps(view: str) -> tuple[EnvStep, ...]:
    """Return those of the view for everything but the venv itself, then those of a venv."""
    activation = load_activation(view)
    steps: list[EnvStep] = []
    for step in () if activation is None else activation.steps:
        if step.name not in ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"):
            steps.append(step._replace(value=step.value.replace(ROOT, view)))
        else:
            steps.append(step)
    return (*steps, EnvStep("prepend", "PATH", f"{ROOT}/bin"))


def _stand_ins(
    path: str, view: str, manifest: ViewManifest, base: _Base
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Write a substitute for each distribution of the view that the layer has not of its own."""
    names = own_names(manifest.items)
    own = own_names(_metadata_files(path, base))
    rows: dict[str, list[str]] = {}
    scripts: dict[int, list[str]] = {}
    for location, item in manifest.items.items():
        if item.how == "text" and item.owner >= 0 and location.startswith("bin/"):
            scripts.setdefault(item.owner, []).append(location)
    for key, metadata in names.items():
        if key in own:
            continue
        info = posixpath.dirname(metadata)
        contents = {}
        for name in _METADATA:
            content = _bytes(os.path.join(view, info, name))
            if content is not None:
                contents[f"{info}/{name}"] = content
        contents[f"{info}/INSTALLER"] = b"spack\n"
        for script in scripts.get(manifest.items[metadata].owner, ()):
            content = _bytes(os.path.join(view, script)) or b""
            if _HEADER.match(content) and not os.path.lexists(os.path.join(path, script)):
                contents[script] = content
        contents[f"{info}/RECORD"] = _record(info, contents)
        os.makedirs(os.path.join(path, info), exist_ok=True)
        for location, content in contents.items():
            mode = 0o755 if location.startswith("bin/") else 0o644
            atomic_write(os.path.join(path, location), content, mode=mode)
        rows[info] = sorted(contents)
    return rows, tuple(sorted(name for _, name in own))


def _metadata_files(path: str, base: _Base) -> Iterable[str]:
    for folder in dict.fromkeys((base.purelib, base.platlib)):
        for name in os.listdir(os.path.join(path, folder)):
            if name.endswith(".dist-info"):
                yield f"{folder}/{name}/METADATA"


def _remove_stand_ins(path: str, former: Mapping[str, list[str]]) -> None:
    """Remove those that are still what was written: an upgrade has replaced the rest."""
    for info, locations in former.items():
        folder = os.path.join(path, info)
        if _text(os.path.join(folder, "INSTALLER")) != "spack\n":
            continue
        for location in locations:
            if location.startswith("bin/"):
                _unlink(os.path.join(path, location))
        remove_tree(folder)


def _record(info: str, contents: Mapping[str, bytes]) -> bytes:
    site = posixpath.dirname(info)
    lines: set[str] = set()
    for location, content in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.add(f"{posixpath.relpath(location, site)},sha256={digest},{len(content)}\n")
    lines.add(f"{posixpath.basename(info)}/RECORD,,\n")
    return "".join(sorted(lines)).encode()


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


def _text(path: str) -> str:
    return (_bytes(path) or b"").decode(errors="replace")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass

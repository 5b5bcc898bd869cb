"""What makes a directory a virtual environment (PEP 405), whatever the files in it are.

A ``pyvenv.cfg`` and ``bin/python3`` beside it are enough for Python; ``lib64 -> lib`` is what
:mod:`venv` makes on 64-bit systems; the activation scripts are for people. Nothing of it holds
the path of the view, so that it can be moved: ``command`` and ``executable`` of Python's own
``pyvenv.cfg`` name the base interpreter or are left out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from spack.util.shell import SHELLS
from spack.view import relocate
from spack.view.activate import EnvStep, render

__all__ = ["BasePython", "VenvParts", "configuration", "parts"]


#: The template of a module that lets pip write scripts which move with the view, and its name.
PIP_TEMPLATE, PIP_MODULE = "view_pip.py", "_spack_view_pip"


class BasePython(Protocol):
    """What a view must know of its base interpreter; a part of ``host.PythonLayout``.

    ``executable`` is absolute; ``version`` is of three numbers; ``purelib`` and ``platlib`` are
    relative to a prefix, from an explicit scheme.
    """

    @property
    def executable(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def purelib(self) -> str: ...

    @property
    def platlib(self) -> str: ...


class VenvParts(NamedTuple):
    """Paths relative to the view: folders, symlinks (path -> target), files (path -> bytes)."""

    folders: tuple[str, ...]
    links: Mapping[str, str]
    texts: Mapping[str, bytes]


def configuration(
    python: BasePython, *, system_site_packages: bool, prompt: str, contained: bool = False
) -> str:
    """Return the text of ``pyvenv.cfg``.

    ``include-system-site-packages`` is always stated: left out it means *true*. ``home`` is
    absolute: Python resolves a relative one against the current directory.

    :param contained: the interpreter and its standard library are in the view. Without ``home``
        Python finds them beside itself, wherever that is, and :mod:`site` still reads the rest.
    """
    lines = [
        f"include-system-site-packages = {'true' if system_site_packages else 'false'}",
        f"version = {python.version}",
    ]
    if not contained:
        lines.insert(0, f"home = {posixpath.dirname(python.executable)}")
        lines.append(f"executable = {python.executable}")
    # uv writes scripts then that find the interpreter beside themselves.
    lines.append("relocatable = true")
    if prompt:
        lines.append(f"prompt = {prompt!r}")
    return "\n".join(lines) + "\n"


def interpreter_links(python: BasePython) -> dict[str, str]:
    """Return the links: ``python3`` to the base interpreter, the other names to ``python3``."""
    major, minor = python.version.split(".")[:2]
    names = [f"python{major}", "python", f"python{major}.{minor}"]
    base = posixpath.basename(python.executable)
    if base.startswith("python"):
        # The name that carries the ABI, such as python3.13t.
        names.append(base)
    links = {f"bin/{name}": "python3" for name in dict.fromkeys(names)}
    links["bin/python3"] = python.executable
    return links


def contained_links(python: BasePython) -> dict[str, str]:
    """Return the names of an interpreter whose own file is ``bin/pythonX.Y`` of the view."""
    base = posixpath.basename(python.executable)
    links = dict.fromkeys(interpreter_links(python), "python3")
    links["bin/python3"] = base
    links.pop(f"bin/{base}", None)
    return links


def parts(
    python: BasePython,
    *,
    system_site_packages: bool,
    prompt: str,
    templates: Mapping[str, str],
    steps: Sequence[EnvStep],
    contained: bool = False,
    splits_env: bool = True,
) -> VenvParts:
    """Return all that a view gets on top of the packages' files to be a virtual environment.

    :param templates: texts of ``share/activate`` by file name; scripts without one are left out.
    :param steps: what the activation scripts do.
    :param contained: see :func:`configuration`; the interpreter's file itself is the package's.
    :param splits_env: see :class:`spack.view.plan_types.ViewOptions`.
    """
    folders: list[str] = ["bin", "include", "lib", python.purelib]
    texts: dict[str, bytes] = {
        "pyvenv.cfg": configuration(
            python,
            system_site_packages=system_site_packages,
            prompt=prompt,
            contained=contained,
        ).encode()
    }
    for shell, row in SHELLS.items():
        template = templates.get(row.activation.template)
        if template is not None:
            text = render(shell, template, steps, name=prompt)
            texts[f"bin/{row.activation.template}"] = text.encode()
    template = templates.get(PIP_TEMPLATE)
    if template is not None:
        header = relocate.script_header(splits_env)
        texts[f"{python.purelib}/{PIP_MODULE}.py"] = template.replace(
            'b"@HEADER@"', repr(header)
        ).encode()
        texts[f"{python.purelib}/{PIP_MODULE}.pth"] = f"import {PIP_MODULE}\n".encode()
    links = contained_links(python) if contained else interpreter_links(python)
    links["lib64"] = "lib"
    return VenvParts(tuple(folders), links, texts)

"""The virtual environment that Python sees during a build.

For a package that extends Python its root is the package's own prefix, so that ``sys.prefix`` *is*
the prefix, and whatever asks Python where modules go (pip, FindPython, Meson, ``sysconfig``) gets
the right answer. For other packages with Python tools among their dependencies it is in the
stage.

It consists of ``pyvenv.cfg``, links in ``bin`` to the base interpreter, and one ``.pth`` file that
adds the dependencies' site-packages by ``site.addsitedir``: so their own ``.pth`` files work, and
nothing goes through PYTHONPATH. Console scripts of the dependencies are copied into a directory of
the stage with this environment's interpreter. All of it is removed after the build.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spack.errors import InstallError
from spack.util.directory_handle import read_regular
from spack.util.frozen import frozen
from spack.util.json_input import parse_json
from spack.util.shebang import first_line, is_shell, parsed_first_line

__all__ = ["BaseInterpreter", "BuildVenv", "interpreter_of", "shebang_script"]

#: Adds the dependencies; sorts before other ``.pth`` files.
PTH_NAME = "_spack_build_env.pth"

#: Install layout of a python-venv prefix (DESIGN, decision 5).
LAYOUT_FILE = os.path.join(".spack", "python.json")

_SHEBANG_BYTES = 4096


@frozen
class BaseInterpreter:
    """What must be known of an interpreter to make a virtual environment for it.

    :param executable: absolute path of the base interpreter.
    :param version: of three numbers.
    :param purelib: relative to a prefix, as is *platlib*.
    """

    executable: str
    version: str
    purelib: str
    platlib: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BaseInterpreter:
        """Return an interpreter from the record of an install layout; further keys are ignored."""
        return cls(data["executable"], data["version"], data["purelib"], data["platlib"])


def interpreter_of(prefix: str) -> BaseInterpreter:
    """Return the base interpreter of the python-venv at *prefix*.

    Its record is read; a prefix without one is looked at (``pyvenv.cfg``).

    :raises InstallError: there is no virtual environment.
    """
    try:
        return BaseInterpreter.from_json(
            parse_json(read_regular(os.path.join(prefix, LAYOUT_FILE)))
        )
    except (OSError, ValueError, KeyError):
        pass
    try:
        text = Path(prefix, "pyvenv.cfg").read_text(encoding="utf-8")
        settings = dict(re.findall(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
        version = settings.get("version") or settings["version_info"]
        executable = os.path.realpath(os.path.join(prefix, "bin", "python3"))
        found = sorted(Path(prefix, "lib").glob("python3*/site-packages"))
        directory = os.path.relpath(found[0], prefix)
    except (OSError, KeyError, IndexError) as exc:
        raise InstallError(
            f"there is no virtual environment in {prefix}",
            hint="reinstall the python-venv that this package uses",
            ref="python-venv",
        ) from exc
    version = ".".join([*version.split("."), "0", "0"][:3])
    return BaseInterpreter(executable, version, directory, directory)


@frozen
class BuildVenv:
    """A virtual environment for one build.

    :param root: becomes ``sys.prefix``.
    :param system_packages: packages of the base interpreter are visible.
    :param sites: site-packages of the dependencies, in order of precedence.
    """

    root: str
    base: BaseInterpreter
    system_packages: bool = False
    sites: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """The interpreter."""
        return os.path.join(self.root, "bin", "python3")

    def links(self) -> Mapping[str, str]:
        """Return links by path below the root, with their texts."""
        major, minor = self.base.version.split(".")[:2]
        names = ["python", f"python{major}.{minor}"]
        executable = os.path.basename(self.base.executable)
        if executable.startswith("python") and executable != "python3":
            names.append(executable)  # carries the ABI: python3.13t
        links = {f"bin/{name}": "python3" for name in dict.fromkeys(names)}
        links["bin/python3"] = self.base.executable
        if self.base.platlib.startswith("lib64/"):
            links["lib64"] = "lib"
        return links

    def configuration(self) -> str:
        """Return text of ``pyvenv.cfg``.

        The system's packages are always mentioned, as the default when they are not is that they
        are visible.
        """
        return (
            f"home = {os.path.dirname(self.base.executable)}\n"
            f"include-system-site-packages = {'true' if self.system_packages else 'false'}\n"
            f"version = {self.base.version}\n"
        )

    def create(self) -> None:
        """Write it. Nothing of it may be there already."""
        site = os.path.join(self.root, self.base.purelib)
        os.makedirs(os.path.join(self.root, "lib"), exist_ok=True)
        os.makedirs(os.path.join(self.root, "bin"), exist_ok=True)
        for path, text in self.links().items():
            os.symlink(text, os.path.join(self.root, path))
        os.makedirs(site, exist_ok=True)
        lines = [f"import site; site.addsitedir({path!r})\n" for path in self.sites]
        Path(site, PTH_NAME).write_text("".join(lines), encoding="utf-8")
        Path(self.root, "pyvenv.cfg").write_text(self.configuration(), encoding="utf-8")

    def remove(self) -> None:
        """Remove it; directories go when nothing is left in them.

        Files that the build has written in their stead stay.
        """
        for path, text in self.links().items():
            full = os.path.join(self.root, path)
            if os.path.islink(full) and os.readlink(full) == text:
                os.unlink(full)
        for path in ("pyvenv.cfg", os.path.join(self.base.purelib, PTH_NAME)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.root, path))
        for directory in ("bin", self.base.purelib):
            while directory:
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.join(self.root, directory))
                directory = os.path.dirname(directory)

    def copy_scripts(self, prefixes: Iterable[str], venvs: Sequence[str], target: str) -> None:
        """Copy the Python scripts in ``bin`` of *prefixes* to *target*, for this interpreter.

        :param venvs: prefixes of python-venv whose interpreters the scripts name.
        """
        os.makedirs(target, exist_ok=True)
        for prefix in prefixes:
            for name, text in _python_scripts(os.path.join(prefix, "bin"), venvs):
                path = os.path.join(target, name)
                if not os.path.lexists(path):  # the first one has precedence
                    Path(path).write_bytes(shebang_script(text, venvs, self.python))
                    os.chmod(path, 0o755)


def _python_scripts(directory: str, venvs: Sequence[str]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return found
    for name in names:
        path = os.path.join(directory, name)
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as stream:
            head = stream.read(_SHEBANG_BYTES)
            text = head + stream.read() if head[:2] == b"#!" and b"\0" not in head else b""
        if _names_interpreter(text, venvs):
            found.append((name, text))
    return found


def _names_interpreter(text: bytes, venvs: Sequence[str]) -> bool:
    """Return whether a script starts an interpreter of *venvs*; one of a shell anywhere in it."""
    lines = text if is_shell(text) else text.partition(b"\n")[0]
    return any(os.fsencode(venv) + b"/bin/python" in lines for venv in venvs)


def shebang_script(text: bytes, venvs: Sequence[str], python: str) -> bytes:
    """Return the script *text* with *python* instead of an interpreter below one of *venvs*.

    A header that starts Python directly or by ``env`` is written again, as long paths need
    another form. In scripts of shells (also pip's trampoline) each mention is replaced.
    """
    pattern = _interpreters(venvs)
    if pattern is None:
        return text
    if is_shell(text):
        return pattern.sub(lambda match: os.fsencode(python), text)
    header = parsed_first_line(text)
    if header is None or not pattern.fullmatch(header.command.strip(b"\"'")):
        return text
    if header.settings:
        words = (b"#!/usr/bin/env -S", header.settings, os.fsencode(python), header.arguments)
        return b" ".join(filter(None, words)) + b"\n" + header.body
    return first_line(python, header.arguments) + b"\n" + header.body


def _interpreters(venvs: Sequence[str]) -> re.Pattern[bytes] | None:
    if not venvs:
        return None
    prefixes = b"|".join(re.escape(os.fsencode(venv)) for venv in venvs)
    return re.compile(rb"(?:" + prefixes + rb")/bin/python[\d.]*[td]*")

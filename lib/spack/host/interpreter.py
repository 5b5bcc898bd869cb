"""Python interpreters of the machine, and how they lay out what is installed.

An interpreter is asked once, in isolation (``-I -S``: no user site, no ``sitecustomize``, no
``PYTHON*`` variables), about an *explicit* scheme: ``venv`` (3.11 and newer), else the unpatched
``posix_prefix``. So Debian's ``posix_local`` and Fedora's ``/local`` never show. Suffixes such as
``t`` come from the name of the standard library's directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from spack.errors import HostError
from spack.host.search import Detected, Search, is_binary, is_shim
from spack.util.helper_process import Runner

__all__ = [
    "PythonLayout",
    "detect_pythons",
    "find_interpreters",
    "probe",
]

_PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layout_probe.py")
_NAMES = r"(?:python(?:3(?:\.\d+)?)?[td]{0,2}|pypy3(?:\.\d+)?)"


class PythonLayout(NamedTuple):
    """The directories of an interpreter and of what is installed for it; a JSON-able record.

    Paths of the scheme (``purelib`` to ``data``) are relative to the prefix that something is
    installed into, with ``/``.

    :ivar executable: the interpreter itself, never a venv's or a link in another prefix.
    :ivar version: full version, ``3.11.2`` or ``3.14.0rc1``.
    :ivar abiflags: ``""``, ``t`` (free-threaded), ``d`` (debug), ``m`` (before 3.8).
    :ivar stdlib: name of the standard library's directory: ``python3.11``, ``python3.13t``.
    :ivar stdlib_dir: the standard library, absolute.
    :ivar scheme: the sysconfig scheme that the paths are from.
    :ivar tags: interpreter, ABI and platform tag (PEP 425): ``("cp311", "cp311",
        "linux_x86_64")``.
    :ivar include_dir: the directory with ``Python.h``, or None.
    :ivar has_venv: whether the ``venv`` module is there.
    :ivar has_ensurepip: whether it can put pip into a venv (Debian splits that off).
    """

    executable: str
    prefix: str
    base_prefix: str
    version: str
    implementation: str
    abiflags: str
    stdlib: str
    stdlib_dir: str
    scheme: str
    purelib: str
    platlib: str
    scripts: str
    include: str
    data: str
    platlibdir: str
    soabi: str
    ext_suffix: str
    cache_tag: str
    tags: tuple[str, ...]
    ldlibrary: str
    libdir: str
    shared: bool
    include_dirs: tuple[str, ...]
    include_dir: str | None
    has_venv: bool
    has_ensurepip: bool

    @property
    def has_headers(self) -> bool:
        """Whether extensions in C can be built."""
        return self.include_dir is not None

    @property
    def short_version(self) -> str:
        """Major and minor version: ``3.11``."""
        return ".".join(self.version.split(".")[:2])

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values; ``from_json`` reads it.

        Only what stays as long as the interpreter does: whether headers and ``venv`` are there is
        looked up again by ``from_json``, because packages of the system add and remove them.
        """
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in self._asdict().items()
            if key not in _LOOKED_UP
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PythonLayout:
        """Return a record from JSON values; unknown keys are left out.

        :raises HostError: a field is missing.
        """
        try:
            values: dict[str, Any] = {
                key: tuple(data[key]) if isinstance(data[key], list) else data[key]
                for key in cls._fields
                if key not in _LOOKED_UP
            }
        except KeyError as error:
            raise HostError(
                f"the layout record of {data.get('executable', 'an interpreter')} "
                f"has no {error.args[0]!r}",
                facts={"missing": error.args[0]},
                hint="detect the interpreter again: spack external find python",
                ref="layout-record",
            ) from None
        headers = (path for path in values["include_dirs"] if _exists(path, "Python.h"))
        return cls(
            **values,
            include_dir=next(headers, None),
            has_venv=_exists(values["stdlib_dir"], "venv", "__init__.py"),
            has_ensurepip=_exists(values["stdlib_dir"], "ensurepip", "__init__.py"),
        )


#: Fields that describe the state of the system, not the interpreter.
_LOOKED_UP = frozenset({"include_dir", "has_venv", "has_ensurepip"})


def probe(executable: str, run: Runner) -> PythonLayout:
    """Ask an interpreter for its layout; starts one process (20 ms).

    :raises HostError: it is not a Python 3.6 or newer, or does not run.
    """
    import json  # start-up: warm runs ask no interpreter

    done = run((executable, "-I", "-S", _PROBE))
    try:
        facts = json.loads(done.stdout.strip().splitlines()[-1])
        if not done.ok or not isinstance(facts, dict):
            raise ValueError
    except (IndexError, ValueError):
        reason = (done.stderr.strip() or done.stdout.strip() or "it prints nothing").splitlines()
        raise HostError(
            f"{executable} is not a usable Python interpreter: {reason[-1]}",
            facts={"executable": executable, "status": done.returncode},
            hint="Python 3.6 or newer with its standard library is needed",
            ref="interpreter-unusable",
        ) from None
    facts["executable"] = _own_executable(executable, facts)
    return PythonLayout.from_json(facts)


def _own_executable(executable: str, facts: Mapping[str, Any]) -> str:
    """Return the interpreter's name inside its own prefix, preferably the one with the version."""
    own_bin = os.path.join(os.path.realpath(facts["base_prefix"]), "bin")
    resolved = os.path.realpath(executable)
    versioned = os.path.join(own_bin, facts["stdlib"])
    if os.path.dirname(resolved) == own_bin:
        chosen = resolved
    elif os.path.exists(versioned):
        chosen = versioned
    else:
        return executable
    return os.path.join(facts["base_prefix"], "bin", os.path.basename(chosen))


def _exists(*parts: str) -> bool:
    return os.path.exists(os.path.join(*parts))


def layout_of(executable: str, search: Search) -> PythonLayout:
    """Return :func:`probe`'s layout through the memory of ``search``.

    :raises HostError: as :func:`probe`; a failure is not remembered.
    """
    known, facts = search.memory.recall("layout", executable)
    if known and facts is not None:
        try:
            return PythonLayout.from_json(facts)
        except HostError:
            pass  # remembered by another version of this program
    layout = probe(executable, search.run)
    search.memory.note("layout", executable, layout.to_json())
    return layout


def find_interpreters(search: Search, extra: Iterable[str] = ()) -> list[PythonLayout]:
    """Return every distinct interpreter of the search path, the preferred one first.

    ``python3`` comes before ``python`` and those before ``python3.X``, each in order of the
    directories, so the first ``python3`` is preferred as a shell would; among the rest of a
    directory the newest comes first. Shims, scripts and broken programs are passed over. A venv's
    interpreter represents the one that it was made from.

    :param extra: paths of further interpreters, looked at last.
    """
    candidates = sorted(search.programs(_NAMES, venvs=True), key=_preference(search.directories))
    found: dict[tuple[str, str, str], PythonLayout] = {}
    seen = set()
    for candidate in [*candidates, *extra]:
        executable = _base_of_venv(candidate)
        if executable is None:
            continue
        resolved = os.path.realpath(executable)
        if resolved in seen or not is_binary(resolved) or is_shim(executable):
            continue
        seen.add(resolved)
        if not re.fullmatch(_NAMES, os.path.basename(resolved)):
            continue  # a launcher that is linked to under many names
        try:
            layout = layout_of(executable, search)
        except HostError:
            continue
        # Debian's debug build shares prefix and standard library with the usual one.
        key = (os.path.realpath(layout.base_prefix), layout.stdlib_dir, layout.abiflags)
        if os.path.exists(layout.executable):
            found.setdefault(key, layout)
    return list(found.values())


def _preference(directories: Sequence[str]) -> Any:
    order = {directory: index for index, directory in enumerate(directories)}
    ranks = {"python3": 0, "python": 1}

    def key(path: str) -> tuple[int, int, int, str]:
        directory, name = os.path.split(path)
        minor = re.search(r"\.(\d+)", name)
        rank = ranks.get(name, 3 if name.startswith("pypy") or name[-1] in "td" else 2)
        return rank, order[directory], -int(minor.group(1)) if minor else 0, name

    return key


def _base_of_venv(executable: str, depth: int = 0) -> str | None:
    """Return the interpreter behind a venv's.

    *path* itself outside of one; None if it is missing.
    """
    directory = os.path.dirname(executable)
    for location in (os.path.dirname(directory), directory):
        settings = _read_pyvenv(os.path.join(location, "pyvenv.cfg"))
        if settings is None:
            continue
        if depth > 8 or "home" not in settings:
            return None
        name = "python" + ".".join(settings.get("version", "3").split(".")[:2])
        names = (name, os.path.basename(executable), "python3", "python")
        homes = [os.path.join(settings["home"], name) for name in names]
        homes.insert(0, settings.get("executable", ""))
        base = next((path for path in homes if os.path.isabs(path) and os.path.exists(path)), None)
        return None if base is None else _base_of_venv(base, depth + 1)
    return executable


def _read_pyvenv(path: str) -> dict[str, str] | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            pairs = (line.partition("=") for line in stream)
            return {key.strip().lower(): value.strip() for key, sep, value in pairs if sep}
    except OSError:
        return None


def detect_pythons(search: Search, extra: Iterable[str] = ()) -> list[Detected]:
    """Return :func:`find_interpreters` as external packages."""
    found = []
    for layout in find_interpreters(search, extra):
        if layout.implementation != "cpython":
            continue
        variants = "".join(
            text
            for flag, text in (("t", " +freethreading"), ("d", " +debug"))
            if flag in layout.abiflags
        )
        found.append(
            Detected(
                "python",
                layout.version,
                layout.base_prefix,
                {"executable": layout.executable, "layout": layout.to_json()},
                f"python@{layout.version}{variants}",
            )
        )
    return found

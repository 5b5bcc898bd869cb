"""A store of prefixes made of plain files, and the interpreters of this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Union

import pytest

from spack.util.environment_modifications import Change
from spack.view.apply import ViewResult, update_view
from spack.view.plan_types import ViewOptions, ViewSource

SHARE = Path(__file__).resolve().parents[3] / "share" / "activate"
TEMPLATES = {path.name: path.read_text() for path in sorted(SHARE.iterdir())}

Content = Union[str, bytes, tuple[Union[str, bytes], int]]


@dataclass(frozen=True)
class Python:
    """The part of a layout that views need."""

    executable: str
    version: str
    purelib: str
    platlib: str


_PROBE = """
import json, os, sys
version = "%d.%d.%d" % sys.version_info[:3]
lib = "lib/" + os.path.basename(os.path.dirname(os.__file__)) + "/site-packages"
print(json.dumps([getattr(sys, "_base_executable", sys.executable), version, lib, lib]))
"""


def probe(executable: str) -> Python | None:
    done = subprocess.run([executable, "-I", "-S", "-c", _PROBE], capture_output=True, text=True)
    return Python(*json.loads(done.stdout)) if done.returncode == 0 else None


def find_interpreters() -> list[Python]:
    """Return the interpreter that runs the tests, the system's, and those on PATH, each once."""
    found: dict[str, Python] = {}
    names = [sys.executable, "/usr/bin/python3"]
    names += [shutil.which(f"python3.{minor}") or "" for minor in range(8, 16)]
    for name in names:
        python = probe(name) if name and os.path.exists(name) else None
        if python is not None:
            found.setdefault(os.path.realpath(python.executable), python)
    return list(found.values())


INTERPRETERS = find_interpreters()


@pytest.fixture(scope="session")
def python() -> Python:
    """Return the system's interpreter, else the one that runs the tests."""
    for candidate in INTERPRETERS:
        if candidate.executable.startswith("/usr/bin/"):
            return candidate
    return INTERPRETERS[0]


def scan(prefix: Path) -> dict[str, tuple[str, int, str, int]]:
    """Return a manifest, as the store makes them."""
    files: dict[str, tuple[str, int, str, int]] = {}
    for path in sorted(prefix.rglob("*")):
        relative = path.relative_to(prefix).as_posix()
        info = path.lstat()
        mode = stat.S_IMODE(info.st_mode)
        if relative.split("/")[0] == ".spack":
            continue
        if path.is_symlink():
            files[relative] = ("link", mode, os.readlink(path), info.st_size)
        elif path.is_dir():
            files[relative] = ("dir", mode, "", 0)
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files[relative] = ("file", mode, digest, info.st_size)
    return files


class Store:
    """Prefixes below *root*; ``python-venv`` is made on demand."""

    def __init__(self, root: Path, python: Python | None = None) -> None:
        self.root = root
        self.python = python
        self.venv = root / "python-venv-1.0-venvhash"
        root.mkdir(parents=True)
        if python is not None:
            (self.venv / "bin").mkdir(parents=True)
            (self.venv / "bin/python3").symlink_to(python.executable)
            (self.venv / "pyvenv.cfg").write_text("home = /nowhere\n")
            (self.venv / python.purelib).mkdir(parents=True)

    @property
    def shebang(self) -> str:
        return f"#!{self.venv}/bin/python3\n"

    def venv_source(self) -> ViewSource:
        return ViewSource(
            "python-venv", "1.0", "venvhash", str(self.venv), lambda: scan(self.venv), "1",
            role="python-venv",
        )  # fmt: skip

    def package(  # noqa: PLR0913 - keywords of independent settings
        self,
        name: str,
        files: Mapping[str, Content],
        *,
        links: Mapping[str, str] = {},
        folders: Sequence[str] = (),
        version: str = "1.0",
        role: str = "package",
        link_type: str | None = None,
        projection: str = "",
        environment: Sequence[Change] = (),
    ) -> ViewSource:
        digest = hashlib.sha256(f"{name}{version}".encode()).hexdigest()[:32]
        prefix = self.root / f"{name}-{version}-{digest}"
        for folder in folders:
            (prefix / folder).mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            text, mode = content if isinstance(content, tuple) else (content, 0o644)
            target = prefix / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode() if isinstance(text, str) else text)
            target.chmod(mode)
        for path, goal in links.items():
            (prefix / path).parent.mkdir(parents=True, exist_ok=True)
            (prefix / path).symlink_to(goal)
        (prefix / ".spack").mkdir(exist_ok=True)
        (prefix / ".spack/spec.json").write_text("{}")
        manifest = scan(prefix)
        fingerprint = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
        return ViewSource(
            name, version, digest, str(prefix), lambda: manifest, fingerprint, role, link_type,
            projection, tuple(environment),
        )  # fmt: skip

    def extension(
        self,
        name: str,
        modules: Mapping[str, str],
        *,
        scripts: Mapping[str, str] = {},
        version: str = "1.0",
        extra: Mapping[str, Content] = {},
        **options: object,
    ) -> ViewSource:
        """Return a distribution as an installer leaves it: modules, scripts, dist-info, RECORD."""
        assert self.python is not None
        site = self.python.purelib
        files: dict[str, Content] = {f"{site}/{path}": text for path, text in modules.items()}
        files.update({f"bin/{path}": (text, 0o755) for path, text in scripts.items()})
        files.update(extra)
        info = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
        files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        files[f"{info}/INSTALLER"] = "spack\n"
        rows = []
        for path, content in files.items():
            text = content[0] if isinstance(content, tuple) else content
            rows.append(record_row(os.path.relpath(path, site), text))
        rows.append(f"{os.path.relpath(info, site)}/RECORD,,")
        files[f"{info}/RECORD"] = "\n".join(rows) + "\n"
        return self.package(name, files, version=version, role="extension", **options)  # type: ignore[arg-type]  # passed on

    def snapshot(self) -> dict[str, str]:
        """Hash of every file of the store."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


def record_row(path: str, text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    digest = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(raw)}"


@pytest.fixture
def store(tmp_path: Path, python: Python) -> Store:
    return Store(tmp_path / "store", python)


def demo_sources(store: Store) -> list[ViewSource]:
    """Two distributions that share a namespace package, a script and a plain C-like package."""
    tool = (
        store.shebang
        + '"""A docstring."""\nfrom __future__ import annotations\nimport sys\n'
        + "import ns.one, ns.two\nprint(ns.one.X, ns.two.Y, sys.prefix, *sys.argv[1:])\n"
    )
    return [
        store.venv_source(),
        store.extension("py-one", {"ns/one.py": "X = 1\n"}, scripts={"tool": tool}),
        store.extension("py-two", {"ns/two.py": "Y = 2\n"}),
        store.package(
            "zlib",
            {
                "lib/libz.so.1.2": b"\x7fELF\0binary",
                "include/zlib.h": "int z;\n",
                "share/man/man3/zlib.3": ".TH zlib\n",
                "lib/pkgconfig/zlib.pc": "Name: zlib\n",
            },
            links={"lib/libz.so": "libz.so.1.2", "lib64": "lib"},
        ),
    ]


Make = Callable[..., ViewResult]


@pytest.fixture
def make(store: Store) -> Make:
    """``make(path, sources, **options)`` with the store's Python and the real templates."""

    def run(
        path: Path, sources: Sequence[ViewSource], force: bool = False, **options: object
    ) -> ViewResult:
        options.setdefault("python", store.python)
        options.setdefault("templates", TEMPLATES)
        return update_view(str(path), sources, ViewOptions(**options), force=force)  # type: ignore[arg-type]  # passed on

    return run


def run(*command: object, **options: object) -> str:
    """Return standard output of a command in an empty environment."""
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    env.update(options.pop("env", {}))  # type: ignore[call-overload]  # a mapping
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=env, **options
    )  # type: ignore[call-overload]  # options of run
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr == ""
    return str(done.stdout).rstrip("\n")

"""A small world to build in: repositories of recipes, hand-made graphs, a store, a stage."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.build import worker_process
from spack.build.clean_environment import clean_environment
from spack.build.job import BuildJob, BuildResult, RepositoryRow
from spack.spec import ConcreteSpec, Edge, External, dump

#: The interpreter that packages are built for: the base of the one that runs the tests.
BASE_PYTHON = os.path.realpath(sys.executable)


def edges(*dependencies: Any) -> list[Edge]:
    """Edges from pairs (spec, types) or triples with virtuals."""
    return [Edge(row[0], row[1].split(), row[2] if len(row) > 2 else ()) for row in dependencies]


@dataclass
class Workspace:
    """Makes nodes and builds them.

    :param root: of this repository, whose recipes of the machine's tools are used.
    """

    tmp: Path
    root: Path
    prefixes: dict[str, str] = field(default_factory=dict)
    logs: dict[str, Path] = field(default_factory=dict)

    def recipe(self, name: str, text: str) -> Path:
        """Write the recipe of package *name* into a repository of the test."""
        repository = self.tmp / "repository"
        directory = repository / "packages" / name.replace("-", "_")
        directory.mkdir(parents=True, exist_ok=True)
        (repository / "repo.yaml").write_text("repo:\n  namespace: test\n  api: v2.2\n")
        file = directory / "package.py"
        file.write_text("from spack.package import *\n" + textwrap.dedent(text))
        return file

    def node(
        self, name: str, version: str, *dependencies: Any, variants: Any = (), **parts: Any
    ) -> ConcreteSpec:
        """Return a node; its prefix is in the test's store unless it is external."""
        spec = make_spec(f"{name}@{version}", *edges(*dependencies), **dict(variants), **parts)
        prefix = str(self.tmp / "store" / f"{name}-{version}-{spec.dag_hash(7)}")
        if spec.external is not None:
            prefix = str(spec.external.path)
        self.prefixes[spec.dag_hash()] = prefix
        return spec

    def prefix(self, spec: ConcreteSpec) -> Path:
        """Where *spec* is installed."""
        return Path(self.prefixes[spec.dag_hash()])

    def python(self, executable: str = BASE_PYTHON) -> ConcreteSpec:
        """Return the interpreter as an external without a record of its layout."""
        program = "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.base_prefix)"
        command = [executable, "-I", "-S", "-c", program]
        version, prefix = subprocess.check_output(command, text=True).split()
        return self.node(
            "python",
            version,
            external=External(prefix, (), {"executable": executable}),
            variants={"build_system": "generic"},
        )

    def python_venv(self, python: ConcreteSpec, system: bool = False) -> ConcreteSpec:
        """Return an installed python-venv."""
        spec = self.node(
            "python-venv",
            "1.0",
            (python, "build run"),
            variants={"system_packages": system, "build_system": "generic"},
        )
        self.install(spec)
        return spec

    def job(self, spec: ConcreteSpec, source: Path | None = None, **parts: Any) -> BuildJob:
        """Return a job for *spec*."""
        stage = self.tmp / "stage" / spec.name
        self.logs[spec.name] = stage / "spack-build-out.txt"
        rows = [self.tmp / "repository", self.root]
        job = BuildJob(
            spec=dump([spec]),
            hash=spec.dag_hash(),
            prefixes=dict(self.prefixes),
            stage_path=str(stage),
            source_path=str(source) if source is not None else None,
            log_path=str(self.logs[spec.name]),
            result_path=str(stage / "result.json"),
            repositories=tuple(
                RepositoryRow(str(n), str(row)) for n, row in enumerate(rows) if row.exists()
            ),
            jobs=2,
            library_path=tuple(path for path in sys.path if path.endswith("site-packages")),
        )
        return replace(job, **parts)

    def run(self, job: BuildJob, host: Any = (), **options: Any) -> BuildResult:
        """Do *job* in a worker."""
        return worker_process.run(job, clean_environment(dict(host), job.stage_path), **options)

    def build(self, spec: ConcreteSpec, source: Path | None = None, **parts: Any) -> BuildResult:
        """Build *spec*, from *source*."""
        return self.run(self.job(spec, source, **parts))

    def install(self, spec: ConcreteSpec, source: Path | None = None, **parts: Any) -> Path:
        """Build *spec*, which must succeed; its prefix."""
        result = self.build(spec, source, **parts)
        assert result.ok, (result.failure, self.logs[spec.name].read_text())
        return self.prefix(spec)

    def source(self, name: str, **files: str) -> Path:
        """Return a source tree; ``__`` in a keyword means ``/`` and ``_dot_`` for a dot."""
        directory = self.tmp / "source" / name
        for key, text in files.items():
            path = directory / key.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return directory


@pytest.fixture
def workspace(tmp_path: Path, root: Path) -> Workspace:
    """Return a new world."""
    return Workspace(tmp_path, root)


#: A PEP 517 backend that is in the source tree and needs nothing.
BACKEND = """
    import base64, hashlib, os, zipfile

    NAME, VERSION = "demo_pkg", "1.0"
    TAG = "py3-none-any"

    def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
        info = f"{NAME}-{VERSION}.dist-info"
        wheel = f"Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: {TAG}\\n"
        rows = {
            f"{NAME}/__init__.py": open("demo_pkg.py").read(),
            f"{NAME}-{VERSION}.data/scripts/demo-script": "#!python\\nprint('script')\\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: demo-pkg\\nVersion: {VERSION}\\n",
            f"{info}/WHEEL": wheel,
            f"{info}/entry_points.txt": "[console_scripts]\\ndemo = demo_pkg:main\\n",
        }
        record = ""
        for name, text in rows.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f"{name},sha256={digest.rstrip(b'=').decode()},{len(text)}\\n"
        rows[f"{info}/RECORD"] = record + f"{info}/RECORD,,\\n"
        file = f"{NAME}-{VERSION}-{TAG}.whl"
        with zipfile.ZipFile(os.path.join(wheel_directory, file), "w") as archive:
            for name, text in rows.items():
                archive.writestr(name, text)
        return file
"""


def pip_tree(target: Path) -> None:
    """Put a pip into *target*, a site-packages directory: the one of the tests' environment."""
    import pip

    origin = Path(pip.__file__).parent
    target.mkdir(parents=True)
    (target / "pip").symlink_to(origin)
    for info in origin.parent.glob("pip-*.dist-info"):
        (target / info.name).symlink_to(info)


__all__ = ["BACKEND", "BASE_PYTHON", "Workspace", "edges", "pip_tree"]

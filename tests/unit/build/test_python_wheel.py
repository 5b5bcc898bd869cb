"""``python_wheel``: hooks, wheels, what is in the prefix, and wheels that are used again."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import pytest

from spack.spec import ConcreteSpec

SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
TAG = sys.implementation.cache_tag

#: A backend in the tree that shows its environment, takes settings, and fills every scheme.
BACKEND = """
import base64, hashlib, json, os, sys, zipfile

if sys.stdin.read():
    raise SystemExit("something on standard input")

def get_requires_for_build_wheel(config_settings=None):
    print("asked")
    return ["more>=1"]

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("settings", json.dumps(config_settings, sort_keys=True))
    print("path", [p for p in sys.path if p in ("", os.getcwd()) or "build_systems" in p])
    name = "demo_pkg-1.0-py3-none-any.whl"
    info, data = "demo_pkg-1.0.dist-info", "demo_pkg-1.0.data"
    files = {
        "demo_pkg/__init__.py": "def main():\\n    print('demo works', __file__)\\n",
        "demo_pkg/sets.py": "x = 1 in {'a', 'b', 'c', 'd', 'e'}\\n",
        "demo_pkg/template.py": "{{ no python }}\\n",
        f"{data}/scripts/demo-script": "#!python\\nprint('script')\\n",
        f"{data}/scripts/demo.sh": "#!/bin/sh\\necho shell\\n",
        f"{data}/data/share/demo/x.txt": os.environ.get("EXTRA_TEXT", "data"),
        f"{data}/headers/demo.h": "#define DEMO\\n",
        f"{data}/platlib/native.py": "y = 1\\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: demo-pkg\\nVersion: 1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\n"
        "Tag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[console_scripts]\\ndemo = demo_pkg:main\\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record += f"{path},sha256={digest.rstrip(b'=').decode()},{len(text)}\\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for path, text in files.items():
            item = zipfile.ZipInfo(path)
            item.external_attr = (0o100755 if "scripts" in path else 0o100644) << 16
            archive.writestr(item, text)
    return name
"""

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture
def tools(workspace: Any) -> tuple[ConcreteSpec, ConcreteSpec]:
    """Python and an installed python-venv."""
    python = workspace.python()
    return python, workspace.python_venv(python)


def demo(workspace: Any, tools: Any, body: str = "", **parts: Any) -> ConcreteSpec:
    """Return a node of the demonstration package."""
    python, venv = tools
    workspace.recipe(
        "py-demo",
        "from spack_repo.builtin.build_systems.python import PythonPackage\n"
        "class PyDemo(PythonPackage):\n"
        '    pypi = "demo-pkg/demo_pkg-1.0.tar.gz"\n'
        '    version("1.0")\n' + textwrap.indent(textwrap.dedent(body), "    "),
    )
    return workspace.node(
        "py-demo",
        "1.0",
        (python, "build run"),
        (venv, "build run"),
        variants={"build_system": "python_wheel"},
        **parts,
    )


def tree(workspace: Any, backend: str = BACKEND, pyproject: str = PYPROJECT) -> Path:
    source: Path = workspace.source("demo")
    source.mkdir(parents=True, exist_ok=True)
    (source / "pyproject.toml").write_text(pyproject)
    (source / "backend.py").write_text(backend)
    return source


def snapshot(prefix: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(prefix)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in sorted(prefix.rglob("*"))
        if path.is_file() and ".spack" not in path.parts
    }


def test_files_go_where_python_venv_says(workspace: Any, tools: Any) -> None:
    spec = demo(workspace, tools)
    prefix = workspace.install(spec, tree(workspace))
    modes = {path: oct(mode) for path, (mode, _) in snapshot(prefix).items()}
    info = f"{SITE}/demo_pkg-1.0.dist-info"
    version = SITE.split("/")[1]
    assert modes == {
        "bin/demo": "0o755",
        "bin/demo-script": "0o755",
        "bin/demo.sh": "0o755",
        f"include/site/{version}/demo-pkg/demo.h": "0o644",
        "share/demo/x.txt": "0o644",
        f"{SITE}/native.py": "0o644",
        f"{SITE}/__pycache__/native.{TAG}.pyc": "0o644",
        f"{SITE}/demo_pkg/__init__.py": "0o644",
        f"{SITE}/demo_pkg/sets.py": "0o644",
        f"{SITE}/demo_pkg/template.py": "0o644",
        f"{SITE}/demo_pkg/__pycache__/__init__.{TAG}.pyc": "0o644",
        f"{SITE}/demo_pkg/__pycache__/sets.{TAG}.pyc": "0o644",
        **{
            f"{info}/{name}": "0o644"
            for name in (
                "INSTALLER",
                "METADATA",
                "RECORD",
                "REQUESTED",
                "WHEEL",
                "entry_points.txt",
            )
        },
    }
    assert (prefix / info / "INSTALLER").read_text() == "spack\n"


def test_record_is_true(workspace: Any, tools: Any) -> None:
    prefix = workspace.install(demo(workspace, tools), tree(workspace))
    with (prefix / SITE / "demo_pkg-1.0.dist-info" / "RECORD").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == sorted(rows)
    named = set()
    for path, digest, size in rows:
        file = prefix / SITE / path
        named.add(file.resolve())
        if not path.endswith((".pyc", "/RECORD")):
            data = file.read_bytes()
            encoded = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
            assert (digest, size) == (f"sha256={encoded.decode()}", str(len(data)))
    on_disk = {p.resolve() for p in prefix.rglob("*") if p.is_file() and ".spack" not in p.parts}
    assert named == on_disk


def test_scripts_run_with_the_interpreter_of_python_venv(workspace: Any, tools: Any) -> None:
    spec = demo(workspace, tools)
    prefix = workspace.install(spec, tree(workspace))
    interpreter = workspace.prefix(tools[1]) / "bin" / "python3"
    for name in ("demo", "demo-script"):
        assert (prefix / "bin" / name).read_text().startswith(f"#!{interpreter}\n")
    environment = {"PYTHONPATH": str(prefix / SITE), "PATH": "/usr/bin:/bin"}
    text = subprocess.check_output([str(prefix / "bin" / "demo")], text=True, env=environment)
    assert text.split()[:2] == ["demo", "works"]
    assert text.split()[2] == str(prefix / SITE / "demo_pkg" / "__init__.py")


def test_bytecode_is_bound_to_the_source_alone(workspace: Any, tools: Any) -> None:
    prefix = workspace.install(demo(workspace, tools), tree(workspace))
    data = (prefix / SITE / "demo_pkg" / "__pycache__" / f"__init__.{TAG}.pyc").read_bytes()
    assert int.from_bytes(data[4:8], "little") == 1, "an unchecked hash"
    assert os.fsencode(str(workspace.tmp)) not in data
    assert os.fsencode(f"{SITE}/demo_pkg/__init__.py") in data


def test_two_builds_are_the_same(workspace: Any, tools: Any) -> None:
    spec = demo(workspace, tools)
    found = []
    for number in range(2):
        old = os.umask((0o077, 0o002)[number])
        try:
            prefix = workspace.prefix(spec).with_name(f"copy{number}")
            workspace.prefixes[spec.dag_hash()] = str(prefix)
            stage = str(workspace.tmp / f"stage{number}" / ("x" * (number + 1)))
            workspace.install(spec, tree(workspace), stage_path=stage)
        finally:
            os.umask(old)
        found.append(snapshot(prefix))
    assert found[0] == found[1]


def test_settings_and_the_environment_of_hooks(workspace: Any, tools: Any) -> None:
    body = """
    def config_settings(self, spec, prefix):
        return {"a": {"b": 1, "c": 2}, "d": "e"}

    def global_options(self, spec, prefix):
        return ["--quiet"]

    @run_before("install")
    def before(self):
        with open("backend.py", "a") as stream:
            stream.write("print('the recipe was here')")
    """
    spec = demo(workspace, tools, body)
    workspace.install(spec, tree(workspace))
    log = workspace.logs["py-demo"].read_text()
    assert 'settings {"--global-option": ["--quiet"], "a": ["b=1", "c=2"], "d": "e"}' in log
    assert "path []" in log
    assert "the recipe was here" in log


@pytest.mark.parametrize(
    ("backend", "pyproject", "message"),
    [
        ("import nothing_of_the_kind", PYPROJECT, "the build backend backend cannot be imported"),
        ("", PYPROJECT, "build_wheel of backend failed (1)"),
        ("import os\ndef build_wheel(*a): os.abort()", PYPROJECT, "failed (signal 6)"),
        ("", "[build-system\n", "pyproject.toml: "),
        ("", "[build-system]\nrequires = 'a'\n", "[build-system] is not as PEP 518 wants it"),
        (
            "def build_wheel(d, *a):\n    open(d + '/a-1-py3-none-any.whl', 'w')\n"
            "    return 'a-1-py3-none-any.whl'",
            PYPROJECT,
            "a-1-py3-none-any.whl cannot be installed: File is not a zip file",
        ),
        (
            BACKEND.replace("demo_pkg/sets.py", "../../../x.py"),
            PYPROJECT,
            "outside of its directories",
        ),
        (
            BACKEND.replace('f"{data}/platlib/native.py"', 'f"{data}/platlib/demo_pkg/sets.py"'),
            PYPROJECT,
            f"two files for {SITE}/demo_pkg/sets.py",
        ),
    ],
)
def test_what_goes_wrong(
    workspace: Any, tools: Any, backend: str, pyproject: str, message: str
) -> None:
    result = workspace.build(demo(workspace, tools), tree(workspace, backend, pyproject))
    assert result.failure is not None
    text = f"{result.failure.message}\n{result.failure.long_message}"
    assert message in text, (text, workspace.logs["py-demo"].read_text())


def test_of_a_backend_that_cannot_be_imported_the_cause_is_shown(
    workspace: Any, tools: Any
) -> None:
    result = workspace.build(
        demo(workspace, tools), tree(workspace, "import nothing_of_the_kind", PYPROJECT)
    )
    lines = result.failure.long_message.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.split('"')[1].rpartition("/")[2] for line in lines if 'File "' in line] == [
        "backend.py"
    ]
    assert lines[-1] == "ModuleNotFoundError: No module named 'nothing_of_the_kind'"


def test_nothing_to_build(workspace: Any, tools: Any) -> None:
    source = workspace.source("empty", readme="nothing")
    result = workspace.build(demo(workspace, tools), source)
    assert result.failure is not None
    assert "neither pyproject.toml nor setup.py" in result.failure.message


def test_a_wheel_is_built_once(workspace: Any, tools: Any) -> None:
    spec = demo(workspace, tools, package_hash="abc")
    archive = workspace.tmp / "demo_pkg-1.0.tar.gz"
    archive.write_bytes(b"the sources")
    options = {"archive_file": str(archive), "wheels": str(workspace.tmp / "wheels")}
    first = snapshot(workspace.install(spec, tree(workspace), **options))
    workspace.prefixes[spec.dag_hash()] = str(workspace.tmp / "elsewhere")
    again = snapshot(workspace.install(spec, tree(workspace, "raise Exception"), **options))
    assert again == first
    archive.write_bytes(b"other sources")
    workspace.prefixes[spec.dag_hash()] = str(workspace.tmp / "third")
    assert not workspace.build(spec, tree(workspace, "raise Exception"), **options).ok


def test_a_wheel_that_names_its_build_is_not_kept(workspace: Any, tools: Any) -> None:
    spec = demo(
        workspace,
        tools,
        "def setup_build_environment(self, env):\n    env.set('EXTRA_TEXT', self.prefix)\n",
        package_hash="abc",
    )
    archive = workspace.tmp / "demo_pkg-1.0.tar.gz"
    archive.write_bytes(b"the sources")
    wheels = workspace.tmp / "wheels"
    workspace.install(spec, tree(workspace), archive_file=str(archive), wheels=str(wheels))
    assert not wheels.exists()


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("demo_pkg/__init__.py", "other", "demo_pkg/__init__.py is not what RECORD says"),
        ("demo_pkg/more.py", "", "demo_pkg/more.py is not in RECORD"),
        ("../../../evil.py", "", "'../../../evil.py' would land outside"),
        ("/evil.py", "", "'/evil.py' is an absolute name"),
        ("demo_pkg/a\nb.py", "", "has control characters"),
        ("n" * 300, "", "has a part of more than 255 bytes"),
        ("demo_pkg/zeros", "bomb", "unpacks to far more than its size"),
    ],
)
def test_a_fetched_wheel_is_what_its_record_says(
    workspace: Any, tools: Any, path: str, text: str, message: str
) -> None:
    source = tree(workspace)
    code = "import backend; backend.build_wheel('.')"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, stdin=subprocess.DEVNULL)
    good = source / "demo_pkg-1.0-py3-none-any.whl"
    spec = demo(workspace, tools)
    assert workspace.install(spec, source, archive_file=str(good)).exists()
    bad = workspace.tmp / good.name
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), path}:
            new.writestr(name, text if name == path else old.read(name))
            if name == path and text == "bomb":
                new.infolist()[-1].file_size = 1 << 30  # what it says that it unpacks to
    workspace.prefixes[spec.dag_hash()] = str(workspace.tmp / "elsewhere")
    result = workspace.build(spec, source, archive_file=str(bad))
    assert result.failure is not None
    assert message in result.failure.message
    assert not list(workspace.tmp.rglob("evil*"))

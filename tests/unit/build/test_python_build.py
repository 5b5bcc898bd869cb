"""Python packages: the build's virtual environment, pip, and what is left in the prefix."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spack.spec import ConcreteSpec

from .conftest import BACKEND, pip_tree

SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


@pytest.fixture
def tools(workspace: Any) -> tuple[ConcreteSpec, ConcreteSpec, ConcreteSpec]:
    """python, an installed python-venv and a pip that was put there."""
    python = workspace.python()
    venv = workspace.python_venv(python)
    workspace.recipe(
        "py-pip",
        """
        from spack_repo.builtin.build_systems.generic import Package
        class PyPip(Package):
            version("23.1")
            has_code = False
            extends("python")
            def install(self, spec, prefix): pass
        """,
    )
    pip = workspace.node(
        "py-pip",
        "23.1",
        (venv, "build run"),
        (python, "build run"),
        variants={"build_system": "generic"},
    )
    pip_tree(workspace.prefix(pip) / SITE)
    return python, venv, pip


def demo(workspace: Any, tools: Any, body: str = "", **variants: Any) -> ConcreteSpec:
    """Return a node of the demonstration package."""
    python, venv, pip = tools
    workspace.recipe(
        "py-demo",
        f"""
from spack_repo.builtin.build_systems.python import PythonPackage
class PyDemo(PythonPackage):
    pypi = "demo-pkg/demo_pkg-1.0.tar.gz"
    version("1.0")
{body}
""",
    )
    return workspace.node(
        "py-demo",
        "1.0",
        (python, "build run"),
        (venv, "build run"),
        (pip, "build"),
        variants={"build_system": "python_pip", **variants},
    )


def demo_source(workspace: Any) -> Path:
    return workspace.source(
        "demo",
        pyproject_dot_toml="""
            [build-system]
            requires = []
            build-backend = "backend"
            backend-path = ["."]
            [project]
            name = "demo-pkg"
            version = "1.0"
        """,
        backend_dot_py=BACKEND,
        demo_pkg_dot_py="def main():\n    print('demo works')\n",
    )


def test_the_python_venv_recipe_makes_a_venv_without_the_venv_module(workspace: Any) -> None:
    python = workspace.python()
    prefix = workspace.prefix(workspace.python_venv(python))
    program = "import sys; print(sys.prefix, sys.prefix != sys.base_prefix, sys.path[-1])"
    interpreter = str(prefix / "bin" / "python3")
    text = subprocess.run(
        [interpreter, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert text.split() == [str(prefix), "True", str(prefix / SITE)]
    config = (prefix / "pyvenv.cfg").read_text()
    assert "include-system-site-packages = false" in config
    assert (prefix / ".spack" / "python.json").exists()


@pytest.mark.parametrize("system", [False, True])
def test_the_venv_of_the_system_python(workspace: Any, system: bool) -> None:
    """Debian's has a patched layout, and neither ensurepip nor templates of activate scripts."""
    executable = "/usr/bin/python3"
    if not os.path.exists(executable):
        pytest.skip("the system has no python3")
    prefix = workspace.prefix(workspace.python_venv(workspace.python(executable), system=system))
    program = (
        "import sys, sysconfig; print(sys.prefix, sysconfig.get_path('purelib'),"
        " any('dist-packages' in p for p in sys.path))"
    )
    command = [str(prefix / "bin" / "python3"), "-c", program]
    found, purelib, visible = subprocess.check_output(command, text=True).split()
    assert found == str(prefix)
    assert purelib.startswith(f"{prefix}/lib/python3.") and purelib.endswith("/site-packages")
    assert os.path.isdir(purelib)
    debian = os.path.isdir("/usr/lib/python3/dist-packages")
    assert visible == str(system and debian)


def test_a_python_package_is_built_with_pip(workspace: Any, tools: Any) -> None:
    spec = demo(workspace, tools)
    prefix = workspace.install(spec, demo_source(workspace))
    venv_python = str(workspace.prefix(tools[1]) / "bin" / "python3")

    installed = sorted(
        str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()
    )
    info = f"{SITE}/demo_pkg-1.0.dist-info"
    assert [x for x in installed if not x.endswith(".pyc")] == [
        "bin/demo",
        "bin/demo-script",
        f"{SITE}/demo_pkg-1.0.dist-info/INSTALLER",
        f"{info}/METADATA",
        f"{info}/RECORD",
        f"{info}/REQUESTED",
        f"{info}/WHEEL",
        f"{info}/entry_points.txt",
        f"{SITE}/demo_pkg/__init__.py",
    ]
    for script in ("demo", "demo-script"):
        text = (prefix / "bin" / script).read_text()
        assert venv_python in text and str(prefix / "bin" / "python") not in text
    assert (prefix / info / "INSTALLER").read_text() == "spack\n"
    assert not (prefix / "pyvenv.cfg").exists()
    _check_record(prefix, info)


def _check_record(prefix: Path, info: str) -> None:
    with (prefix / info / "RECORD").open(newline="") as stream:
        rows = list(csv.reader(stream))
    names = {row[0] for row in rows}
    assert not [name for name in names if "direct_url" in name]
    for name, digest, size in rows:
        path = prefix / SITE / name
        assert path.exists(), name
        if digest:
            data = path.read_bytes()
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
            assert digest == "sha256=" + found.decode(), name
            assert int(size) == len(data)


def test_the_build_sees_its_requirements_and_nothing_else(workspace: Any, tools: Any) -> None:
    spec = demo(
        workspace,
        tools,
        """
    def install(self, spec, prefix):
        program = "import sys, json, pip; print(json.dumps([sys.prefix, sys.path]))"
        text = python("-c", program, output=str)
        command = spec["python"].command("-c", program, output=str)
        assert text == command
        mkdirp(prefix.share)
        with open(prefix.share.join("seen.json"), "w") as stream:
            stream.write(text)
        with open(prefix.share.join("platlib"), "w") as stream:
            stream.write(python_platlib)
""",
    )
    import json

    prefix = workspace.install(spec, demo_source(workspace))
    seen_prefix, path = json.loads((prefix / "share" / "seen.json").read_text())
    assert seen_prefix == str(prefix)
    sites = [entry for entry in path if entry.endswith(("site-packages", "dist-packages"))]
    assert sites == [str(prefix / SITE), str(workspace.prefix(tools[2]) / SITE)]
    assert (prefix / "share" / "platlib").read_text() == str(prefix / SITE)


def test_a_backend_that_fails_shows_its_own_error(workspace: Any, tools: Any) -> None:
    source = demo_source(workspace)
    (source / "backend.py").write_text(
        "def build_wheel(*args, **kwargs):\n"
        "    raise ValueError('the version cannot be read from nowhere')\n"
    )
    failure = workspace.build(demo(workspace, tools), source).failure
    assert failure.phase == "install"
    assert any("the version cannot be read from nowhere" in line for line in failure.excerpt)
    assert not any("site-packages/pip/" in line for line in failure.excerpt)


def test_scripts_of_requirements_run_in_the_build(workspace: Any, tools: Any) -> None:
    _, venv, pip = tools
    tool = workspace.prefix(pip) / "bin" / "tool"
    tool.parent.mkdir()
    interpreter = workspace.prefix(venv) / "bin" / "python3"
    tool.write_text(f"#!{interpreter}\nimport sys, pip\nprint(sys.prefix)\n")
    tool.chmod(0o755)
    spec = demo(
        workspace,
        tools,
        """
    def install(self, spec, prefix):
        mkdirp(prefix.share)
        Executable("tool")(output=str(prefix.share.join("tool.txt")))
""",
    )
    prefix = workspace.install(spec, demo_source(workspace))
    assert (prefix / "share" / "tool.txt").read_text().strip() == str(prefix)


def test_tests_at_install_time_import_the_modules(workspace: Any, tools: Any) -> None:
    spec = demo(workspace, tools)
    workspace.install(spec, demo_source(workspace), run_tests=True)
    assert "import modules" in workspace.logs["py-demo"].read_text()


def test_a_module_that_does_not_import_fails_the_tests(workspace: Any, tools: Any) -> None:
    source = demo_source(workspace)
    (source / "demo_pkg.py").write_text("import surely_not_there\n")
    result = workspace.build(demo(workspace, tools), source, run_tests=True)
    assert not result.ok
    assert "test_imports" in result.failure.message
    assert any("surely_not_there" in line for line in result.failure.excerpt)


def test_a_package_with_python_tools_gets_a_venv_in_its_stage(workspace: Any, tools: Any) -> None:
    python, _, pip = tools
    workspace.recipe(
        "uses-python",
        """
        from spack_repo.builtin.build_systems.generic import Package
        class UsesPython(Package):
            version("1")
            def install(self, spec, prefix):
                mkdirp(prefix)
                program = "import sys, pip; print(sys.prefix)"
                spec["python"].command("-c", program, output=str(prefix.join("seen")))
        """,
    )
    spec = workspace.node(
        "uses-python", "1", (pip, "build"), (python, "build"), variants={"build_system": "generic"}
    )
    prefix = workspace.install(spec, workspace.source("uses", text=""))
    assert (prefix / "seen").read_text().strip() == str(
        workspace.tmp / "stage/uses-python/build-venv"
    )
    assert sorted(os.listdir(prefix)) == ["seen"]


def test_the_environment_of_an_installed_package_leaves_its_prefix_alone(
    workspace: Any, tools: Any
) -> None:
    spec = demo(workspace, tools)
    prefix = workspace.install(spec, demo_source(workspace))
    before = sorted(prefix.rglob("*"))
    result = workspace.build(spec, demo_source(workspace), task="environment")
    assert result.ok and "build-venv" in result.environment["PATH"]
    assert sorted(prefix.rglob("*")) == before

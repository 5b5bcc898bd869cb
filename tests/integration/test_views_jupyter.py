"""A kernel that a package of the store has is started from the view by a real jupyter_client.

pyzmq and other ones in C come as wheels of the index: what is tested is the view, not their build.
The kernelspec is written by ipykernel's own installer, with the absolute path of the store's
Python.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kits.recipe_repository import RecipeRepository

if TYPE_CHECKING:
    from kits.command import Command

pytestmark = pytest.mark.slow

LINK_TYPES = ("symlink", "hardlink", "copy")

RECIPE = '''\
from spack_repo.builtin.build_systems.python import PythonExtension
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class PyKernel(Package, PythonExtension):
    """ipykernel and jupyter_client with all they need, and a kernelspec."""

    has_code = False
    version("1.0")
    extends("python")
    depends_on("py-pip", type="build")

    def install(self, spec, prefix):
        python = spec["python"].command
        options = ["--no-index", "--find-links={wheels}", "--prefix=" + prefix]
        python("-m", "pip", "install", *options, "ipykernel", "jupyter_client")
        site = join_path(prefix, spec["python"].package.purelib)
        python.add_default_env("PYTHONPATH", site)
        python("-m", "ipykernel", "install", "--prefix=" + prefix, "--name=spacked")
'''

#: Starts the kernel, has it compute, and says which Python it was.
CLIENT = """\
import sys
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="spacked", startup_timeout=120)
try:
    for code in ("1+1", "import sys; sys.prefix"):
        asked = client.execute(code)
        while True:
            message = client.get_iopub_msg(timeout=120)
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] in ("execute_result", "error"):
                print(message["content"]["data"]["text/plain"])
                break
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


def test_a_kernel_starts_from_a_moved_view(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    spack.let_builds_read(wheels)
    recipes.write("py-kernel", RECIPE.format(wheels=wheels))
    location = tmp_path / "env"
    location.mkdir()
    views = "".join(f"    {name}: {{root: {name}, link_type: {name}}}\n" for name in LINK_TYPES)
    manifest = location / "spack.yaml"
    manifest.write_text(f"spack:\n  specs: [py-pip]\n  view:\n{views}")
    spack("-e", location, "install")
    download = [
        str(location / "copy/bin/pip"),
        "download",
        "--quiet",
        "--only-binary=:all:",
        "-d",
        str(wheels),
    ]
    network = dict(spack.environ)
    subprocess.run([*download, "ipykernel", "jupyter_client"], env=network, check=True)
    spack("-e", location, "add", "py-kernel")
    spack("-e", location, "install")
    moved = tmp_path / 'it\'s "moved" $x'
    location.rename(moved)
    client = tmp_path / "client.py"
    client.write_text(CLIENT)
    for name in LINK_TYPES:
        view = moved / name
        spec = json.loads((view / "share/jupyter/kernels/spacked/kernel.json").read_text())
        assert spec["argv"][0] == "python3" and "ipykernel_launcher" in spec["argv"]
        done = subprocess.run(
            [view / "bin/python", client],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "LC_ALL": "C.UTF-8"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["2", repr(str(view))]
        listed = subprocess.run(
            [view / "bin/jupyter-kernelspec", "list", "--json"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
        )
        found = json.loads(listed.stdout)["kernelspecs"]["spacked"]["resource_dir"]
        assert found == str(view / "share/jupyter/kernels/spacked")

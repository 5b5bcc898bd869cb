"""A repository of test recipes, and archives for them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import textwrap
from collections.abc import Mapping
from pathlib import Path


class RecipeRepository:
    """A repository of recipes, and archives for them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.archives = root / "archives"
        self.archives.mkdir(parents=True)
        (root / "packages").mkdir()
        (root / "repo.yaml").write_text("repo:\n  namespace: tiny\n  api: v2.2\n")

    def path(self, name: str) -> Path:
        return self.root / "packages" / name.replace("-", "_") / "package.py"

    def write(self, name: str, text: str) -> Path:
        """Return a recipe as it is given."""
        path = self.path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def add(self, name: str, body: str, base: str = "Package") -> Path:
        """Return a recipe with the usual first lines; *body* is indented as the class wants it."""
        module = {
            "AutotoolsPackage": "autotools",
            "CMakePackage": "cmake",
            "MakefilePackage": "makefile",
            "MesonPackage": "meson",
            "Package": "generic",
            "PythonPackage": "python",
        }[base]
        title = "".join(part.capitalize() for part in name.split("-"))
        return self.write(
            name,
            f"from spack_repo.builtin.build_systems.{module} import {base}\n\n"
            "from spack.package import *\n\n\n"
            f"class {title}({base}):\n"
            f'    """For tests."""\n\n' + textwrap.indent(textwrap.dedent(body), "    "),
        )

    def plain(self, name: str, *needs: str, install: str = "", version: str = "1.0") -> Path:
        """Return a package without sources that installs ``bin/<name>``, after *install*."""
        return self.add(
            name,
            "has_code = False\n"
            f'version("{version}")\n'
            + "".join(f'depends_on("{need}", type=("build", "run"))\n' for need in needs)
            + "\ndef install(self, spec, prefix):\n"
            + textwrap.indent(textwrap.dedent(install), "    ")
            + "    mkdirp(prefix.bin)\n"
            + f'    with open(prefix.bin.join("{name}"), "w") as stream:\n'
            + f'        stream.write("#!/bin/sh\\necho {name} {version}\\n")\n'
            + f'    set_executable(prefix.bin.join("{name}"))\n',
        )

    def tool(self) -> Path:
        """``py-tool``: a module ``tool``, a script of that name and a Jupyter kernel."""
        return self.write("py-tool", TOOL)

    def archive(self, name: str, files: Mapping[str, str]) -> str:
        """Make ``<name>.tar.gz`` and gives what ``version()`` needs: url and checksum."""
        path = self.archives / f"{name}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for file, text in files.items():
                data = textwrap.dedent(text).encode()
                member = tarfile.TarInfo(f"{name}/{file}")
                member.size = len(data)
                member.mode = 0o755 if data.startswith(b"#!") else 0o644
                archive.addfile(member, io.BytesIO(data))
        return f'url="file://{path}", sha256="{self.checksum(path)}"'

    @staticmethod
    def checksum(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def c_program(self, name: str, source: str, *needs: str, version: str = "1.0") -> Path:
        """Return a program in C with a Makefile."""
        source_of = self.archive(
            f"{name}-{version}", {"main.c": source, "Makefile": MAKEFILE.format(name=name)}
        )
        return self.add(
            name,
            f'version("{version}", {source_of})\n'
            'depends_on("c", type="build")\n'
            + "".join(f'depends_on("{need}", type=("build", "run"))\n' for need in needs)
            + "\n@property\ndef install_targets(self):\n"
            + '    return ["install", "prefix=" + self.prefix]\n',
            base="MakefilePackage",
        )

    def store_python(self, prefix: Path, version: str) -> Path:
        """Return a Python that is installed in the store, from the one at *prefix*."""
        name = f"python{version.rpartition('.')[0]}"
        text = OWN_PYTHON.format(version=version, prefix=prefix, name=name)
        return self.write("python", text)

    def python_project(self, name: str, files: Mapping[str, str], backend: str = "") -> Path:
        """Return a Python project that needs nothing but pip: its build backend is in its tree.

        :param backend: statements that run first in ``build_wheel``.
        """
        source_of = self.archive(
            f"{name}-1.0",
            {
                "pyproject.toml": PYPROJECT,
                "backend.py": BACKEND.format(
                    name=name, first=textwrap.indent(textwrap.dedent(backend), "    ")
                ),
                **files,
            },
        )
        return self.add(f"py-{name}", f'version("1.0", {source_of})\n', base="PythonPackage")


TOOL = '''\
from spack_repo.builtin.build_systems.python import PythonExtension
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class PyTool(Package, PythonExtension):
    """Modules, a script and a Jupyter kernel."""

    has_code = False
    version("1.0")
    extends("python")

    def install(self, spec, prefix):
        python = spec["python"].command.path
        site = join_path(prefix, spec["python"].package.purelib)
        mkdirp(site, prefix.bin, prefix.share.jupyter.kernels.tool)
        with open(join_path(site, "tool.py"), "w") as stream:
            stream.write("X = 42\\n")
        with open(prefix.bin.tool, "w") as stream:
            stream.write(f"#!{python}\\n")
            stream.write("from __future__ import annotations\\n")
            stream.write("import sys, tool; print(tool.X, sys.prefix)\\n")
        set_executable(prefix.bin.tool)
        with open(prefix.share.jupyter.kernels.tool.join("kernel.json"), "w") as stream:
            stream.write('{"argv": ["%s", "-c", "import sys, tool; print(sys.argv[1:])", ' % python)
            stream.write('"{connection_file}"], "display_name": "Tool", "language": "python"}')
'''

#: A Python in the store: a copy of the prefix of one that has a prefix of its own.
OWN_PYTHON = '''\
import os
import shutil

from spack_repo.venv.packages.python.package import Python as Base

from spack.package import *


class Python(Base):
    """A copy of an interpreter."""

    has_code = False
    version("{version}")

    def install(self, spec, prefix):
        source, name = "{prefix}", "{name}"
        leave = shutil.ignore_patterns("test", "idlelib", "__pycache__", "site-packages", "*.a")
        mkdirp(prefix.bin, prefix.lib)
        shutil.copy2(join_path(source, "bin", name), prefix.bin)
        os.symlink(name, prefix.bin.python3)
        shutil.copytree(join_path(source, "lib", name), prefix.lib.join(name), ignore=leave)
        mkdirp(prefix.lib.join(name).join("site-packages"))
        for file in os.listdir(join_path(source, "lib")):
            if file.startswith("libpython"):
                shutil.copy2(join_path(source, "lib", file), prefix.lib, follow_symlinks=False)
        old, new = os.fsencode(join_path(source, "lib")), b"$ORIGIN/../lib"
        for path in [prefix.bin.join(name), *find(prefix.lib, "libpython*.so*", recursive=False)]:
            with open(path, "rb") as stream:
                content = stream.read()
            content = content.replace(old + b"\\0", new + b"\\0" * (len(old) - len(new) + 1))
            mode = os.stat(path).st_mode
            os.unlink(path)
            with open(path, "wb") as stream:
                stream.write(content)
            os.chmod(path, mode)
'''

MAKEFILE = """\
CC ?= cc
{name}: main.c
\t$(CC) -o {name} main.c
install: {name}
\tmkdir -p $(prefix)/bin
\tcp {name} $(prefix)/bin
"""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = '''\
"""Makes a wheel of all .py files but itself (PEP 517), with the standard library only."""

import os
import zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
{first}
    wheel = "{name}-1.0-py3-none-any.whl"
    info = "{name}-1.0.dist-info/"
    files = {{
        info + "METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\n"
        "Tag: py3-none-any\\n",
    }}
    for name in os.listdir("."):
        if name.endswith(".py") and name != "backend.py":
            with open(name) as stream:
                files[name] = stream.read()
    record = info + "RECORD"
    files[record] = "".join(name + ",,\\n" for name in [*files, record])
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel
'''

"""Scripts, launchers, data files and run environments that name the store, in a view that moves."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

#: First lines of scripts by name; ``{python}`` is the store's, as a recipe writes it.
HEADERS = {
    "plain": "#!{python}",
    "minor": "#!{directory}/python3.{minor} -s",
    "options": "#!{directory}/python -X utf8 -W ignore",
    "by-env": "#!/usr/bin/env python3",
    "env-python": "#!/bin/env python",
    "env-minor": "#! /usr/bin/env python3.{minor}",
    "env-path": "#!/usr/bin/env {python}",
    "env-split": "#!/usr/bin/env -S python3 -E",
    "split-path": "#!/usr/bin/env -S {python} -s",
    "split-set": "#!/usr/bin/env -S -u FOO BAR=1 python3",
    "split-letters": "#!/usr/bin/env -vS python3",
    "split-long": "#!/usr/bin/env --split-string=python3 -s",
    "base": "#!/usr/bin/python3",
    "crlf": "#!{python}\r",
    "trampoline": "#!/bin/sh\n'''exec' \"{python}\" -s \"$0\" \"$@\"\n' '''",
    "both": '#!/bin/sh\n"exec" "{python}" "$0" "$@"',
    "both-text": "#!/bin/sh\n'''':\nexec {python} \"$0\" \"$@\"\n'''",
}

#: Bodies of launchers by name.
LAUNCHERS = {
    "of-sh": 'exec {python} -m tool "$@"',
    "sh-variable": "PYTHON='{python}'\nexec \"$PYTHON\" -m tool",
    "sh-default": ': "${{PY:={python}}}"\n"$PY" -m tool',
    "sh-here": "{python} - <<E\nimport tool\nE\n",
    "sh-prefix": 'exec {prefix}/libexec/run-tool "$@"',
    "sh-python-prefix": 'exec {python} {prefix}/libexec/run-tool "$@"',
}

#: What only can be reported.
REPORTED = {
    "of-csh": "#!/bin/csh\nexec {python} -m tool\n",
    "sh-here-path": "#!/bin/sh\ncat <<E | sh\n{python} -m tool\nE\n",
}

RECIPE = """\
import json
import os

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *

HEADERS, LAUNCHERS, REPORTED = {headers!r}, {launchers!r}, {reported!r}


class PyTool(Package):
    \"\"\"Texts that name the store.\"\"\"

    has_code = False
    version("1.0")
    extends("python")

    def setup_run_environment(self, env):
        env.set("T_MIDDLE", "x:" + self.prefix.share + ":y")
        env.set("T_OPTIONS", f"-I{{self.prefix.share}} -L{{self.prefix.bin}}")
        env.append_flags("T_FLAGS", "--dir=" + self.prefix.share)
        env.set("T_PYTHON", self.spec["python"].command.path)
        env.set("T_OTHER", self.prefix + "-data/share")

    def install(self, spec, prefix):
        python = spec["python"].command.path
        names = dict(python=python, prefix=prefix, directory=os.path.dirname(python))
        names["minor"] = spec["python"].version[1]
        mkdirp(python_purelib, prefix.bin, prefix.libexec, prefix.share.applications)
        mkdirp(prefix.share.jupyter.kernels.tool, prefix.lib.pkgconfig)

        def write(path, text):
            with open(path, "w", newline="") as stream:
                stream.write(text)

        write(join_path(python_purelib, "tool.py"), "import sys; print('tool', sys.prefix)\\n")
        for name, text in HEADERS.items():
            write(prefix.bin.join(name), text.format(**names) + "\\nimport tool\\n")
        for name, text in LAUNCHERS.items():
            write(prefix.bin.join(name), "#!/bin/sh\\n" + text.format(**names) + "\\n")
        for name, text in REPORTED.items():
            write(prefix.bin.join(name), text.format(**names))
        write(prefix.libexec.join("run-tool"), f"#!{{python}}\\nimport tool\\n")
        for name in [*HEADERS, *LAUNCHERS, *REPORTED]:
            set_executable(prefix.bin.join(name))
        set_executable(prefix.libexec.join("run-tool"))
        kernel = dict(argv=[python, "-m", "tool"], env=dict(P=python), display_name="T")
        write(prefix.share.jupyter.kernels.tool.join("kernel.json"), json.dumps(kernel))
        write(
            prefix.share.applications.join("t.desktop"),
            f"[Desktop Entry]\\nExec={{prefix}}/bin/plain %f\\n",
        )
        write(prefix.lib.pkgconfig.join("t.pc"), f"python={{python}}\\n")
"""


def test_texts_of_a_moved_view(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    words = {"headers": HEADERS, "launchers": LAUNCHERS, "reported": REPORTED}
    recipes.write("py-tool", RECIPE.format(**words))
    (tmp_path / "e").mkdir()
    (tmp_path / "e/spack.yaml").write_text("spack:\n  specs: [py-tool]\n  view: view\n")
    spack("-e", tmp_path / "e", "install")
    view = (tmp_path / "e/view").rename(tmp_path / "moved away")
    broken = {}
    for name in (*HEADERS, *LAUNCHERS):
        done = subprocess.run(
            [str(view / "bin" / name)],
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        if done.stdout != f"tool {view}\n":
            broken[name] = done
    assert not broken
    status = spack("view", "status", view).out
    limited = {line.split()[1] for line in status.splitlines() if "limited" in line}
    assert limited == {f"bin/{name}" for name in REPORTED}
    kernel = json.loads((view / "share/jupyter/kernels/tool/kernel.json").read_text())
    assert kernel["argv"][0] == kernel["env"]["P"] == "python3"
    assert "Exec=plain %f" in (view / "share/applications/t.desktop").read_text()
    assert "python=${pcfiledir}/../../bin/python3" in (view / "lib/pkgconfig/t.pc").read_text()
    shell = f'. "{view}/bin/activate"; env -0'
    listed = subprocess.check_output(["sh", "-c", shell], env={"PATH": "/usr/bin:/bin"})
    found = dict(x.partition("=")[::2] for x in os.fsdecode(listed).split("\0"))
    assert found["T_MIDDLE"] == f"x:{view}/share:y"
    assert found["T_OPTIONS"] == f"-I{view}/share -L{view}/bin"
    assert found["T_FLAGS"] == f"--dir={view}/share"
    assert found["T_PYTHON"] == f"{view}/bin/python3"
    assert found["T_OTHER"] == f"{spack.prefix('py-tool')}-data/share"


def test_launchers_of_dependencies_run_in_builds(spack: Command, recipes: RecipeRepository) -> None:
    """With the interpreter of the build, which sees what it depends on."""
    words = {"headers": HEADERS, "launchers": LAUNCHERS, "reported": {}}
    recipes.write("py-tool", RECIPE.format(**words))
    names = [
        name
        for name in (*HEADERS, *LAUNCHERS)
        if name not in ("base", "sh-prefix", "sh-python-prefix")
    ]
    recipes.add(
        "py-user",
        f"""\
        has_code = False
        version("1.0")
        extends("python")
        depends_on("py-tool", type="build")

        def install(self, spec, prefix):
            for name in {names!r}:
                assert "tool" in which(name, required=True)(output=str), name
            mkdirp(prefix.share)
        """,
    )
    recipes.path("py-user").write_text(
        recipes.path("py-user").read_text() + "        touch(prefix.share.done)\n"
    )
    spack("install", "py-user")


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_scripts_of_the_user_move_too(
    spack: Command, tmp_path: Path, uv: str, installer: str
) -> None:
    """What pip and uv write into a view finds its Python beside itself."""
    wheel = tmp_path / "userpkg-1.0-py3-none-any.whl"
    info = "userpkg-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "userpkg.py", "import sys\ndef main():\n    print('userpkg', sys.prefix)\n"
        )
        plain = zipfile.ZipInfo("userpkg-1.0.data/scripts/plain")
        plain.external_attr = 0o100755 << 16
        archive.writestr(plain, "#!python\nimport userpkg as u\nu.main()\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: userpkg\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nGenerator: test\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\nuserpkg = userpkg:main\n")
        archive.writestr(f"{info}/RECORD", "")
    (tmp_path / "e").mkdir()
    (tmp_path / "e/spack.yaml").write_text("spack:\n  specs: [py-pip]\n  view: view\n")
    spack("-e", tmp_path / "e", "install")
    python = str(tmp_path / "e/view/bin/python3")
    argv = [python, "-m", "pip", "install"]
    if installer == "uv":
        argv = [uv, "pip", "install", "--offline", "--no-cache", "--python", python]
    words = ["--no-index", "--no-deps", str(wheel)]
    subprocess.run([*argv, *words], env=dict(spack.environ), check=True, capture_output=True)
    view = (tmp_path / "e/view").rename(tmp_path / "moved away")
    for name in ("userpkg", "plain"):
        program = view / "bin" / name
        assert subprocess.check_output([program], text=True) == f"userpkg {view}\n"

"""Builds that leave what no package has: pipes, links, odd modes and names, no stage, no result.

Each ends within seconds, as an install that counts or as an error, and nothing follows or waits
for what was left.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

BODY = """
has_code = False
version("1.0")
extends("python")

def install(self, spec, prefix):
    import os, shutil
    prefix, stage = str(prefix), self.stage.path
    site = os.path.join(prefix, spec["python"].package.purelib)
    info = os.path.join(site, "odd-1.0.dist-info")
    os.makedirs(info, exist_ok=True)
    with open(info + "/METADATA", "w") as stream:
        stream.write("Metadata-Version: 2.1\\nName: odd\\nVersion: 1.0\\n")
    STATEMENT
"""

SPECIAL = "neither files nor links nor folders are in the prefix"

#: Statements by what they leave, with what the error says; "" where the install counts.
LEFT: Mapping[str, tuple[str, str]] = {
    "a pipe among programs": (
        "os.makedirs(prefix + '/bin', exist_ok=True); os.mkfifo(prefix + '/bin/x')",
        SPECIAL,
    ),
    "a pipe among modules": ("os.mkfifo(site + '/x.pth')", SPECIAL),
    "METADATA that is a pipe": (
        "os.unlink(info + '/METADATA'); os.mkfifo(info + '/METADATA')",
        SPECIAL,
    ),
    "RECORD that is a pipe": ("os.mkfifo(info + '/RECORD')", SPECIAL),
    "INSTALLER that is a pipe": ("os.mkfifo(info + '/INSTALLER')", SPECIAL),
    "a socket": ("os.chdir(prefix); __import__('socket').socket(1).bind('s')", SPECIAL),
    "METADATA that is a link": (
        "os.unlink(info + '/METADATA'); os.symlink('/etc/shadow', info + '/METADATA')",
        "",
    ),
    "a link to itself": ("os.symlink('x', prefix + '/x')", ""),
    "a directory without rights": ("os.mkdir(prefix + '/x', 0)", ""),
    "a prefix without rights": ("os.chmod(prefix, 0)", ""),
    "names that are no text": ("open(os.fsencode(prefix) + b'/\\\\xff\\\\n', 'w').close()", ""),
    "a result that is a pipe": ("os.mkfifo(stage + '/spack-build-result.json.new')", ""),
    "a result that is a link": (
        "os.symlink('/etc/passwd', stage + '/spack-build-result.json')",
        "",
    ),
    "a result that is a directory": (
        "os.mkdir(stage + '/spack-build-result.json')",
        "cannot read BuildResult",
    ),
    "a wheel that is a link": (
        "os.mkdir(stage + '/wheel'); os.symlink('/etc/passwd', stage + '/wheel/x.whl')",
        "",
    ),
    "no result": ("os._exit(0)", "the build process ended with 0"),
    "no stage": ("shutil.rmtree(stage, ignore_errors=True)", ""),
    "a killed worker": ("os.kill(os.getpid(), 9)", "killed by SIGKILL"),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_a_build_left(spack: Command, recipes: RecipeRepository, what: str) -> None:
    statement, error = LEFT[what]
    recipes.add("py-odd", BODY.replace("STATEMENT", statement))
    result = spack("install", "py-odd", check=False, timeout=120)
    assert (result.code == 0) is (error == ""), result.text
    assert error in result.err
    if not error:
        spack("verify", timeout=60)
        spack("uninstall", "-y", "py-odd", timeout=60)
    assert "py-odd" not in spack.names()

"""Which library is linked and loaded when a dependency and the system have one of the same name."""

from __future__ import annotations

import glob
import subprocess

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

MINE = """\
has_code = False
version("1.0")
depends_on("c", type="build")

def install(self, spec, prefix):
    mkdirp(prefix.lib)
    with open("mine.c", "w") as stream:
        stream.write('const char *zlibVersion(void) { return "MINE"; }')
    library = prefix.lib.join("libz.so.1")
    Executable("cc")("-shared", "-fPIC", "-Wl,-soname,libz.so.1", "-o", library, "mine.c")
    symlink("libz.so.1", prefix.lib.join("libz.so"))
"""

USER = """\
has_code = False
version("1.0")
depends_on("c", type="build")
depends_on("mine")
depends_on("systems")

def install(self, spec, prefix):
    mkdirp(prefix.bin)
    with open("use.c", "w") as stream:
        stream.write("#include <stdio.h>\\nconst char *zlibVersion(void);\\n"
                     "int main(void) { puts(zlibVersion()); return 0; }")
    Executable("cc")("-o", prefix.bin.user, "use.c", "-lz")
"""


def test_a_dependencys_library_precedes_an_externals_directory(
    spack: Command, recipes: RecipeRepository
) -> None:
    """An external in ``/usr`` whose libraries are in the system's (multiarch) directory."""
    found = sorted(glob.glob("/usr/lib/*/libz.so.1") + glob.glob("/usr/lib64/libz.so.1"))
    if not found:
        pytest.skip("the system has no libz.so.1: apt-get install zlib1g")
    recipes.add("mine", MINE)
    recipes.add(
        "systems",
        'has_code = False\nversion("1.0")\n\n@property\ndef libs(self):\n'
        f'    return LibraryList(["{found[0]}"])\n',
    )
    recipes.add("user", USER)
    (spack.home.config / "packages.yaml").write_text(
        "packages:\n  systems:\n    buildable: false\n"
        "    externals: [{spec: systems@1.0, prefix: /usr}]\n"
    )
    spack("install", "user")
    program = spack.prefix("user") / "bin" / "user"
    assert subprocess.check_output([program], env={}, text=True) == "MINE\n"

"""Which library is linked and loaded when a dependency and the system have one of the same name."""

from __future__ import annotations

import glob
import shutil
import subprocess
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

MINE = """\
has_code = False
version("1.0")
depends_on("c", type="build")

def install(self, spec, prefix):
    mkdirp(prefix.lib, prefix.include)
    with open(prefix.include.join("zlib.h"), "w") as stream:
        stream.write('#define ORIGIN "MINE"\\nconst char *zlibVersion(void);')
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


MAIN = """\
#include <stdio.h>
#include <zlib.h>
int main(void) { printf("%s %s\\n", ORIGIN, zlibVersion()); return 0; }
"""

PROJECTS = {
    "MakefilePackage": {
        "Makefile": "user: main.c\n\t$(CC) main.c -o user $(LDFLAGS) -lz\n"
        "install: user\n\tmkdir -p $(prefix)/bin\n\tcp user $(prefix)/bin\n"
    },
    "CMakePackage": {
        "CMakeLists.txt": """\
            cmake_minimum_required(VERSION 3.10)
            project(user C)
            find_library(FOUND z)
            find_path(HEADERS zlib.h)
            add_executable(user main.c)
            target_include_directories(user PRIVATE ${HEADERS})
            target_link_libraries(user ${FOUND})
            install(TARGETS user DESTINATION bin)
            """
    },
}


INSTALLS = """
@property
def install_targets(self):
    return ["install", "prefix=" + self.prefix]
"""


@pytest.mark.parametrize("kind", PROJECTS)
def test_libraries_of_the_store_precede_those_of_externals(
    spack: Command, recipes: RecipeRepository, tmp_path: Path, kind: str
) -> None:
    """Externals in ``/usr`` and in a prefix with many libraries (conda's), which come first."""
    programs = ["cc", "readelf", *(["cmake"] if kind == "CMakePackage" else [])]
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    conda = tmp_path / "conda"
    (conda / "lib").mkdir(parents=True)
    (conda / "include").mkdir()
    (conda / "include/zlib.h").write_text('#define ORIGIN "CONDA"\nconst char *zlibVersion(void);')
    (tmp_path / "c.c").write_text('const char *zlibVersion(void) { return "CONDA"; }')
    for name in ("libz.so", "libconda.so"):
        output = str(conda / "lib" / name)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", output, str(tmp_path / "c.c")], check=True)
    recipes.add("mine", MINE)
    recipes.add("condalib", 'has_code = False\nversion("1.0")\n')
    recipes.add("usrtool", 'has_code = False\nversion("1.0")\n')
    (spack.home.config / "packages.yaml").write_text(
        "packages:\n  usrtool:\n    externals: [{spec: usrtool@1.0, prefix: /usr}]\n"
        "    buildable: false\n  condalib:\n    buildable: false\n"
        f"    externals: [{{spec: condalib@1.0, prefix: {conda}}}]\n"
    )
    source = recipes.archive("user-1.0", {"main.c": MAIN, **PROJECTS[kind]})
    recipes.add(
        "user",
        f'version("1.0", {source})\ndepends_on("c", type="build")\ndepends_on("usrtool")\n'
        f'depends_on("condalib")\ndepends_on("mine")\n{INSTALLS if "Make" in kind[:5] else ""}',
        base=kind,
    )
    spack.let_builds_read(conda)
    spack("install", "user")
    program = spack.prefix("user") / "bin" / "user"
    assert subprocess.check_output([program], env={}, text=True) == "MINE MINE\n"
    dynamic = subprocess.check_output(["readelf", "-d", program], text=True)
    path = next(line for line in dynamic.splitlines() if "PATH)" in line)
    directories = path.partition("[")[2].rstrip("]").split(":")
    mine, outside = str(spack.prefix("mine") / "lib"), str(conda / "lib")
    assert directories.index(mine) < directories.index(outside)
    assert not any(x.startswith(("/usr", "/lib")) for x in directories)

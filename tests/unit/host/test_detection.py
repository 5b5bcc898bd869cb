from __future__ import annotations

import shutil
from collections.abc import Sequence

import pytest

from spack.host.compiler_families import detect_compilers
from spack.host.detection import DETECTABLE, ON_THE_FLY, detect
from spack.host.search import Detected, Memory, directories
from spack.host.tools import TOOLS, detect_tools

from .conftest import Machine

CLANG = "Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu"


def texts(found: Sequence[Detected]) -> list[str]:
    return [item.spec_text for item in found]


def test_gcc_with_its_languages(machine: Machine) -> None:
    for name in ("gcc", "g++", "gfortran"):
        machine.script(f"usr/bin/{name}", "12.2.0")
    (found,) = detect_compilers(machine.search("usr/bin"), "gcc")
    assert found.spec_text == "gcc@12.2.0 languages='c,c++,fortran'"
    assert found.prefix == str(machine.root / "usr")
    bin_dir = machine.root / "usr" / "bin"
    assert found.extra_attributes == {
        "compilers": {
            "c": f"{bin_dir}/gcc",
            "cxx": f"{bin_dir}/g++",
            "fortran": f"{bin_dir}/gfortran",
        }
    }
    assert found.executable == f"{bin_dir}/gcc"


def test_several_gccs_the_plain_name_first_then_the_newest(machine: Machine) -> None:
    for name, version in (("", "12.2.0"), ("-9", "9.5.0"), ("-13", "13.1.0"), ("-12", "12.2.0")):
        machine.script(f"bin/gcc{name}", version)
        machine.script(f"bin/g++{name}", version)
    machine.script("bin/g++-8", "8.1.0")
    found = detect_compilers(machine.search("bin"), "gcc")
    assert texts(found) == [
        "gcc@12.2.0 languages='c,c++'",
        "gcc@13.1.0 languages='c,c++'",
        "gcc@9.5.0 languages='c,c++'",
    ]
    assert found[0].executable.endswith("/gcc")
    assert found[1].executable.endswith("/gcc-13")


def test_languages_of_one_version_only(machine: Machine) -> None:
    machine.script("bin/gcc", "12.2.0")
    machine.script("bin/gfortran", "11.1.0")
    found = detect_compilers(machine.search("bin"), "gcc")
    assert texts(found) == ["gcc@12.2.0 languages='c'"]


def test_cross_compilers_caches_and_impostors_are_no_gcc(machine: Machine) -> None:
    machine.script("bin/aarch64-linux-gnu-gcc", "12.2.0")
    machine.script("bin/gcc-ar", "12.2.0")
    machine.script("bin/gcc-nm-12", "12.2.0")
    machine.script("opt/ccache", "12.2.0")
    machine.link("ccache/gcc", machine.root / "opt" / "ccache")
    machine.script("apple/gcc", "Apple clang version 15.0.0", 0)
    machine.script("broken/gcc", "12.2.0", 1)
    names = ("bin", "ccache", "apple", "broken")
    assert detect_compilers(machine.search(*names), "gcc") == []


def test_llvm_with_its_parts(machine: Machine) -> None:
    machine.script("bin/clang", CLANG)
    machine.script("bin/clang++", CLANG)
    (found,) = detect_compilers(machine.search("bin"), "llvm")
    assert found.spec_text == "llvm@14.0.6+clang~flang~lld~lldb"
    machine.script("full/clang", CLANG)
    machine.script("full/flang-new", "flang-new version 14.0.6")
    machine.script("full/ld.lld")
    machine.script("full/lldb")
    (found,) = detect_compilers(machine.search("full"), "llvm")
    assert found.spec_text == "llvm@14.0.6+clang+flang+lld+lldb"
    assert set(found.extra_attributes["compilers"]) == {"c", "fortran"}


@pytest.mark.parametrize(
    ("family", "program", "output", "expected"),
    [
        ("apple-clang", "clang", "Apple clang version 15.0.0 (clang-1500)", "apple-clang@15.0.0"),
        ("llvm", "clang", "Apple clang version 15.0.0 (clang-1500)", None),
        ("llvm", "clang-17", "clang version 17.0.6", "llvm@17.0.6+clang~flang~lld~lldb"),
        ("llvm", "clang", "AMD clang version 16.0.3 (CLANG: AOCC_4.1.0)", None),
        ("intel-oneapi-compilers", "icx",
         "Intel(R) oneAPI DPC++/C++ Compiler 2024.0.2 (2024.0.2.20231213)",
         "intel-oneapi-compilers@2024.0.2"),
        ("nvhpc", "nvc", "\nnvc 23.11-0 64-bit target", "nvhpc@23.11"),
        ("unknown", "cc", "1", None),
    ],
)  # fmt: skip
def test_other_families(
    machine: Machine, family: str, program: str, output: str, expected: str
) -> None:
    machine.script(f"bin/{program}", output)
    found = detect_compilers(machine.search("bin"), family)
    assert texts(found) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("name", "program", "output", "version"),
    [
        ("autoconf", "autoconf", "autoconf (GNU Autoconf) 2.71", "2.71"),
        ("automake", "automake", "automake (GNU automake) 1.16.5", "1.16.5"),
        ("bison", "bison", "bison (GNU Bison) 3.8.2", "3.8.2"),
        ("cmake", "cmake", "cmake version 3.25.1\n\nCMake suite", "3.25.1"),
        ("cmake", "cmake3", "cmake3 version 3.17.5", None),
        ("cuda", "nvcc", "Cuda compilation tools, release 12.2, V12.2.91", "12.2.91"),
        ("diffutils", "diff", "diff (GNU diffutils) 3.8", "3.8"),
        ("findutils", "find", "find (GNU findutils) 4.9.0", "4.9.0"),
        ("gawk", "gawk", "GNU Awk 5.2.1, API 3.2", "5.2.1"),
        ("gettext", "msgfmt", "msgfmt (GNU gettext-tools) 0.21", "0.21"),
        ("git", "git", "git version 2.39.5 (Apple Git-154)", "2.39.5"),
        ("gmake", "make", "GNU Make 4.3\nBuilt for x86_64", "4.3"),
        ("gmake", "make", "make: unknown option --version", None),
        ("go", "go", "go version go1.21.4 linux/amd64", "1.21.4"),
        ("libtool", "libtoolize", "libtoolize (GNU libtool) 2.4.7", "2.4.7"),
        ("m4", "m4", "m4 (GNU M4) 1.4.19", "1.4.19"),
        ("ninja", "ninja-build", "1.10.2", "1.10.2"),
        ("ninja", "ninja", "1.11.1.git.kitware.jobserver-1", "1.11.1"),
        ("openmpi", "ompi_info", "Open MPI v4.1.4", "4.1.4"),
        ("perl", "perl", "This is perl 5, version 36, subversion 0 (v5.36.0) built", "5.36.0"),
        ("pkg-config", "pkg-config", "0.29.2", "0.29.2"),
        ("pkgconf", "pkg-config", "0.29.2", None),
        ("pkgconf", "pkgconf", "1.8.1", "1.8.1"),
        ("sed", "sed", "sed (GNU sed) 4.9", "4.9"),
        ("tar", "tar", "tar (GNU tar) 1.34", "1.34"),
        ("no-such-tool", "x", "1", None),
    ],
)
def test_tools(machine: Machine, name: str, program: str, output: str, version: str | None) -> None:
    location = machine.script(f"opt/bin/{program}", output)
    found = detect_tools(machine.search("opt/bin"), name)
    if version is None:
        assert found == []
        return
    (tool,) = found
    assert (tool.version, tool.prefix) == (version, str(machine.root / "opt"))
    assert tool.spec_text == f"{name}@{version}"
    assert tool.extra_attributes == {"executable": str(location)}


def test_pkgconf_behind_the_name_of_pkg_config(machine: Machine) -> None:
    machine.script("bin/pkgconf", "1.8.1")
    machine.link("bin/pkg-config", "pkgconf")
    assert texts(detect_tools(machine.search("bin"), "pkgconf")) == ["pkgconf@1.8.1"]
    assert detect_tools(machine.search("bin"), "pkg-config") == []


def test_libraries_need_their_headers(machine: Machine) -> None:
    machine.script("usr/bin/openssl", "OpenSSL 3.0.19 30 Jan 2024")
    assert detect_tools(machine.search("usr/bin"), "openssl") == []
    header = machine.root / "usr" / "include" / "openssl" / "opensslv.h"
    header.parent.mkdir(parents=True)
    header.write_text("")
    assert texts(detect_tools(machine.search("usr/bin"), "openssl")) == ["openssl@3.0.19"]


def test_rust_behind_a_proxy_is_its_toolchain(machine: Machine) -> None:
    root = machine.root / "toolchain"
    machine.script("toolchain/bin/rustc", "rustc 1.75.0 (82e1608df 2023-12-21)")
    machine.script("cargo/bin/rustc", str(root))
    (found,) = detect_tools(machine.search("cargo/bin"), "rust")
    assert (found.prefix, found.executable) == (str(root), str(root / "bin" / "rustc"))
    machine.script("empty/rustc", "error: no default toolchain", 1)
    assert detect_tools(machine.search("empty"), "rust") == []


def test_tools_of_venvs_shims_and_the_store_are_not_the_machines(machine: Machine) -> None:
    for name in ("venv/bin", "shims", "store/bin", "odd"):
        machine.script(f"{name}/cmake", "cmake version 3.25.1")
    (machine.root / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (machine.root / "store" / ".spack").mkdir()
    (machine.root / "store" / ".spack" / "spec.json").write_text("{}")
    machine.script("odd/cmake", "cmake version 3.25.1", body="# asdf-plugin: cmake")
    assert detect_tools(machine.search("venv/bin", "shims", "store/bin", "odd"), "cmake") == []


def test_one_tool_under_two_names(machine: Machine) -> None:
    machine.script("usr/bin/make", "GNU Make 4.3")
    machine.link("usr/bin/gmake", "make")
    machine.link("bin", "usr/bin")
    found = detect(["gmake"], machine.path("bin", "usr/bin"), machine.runner)
    assert [(item.spec_text, item.prefix) for item in found] == [
        ("gmake@4.3", str(machine.root / "usr"))
    ]


def test_directories(machine: Machine) -> None:
    (machine.root / "usr" / "bin").mkdir(parents=True)
    (machine.root / "shims").mkdir()
    machine.link("bin", "usr/bin")
    paths = [*machine.path("bin", "usr/bin", "usr/../usr/bin", "none", "shims"), "", ".", "rel"]
    assert directories(paths) == machine.path("usr/bin")


def test_warm_detection_starts_nothing_and_notices_changes(machine: Machine) -> None:
    machine.script("bin/cmake", "cmake version 3.25.1")
    machine.script("bin/gcc", "12.2.0")
    cache = str(machine.root / "cache")
    names = ["cmake", "gcc", "ninja"]
    cold = detect(names, machine.path("bin"), machine.runner, cache)
    started = len(machine.runner.calls)
    assert started == 2
    assert detect(names, machine.path("bin"), machine.runner, cache) == cold
    assert len(machine.runner.calls) == started
    machine.script("bin/ninja", "1.11.1")
    machine.script("bin/cmake", "cmake version 3.30.0 and more")
    found = detect(names, machine.path("bin"), machine.runner, cache)
    assert texts(found) == ["cmake@3.30.0", "gcc@12.2.0 languages='c'", "ninja@1.11.1"]
    assert len(machine.runner.calls) == started + 2


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 0, "entries": {}}', '{"format": 1, "entries": {"a": [1]}}']
)
def test_a_damaged_memory_is_empty(machine: Machine, content: str) -> None:
    (machine.root / "detected.json").write_text(content)
    memory = Memory(str(machine.root))
    assert memory.recall("version", "/x") == (False, None)


def test_an_unwritable_memory_forgets(machine: Machine) -> None:
    (machine.root / "file").write_text("")
    memory = Memory(str(machine.root / "file"))
    memory.note("version", "/", "1")
    memory.save()
    assert memory.recall("version", "/") == (True, "1")


def test_the_tables() -> None:
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)
    assert [tool.name for tool in TOOLS] == sorted(tool.name for tool in TOOLS)
    assert set(ON_THE_FLY) < set(DETECTABLE)
    assert {"python", "gcc", "llvm", "gmake", "cmake", "git", "ninja", "pkgconf"} <= set(ON_THE_FLY)
    assert "openssl" not in ON_THE_FLY


def test_the_real_machine(machine: Machine) -> None:
    paths = ["/usr/local/bin", "/usr/bin", "/bin"]
    names = {"gcc": "gcc", "gmake": "make", "git": "git", "perl": "perl"}
    here = {name for name, program in names.items() if shutil.which(program, path=":".join(paths))}
    found = detect(names, paths, machine.runner)
    assert {item.name for item in found} >= here
    assert len({(item.name, item.version, item.prefix) for item in found}) == len(found)


def test_compilers_without_headers_are_left_out(machine: Machine) -> None:
    """They are asked again until they find the headers, which no time of the program shows."""
    headers = machine.root / "stdio.h"
    for directory in ("good", "bad"):
        machine.script(f"{directory}/gcc", "12.2.0")
    script = (machine.root / "bad/gcc").read_text()
    check = f'case "$*" in *stdio.h*) test -e {headers}; exit;; esac\n'
    (machine.root / "bad/gcc").write_text(script.replace("\n", f"\n{check}", 1))
    paths = [str(machine.root / name) for name in ("bad", "good")]
    run = machine.search("bad").run
    cache = str(machine.root / "cache")

    def unusable() -> list[str]:
        left_out: list[Detected] = []
        found = detect(["gcc"], paths, run, cache, unusable=left_out.append)
        assert len(found) + len(left_out) == 2
        return [item.executable for item in left_out]

    assert unusable() == unusable() == [str(machine.root / "bad/gcc")]
    headers.touch()
    assert unusable() == []

"""Tools of the machine that serve as external packages: a table, and how to read it.

To let another tool be found, add a row to :data:`TOOLS`.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from spack.host.search import Detected, Search, is_shim

__all__ = ["TOOLS", "DetectedTool", "detect_tools"]


class DetectedTool(NamedTuple):
    """How to recognise a package by one of its programs.

    :ivar programs: pattern of the program's whole name; several programs are tried in the order
        of names.
    :ivar version: pattern whose first group is the version, in what the program prints.
    :ivar argv: arguments that make it print its version.
    :ivar real: pattern that the name of the file behind all links must match, when several
        packages have a program of one name.
    :ivar root_argv: arguments that make it print its real prefix (for tools behind proxies).
    :ivar needs: files below the prefix without which builds cannot use it.
    :ivar on_the_fly: whether it is used without having been written into ``packages.yaml``:
        build tools are, libraries and runtimes that end up in packages are not.
    """

    name: str
    programs: str
    version: str
    argv: tuple[str, ...] = ("--version",)
    real: str = ""
    root_argv: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    on_the_fly: bool = True


_NUMBER = r"(\d+(?:\.\d+)*)"

TOOLS: tuple[DetectedTool, ...] = (
    DetectedTool("autoconf", "autoconf", rf"autoconf.*? {_NUMBER}"),
    DetectedTool("automake", "automake", rf"automake.*? {_NUMBER}"),
    DetectedTool("bash", "bash", rf"GNU bash, version {_NUMBER}", on_the_fly=False),
    DetectedTool("bazel", "bazel", rf"bazel {_NUMBER}", on_the_fly=False),
    DetectedTool("bison", "bison", rf"bison .*? {_NUMBER}"),
    DetectedTool("bzip2", "bzip2", rf"Version {_NUMBER}", ("--help",), "bzip2",
        needs=("include/bzlib.h",), on_the_fly=False),
    DetectedTool("ccache", "ccache", rf"ccache version {_NUMBER}", on_the_fly=False),
    DetectedTool("cmake", "cmake3?", rf"cmake\d? version {_NUMBER}", real="cmake"),
    DetectedTool("coreutils", "ls", rf"GNU coreutils.*? {_NUMBER}", on_the_fly=False),
    DetectedTool("cuda", "nvcc", rf"release .*, V{_NUMBER}", on_the_fly=False),
    DetectedTool("curl", "curl", rf"^curl {_NUMBER}", on_the_fly=False),
    DetectedTool("diffutils", "diff", rf"GNU diffutils.*? {_NUMBER}"),
    DetectedTool("doxygen", "doxygen", rf"^{_NUMBER}", on_the_fly=False),
    DetectedTool("file", "file", rf"file-{_NUMBER}"),
    DetectedTool("findutils", "find", rf"GNU findutils.*? {_NUMBER}"),
    DetectedTool("flex", "flex", rf"flex {_NUMBER}"),
    DetectedTool("gawk", "gawk", rf"GNU Awk {_NUMBER}"),
    DetectedTool("gettext", "msgfmt", rf"GNU gettext-tools.*? {_NUMBER}"),
    DetectedTool("ghostscript", "gs", rf"^{_NUMBER}", on_the_fly=False),
    DetectedTool("git", "git", rf"git version {_NUMBER}"),
    DetectedTool("git-lfs", "git-lfs", rf"git-lfs/{_NUMBER}", on_the_fly=False),
    DetectedTool("glibc", "ldd", rf"^ldd \(.*(?:GLIBC|GNU libc).*\) {_NUMBER}"),
    DetectedTool("gmake", "g?make", rf"GNU Make {_NUMBER}"),
    DetectedTool("gnupg", "gpg2?", rf"gpg \(GnuPG.*?\) {_NUMBER}", on_the_fly=False),
    DetectedTool("go", "go", rf"go version go{_NUMBER}", ("version",)),
    DetectedTool("gperf", "gperf", rf"GNU gperf {_NUMBER}"),
    DetectedTool("graphviz", "dot", rf"graphviz version {_NUMBER}", ("-V",), on_the_fly=False),
    DetectedTool("groff", "groff", rf"groff.*? {_NUMBER}"),
    DetectedTool("help2man", "help2man", rf"help2man\)? {_NUMBER}"),
    DetectedTool("hwloc", "hwloc-info", rf"hwloc-info {_NUMBER}", needs=("include/hwloc.h",),
        on_the_fly=False),
    DetectedTool("intltool", "intltool-update", rf"intltool.*? {_NUMBER}"),
    DetectedTool("libtool", "libtoolize", rf"libtoolize.*? {_NUMBER}"),
    DetectedTool("m4", "g?m4", rf"GNU M4.*? {_NUMBER}"),
    DetectedTool("mercurial", "hg", r"\(version ([^\s)+]+)", on_the_fly=False),
    DetectedTool("meson", "meson", rf"^{_NUMBER}$", on_the_fly=False),
    DetectedTool("mpich", "mpichversion", rf"MPICH Version:\s+{_NUMBER}", (), on_the_fly=False),
    DetectedTool("nasm", "nasm", rf"NASM version {_NUMBER}", ("-v",)),
    DetectedTool("ninja", "ninja(?:-build)?", rf"^{_NUMBER}"),
    DetectedTool("node-js", "node", rf"^v{_NUMBER}", on_the_fly=False),
    DetectedTool("openjdk", "javac", rf"javac {_NUMBER}", ("-version",), on_the_fly=False),
    DetectedTool("openmpi", "ompi_info", rf"Open MPI v{_NUMBER}", on_the_fly=False),
    DetectedTool("openssl", "openssl", r"OpenSSL (\d+(?:\.\d+)*[a-z]?)", ("version",),
        needs=("include/openssl/opensslv.h",), on_the_fly=False),
    DetectedTool("patchelf", "patchelf", rf"patchelf {_NUMBER}"),
    DetectedTool("perl", "perl", rf"\(v{_NUMBER}\)"),
    DetectedTool("pkg-config", "pkg-config", rf"^{_NUMBER}$", real="pkg-config"),
    DetectedTool("pkgconf", "pkgconf|pkg-config", rf"^{_NUMBER}$", real=".*pkgconf.*"),
    DetectedTool("rsync", "rsync", rf"rsync +version v?{_NUMBER}", on_the_fly=False),
    DetectedTool("ruby", "ruby", rf"ruby {_NUMBER}", on_the_fly=False),
    DetectedTool("rust", "rustc", rf"rustc {_NUMBER}", root_argv=("--print", "sysroot")),
    DetectedTool("sed", "g?sed", rf"GNU sed.*? {_NUMBER}"),
    DetectedTool("sqlite", "sqlite3", rf"^{_NUMBER}", needs=("include/sqlite3.h",),
        on_the_fly=False),
    DetectedTool("subversion", "svn", rf"svn, version {_NUMBER}", on_the_fly=False),
    DetectedTool("swig", r"swig(?:[\d.]+)?", rf"SWIG Version {_NUMBER}", ("-version",)),
    DetectedTool("tar", "g?tar", rf"GNU tar.*? {_NUMBER}"),
    DetectedTool("texinfo", "makeinfo", rf"texinfo.*? {_NUMBER}"),
    DetectedTool("texlive", "tex", r"TeX Live (\d+)", on_the_fly=False),
    DetectedTool("which", "which", rf"GNU which v{_NUMBER}"),
    DetectedTool("xz", "xz", rf"XZ Utils\) {_NUMBER}", needs=("include/lzma.h",), on_the_fly=False),
    DetectedTool("yasm", "yasm", rf"yasm {_NUMBER}"),
    DetectedTool("zip", "zip", rf"This is Zip {_NUMBER}", on_the_fly=False),
    DetectedTool("zstd", "zstd", rf"v{_NUMBER}", needs=("include/zstd.h",), on_the_fly=False),
)  # fmt: skip

_BY_NAME: dict[str, DetectedTool] = {tool.name: tool for tool in TOOLS}


def detect_tools(search: Search, name: str) -> list[Detected]:
    """Return the installations of one tool, in order of directories; empty for unknown tools."""
    tool = _BY_NAME.get(name)
    if tool is None:
        return []
    found: dict[tuple[str, str], Detected] = {}
    for path in search.programs(tool.programs):
        program = _program(search, tool, path)
        if program is None:
            continue
        output = search.output(f"version {' '.join(tool.argv)}", (program, *tool.argv))
        match = re.search(tool.version, output or "", re.MULTILINE)
        prefix = os.path.dirname(os.path.dirname(program))
        if match is None or not all(os.path.exists(os.path.join(prefix, n)) for n in tool.needs):
            continue
        version = match.group(1)
        found.setdefault(
            (os.path.realpath(prefix), version),
            Detected(name, version, prefix, {"executable": program}, f"{name}@{version}"),
        )
    return list(found.values())


def _program(search: Search, tool: DetectedTool, path: str) -> str | None:
    """Return the program to ask, or None for a shim or a program of another package."""
    resolved = os.path.basename(os.path.realpath(path))
    if tool.real and not re.fullmatch(tool.real, resolved):
        return None
    if is_shim(path):
        return None
    if tool.root_argv:
        root = search.output(f"prefix {' '.join(tool.root_argv)}", (path, *tool.root_argv))
        program = os.path.join((root or "").strip() or "/nowhere", "bin", os.path.basename(path))
        return program if os.path.exists(program) else None
    return path

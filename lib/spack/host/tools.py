"""Tools of the machine that serve as external packages: a table, and how to read it.

To let another tool be found, add a row to :data:`TOOLS`.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from spack.host.search import Detected, Search, is_shim

__all__ = ["TOOLS", "Tool", "detect_tools"]


class Tool(NamedTuple):
    """How to recognise a package by one of its programs.

    :ivar programs: pattern of the program's whole name; several programs are tried in the order
        of names.
    :ivar version: pattern whose first group is the version, in what the program prints.
    :ivar argv: arguments that make it print its version.
    :ivar real: pattern that the name of the file behind all links must match, when several
        packages bring a program of one name.
    :ivar root_argv: arguments that make it print its real prefix (for tools behind proxies).
    :ivar needs: files below the prefix without which builds cannot use it.
    :ivar on_the_fly: whether it is used without having been written into ``packages.yaml``:
        build tools are, libraries and runtimes that end up in packages are not.
    """

    name: str
    programs: str
    version: str
    argv: Tuple[str, ...] = ("--version",)
    real: str = ""
    root_argv: Tuple[str, ...] = ()
    needs: Tuple[str, ...] = ()
    on_the_fly: bool = True


_NUMBER = r"(\d+(?:\.\d+)*)"

TOOLS: Tuple[Tool, ...] = (
    Tool("autoconf", "autoconf", rf"autoconf.*? {_NUMBER}"),
    Tool("automake", "automake", rf"automake.*? {_NUMBER}"),
    Tool("bash", "bash", rf"GNU bash, version {_NUMBER}", on_the_fly=False),
    Tool("bazel", "bazel", rf"bazel {_NUMBER}", on_the_fly=False),
    Tool("bison", "bison", rf"bison .*? {_NUMBER}"),
    Tool("bzip2", "bzip2", rf"Version {_NUMBER}", ("--help",), "bzip2", (), ("include/bzlib.h",),
         on_the_fly=False),
    Tool("ccache", "ccache", rf"ccache version {_NUMBER}", on_the_fly=False),
    Tool("cmake", "cmake3?", rf"cmake\d? version {_NUMBER}", real="cmake"),
    Tool("coreutils", "ls", rf"GNU coreutils.*? {_NUMBER}", on_the_fly=False),
    Tool("cuda", "nvcc", rf"release .*, V{_NUMBER}", on_the_fly=False),
    Tool("curl", "curl", rf"^curl {_NUMBER}", on_the_fly=False),
    Tool("diffutils", "diff", rf"GNU diffutils.*? {_NUMBER}"),
    Tool("doxygen", "doxygen", rf"^{_NUMBER}", on_the_fly=False),
    Tool("file", "file", rf"file-{_NUMBER}"),
    Tool("findutils", "find", rf"GNU findutils.*? {_NUMBER}"),
    Tool("flex", "flex", rf"flex {_NUMBER}"),
    Tool("gawk", "gawk", rf"GNU Awk {_NUMBER}"),
    Tool("gettext", "msgfmt", rf"GNU gettext-tools.*? {_NUMBER}"),
    Tool("ghostscript", "gs", rf"^{_NUMBER}", on_the_fly=False),
    Tool("git", "git", rf"git version {_NUMBER}"),
    Tool("git-lfs", "git-lfs", rf"git-lfs/{_NUMBER}", on_the_fly=False),
    Tool("gmake", "g?make", rf"GNU Make {_NUMBER}"),
    Tool("gnupg", "gpg2?", rf"gpg \(GnuPG.*?\) {_NUMBER}", on_the_fly=False),
    Tool("go", "go", rf"go version go{_NUMBER}", ("version",)),
    Tool("gperf", "gperf", rf"GNU gperf {_NUMBER}"),
    Tool("graphviz", "dot", rf"graphviz version {_NUMBER}", ("-V",), on_the_fly=False),
    Tool("groff", "groff", rf"groff.*? {_NUMBER}"),
    Tool("help2man", "help2man", rf"help2man\)? {_NUMBER}"),
    Tool("hwloc", "hwloc-info", rf"hwloc-info {_NUMBER}", needs=("include/hwloc.h",),
         on_the_fly=False),
    Tool("intltool", "intltool-update", rf"intltool.*? {_NUMBER}"),
    Tool("libtool", "libtoolize", rf"libtoolize.*? {_NUMBER}"),
    Tool("m4", "g?m4", rf"GNU M4.*? {_NUMBER}"),
    Tool("mercurial", "hg", r"\(version ([^\s)+]+)", on_the_fly=False),
    Tool("meson", "meson", rf"^{_NUMBER}$", on_the_fly=False),
    Tool("mpich", "mpichversion", rf"MPICH Version:\s+{_NUMBER}", (), on_the_fly=False),
    Tool("nasm", "nasm", rf"NASM version {_NUMBER}", ("-v",)),
    Tool("ninja", "ninja(?:-build)?", rf"^{_NUMBER}"),
    Tool("node-js", "node", rf"^v{_NUMBER}", on_the_fly=False),
    Tool("openjdk", "javac", rf"javac {_NUMBER}", ("-version",), on_the_fly=False),
    Tool("openmpi", "ompi_info", rf"Open MPI v{_NUMBER}", on_the_fly=False),
    Tool("openssl", "openssl", r"OpenSSL (\d+(?:\.\d+)*[a-z]?)", ("version",),
         needs=("include/openssl/opensslv.h",), on_the_fly=False),
    Tool("patchelf", "patchelf", rf"patchelf {_NUMBER}"),
    Tool("perl", "perl", rf"\(v{_NUMBER}\)"),
    Tool("pkg-config", "pkg-config", rf"^{_NUMBER}$", real="pkg-config"),
    Tool("pkgconf", "pkgconf|pkg-config", rf"^{_NUMBER}$", real=".*pkgconf.*"),
    Tool("rsync", "rsync", rf"rsync +version v?{_NUMBER}", on_the_fly=False),
    Tool("ruby", "ruby", rf"ruby {_NUMBER}", on_the_fly=False),
    Tool("rust", "rustc", rf"rustc {_NUMBER}", root_argv=("--print", "sysroot")),
    Tool("sed", "g?sed", rf"GNU sed.*? {_NUMBER}"),
    Tool("sqlite", "sqlite3", rf"^{_NUMBER}", needs=("include/sqlite3.h",), on_the_fly=False),
    Tool("subversion", "svn", rf"svn, version {_NUMBER}", on_the_fly=False),
    Tool("swig", r"swig(?:[\d.]+)?", rf"SWIG Version {_NUMBER}", ("-version",)),
    Tool("tar", "g?tar", rf"GNU tar.*? {_NUMBER}"),
    Tool("texinfo", "makeinfo", rf"texinfo.*? {_NUMBER}"),
    Tool("texlive", "tex", r"TeX Live (\d+)", on_the_fly=False),
    Tool("which", "which", rf"GNU which v{_NUMBER}"),
    Tool("xz", "xz", rf"XZ Utils\) {_NUMBER}", needs=("include/lzma.h",), on_the_fly=False),
    Tool("yasm", "yasm", rf"yasm {_NUMBER}"),
    Tool("zip", "zip", rf"This is Zip {_NUMBER}", on_the_fly=False),
    Tool("zstd", "zstd", rf"v{_NUMBER}", needs=("include/zstd.h",), on_the_fly=False),
)  # fmt: skip

_BY_NAME: Dict[str, Tool] = {tool.name: tool for tool in TOOLS}


def detect_tools(search: Search, name: str) -> List[Detected]:
    """The installations of one tool, in order of directories; empty when it is not in the table."""
    tool = _BY_NAME.get(name)
    if tool is None:
        return []
    found: Dict[Tuple[str, str], Detected] = {}
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


def _program(search: Search, tool: Tool, path: str) -> Optional[str]:
    """The program to ask, or None when this one is a shim or belongs to another package."""
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

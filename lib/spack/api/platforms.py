"""What recipes ask of the platform: names, suffixes, microarchitecture flags, compilers.

The product runs on Linux. Names that belong to other platforms exist, since every recipe
imports them; they raise :class:`PlatformError` when they are called.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from spack.api import tty
from spack.errors import SpackError
from spack.host.code_generation import ARCHSPEC_NAMES
from spack.host.platform import operating_system
from spack.spec import Version
from spack.spec.languages import LANGUAGE_NAMES, LANGUAGES

__all__ = [
    "HKEY",
    "LC_ID_DYLIB",
    "CompilerPropertyDetector",
    "MachO",
    "PlatformError",
    "WindowsRegistryView",
    "bash_completion_path",
    "compiler_spec",
    "find_compilers",
    "fish_completion_path",
    "get_path_args_from_module_line",
    "get_user",
    "host_platform",
    "kernel_version",
    "macos_version",
    "microarchitecture_flags",
    "microarchitecture_flags_from_target",
    "module_command",
    "shared_library_suffix",
    "static_library_suffix",
    "zsh_completion_path",
]

#: Load command of Mach-O files that names a library.
LC_ID_DYLIB = 0xD


class PlatformError(SpackError):
    """A recipe uses something of a platform that is not this one."""

    ref = "platform"


def _absent(name: str, where: str) -> NoReturn:
    raise PlatformError(f"{name} exists on {where} only")


class MachO:
    """Mach-O files; not on this platform."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        _absent("MachO", "macOS")


class WindowsRegistryView:
    """The registry; not on this platform."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        _absent("WindowsRegistryView", "Windows")


class HKEY:
    """Root keys of the registry: names only."""

    HKEY_CLASSES_ROOT = "HKEY_CLASSES_ROOT"
    HKEY_CURRENT_USER = "HKEY_CURRENT_USER"
    HKEY_LOCAL_MACHINE = "HKEY_LOCAL_MACHINE"
    HKEY_USERS = "HKEY_USERS"


@dataclass(frozen=True)
class HostPlatform:
    """The platform as recipes see it.

    :param name: ``linux``.
    :param default: generic target.
    :param default_os: operating system and its release, ``debian12``.
    """

    name: str
    default: str
    default_os: str = ""

    def __str__(self) -> str:
        return self.name


def host_platform() -> HostPlatform:
    """Return the platform that this process runs on."""
    return HostPlatform(
        name=os.uname().sysname.lower(),
        default=os.uname().machine,
        default_os=operating_system(),
    )


def macos_version() -> Version:
    """Return the release of macOS; None on this platform."""
    _absent("macos_version", "macOS")


def kernel_version() -> Version:
    """Return the release of the kernel, numbers only."""
    return Version(os.uname().release.split("-")[0])


def get_user() -> str:
    """Name of the user, or their number when they have none."""
    import getpass  # start-up: few recipes ask

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def shared_library_suffix(spec: Any) -> str:
    """Return suffix of shared libraries, without dot."""
    return "dylib" if spec.satisfies("platform=darwin") else "so"


def static_library_suffix(spec: Any) -> str:
    """Return suffix of static libraries, without dot."""
    return "a"


def bash_completion_path(root: str | Path) -> Path:
    """Return where bash looks for completions below *root*."""
    return Path(root) / "share" / "bash-completion" / "completions"


def zsh_completion_path(root: str | Path) -> Path:
    """Return where zsh looks for completions below *root*."""
    return Path(root) / "share" / "zsh" / "site-functions"


def fish_completion_path(root: str | Path) -> Path:
    """Return where fish looks for completions below *root*."""
    return Path(root) / "share" / "fish" / "vendor_completions.d"


def microarchitecture_flags(spec: Any, language: str) -> str:
    """Return the flags with which the compiler of *language* generates code for *spec*'s target."""
    return microarchitecture_flags_from_target(spec.target, spec[language])


def microarchitecture_flags_from_target(target: Any, compiler: Any) -> str:
    """Return the flags of *compiler* (a spec) for *target* (a name or a microarchitecture).

    "" for a generic family and for compilers that archspec does not know.
    """
    # archspec is imported on use: it reads its tables at import (start-up time).
    import archspec.cpu

    name = str(target)
    known = archspec.cpu.TARGETS.get(name)
    if known is None or (known.vendor == "generic" and not known.parents):
        return ""
    compiler_name = ARCHSPEC_NAMES.get(compiler.name, compiler.name)
    try:
        return str(known.optimization_flags(compiler_name, str(compiler.version.dotted)))
    except (archspec.cpu.UnsupportedMicroarchitecture, archspec.cpu.InvalidCompilerVersion):
        return ""


def compiler_spec(node: Any) -> Any | None:
    """Return the compiler that *node* is built with: for c, else cxx, else fortran; else None."""
    for language in LANGUAGE_NAMES:
        try:
            return node[language]
        except KeyError:
            continue
    return None


def find_compilers(
    path_hints: Sequence[str] | None = None, scope: object = None, max_workers: object = None
) -> list[Any]:
    """Look for compilers.

    A build never changes the configuration, so none are found, and the log of the build says what
    to do instead.
    """
    tty.warn(
        "find_compilers() finds none in a build: let the recipe say "
        "depends_on('c', type='build') and use spack_cc, or run `spack external find gcc llvm`"
    )
    return []


class CompilerPropertyDetector:
    """What a compiler adds to links by itself.

    :param compiler: concrete spec of a compiler.
    """

    #: Libraries of a compiler's own run time, by which its directories are found.
    RUNTIME_LIBRARIES = ("libstdc++.so", "libgcc_s.so.1", "libgfortran.so", "libc++.so")

    def __init__(self, compiler: Any) -> None:
        self.spec = compiler

    def implicit_rpaths(self) -> list[str]:
        """Return directories outside of the system's own that hold run-time libraries."""
        package = self.spec.package
        program = next((p for x in LANGUAGES if (p := getattr(package, x.attribute, None))), "")
        if not program or os.path.dirname(program) in ("/usr/bin", "/bin"):
            return []
        directories = []
        for library in self.RUNTIME_LIBRARIES:
            answer = _ask(program, f"-print-file-name={library}")
            if os.path.isabs(answer) and os.path.exists(answer):
                directories.append(os.path.dirname(os.path.realpath(answer)))
        system = ("/lib", "/usr/lib")
        return [x for x in dict.fromkeys(directories) if not x.startswith(system)]


def _ask(program: str, argument: str) -> str:
    try:
        result = subprocess.run(
            [program, argument], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip()


def module_command(*args: str) -> str:
    """Return output of ``module <args>``, for a machine with environment modules."""
    command = "module " + " ".join(shlex.quote(arg) for arg in args) + " 2>&1"
    result = subprocess.run(
        ["/bin/bash", "-lc", command], stdout=subprocess.PIPE, text=True, check=False
    )
    return result.stdout


def get_path_args_from_module_line(line: str) -> list[str]:
    """Return paths that a line of a module file adds."""
    if "(" in line and ")" in line:  # Lua
        text = line.split("(", 1)[1].rsplit(")", 1)[0]
        words = [word.strip().strip("\"'") for word in text.split(",")]
    else:
        words = line.strip().split()
    if len(words) < 2:
        return []
    return words[-1].split(os.pathsep)

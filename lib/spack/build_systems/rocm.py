"""Packages that can use ROCm: the variants, and which releases know which hardware."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from spack.package import (
    EnvironmentModifications,
    PackageBase,
    any_combination_of,
    conflicts,
    depends_on,
    join_path,
    variant,
)

__all__ = ["ROCmLibrary", "ROCmPackage"]

#: https://llvm.org/docs/AMDGPUUsage.html
TARGETS = (
    *("gfx701", "gfx801", "gfx802", "gfx803"),
    *("gfx900", "gfx900:xnack-", "gfx902", "gfx904", "gfx906", "gfx906:xnack-"),
    *("gfx908", "gfx908:xnack-", "gfx909", "gfx90a", "gfx90a:xnack-", "gfx90a:xnack+", "gfx90c"),
    *("gfx940", "gfx941", "gfx942", "gfx950"),
    *("gfx1010", "gfx1011", "gfx1012", "gfx1013"),
    *("gfx1030", "gfx1031", "gfx1032", "gfx1033", "gfx1034", "gfx1035", "gfx1036"),
    *("gfx1100", "gfx1101", "gfx1102", "gfx1103"),
    *("gfx1150", "gfx1151", "gfx1152", "gfx1153"),
    *("gfx1200", "gfx1201", "gfx1250", "gfx1251"),
)

#: The first release of the compiler that knows a target.
SINCE: Mapping[str, str] = {
    "gfx940": "5.2.0",
    "gfx941": "5.7.0",
    "gfx942": "5.7.0",
    "gfx1036": "5.2.0",
    "gfx1100": "5.3.0",
    "gfx1101": "5.3.0",
    "gfx1102": "5.3.0",
    "gfx1103": "5.3.0",
}

_VERSION_PART = r"^\s*#\s*define\s+ROCM_VERSION_{}\s+(\d+)"


class ROCmPackage(PackageBase):
    """Mixin: the variants ``rocm`` and ``amdgpu_target`` with what follows from them."""

    #: Architectures that ``amdgpu_target`` may name.
    amdgpu_targets = TARGETS

    variant("rocm", default=False, description="Enable ROCm support")
    variant(
        "amdgpu_target",
        description="AMD GPU architecture",
        values=any_combination_of(*TARGETS),
        sticky=True,
        when="+rocm",
    )

    depends_on("llvm-amdgpu", type="build", when="+rocm")
    depends_on("hsa-rocr-dev", when="+rocm")
    depends_on("hip +rocm", when="+rocm")

    conflicts("amdgpu_target=none", when="+rocm")

    for _target, _release in SINCE.items():
        depends_on(f"llvm-amdgpu@{_release}:", when=f"amdgpu_target={_target}")

    @staticmethod
    def hip_flags(amdgpu_target: Iterable[str]) -> str:
        """Return the flag of hipcc for the targets."""
        return f"--amdgpu-target={','.join(amdgpu_target)}"

    def asan_on(self, env: EnvironmentModifications) -> None:
        """Build with the address sanitizer of ROCm's own compiler."""
        prefix = self.spec["llvm-amdgpu"].prefix
        env.set("CC", prefix.bin.clang)
        env.set("CXX", prefix.bin.join("clang++"))
        env.set("ASAN_OPTIONS", "detect_leaks=0")
        for directory, _, files in os.walk(prefix):
            if "libclang_rt.asan-x86_64.so" in files:
                env.prepend_path("LD_LIBRARY_PATH", directory)
        debug = "-gdwarf-5" if any(x in self.spec.os for x in ("rhel", "sles")) else ""
        for name in ("CFLAGS", "CXXFLAGS"):
            env.set(name, f"-fsanitize=address -shared-libasan -g {debug}".strip())
        env.set("LDFLAGS", "-Wl,--enable-new-dtags -fuse-ld=lld -fsanitize=address -g")


class ROCmLibrary(PackageBase):
    """Mixin that detects the release of an installed library of ROCm."""

    @classmethod
    def determine_version(cls, path: str) -> str | None:
        """Return the release from the directory's name or from ROCm's version header."""
        match = re.search(r"rocm-(\d+\.\d+\.\d+)", path)
        return match.group(1) if match else cls.version_from_rocm_version_h(path)

    @classmethod
    def version_from_rocm_version_h(cls, path: str) -> str | None:
        """Return the release in ``include/rocm-core/rocm_version.h`` of the prefix of *path*."""
        prefix = os.path.dirname(os.path.dirname(os.path.abspath(path)))
        try:
            header = join_path(prefix, "include", "rocm-core", "rocm_version.h")
            with open(header, encoding="utf-8", errors="replace") as stream:
                text = stream.read()
        except OSError:
            return None
        found = [
            re.search(_VERSION_PART.format(part), text, re.MULTILINE)
            for part in ("MAJOR", "MINOR", "PATCH")
        ]
        parts = [match.group(1) for match in found if match is not None]
        return ".".join(parts) if len(parts) == 3 else None

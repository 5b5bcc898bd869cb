"""Packages that can use CUDA: variants, and which releases know which hardware and compilers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from spack.package import PackageBase, any_combination_of, conflicts, depends_on, variant, when

__all__ = ["CudaPackage"]

#: Releases of CUDA that generate code for an architecture (compute capability times ten).
#: https://docs.nvidia.com/cuda/cuda-compiler-driver-nvcc/index.html#gpu-feature-list
RELEASES: Mapping[str, str] = {
    "10": ":6.0",
    "11": ":6.5",
    "12": "2.1:6.5",
    "13": "2.1:6.5",
    "20": "3.0:8.0",
    "21": "3.2:8.0",
    "30": "5.0:10.2",
    "32": "5.0:10.2",
    "35": "5.0:11.8",
    "37": "6.5:11.8",
    "50": "6.0:12.9",
    "52": "6.5:12.9",
    "53": "6.5:12.9",
    "60": "8.0:12.9",
    "61": "8.0:12.9",
    "62": "8.0:12.9",
    "70": "9.0:12.9",
    "72": "9.0:",
    "75": "10.0:",
    "80": "11.0:",
    "86": "11.1:",
    "87": "11.4:",
    "89": "11.8:",
    "90": "12.0:",
    "90a": "12.0:",
    "100": "12.8:",
    "100a": "12.8:",
    "100f": "12.9:",
    "101": "12.8:12.9",
    "101a": "12.8:12.9",
    "101f": "12.9",
    "103": "12.9:",
    "103a": "12.9:",
    "103f": "12.9:",
    "110": "13.0:",
    "110a": "13.0:",
    "110f": "13.0:",
    "120": "12.8:",
    "120a": "12.8:",
    "120f": "12.9:",
    "121": "12.9:",
    "121a": "12.9:",
    "121f": "12.9:",
}

#: Host compilers that releases of CUDA refuse, on every family of processors.
#: https://docs.nvidia.com/cuda/cuda-installation-guide-linux/index.html
REFUSED: Sequence[tuple[str, str]] = (
    ("%gcc@:4", "%cuda@11.0:"),
    ("%gcc@:5", "%cuda@11.4:"),
    ("%gcc@10:", "%cuda@:11.0"),
    ("%gcc@11:", "%cuda@:11.4.0"),
    ("%gcc@11.2:", "%cuda@:11.5"),
    ("%gcc@12:", "%cuda@:11.8"),
    ("%gcc@13:", "%cuda@:12.3"),
    ("%gcc@14:", "%cuda@:12.6"),
    ("%gcc@15:", "%cuda@:12.9"),
    ("%gcc@16:", "%cuda@:13.3"),
    ("%clang@:6", "%cuda@12.2:"),
    ("%clang@12:", "%cuda@:11.4.0"),
    ("%clang@13:", "%cuda@:11.5"),
    ("%clang@14:", "%cuda@:11.7"),
    ("%clang@15:", "%cuda@:12.0"),
    ("%clang@16:", "%cuda@:12.1"),
    ("%clang@17:", "%cuda@:12.3"),
    ("%clang@18:", "%cuda@:12.5"),
    ("%clang@19:", "%cuda@:12.6"),
    ("%clang@20:", "%cuda@:12.9"),
    ("%clang@21:", "%cuda@:13.0"),
    ("%clang@22:", "%cuda@:13.3"),
    ("%gcc@7:", "%cuda@:9.1 target=x86_64:"),
    ("%gcc@8:", "%cuda@:10.0.130 target=x86_64:"),
    ("%gcc@9:", "%cuda@:10.2.89 target=x86_64:"),
    ("%clang@:5", "%cuda@11.0.2: target=x86_64:"),
    ("%clang@10:", "%cuda@:11.0.3 target=x86_64:"),
    ("%clang@11:", "%cuda@:11.1.0 target=x86_64:"),
    ("%gcc@6:", "%cuda@:9 target=ppc64le:"),
    ("%gcc@8:", "%cuda@:10.0.130 target=ppc64le:"),
    ("%gcc@9:", "%cuda@:10.1.243 target=ppc64le:"),
    ("%gcc@13.2.0", "%cuda@:12.4 target=aarch64:"),
    ("target=ppc64le", "%cuda@12.5:"),
    ("platform=darwin", "%cuda@11.0.2:"),
)


class CudaPackage(PackageBase):
    """Mixin: the variants ``cuda`` and ``cuda_arch`` with what follows from them."""

    #: Architectures that ``cuda_arch`` may name.
    cuda_arch_values = tuple(RELEASES)

    variant("cuda", default=False, description="Build with CUDA")
    variant(
        "cuda_arch",
        description="CUDA architecture",
        values=any_combination_of(*RELEASES),
        sticky=True,
        when="+cuda",
    )

    depends_on("cuda", when="+cuda")

    for _arch, _releases in RELEASES.items():
        depends_on(f"cuda@{_releases}", when=f"cuda_arch={_arch}")

    with when("+cuda %cuda~allow-unsupported-compilers"):
        for _refused, _release in REFUSED:
            conflicts(_refused, when=_release)

    @staticmethod
    def cuda_flags(arch_list: Iterable[str]) -> list[str]:
        """Return nvcc's flags that generate code for each architecture, and its virtual one."""
        flag = "--generate-code arch=compute_{0},code={1}_{0}"
        return [f"{flag.format(arch, 'sm')} {flag.format(arch, 'compute')}" for arch in arch_list]

    @staticmethod
    def compute_capabilities(arch_list: Iterable[str]) -> list[str]:
        """Return architectures as NVIDIA writes them.

        >>> CudaPackage.compute_capabilities(["90", "90a", "100f"])
        ['9.0', '9.0a', '10.0f']
        """
        return [re.sub(r"^(\d+)(\d)(?!\d)", r"\1.\2", arch) for arch in arch_list]

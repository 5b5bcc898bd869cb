"""Platform, operating system and microarchitecture of the machine that the tool runs on."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable

from spack.errors import HostError
from spack.host.code_generation import compiler_ranges
from spack.util.hashing import checksum

if TYPE_CHECKING:
    from spack.host.code_generation import CompilerRanges

__all__ = ["Host", "operating_system", "platform_name"]

_PLATFORMS = {"linux": "linux", "darwin": "darwin", "freebsd": "freebsd"}

#: Distributions whose minor version is part of the name.
_WITH_MINOR = ("ubuntu",)

#: Lines of ``/proc/cpuinfo`` that identify a processor and do not change while it runs.
_CPU_LINES = (
    "vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features",
    "CPU implementer", "CPU variant", "CPU part", "cpu", "isa", "uarch",
)  # fmt: skip


def platform_name(system: str = sys.platform) -> str:
    """Return spack's name of a platform.

    :raises HostError: the tool does not run there.
    """
    for prefix, name in _PLATFORMS.items():
        if system.startswith(prefix):
            return name
    raise HostError(
        f"the platform {system} is not supported",
        facts={"platform": system},
        hint="use Linux or macOS; on Windows, the Linux subsystem",
        ref="platform-unsupported",
    )


def operating_system(os_release: str | None = None, platform: str = "linux") -> str:
    """Name and version of the distribution as Spack writes them: ``debian12``, ``ubuntu22.04``.

    :param os_release: content of an ``os-release(5)`` file; None reads the machine's.
    """
    if platform == "darwin" and os_release is None:
        return _macos_name()
    if os_release is None:
        os_release = ""
        for location in ("/etc/os-release", "/usr/lib/os-release"):
            try:
                with open(location, encoding="utf-8", errors="replace") as stream:
                    os_release = stream.read()
                break
            except OSError:
                continue
    fields: dict[str, str] = {}
    for line in os_release.splitlines():
        key, separator, value = line.partition("=")
        if separator and not key.startswith("#"):
            fields[key.strip()] = value.strip().strip("\"'")
    name = re.sub(r"[^a-z0-9._-]", "", fields.get("ID", "").lower()) or platform
    if name.startswith("opensuse-tumbleweed"):
        return "opensusetumbleweed"
    parts = re.split(r"[^\w-]", fields.get("VERSION_ID", "") or "rolling")
    return name + (".".join(parts[:2]) if name.startswith(_WITH_MINOR) else parts[0])


_MACOS = {
    11: "bigsur", 12: "monterey", 13: "ventura", 14: "sonoma", 15: "sequoia", 26: "tahoe",
}  # fmt: skip


def _macos_name() -> str:
    import platform  # start-up: only macOS needs it

    release = platform.mac_ver()[0]
    major = int(release.split(".")[0] or 0)
    return _MACOS.get(major, f"macos{major}")


class Host:
    """A machine; immutable. The microarchitecture is found out when it is first asked for.

    :ivar platform: ``linux``, ``darwin``, ...
    :ivar os: ``debian12``, ``sonoma``, ...
    :ivar granularity: ``microarchitectures`` or ``generic``: what ``target`` and ``targets`` name.
    """

    __slots__ = ("_detect", "_found", "_ranges", "granularity", "os", "platform")

    platform: str
    os: str
    granularity: str
    _found: tuple[str, tuple[str, ...], tuple[str, ...]] | None
    _detect: Callable[[], tuple[tuple[str, ...], tuple[str, ...], CompilerRanges]] | None
    _ranges: CompilerRanges | None

    def __init__(
        self,
        platform: str = "linux",
        os: str = "debian12",
        target: str = "x86_64",
        targets: tuple[str, ...] = (),
        granularity: str = "microarchitectures",
    ) -> None:
        self._set(platform, os, granularity)
        compatible = tuple(targets) or (target,)
        object.__setattr__(self, "_found", (target, compatible, compatible))

    def _set(self, platform: str, os: str, granularity: str) -> None:
        object.__setattr__(self, "platform", platform)
        object.__setattr__(self, "os", os)
        object.__setattr__(self, "granularity", granularity)
        object.__setattr__(self, "_found", None)
        object.__setattr__(self, "_detect", None)
        object.__setattr__(self, "_ranges", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a host is immutable: {name}")

    @classmethod
    def detect(
        cls,
        cache: str | None = None,
        granularity: str = "microarchitectures",
        cpuinfo: str = "/proc/cpuinfo",
    ) -> Host:
        """Return the machine that runs this process.

        :param cache: directory that remembers the processor, so that a warm run does not import
            archspec (40 ms); made when needed.
        """
        host = cls.__new__(cls)
        platform = platform_name()
        host._set(platform, operating_system(platform=platform), granularity)

        def detect() -> tuple[tuple[str, ...], tuple[str, ...], CompilerRanges]:
            found = _microarchitectures(cache, cpuinfo)
            every = tuple(found["microarchitectures"])
            return tuple(found[granularity]), every, found["compilers"]

        object.__setattr__(host, "_detect", detect)
        return host

    @property
    def target(self) -> str:
        """The best name for the processor at the host's granularity: ``zen3``, ``x86_64_v3``."""
        return self._targets()[0]

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets whose programs run here, best first; ``target`` is the first."""
        return self._targets()[1]

    def runs(self, target: str) -> bool:
        """Whether programs for *target* run here, whatever the host's granularity."""
        return target in self._targets()[2]

    @property
    def family(self) -> str:
        """The most general target: ``x86_64``, ``aarch64``."""
        return self.targets[-1]

    def with_every_target(self) -> Host:
        """Return this machine as one that can be solved for any other.

        ``targets`` are all known ones at its granularity: its own first, then those of its family,
        the most special first.
        """
        import archspec.cpu  # start-up: 40 ms; few users solve for other machines

        family = self.family
        known = sorted(
            archspec.cpu.TARGETS.values(),
            key=lambda item: (item.family.name != family, -len(item.ancestors), item.name),
        )
        named = (
            item.name
            for item in known
            if self.granularity != "generic" or item.vendor == "generic" or not item.parents
        )
        every = tuple(dict.fromkeys((*self.targets, *named)))
        return Host(self.platform, self.os, self.target, every, granularity=self.granularity)

    def compiler_ranges(self, target: str) -> Mapping[str, Sequence[str]]:
        """Return which versions of compilers generate code for *target*, by archspec's names.

        See :func:`spack.host.code_generation.compiler_ranges`.
        """
        self._targets()
        if self._ranges is None or target not in self._ranges:
            found = {**(self._ranges or {}), **compiler_ranges([target])}
            object.__setattr__(self, "_ranges", {target: {}, **found})
        assert self._ranges is not None
        return self._ranges[target]

    def _targets(self) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        if self._found is None and self._detect is not None:
            names, every, ranges = self._detect()
            object.__setattr__(self, "_found", (names[0], names, every))
            object.__setattr__(self, "_ranges", ranges)
        assert self._found is not None
        return self._found

    def __repr__(self) -> str:
        return f"Host({self.platform!r}, {self.os!r}, {self.target!r}, {self.targets!r})"


def _microarchitectures(cache: str | None, cpuinfo: str) -> Mapping[str, Any]:
    """Return compatible targets by granularity, and their compilers; from the cache or archspec."""
    location = None
    if cache is not None:
        location = os.path.join(cache, f"processor-{_processor_id(cpuinfo):08x}.json")
        remembered = _read_json(location)
        if remembered is not None:
            return remembered
    import archspec.cpu  # start-up: 40 ms; warm runs take the cache

    best = archspec.cpu.host()
    every = sorted([best, *best.ancestors], key=lambda item: (-len(item.ancestors), item.name))
    names = [item.name for item in every]
    generic = [item.name for item in every if item.vendor == "generic"] or [best.family.name]
    ranges = {**{name: {} for name in names}, **compiler_ranges(names)}
    found = {"microarchitectures": names, "generic": generic, "compilers": ranges}
    if location is not None:
        _write_json(location, found)
    return found


def _processor_id(cpuinfo: str) -> int:
    """Return a number for this machine's processor and for the version of archspec."""
    from importlib.util import find_spec  # start-up: only when a target is asked for

    try:
        with open(cpuinfo, "rb", buffering=0) as stream:
            raw = stream.read(8192).split(b"\n\n")[0].decode("utf-8", "replace")
        lines = [line for line in raw.splitlines() if line.split(":")[0].strip() in _CPU_LINES]
        text = "\n".join(lines)
    except OSError:
        text = " ".join(os.uname())
    spec = find_spec("archspec")
    if spec is not None and spec.origin:
        text += f"\n{spec.origin} {os.stat(spec.origin).st_mtime_ns}"
    return checksum(text.encode())


def _read_json(location: str) -> dict[str, Any] | None:
    import json  # start-up: only when a target is asked for

    try:
        with open(location, encoding="utf-8") as stream:
            data = json.load(stream)
    except (OSError, ValueError):
        return None
    good = isinstance(data, dict) and all(data.get(key) for key in _PROCESSOR_KEYS)
    return data if good else None


_PROCESSOR_KEYS = ("microarchitectures", "generic", "compilers")


def _write_json(location: str, data: Mapping[str, Any]) -> None:
    import json  # start-up: only a cold run writes

    from spack.util.filesystem import atomic_write  # start-up: only a cold run writes

    try:
        os.makedirs(os.path.dirname(location), exist_ok=True)
        atomic_write(location, json.dumps(data))
    except OSError:
        pass  # a cache that cannot be written is skipped

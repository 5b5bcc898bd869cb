"""Another machine, or another Python, that a spec is made concrete for: ``--for``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from spack.config.packages import ExternalEntry, PackageSettings
from spack.errors import UsageError
from spack.host.platform import Host
from spack.host.wheel_platforms import platforms_elsewhere, wheel_platforms
from spack.spec import Spec

__all__ = ["OtherMachine", "read_machine"]

_PREFIX = "/usr"

_HINT = "for example --for 'python@3.13 os=debian13 target=aarch64', --for python@3.13"


class OtherMachine(NamedTuple):
    """A machine that is not here.

    :ivar python: the version of its interpreter. :ivar prefix: where that is installed.
    :ivar elsewhere: it is not this machine with another interpreter.
    """

    platform: str
    os: str
    target: str
    python: str
    prefix: str
    elsewhere: bool

    def host(self, here: Host) -> Host:
        """Return it as what is solved for."""
        if not self.elsewhere:
            return here
        return Host(self.platform, self.os, self.target, _compatible(self.target))

    def wheel_platforms(self) -> tuple[str, ...]:
        """Return the tags of the wheels that it runs, the best first."""
        if not self.elsewhere:
            return wheel_platforms()
        return platforms_elsewhere(self.platform, self.os, _compatible(self.target)[-1])

    def packages(self, here: Mapping[str, PackageSettings]) -> dict[str, PackageSettings]:
        """Return the settings of packages for it.

        Externals of this machine are not there, save those whose spec names its system or
        processor; its interpreter is.
        """
        found = {}
        for name, settings in here.items():
            externals = settings.externals
            if self.elsewhere:
                externals = tuple(x for x in externals if self._is_there(x))
            found[name] = settings._replace(externals=externals)
        python = found.get("python", PackageSettings())
        wanted = Spec.parse(f"python@{self.python}")
        fitting = tuple(x for x in python.externals if Spec.parse(x.spec).intersects(wanted))
        found["python"] = python._replace(
            buildable=False, externals=fitting or (self._interpreter(),), version=(), require=()
        )
        return found

    def _is_there(self, entry: ExternalEntry) -> bool:
        arch = Spec.parse(entry.spec).arch
        named = (arch.platform, arch.os, arch.target)
        own = (self.platform, self.os, self.target)
        return any(named) and all(x is None or str(x) == y for x, y in zip(named, own))

    def _interpreter(self) -> ExternalEntry:
        # What it is like in detail is looked up where the packages are installed.
        spec = f"python@={self.python} platform={self.platform} os={self.os} target={self.target}"
        return ExternalEntry(spec, self.prefix, origin="--for")


def read_machine(text: str, here: Host) -> OtherMachine:
    """Read a spec of the interpreter of another machine; what it does not say is as *here*.

    :raises UsageError: it is none, or names no version or an unknown processor.
    """
    spec = Spec.parse(text)
    version = spec.versions.concrete_range_as_version if spec.name == "python" else None
    problem = next(_problems(spec, version is not None), None)
    if problem is not None:
        raise UsageError(f"cannot read --for {text}: {problem}", hint=_HINT, ref="machine")
    arch = spec.arch
    own = (here.platform, here.os, here.family)
    named = (arch.platform or own[0], arch.os or own[1], str(arch.target or own[2]))
    prefix = spec.variants["prefix"].values[0] if "prefix" in spec.variants else _PREFIX
    return OtherMachine(*named, python=str(version), prefix=prefix, elsewhere=named != own)


def _problems(spec: Spec, has_version: bool) -> Iterator[str]:
    import archspec.cpu  # start-up: 40 ms; few users solve for other machines

    if spec.name != "python":
        yield "it is not a spec of python"
    if not has_version:
        yield "it names no version of python"
    further = sorted(set(spec.variants) - {"prefix"})
    if further or spec.dependencies:
        yield f"only a version, prefix=, platform=, os= and target= are known ({spec})"
    if spec.arch.target is not None and str(spec.arch.target) not in archspec.cpu.TARGETS:
        yield f"there is no processor {spec.arch.target}"


def _compatible(target: str) -> tuple[str, ...]:
    import archspec.cpu  # start-up: as above

    found = archspec.cpu.TARGETS[target]
    rest = sorted(found.ancestors, key=lambda item: (-len(item.ancestors), item.name))
    return (target, *(item.name for item in rest))

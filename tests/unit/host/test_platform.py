from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from spack.errors import HostError
from spack.host.platform import Host, operating_system, platform_name


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "debian12"),
        ('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="22.04"\n', "ubuntu22.04"),
        ('ID="rocky"\nVERSION_ID="9.3"\n', "rocky9"),
        ("ID=fedora\nVERSION_ID=41\n", "fedora41"),
        ('ID="opensuse-leap"\nVERSION_ID="15.5"\n', "opensuse-leap15"),
        ('ID="opensuse-tumbleweed"\nVERSION_ID="20240101"\n', "opensusetumbleweed"),
        ("ID=arch\nBUILD_ID=rolling\n", "archrolling"),
        ("ID=alpine\nVERSION_ID=3.19.1\n", "alpine3"),
        ("# comment\n", "linuxrolling"),
    ],
)
def test_operating_systems(release: str, expected: str) -> None:
    assert operating_system(release) == expected


def test_platform_names() -> None:
    assert platform_name("linux") == "linux"
    assert platform_name("darwin") == "darwin"
    with pytest.raises(HostError, match="win32 is not supported") as caught:
        platform_name("win32")
    assert caught.value.hint


def test_a_host_of_given_values() -> None:
    host = Host("linux", "debian12", "zen3", ("zen3", "zen2", "x86_64"))
    assert (host.target, host.targets, host.family) == (
        "zen3",
        ("zen3", "zen2", "x86_64"),
        "x86_64",
    )
    assert Host(target="x86_64").targets == ("x86_64",)
    with pytest.raises(AttributeError, match="immutable"):
        host.os = "x"
    assert "zen3" in repr(host)


def test_this_machine(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    host = Host.detect(str(cache))
    assert not cache.exists(), "the processor is looked at when it is asked for"
    assert host.platform in ("linux", "darwin")
    assert host.targets[0] == host.target
    assert len(set(host.targets)) == len(host.targets)
    generic = Host.detect(str(cache), granularity="generic")
    assert set(generic.targets) <= set(host.targets)
    assert generic.family == host.family
    assert all(generic.runs(target) for target in host.targets) and not generic.runs("vax")
    assert Host.detect(None).targets == host.targets


def test_the_processor_is_remembered(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("vendor_id\t: X\ncpu MHz\t: 1\nflags\t: a b\n\nprocessor: 1\n")
    first = Host.detect(str(tmp_path / "c"), cpuinfo=str(cpuinfo)).targets
    (entry,) = (tmp_path / "c").iterdir()
    ranges = {"other": {"gcc": ["12:"]}}
    names = {"microarchitectures": ["other"], "generic": ["general"], "compilers": ranges}
    entry.write_text(json.dumps(names))
    cpuinfo.write_text("vendor_id\t: X\ncpu MHz\t: 2\nflags\t: a b\n\nprocessor: 1\n")
    assert Host.detect(str(tmp_path / "c"), cpuinfo=str(cpuinfo)).target == "other"
    assert Host.detect(str(tmp_path / "c"), cpuinfo=str(cpuinfo)).compiler_ranges("other") == {
        "gcc": ["12:"]
    }
    assert Host.detect(str(tmp_path / "c"), "generic", str(cpuinfo)).target == "general"
    cpuinfo.write_text("vendor_id\t: X\nflags\t: a b c\n\nprocessor: 1\n")
    assert Host.detect(str(tmp_path / "c"), cpuinfo=str(cpuinfo)).targets == first
    entry.write_text("damaged")
    cpuinfo.write_text("vendor_id\t: X\nflags\t: a b\n\nprocessor: 1\n")
    assert Host.detect(str(tmp_path / "c"), cpuinfo=str(cpuinfo)).targets == first


def test_a_machine_without_cpuinfo_and_without_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    host = Host.detect(str(tmp_path / "file"), cpuinfo=str(tmp_path / "none"))
    assert host.target == Host.detect(None).target


def test_a_warm_host_does_not_import_archspec(tmp_path: Path, root: Path) -> None:
    from spack.util.helper_process import run

    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from spack.host.platform import Host\n"
        "print(Host.detect(sys.argv[3]).target, 'archspec.cpu' in sys.modules)"
    )
    import archspec

    packages = str(Path(archspec.__file__).parent.parent)
    argv = [sys.executable, "-I", "-c", code, str(root / "lib"), packages, str(tmp_path)]
    assert run(argv).stdout.split()[1] == "True"
    assert run(argv).stdout.split()[1] == "False"


def test_a_machine_that_is_solved_for_any_other() -> None:
    host = Host("linux", "debian12", "zen3", ("zen3", "x86_64_v3", "x86_64"))
    every = host.with_every_target()
    assert every.target == "zen3" and every.targets[:3] == ("zen3", "x86_64_v3", "x86_64")
    assert {"neoverse_v1", "aarch64", "zen4", "m1"} <= set(every.targets)
    assert every.targets.index("zen4") < every.targets.index("aarch64")
    generic = Host("linux", "debian12", "x86_64_v3", ("x86_64_v3",), granularity="generic")
    names = generic.with_every_target().targets
    assert "x86_64_v4" in names and "aarch64" in names and "zen3" not in names

"""Other machines that specs are made concrete for."""

from __future__ import annotations

import pytest

from spack.config.other_machines import OtherMachine, read_machine
from spack.config.packages import ExternalEntry, PackageSettings
from spack.errors import UsageError
from spack.host.platform import Host
from spack.host.wheel_platforms import platforms_elsewhere, wheel_platforms

HERE = Host("linux", "debian12", "x86_64_v3", ("x86_64_v3", "x86_64_v2", "x86_64"))


def test_what_is_not_said_is_as_here() -> None:
    there = read_machine("python@3.13", HERE)
    assert there == OtherMachine("linux", "debian12", "x86_64", "3.13", "/usr", elsewhere=False)
    assert there.host(HERE) is HERE
    assert there.wheel_platforms() == wheel_platforms()


def test_another_processor_and_system() -> None:
    there = read_machine("python@3.12.4 prefix=/opt/py os=ubuntu22.04 target=neoverse_n1", HERE)
    assert (there.os, there.python, there.prefix) == ("ubuntu22.04", "3.12.4", "/opt/py")
    host = there.host(HERE)
    assert (host.target, host.family) == ("neoverse_n1", "aarch64")
    assert there.wheel_platforms()[:2] == ("linux_aarch64", "manylinux_2_35_aarch64")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("black@1", "it is not a spec of python"),
        ("python", "it names no version of python"),
        ("python@3.11:3.12", "it names no version of python"),
        ("python@3.13+optimizations", "only a version, prefix=, platform=, os= and target="),
        ("python@3.13 ^zlib", "only a version, prefix=, platform=, os= and target="),
        ("python@3.13 target=m68k", "there is no processor m68k"),
    ],
)
def test_what_is_no_machine(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_machine(text, HERE)
    assert message in caught.value.message


def test_externals_of_this_machine_are_not_there() -> None:
    there = read_machine("python@3.13 os=debian13 target=aarch64", HERE)
    here = {
        "gcc": PackageSettings(externals=(ExternalEntry("gcc@12", "/usr"),)),
        "openmpi": PackageSettings(
            externals=(
                ExternalEntry("openmpi@4", "/usr"),
                ExternalEntry("openmpi@5 os=debian13 target=aarch64", "/opt"),
                ExternalEntry("openmpi@5 os=debian12 target=aarch64", "/old"),
            )
        ),
        "python": PackageSettings(externals=(ExternalEntry("python@3.11.2", "/usr"),)),
    }
    found = there.packages(here)
    assert found["gcc"].externals == ()
    assert [x.prefix for x in found["openmpi"].externals] == ["/opt"]
    (python,) = found["python"].externals
    assert (python.spec.split()[0], python.prefix) == ("python@=3.13", "/usr")
    assert found["python"].buildable is False


def test_another_interpreter_of_this_machine() -> None:
    entries = (ExternalEntry("python@3.11.2", "/usr"), ExternalEntry("python@3.13.1", "/opt"))
    here = {
        "gcc": PackageSettings(externals=(ExternalEntry("gcc@12", "/usr"),)),
        "python": PackageSettings(externals=entries),
    }
    found = read_machine("python@3.13", HERE).packages(here)
    assert found["gcc"] == here["gcc"]
    assert [x.prefix for x in found["python"].externals] == ["/opt"]


def test_tags_of_systems() -> None:
    debian = platforms_elsewhere("linux", "debian12", "x86_64")
    assert debian[:2] == ("linux_x86_64", "manylinux_2_36_x86_64")
    assert "manylinux2014_x86_64" in debian
    assert debian[-1] == "manylinux1_x86_64"
    unknown = platforms_elsewhere("linux", "plan9", "aarch64")
    assert unknown == ("linux_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
    assert platforms_elsewhere("linux", "alpine3.20", "x86_64")[1].startswith("musllinux_1_")
    assert platforms_elsewhere("darwin", "sonoma", "aarch64")[0] == "macosx_14_0_arm64"


def test_the_order_is_that_of_packaging() -> None:
    """What is written here for other machines is what packaging says of this one."""
    here = [tag for tag in wheel_platforms() if "linux" in tag]
    if not any(tag.startswith("manylinux_2_17_") for tag in here):
        pytest.skip("the C library of this machine is not the GNU one")
    family = here[-1].partition("_")[2]
    expected = [tag for tag in platforms_elsewhere("linux", "fedora99", family) if tag in here]
    assert expected == [tag for tag in here if tag in expected]

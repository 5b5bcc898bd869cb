from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import spack.host
from spack.config.externals import (
    externals_data,
    merge_externals,
    packages_with_detected,
    with_detected,
)
from spack.config.packages import PackageSettings
from spack.config.settings import Settings
from spack.config.variables import Variables
from spack.errors import ConfigError
from spack.host.search import Detected
from spack.spec.parser import parse
from spack.util import yaml
from spack.util.helper_process import Completed, run

CMAKE = Detected("cmake", "3.25.1", "/usr", {"executable": "/usr/bin/cmake"}, "cmake@3.25.1")
GCC = Detected(
    "gcc",
    "12.2.0",
    "/usr",
    {"compilers": {"c": "/usr/bin/gcc", "cxx": "/usr/bin/g++"}},
    "gcc@12.2.0 languages='c,c++'",
)
PYTHON = Detected(
    "python",
    "3.11.2",
    "/usr",
    {"executable": "/usr/bin/python3.11", "layout": {"purelib": "x"}},
    "python@3.11.2",
)
NEWER = PYTHON._replace(version="3.12.1", prefix="/opt", spec_text="python@3.12.1")

VARIABLES = Variables(dict.fromkeys(("data", "tree", "user_cache_path", "tempdir", "user"), "/x"))
BASE = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
PREFIX = os.path.dirname(os.path.dirname(BASE))
VERSION = ".".join(str(part) for part in sys.version_info[:3])
PROBE = os.path.join(os.path.dirname(spack.host.__file__), "layout_probe.py")


def test_detected_externals_count_where_none_are_configured() -> None:
    configured = Settings.from_data(
        {"packages": {"gcc": {"externals": [{"spec": "gcc@9", "prefix": "/g"}]}, "cmake": {}}}
    ).packages
    found = with_detected(configured, [GCC, CMAKE, PYTHON, NEWER])
    assert [entry.spec for entry in found["gcc"].externals] == ["gcc@9"]
    (cmake,) = found["cmake"].externals
    assert (cmake.spec, cmake.prefix, cmake.origin) == (
        "cmake@3.25.1",
        "/usr",
        "detected: /usr/bin/cmake",
    )
    assert [entry.spec for entry in found["python"].externals] == ["python@3.11.2", "python@3.12.1"]
    assert found["python"].version == ("3.11.2", "3.12.1"), "the preferred one is no version's"
    chosen = with_detected({"python": PackageSettings(version=("3.12",))}, [PYTHON, NEWER])
    assert chosen["python"].version == ("3.12",)


def test_what_is_written_reads_back_as_settings() -> None:
    data = externals_data([PYTHON, NEWER, GCC, CMAKE], buildable=False)
    settings = Settings.from_data({"packages": data})
    assert [entry.spec for entry in settings.package("python").externals] == [
        "python@3.11.2",
        "python@3.12.1",
    ]
    assert settings.package("python").externals[0].extra_attributes == {
        "executable": "/usr/bin/python3.11"
    }
    assert settings.package("gcc").externals[0].extra_attributes == GCC.extra_attributes
    assert settings.package("cmake").externals[0].extra_attributes == {}
    assert settings.package("cmake").buildable is False
    assert "buildable" not in externals_data([CMAKE])["cmake"]


OWN = """\
# my packages
packages:
  all:
    target: [x86_64_v3]   # as the cluster
  # found by hand
  python:
    externals:
    - spec: python@3.11.2+foo   # keep me
      prefix: /usr
"""


def test_merging_keeps_what_the_user_wrote(tmp_path: Path) -> None:
    location = tmp_path / "packages.yaml"
    location.write_text(OWN)
    document = yaml.round_trip(location)
    assert merge_externals(document, [PYTHON, NEWER, GCC]) == [NEWER, GCC]
    document.save()
    text = location.read_text()
    assert text.startswith(OWN)
    assert text[len(OWN) :] == (
        "    - spec: python@3.12.1\n"
        "      prefix: /opt\n"
        "      extra_attributes:\n"
        "        executable: /usr/bin/python3.11\n"
        "  gcc:\n"
        "    externals:\n"
        "    - spec: gcc@12.2.0 languages='c,c++'\n"
        "      prefix: /usr\n"
        "      extra_attributes:\n"
        "        compilers:\n"
        "          c: /usr/bin/gcc\n"
        "          cxx: /usr/bin/g++\n"
    )
    again = yaml.round_trip(location)
    assert merge_externals(again, [PYTHON, NEWER, GCC]) == []
    assert again.text() == text


def test_merging_into_nothing_and_into_an_environment(tmp_path: Path) -> None:
    document = yaml.round_trip(tmp_path / "packages.yaml")
    merge_externals(document, [CMAKE], buildable=False)
    document.save()
    assert (tmp_path / "packages.yaml").read_text() == (
        "packages:\n  cmake:\n    externals:\n      - spec: cmake@3.25.1\n"
        "        prefix: /usr\n    buildable: false\n"
    )
    env = yaml.round_trip(tmp_path / "spack.yaml", "spack:\n  specs: []\n  packages:\n")
    merge_externals(env, [CMAKE])
    assert env.data["spack"]["packages"]["cmake"]["externals"][0]["spec"] == "cmake@3.25.1"


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ("cmake@3.25.1", True),
        ("cmake@=3.25.1", True),
        ("cmake@3.25.1 +ownlibs", True),
        ("cmake@3.25.10", False),
        ("cmake@3.25.1.1", False),
        ("cmake@3.25", False),
    ],
)
def test_known_externals_are_left_alone(spec: str, known: bool) -> None:
    text = f"packages: {{cmake: {{externals: [{{spec: {spec}, prefix: /usr}}]}}}}\n"
    assert (merge_externals(yaml.round_trip("f", text), [CMAKE]) == []) is known
    other = text.replace("/usr", "/opt")
    assert merge_externals(yaml.round_trip("f", other), [CMAKE]) == (
        [] if spec == CMAKE.spec_text else [CMAKE]
    )


def settings(**packages: Any) -> Settings:
    return Settings.from_data({"packages": packages}, VARIABLES)


def test_a_configured_python_is_asked_for_its_layout(tmp_path: Path) -> None:
    calls: list[Any] = []

    def runner(argv: Any) -> Any:
        calls.append(argv)
        return run(argv)

    given = settings(python={"externals": [{"spec": f"python@{VERSION}", "prefix": PREFIX}]})
    for _ in range(2):
        found = packages_with_detected(given, [], runner, str(tmp_path), ["python"])
        extra = found["python"].externals[0].extra_attributes
        assert os.path.realpath(extra["executable"]) == BASE
        assert extra["layout"]["version"].startswith(VERSION)
    assert len(calls) == 1


@pytest.mark.parametrize("extra", [{}, {"executable": "/nowhere/python3"}])
def test_a_configured_python_that_is_not_there(tmp_path: Path, extra: Any) -> None:
    entry = {"spec": "python@3.11", "prefix": str(tmp_path), "extra_attributes": extra}
    with pytest.raises(ConfigError, match="no Python interpreter is at") as caught:
        packages_with_detected(settings(python={"externals": [entry]}), [], run)
    assert str(caught.value).startswith("given settings: ")
    assert caught.value.ref == "external-missing"


def test_a_configured_python_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "python3").chmod(0o755)
    entry = {"spec": "python@3.11", "prefix": str(tmp_path)}
    with pytest.raises(ConfigError, match=r"given settings: .* is not a usable Python"):
        packages_with_detected(settings(python={"externals": [entry]}), [], run)


@pytest.mark.parametrize(
    ("detect", "names", "expected"),
    [
        (True, ["cmake", "ninja"], {"cmake", "ninja"}),
        (False, ["cmake"], set()),
        (["ninja"], ["cmake", "ninja"], {"ninja"}),
        (["ninja"], None, {"ninja"}),
    ],
)
def test_detection_is_a_setting(tmp_path: Path, detect: Any, names: Any, expected: Any) -> None:
    for name, text in (("cmake", "cmake version 3.1"), ("ninja", "1.11")):
        location = tmp_path / name
        location.write_text(f"#!/bin/sh\necho {text}\n")
        location.chmod(0o755)
    values = {"concretizer": {"externals": {"detect": detect}}, "packages": {}}
    given = Settings.from_data(values, VARIABLES)
    found = packages_with_detected(given, [str(tmp_path)], run, names=names)
    assert set(found) == expected
    built = Settings.from_data({"packages": {"cmake": {"buildable": True}}}, VARIABLES)
    assert not packages_with_detected(built, [str(tmp_path)], run, names=["cmake"])[
        "cmake"
    ].externals


def test_additional_search_paths_come_first(tmp_path: Path) -> None:
    for name, version in (("more", "3.2"), ("path", "3.1")):
        location = tmp_path / name / "bin" / "cmake"
        location.parent.mkdir(parents=True)
        location.write_text(f"#!/bin/sh\necho cmake version {version}\n")
        location.chmod(0o755)
    given = Settings.from_data(
        {"config": {"additional_external_search_paths": [str(tmp_path / "more" / "bin")]}},
        VARIABLES,
    )
    found = packages_with_detected(given, [str(tmp_path / "path" / "bin")], run, names=["cmake"])
    assert [entry.spec for entry in found["cmake"].externals] == ["cmake@3.2", "cmake@3.1"]


def test_a_configured_python_of_another_version(tmp_path: Path) -> None:
    entry = {"spec": "python@2.1.3", "prefix": PREFIX, "extra_attributes": {"executable": BASE}}
    given = settings(python={"externals": [entry]})
    with pytest.raises(ConfigError, match=r"says 2\.1\.3, but .* is ") as caught:
        packages_with_detected(given, [], run, str(tmp_path), ["python"])
    assert VERSION in str(caught.value.hint)


#: Specs of two Pythons in one prefix, and which program each of them names, if any.
BOTH = [
    ([("", "python3.8"), ("+debug", "python3.8d")], ["~debug", "+debug"]),
    ([("", None), ("+debug", None)], ["~debug", "+debug"]),
    ([("debug=False", None), ("debug=True", None)], ["~debug", "+debug"]),
    ([("", "python3.8d"), ("~debug", None)], ["+debug", "~debug"]),
]


@pytest.mark.parametrize(("given", "kinds"), BOTH)
def test_two_pythons_in_one_prefix_are_distinguished(
    tmp_path: Path, given: Any, kinds: list[str]
) -> None:
    """Where an entry does not say so itself, its spec says what the interpreter is.

    Else the usual one would be taken for a debug build, as it comes first.
    """
    runner = debian(tmp_path)
    entries: list[Any] = []
    for variant, program in given:
        entry: Any = {"spec": f"python@3.8.1 {variant}", "prefix": str(tmp_path)}
        if program is not None:
            entry["extra_attributes"] = {"executable": str(tmp_path / "bin" / program)}
        entries.append(entry)
    configured = settings(python={"externals": entries})
    found = packages_with_detected(configured, [], runner, None, ["python"])["python"].externals
    for entry, kind in zip(found, kinds):
        spec = parse(entry.spec)
        assert spec.satisfies(parse(f"python {kind} ~freethreading"))
        program = str(tmp_path / "bin" / ("python3.8d" if kind == "+debug" else "python3.8"))
        assert entry.extra_attributes["executable"] == program
        assert entry.extra_attributes["layout"]["executable"] == program


def test_two_detected_pythons_in_one_prefix_are_distinguished(tmp_path: Path) -> None:
    runner = debian(tmp_path)
    found = packages_with_detected(settings(), [str(tmp_path / "bin")], runner, None, ["python"])
    told = {
        os.path.basename(entry.extra_attributes["executable"]): str(parse(entry.spec))
        for entry in found["python"].externals
    }
    assert told == {
        "python3.8": "python@3.8.1~debug~freethreading",
        "python3.8d": "python@3.8.1+debug~freethreading",
    }


def test_a_configured_python_of_another_kind(tmp_path: Path) -> None:
    program = str(tmp_path / "bin" / "python3.8")
    entry = {
        "spec": "python@3.8.1 +debug",
        "prefix": str(tmp_path),
        "extra_attributes": {"executable": program},
    }
    runner = debian(tmp_path)
    with pytest.raises(ConfigError, match=r"says \+debug, but .*python3\.8 is not such") as caught:
        packages_with_detected(settings(python={"externals": [entry]}), [], runner, None, [])
    assert caught.value.ref == "external-variant"


def debian(root: Path) -> Any:
    """Return a runner for ``python3.8`` and its debug build ``python3.8d`` in one prefix."""
    plain = json.loads(run([BASE, "-I", "-S", PROBE]).stdout)
    (root / "bin").mkdir()
    for name in ("python3.8", "python3.8d"):
        (root / "bin" / name).write_bytes(b"\x7fELF " + name.encode())
        (root / "bin" / name).chmod(0o755)

    def runner(argv: Any) -> Any:
        facts = dict(
            plain,
            executable=argv[0],
            version="3.8.1",
            prefix=str(root),
            base_prefix=str(root),
            stdlib="python3.8",
            abiflags="d" if argv[0].endswith("d") else "",
        )
        return Completed(argv, 0, json.dumps(facts), "")

    return runner


def fake_gcc(prefix: Path, version: str) -> None:
    (prefix / "bin").mkdir(parents=True)
    for name in ("gcc", "g++"):
        program = prefix / "bin" / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)


@pytest.mark.parametrize("spec", ["gcc@12.3.0", "gcc@12", "gcc@=12.3.0", "gcc", "gcc@12:"])
def test_a_configured_compiler_gets_its_programs(tmp_path: Path, spec: str) -> None:
    fake_gcc(tmp_path / "gcc", "12.3.0")
    given = settings(gcc={"externals": [{"spec": spec, "prefix": str(tmp_path / "gcc")}]})
    (entry,) = packages_with_detected(given, [], run, None, [])["gcc"].externals
    bin_dir = tmp_path / "gcc" / "bin"
    assert entry.extra_attributes["compilers"] == {
        "c": str(bin_dir / "gcc"),
        "cxx": str(bin_dir / "g++"),
    }


def test_a_configured_compiler_that_is_not_there(tmp_path: Path) -> None:
    given = settings(gcc={"externals": [{"spec": "gcc@12", "prefix": str(tmp_path)}]})
    with pytest.raises(ConfigError, match="no compiler of gcc is in") as caught:
        packages_with_detected(given, [], run, None, [])
    assert caught.value.hint
    fake_gcc(tmp_path / "gcc", "12.3.0")
    given = settings(gcc={"externals": [{"spec": "gcc@11", "prefix": str(tmp_path / "gcc")}]})
    with pytest.raises(ConfigError, match=r"says 11, but .* is 12\.3\.0"):
        packages_with_detected(given, [], run, None, [])

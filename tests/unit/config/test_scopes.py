from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spack.config.scopes import (
    Scope,
    command_line_scope,
    custom_scope,
    data_scope,
    environment_scope,
    standard_scopes,
)
from spack.config.settings import Settings, load_settings
from spack.errors import ConfigError, UsageError
from spack.util import yaml


def test_standard_scopes() -> None:
    assert [(s.name, s.path) for s in standard_scopes("/etc-dir", {}, "/home/me")] == [
        ("defaults", "/etc-dir"),
        ("system", "/etc/spack"),
        ("site", "/etc-dir/site"),
        ("user", "/home/me/.spack"),
    ]
    moved = {"SPACK_SYSTEM_CONFIG_PATH": "/s", "SPACK_USER_CONFIG_PATH": "/u"}
    assert [s.path for s in standard_scopes("/e", moved, "/h")] == ["/e", "/s", "/e/site", "/u"]
    for value, count in (("1", 2), ("true", 2), ("false", 4), ("", 4)):
        environ = {"SPACK_DISABLE_LOCAL_CONFIG": value}
        assert len(standard_scopes("/e", environ, "/h")) == count


LOW = """\
config:
  build_jobs: 1
  aliases: {a: one, b: two}
  template_dirs: [/low, /both]
  build_language: low
  build_stage: /low
"""


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        ("build_jobs: 2", {"build_jobs": 2}),
        ("aliases: {b: 2, c: 3}", {"aliases": {"b": "2", "c": "3", "a": "one"}}),
        ("aliases:: {c: 3}", {"aliases": {"c": "3"}}),
        ("template_dirs: [/high, /both]", {"template_dirs": ["/high", "/both", "/low"]}),
        ("template_dirs:: [/high]", {"template_dirs": ["/high"]}),
        ("template_dirs+: [/high]", {"template_dirs": ["/low", "/both", "/high"]}),
        ("template_dirs-: [/high]", {"template_dirs": ["/high", "/low", "/both"]}),
        ("template_dirs: []", {"template_dirs": ["/low", "/both"]}),
        ("template_dirs:: []", {"template_dirs": []}),
        ("build_language+: er", {"build_language": "lower"}),
        ("build_stage: [/a, /b]", {"build_stage": ["/a", "/b"]}),
    ],
)
def test_merging(files: Any, high: str, expected: dict[str, Any]) -> None:
    files.write("low/config.yaml", LOW)
    files.write("high/config.yaml", f"config:\n  {high}\n")
    data = files.load("low", "high").data("config")
    assert {key: data[key] for key in expected} == expected
    assert set(data) == {*yaml.load("f", LOW).data["config"]}


def test_a_whole_section_can_be_replaced(files: Any) -> None:
    files.write("low/config.yaml", LOW)
    files.write("high/config.yaml", "config::\n  build_jobs: 7\n")
    assert files.load("low", "high").data("config") == {"build_jobs": 7}


def test_higher_keys_come_first(files: Any) -> None:
    files.write("low/repos.yaml", "repos: {a: /a, b: /b}\n")
    files.write("high/repos.yaml", "repos: {c: /c, b: /b2}\n")
    repos = files.load("low", "high").repos
    assert [(entry.name, str(entry.path)) for entry in repos] == [
        ("c", "/c"),
        ("b", "/b2"),
        ("a", "/a"),
    ]


def test_blame_names_the_file_of_each_leaf(files: Any) -> None:
    files.write("low/config.yaml", LOW)
    files.write("high/config.yaml", "config:\n  aliases:\n    b: 2\n  template_dirs: [/h]\n")
    settings = files.load("low", "high", command_line_scope(["config:build_jobs:9"]))
    blame = {
        (*path, value): str(origin).replace(f"{files.root}/", "")
        for path, value, origin in settings.blame("config")
    }
    assert blame[("build_jobs", 9)] == "command line"
    assert blame[("aliases", "a", "one")] == "low/config.yaml:3"
    assert blame[("aliases", "b", "2")] == "high/config.yaml:3"
    assert blame[("template_dirs", "-", "/h")] == "high/config.yaml:4"
    assert blame[("template_dirs", "-", "/low")] == "low/config.yaml:4"
    assert str(settings.origin("config", "aliases", "b")).endswith("high/config.yaml:3")
    assert settings.origin("config", "nothing", "here") is None
    assert list(settings.blame("view")) == []
    assert settings.data("view") is None


def test_a_platform_directory_stands_above(files: Any) -> None:
    files.write("user/config.yaml", "config: {build_jobs: 1, checksum: false}\n")
    files.write("user/linux/config.yaml", "config: {build_jobs: 2}\n")
    assert files.load(platform="linux").config.build_jobs == 2
    assert files.load(platform="darwin").config.build_jobs == 1
    assert files.load(platform="linux").config.checksum is False


def test_includes_stand_below_their_scope_first_one_highest(files: Any) -> None:
    files.write(
        "user/include.yaml",
        "include:\n- a\n- b.yaml\n- {path: none, optional: true}\n- $HERE/no\n",
    )
    files.write("user/a/config.yaml", "config: {build_jobs: 1, db_lock_timeout: 1}\n")
    files.write(
        "user/b.yaml",
        "config: {build_jobs: 2, db_lock_timeout: 2, connect_timeout: 2}\npackages: {x: {}}\n",
    )
    files.write("user/config.yaml", "config: {build_jobs: 3}\n")
    assert files.problems() == ["user/include.yaml:5: included path /here/no does not exist"]
    files.write("user/include.yaml", "include: [a, b.yaml]\n")
    config = files.load().config
    assert (config.build_jobs, config.db_lock_timeout, config.connect_timeout) == (3, 1, 2)


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ("{git: x, paths: [a]}", "cannot include x: remote files cannot be read here"),
        ("{git: x}", "cannot include x: 'paths' is missing"),
        ("https://example.com/x.yaml", "its sha256 is missing"),
        ("{path: 'https://example.com/x.yaml', sha256: abc}", "remote files cannot be read here"),
        ("{path: include.yaml, sha256: abc}", "does not have the sha256 abc"),
        ("{path: x, when: platform}", "cannot evaluate the condition 'platform'"),
        ("{paths: [x]}", "one of the keys 'path' or 'git'"),
        ("$nowhere/x", "unknown variable $nowhere"),
        (".", "include each other without end"),
    ],
)
def test_includes_that_cannot_be(files: Any, include: str, message: str) -> None:
    files.write("user/include.yaml", f"include:\n- {include}\n")
    found = files.problems()
    assert found[0].startswith("user/include.yaml:2: ")
    assert message in found[0]


def test_an_included_environment_gives_its_sections(files: Any) -> None:
    files.write("env/spack.yaml", "spack:\n  specs: [a]\n  config: {build_jobs: 5}\n")
    assert files.load(custom_scope(str(files.root / "env/spack.yaml"))).config.build_jobs == 5


def test_missing_and_unreadable_directories(files: Any) -> None:
    files.load("none")
    files.write("file", "")
    with pytest.raises(ConfigError, match="there is no such configuration directory"):
        files.load(custom_scope(str(files.root / "none")))
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        files.load(custom_scope(str(files.root / "file" / "below")))


def test_an_environment_is_a_scope(files: Any) -> None:
    files.write("low/config.yaml", "config: {build_jobs: 1}\n")
    files.write("env/more.yaml", "config: {db_lock_timeout: 3}\n")
    location = files.write(
        "env/spack.yaml",
        "spack:\n  specs: [a]\n  view: true\n  include: [more.yaml]\n"
        "  config:\n    build_jobs: 2\n    source_cache: cache\n  packages:: {}\n",
    )
    scope = environment_scope(yaml.load(location))
    settings = files.load("low", data_scope("x", {"packages": {"a": {}}}), scope)
    assert settings.config.build_jobs == 2
    assert settings.config.db_lock_timeout == 3
    assert settings.config.source_cache == files.root / "env" / "cache"
    assert settings.packages == {}
    assert str(settings.origin("config", "build_jobs")) == f"{location}:6"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("config:build_jobs:4", {"config": {"build_jobs": 4}}),
        ("config:locks:false", {"config": {"locks": False}}),
        ("config:aliases:a:b", {"config": {"aliases": {"a": "b"}}}),
        ("packages:all:require:'@1:2'", {"packages": {"all": {"require": "@1:2"}}}),
        ("packages:all:require:[a, 'b:c']", {"packages": {"all": {"require": ["a", "b:c"]}}}),
        ("packages:a::require:x", {"packages": {"a:": {"require": "x"}}}),
        ("packages:a:version:[1.10]", {"packages": {"a": {"version": [1.1]}}}),
        ("packages:{a: {buildable: false}}", {"packages": {"a": {"buildable": False}}}),
        ("config:ssl_certs:", {"config": {"ssl_certs": None}}),
    ],
)
def test_settings_of_the_command_line(setting: str, expected: dict[str, Any]) -> None:
    scope = command_line_scope([setting])
    assert scope.sections is not None
    assert {key: yaml.plain(node) for key, node in scope.sections.items()} == expected


def test_later_settings_of_the_command_line_win() -> None:
    scope = command_line_scope(["config:build_jobs:4", "config:locks:false", "config:build_jobs:5"])
    config = load_settings([scope]).config
    assert (config.build_jobs, config.locks) == (5, False)


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [
        ("config", "cannot read the setting 'config'", "section:key:value"),
        ("config:4", "cannot read the setting", "section:key:value"),
        ("confg:build_jobs:4", "unknown configuration section 'confg'", "'config'"),
    ],
)
def test_settings_that_are_none(setting: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        command_line_scope([setting])
    assert hint in (caught.value.hint or "")


def test_a_wrong_setting_is_attributed_to_the_command_line() -> None:
    with pytest.raises(ConfigError, match=r"^command line: config:build_jobs: expected"):
        load_settings([command_line_scope(["config:build_jobs:x"])])


def test_files_with_errors_are_not_remembered(files: Any, tmp_path: Path) -> None:
    files.write("user/packages.yaml", "packages: {a: {require: '@@'}}\n")
    cache = str(tmp_path / "cache")
    for _ in range(2):
        with pytest.raises(ConfigError, match="unexpected '@@'"):
            files.load(cache=cache)
    assert not os.path.exists(cache)


WARM = """
import sys, time
sys.path.insert(0, sys.argv[1])
import json, pathlib, re
from spack.config.scopes import standard_scopes
from spack.config.settings import load_settings
from spack.config.variables import Variables
names = ("spack", "data", "tree", "user_cache_path", "tempdir", "user")
variables = Variables(dict.fromkeys(names, "/x"), {}, "/h")
times = []
for _ in range(10):
    start = time.perf_counter()
    settings = load_settings(
        standard_scopes(sys.argv[2], {"SPACK_DISABLE_LOCAL_CONFIG": "1"}, "/h"),
        variables, cache=sys.argv[3])
    settings.config, settings.packages, settings.concretizer, settings.repos
    times.append(time.perf_counter() - start)
print(json.dumps([min(times), [m for m in sys.modules if m.split(".")[0] in
    ("ruamel", "hashlib", "difflib", "subprocess", "archspec") or m.startswith("spack.spec")]]))
"""


def test_a_warm_run_takes_less_than_five_milliseconds(root: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-I", "-S", "-c", WARM, str(root / "lib"), str(root / "etc")]
    load_settings([Scope("defaults", str(root / "etc"))], cache=str(tmp_path / "cache"))
    out = subprocess.run([*argv, str(tmp_path / "cache")], check=True, capture_output=True)
    seconds, modules = json.loads(out.stdout)
    assert modules == []
    assert seconds < 0.005


def test_settings_from_plain_data() -> None:
    settings = Settings.from_data({"config": {"build_jobs": 3}, "packages": {"a": {}}})
    assert settings.config.build_jobs == 3
    assert list(settings.packages) == ["a"]

"""Every kind of wrong value: its file and line, what was expected, and a hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spack.config.scopes import check_environment, custom_scope
from spack.config.settings import Settings, load_settings
from spack.errors import ConfigError
from spack.util import yaml


@pytest.mark.parametrize(
    ("section", "text", "message", "hint"),
    [
        ("config", "buld_jobs: 3", "config: unknown key 'buld_jobs'", "build_jobs"),
        ("config", "zzz: 3", "config: unknown key 'zzz'", "known keys: additional"),
        ("config", "build_jobs: many", "expected a whole number of at least 1, found 'many'", None),
        ("config", "build_jobs: 0", "expected a whole number of at least 1, found '0'", None),
        ("config", "build_jobs: '4'", "found '4'", "without quotes"),
        ("config", "build_jobs: true", "found 'true'", None),
        ("config", "build_jobs: 1.50", "found '1.50'", None),
        ("config", "build_jobs: [4]", "found a list", None),
        ("config", "build_jobs:", "found nothing", None),
        ("config", "locks: yes", "config:locks: expected true or false, found 'yes'", "YAML 1.2"),
        ("config", "locks: 'true'", "expected true or false", "without quotes"),
        ("config", "install_tree: /opt", "config:install_tree: expected a mapping", None),
        ("config", "install_tree: {rot: /x}", "unknown key 'rot'", "'root'"),
        ("config", "shared_linking: {type: rpth}", "rpath or runpath, found 'rpth'", "'rpath'"),
        ("config", "template_dirs: /x", "expected a list, found '/x'", None),
        ("config", "package_lock_timeout: soon", "of at least 1 or null, found 'soon'", None),
        ("config", "build_env: {pas: [A]}", "config:build_env: unknown key 'pas'", "'pass'"),
        ("packages", "python: {versions: [3]}", "unknown key 'versions'", "'version'"),
        ("packages", "python: {paths: {}}", "unknown key 'paths'", "externals"),
        ("packages", "python: {version: 3.10}", "python:version: expected a list", None),
        ("packages", "python: {buildable: never}", "python:buildable: expected true", None),
        ("packages", "python: {version: [true]}", "expected a version, found 'true'", "quotes"),
        ("packages", "all: {version: [1]}", "all: unknown key 'version'", "itself"),
        ("packages", "all: {externals: []}", "all: unknown key 'externals'", "itself"),
        ("packages", "a: {externals: [{prefix: /usr}]}", "[0]: the key 'spec' is missing", None),
        ("packages", "a: {externals: [{spec: a@1, prefx: /}]}", "unknown key 'prefx'", "'prefix'"),
        ("packages", "a: {require: [{when: '@1'}]}", "'one_of' or 'any_of' or 'spec'", None),
        ("packages", "a: {require: [{one_of: '@1'}]}", "[0]:one_of: expected a list", None),
        ("packages", "a: {require: '@@1'}", "unexpected '@'", None),
        ("packages", "a: {permissions: {read: all}}", "user, group or world, found 'all'", None),
        ("packages", "all: {providers: {c: gcc}}", "providers:c: expected a list", None),
        ("concretizer", "reuse: sometimes", "true or false or dependencies or a mapping", None),
        ("concretizer", "unify: whenpossible", "or when_possible, found", "'when_possible'"),
        ("concretizer", "duplicates: {strategy: all}", "none, minimal or full", None),
        ("concretizer", "targets: {granularity: micro}", "generic or microarch", None),
        ("concretizer", "splice: {explicit: [{target: a}]}", "'replacement' is missing", None),
        ("repos", "x: {path: /x}", "repos:x: unknown key 'path'", "'paths'"),
        ("repos", "/a/path", "repos: expected a list or a mapping, found '/a/path'", None),
        ("mirrors", "x: {source: true}", "one of the keys 'url' or 'fetch' or 'pull'", None),
        ("bootstrap", "sources: [{name: a}]", "the key 'metadata' is missing", None),
        ("view", "x: {link: run}", "view:x: the key 'root' is missing", None),
        ("view", "x: {root: v, link_type: hradlink}", "found 'hradlink'", "'hardlink'"),
    ],
)
def test_wrong_values(files: Any, section: str, text: str, message: str, hint: str | None) -> None:
    files.write(f"user/{section}.yaml", f"# comment\n{section}:\n  {text}\n")
    with pytest.raises(ConfigError) as caught:
        files.load()
    line = 2 if section == "repos" and text.startswith("/") else 3
    assert str(caught.value).startswith(f"{files.root}/user/{section}.yaml:{line}: ")
    assert message in str(caught.value)
    if hint is not None:
        assert hint in (caught.value.hint or "")
    assert caught.value.facts["line"] == line


def test_all_problems_of_all_files_at_once(files: Any) -> None:
    files.write("user/config.yaml", "config:\n  locks: 1\n  buld_jobs: 2\n")
    files.write("user/packages.yaml", "packages:\n  a: [\n")
    files.write("user/repos.yaml", "repos: 3\nother: 1\n")
    found = files.problems()
    assert [text.split(": ")[0] for text in found] == [
        "user/packages.yaml:3",
        "user/config.yaml:2",
        "user/config.yaml:3",
        "user/repos.yaml:1",
        "user/repos.yaml:2",
    ]


def test_a_section_file_holds_its_section(files: Any) -> None:
    files.write("user/packages.yaml", "config: {}\n")
    assert files.problems() == ["user/packages.yaml:1: unknown key 'config'"]


def test_a_file_that_is_a_list(files: Any) -> None:
    files.write("user/config.yaml", "- a\n")
    assert files.problems() == ["user/config.yaml:1: the file: expected a mapping, found a list"]


def test_numbers_are_the_texts_that_were_written(files: Any) -> None:
    files.write("user/packages.yaml", "packages:\n  a:\n    version: [1.10, 2, '3.0', 0x10]\n")
    assert files.load().package("a").version == ("1.10", "2", "3.0", "0x10")


def test_problems_of_plain_data() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_data({"pakages": {}})
    assert str(caught.value) == "given settings: unknown key 'pakages'"
    assert caught.value.hint == "did you mean 'packages'?"


def check(text: str) -> Any:
    return check_environment(yaml.load("/env/spack.yaml", text))


def test_a_whole_environment_is_checked() -> None:
    tree = check(
        "spack:\n"
        "  specs: [py-black, {matrix: [[a, b], ['%gcc']], exclude: [a]}, $more]\n"
        "  definitions:\n  - more: [c]\n    when: os == 'x'\n"
        "  view:\n    default: {root: v, link: run, select: [a], projections: {all: '{name}'}}\n"
        "  include: [a.yaml, {path: b, optional: true}]\n"
        "  include_concrete: [/other]\n"
        "  config: {build_jobs: 2}\n  packages: {a: {require: ['@1']}}\n"
        "  concretizer: {unify: when_possible}\n  repos: {x: /x}\n  mirrors: {m: /m}\n"
        "  develop: {a: {spec: a@1, path: src}}\n  env_vars: {set: {A: 1}}\n"
        "  modules: {default: {enable: [tcl]}}\n  ci: {x: 1}\n  cdash: {}\n"
        "  toolchains: {t: [{spec: '%c=gcc', when: '%c'}]}\n"
    )
    assert set(tree.value) >= {"specs", "view", "config"}
    for view in ("true", "./v", "{}"):
        check(f"spack: {{view: {view}}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("specs: []\n", "/env/spack.yaml:1: unknown key 'specs'"),
        ("", "/env/spack.yaml:1: the file: the key 'spack' is missing"),
        ("spack:\n  spec: []\n", "/env/spack.yaml:2: spack: unknown key 'spec'"),
        ("spack:\n  specs:\n  - [a]\n", "/env/spack.yaml:3: spack:specs:[0]: expected a spec"),
        ("spack:\n  packages:\n    a: {require: '@@'}\n", "/env/spack.yaml:3: "),
    ],
)
def test_problems_of_an_environment(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["repos: ['x', ['y']]\n", "repos: [null]\n", "repos: [{a: 1}]\n"])
def test_lists_of_repositories_hold_texts(tmp_path: Path, text: str) -> None:
    (tmp_path / "repos.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings([custom_scope(str(tmp_path))])
    assert f"{tmp_path}/repos.yaml:1" in str(caught.value)

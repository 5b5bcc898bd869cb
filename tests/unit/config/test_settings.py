from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spack.config.config_keys import ConfigKey, ConfigSettings
from spack.config.packages import PackageSettings, RequirementGroup
from spack.config.scopes import Scope
from spack.config.settings import Settings, load_settings
from spack.config.variables import Variables
from spack.errors import ConfigError

VARIABLES = Variables(
    {
        "spack": "/spack",
        "data": "/data",
        "tree": "/data/opt/spack",
        "user_cache_path": "/cache",
        "tempdir": lambda: "/tmp",
        "user": "me",
        "cwd": "/cwd",
    },
    {"SCRATCH": "/scratch", "EMPTY": ""},
    "/home/me",
)


def test_the_default_files_say_what_is_built_in(root: Path) -> None:
    files = load_settings([Scope("defaults", str(root / "etc"))], VARIABLES)
    built_in = Settings.from_data({}, VARIABLES)
    other_part = dict(files.config.__dict__)
    assert other_part.pop("aliases") == {"concretise": "concretize", "rm": "remove"}
    ours = {key: value for key, value in built_in.config.__dict__.items() if key != "aliases"}
    assert other_part == ours
    assert files.fetch == built_in.fetch
    assert files.concretizer == built_in.concretizer
    assert files.bootstrap == built_in.bootstrap
    assert files.mirrors == built_in.mirrors == ()
    assert [(entry.name, str(entry.path)) for entry in files.repos] == [("venv", "/spack")]
    assert files.package("all").providers["c"] == ("gcc", "llvm", "intel-oneapi-compilers")


def test_what_comes_with_a_machine_is_not_built(root: Path) -> None:
    files = load_settings([Scope("defaults", str(root / "etc"))], VARIABLES)
    fixed = {name for name, row in files.packages.items() if row.buildable is False}
    assert fixed >= {
        "cce",
        "cray-mpich",
        "egl",
        "essl",
        "fj",
        "glibc",
        "mpt",
        "musl",
        "opengl",
        "xl",
    }
    for virtual, preferred in files.package("all").providers.items():
        assert virtual == "libc" or preferred[0] not in fixed, virtual


def test_config_is_complete_and_immutable() -> None:
    config = Settings.from_data({}, VARIABLES).config
    rows = {name for name, row in vars(ConfigSettings).items() if isinstance(row, ConfigKey)}
    assert rows == set(config.__dict__)
    with pytest.raises(AttributeError):
        config.build_jobs = 3
    assert config.replace(build_jobs=3).build_jobs == 3


def config(**values: Any) -> ConfigSettings:
    return Settings.from_data({"config": values}, VARIABLES).config


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/x/../y", "/y"),
        ("~/s", "/home/me/s"),
        ("~", "/home/me"),
        ("$data/x", "/data/x"),
        ("${data}x", "/datax"),
        ("$SCRATCH/a", "/scratch/a"),
        ("$tempdir/$user", "/tmp/me"),
        ("here", "/cwd/here"),
    ],
)
def test_variables_in_paths(text: str, path: str) -> None:
    assert config(source_cache=text).source_cache == Path(path)


def test_unknown_variables_are_all_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        config(source_cache="$dta/x", build_stage=["$NOPE/a", "/b"], misc_cache="$env/x")
    every = [caught.value, *caught.value.causes]
    assert sorted(str(error) for error in every) == [
        "given settings: unknown variable $NOPE in '$NOPE/a'",
        "given settings: unknown variable $dta in '$dta/x'",
        "given settings: unknown variable $env in '$env/x'",
    ]
    hints = {error.hint for error in every if isinstance(error, ConfigError)}
    assert "did you mean 'data'?" in hints
    assert "$env is known while an environment is active" in hints


def test_relative_paths_belong_to_their_file(tmp_path: Path) -> None:
    (tmp_path / "repos.yaml").write_text("repos: {mine: ../recipes}\n")
    settings = load_settings([Scope("user", str(tmp_path))], VARIABLES)
    assert settings.repos[0].path == tmp_path.parent / "recipes"


def test_certificates_are_optional() -> None:
    assert config().ssl_certs is None
    assert config(ssl_certs="$NOT_SET").ssl_certs is None
    assert config(ssl_certs="$EMPTY").ssl_certs is None
    assert config(ssl_certs="$SCRATCH/ca.pem").ssl_certs == Path("/scratch/ca.pem")


def test_values_of_config() -> None:
    values = config(
        install_tree={"root": "/opt", "projections": {"all": "{name}"}, "padded_length": 128},
        build_stage="/one",
        shared_linking="runpath",
        build_env={"pass": ["A"], "set": {"B": 1}},
        package_lock_timeout=5,
        flags={"keep_werror": "all"},
    )
    assert values.install_tree == Path("/opt")
    assert values.projections == {"all": "{name}"}
    assert values.padded_length == 128
    assert values.build_stage == (Path("/one"),)
    assert values.shared_linking == "runpath"
    assert (values.build_env_pass, values.build_env_set) == (("A",), {"B": "1"})
    assert values.package_lock_timeout == 5
    assert values.keep_werror == "all"
    assert config(install_tree={"padded_length": True}).padded_length > 200


def test_fetch_settings() -> None:
    settings = Settings.from_data(
        {"config": {"index": {"url": "https://i/simple", "extra_urls": ["https://e"]},
                    "verify_ssl": False}},
        VARIABLES,
    )  # fmt: skip
    assert settings.fetch.index_url == "https://i/simple"
    assert settings.fetch.extra_index_urls == ("https://e",)
    assert settings.fetch.verify_ssl is False
    assert settings.fetch.source_cache == Path("/data/var/spack/cache")


def test_concretizer_settings() -> None:
    def read(**values: Any) -> Any:
        return Settings.from_data({"concretizer": values}).concretizer

    assert (read(reuse=False).reuse, read(reuse=False).reuse_settings.enabled) == (False, False)
    assert read(reuse="dependencies").reuse_settings.roots is False
    detailed = read(reuse={"roots": False, "include": ["a"], "from": [{"type": "local"}]})
    assert detailed.reuse == "dependencies"
    assert detailed.reuse_settings.include == ("a",)
    assert detailed.reuse_settings.sources == ({"type": "local"},)
    assert read(unify="when_possible").unify == "when_possible"
    assert read(compiler_mixing=["a"]).compiler_mixing == ("a",)
    assert read(os_compatible={"a": ["b"]}).os_compatible == {"a": ("b",)}
    assert read(externals={"detect": ["python"]}).detect_externals == ("python",)
    assert read(duplicates={"max_dupes": {"default": 2}}).max_dupes == {"default": 2}


def test_repositories() -> None:
    settings = Settings.from_data(
        {"repos": {"a": "/a", "b": {"git": "g", "branch": "m", "destination": "~/b",
                                    "paths": ["x"]}, "c": {"git": "h"}}},
        VARIABLES,
    )  # fmt: skip
    first, second, third = settings.repos
    assert (first.name, first.path, first.git) == ("a", Path("/a"), None)
    assert (second.path, second.git, second.branch) == (Path("/home/me/b"), "g", "m")
    assert (second.paths, third.path) == (("x",), None)
    old = Settings.from_data({"repos": ["/x", "$spack"]}, VARIABLES).repos
    assert [(entry.name, str(entry.path)) for entry in old] == [
        ("/x/", "/x"),
        ("$spack/", "/spack"),
    ]


def test_mirrors() -> None:
    settings = Settings.from_data(
        {
            "mirrors": {
                "a": "https://m/x",
                "b": "$data/mirror",
                "c": {"url": "https://u", "binary": False, "push": {"url": "s3://p"}},
                "d": {"fetch": "https://f", "push": "https://p", "signed": False},
            }
        },
        VARIABLES,
    )
    found = {entry.name: entry for entry in settings.mirrors}
    assert found["a"].fetch_url == found["a"].push_url == "https://m/x"
    assert found["b"].fetch_url == "/data/mirror"
    assert (found["c"].fetch_url, found["c"].push_url) == ("https://u", "s3://p")
    assert (found["c"].source, found["c"].binary) == (True, False)
    assert (found["d"].fetch_url, found["d"].push_url) == ("https://f", "https://p")
    assert found["d"].signed is False


def package(**values: Any) -> PackageSettings:
    return Settings.from_data({"packages": {"a": values}}, VARIABLES).package("a")


def test_requirements_in_all_their_forms() -> None:
    assert package(require="@1").require == (RequirementGroup(("@1",), origin="given settings"),)
    groups = package(
        require=[
            "+x",
            {"spec": "@2", "when": "%gcc", "message": "why"},
            {"one_of": ["@1", "@2"]},
            {"any_of": ["@3", "+y"]},
        ]
    ).require
    assert [(g.policy, g.specs, g.when, g.message) for g in groups] == [
        ("one_of", ("+x",), "", None),
        ("one_of", ("@2",), "%gcc", "why"),
        ("one_of", ("@1", "@2"), "", None),
        ("any_of", ("@3", "+y"), "", None),
    ]
    strong = package(prefer=["@1"], conflict=[{"spec": "%gcc", "when": "@2"}])
    assert [(g.policy, g.specs) for g in strong.prefer] == [("prefer", ("@1",))]
    assert [(g.policy, g.specs, g.when) for g in strong.conflict] == [("conflict", ("%gcc",), "@2")]


def test_preferences_and_permissions() -> None:
    found = package(
        version=["3.11", 3],
        variants="+a ~b",
        target=["zen3"],
        buildable=False,
        permissions={"read": "group", "group": "us"},
        providers={"mpi": ["openmpi"]},
    )
    assert (found.version, found.variants, found.target) == (("3.11", "3"), ("+a ~b",), ("zen3",))
    assert found.buildable is False
    assert (found.permissions.read, found.permissions.group) == ("group", "us")
    assert found.providers == {"mpi": ("openmpi",)}
    assert package(variants=["+a", "~b"]).variants == ("+a", "~b")
    assert package().buildable is None
    assert Settings.from_data({}).package("unknown") == PackageSettings()


def test_externals() -> None:
    first, second = package(
        externals=[
            {
                "spec": "a@1.0",
                "prefix": "~/a",
                "extra_attributes": {"compilers": {"c": "/usr/bin/cc"}, "x": {"y": [1]}},
                "dependencies": [{"spec": "b", "deptypes": "link"}],
                "id": "one",
            },
            {"spec": "a@2", "modules": ["a/2"], "prefix": None},
        ]
    ).externals
    assert (first.spec, first.prefix, first.id) == ("a@1.0", "/home/me/a", "one")
    assert first.extra_attributes == {"compilers": {"c": "/usr/bin/cc"}, "x": {"y": [1]}}
    assert first.dependencies == ({"spec": "b", "deptypes": "link"},)
    assert (second.prefix, second.modules, second.origin) == (None, ("a/2",), "given settings")


def test_an_external_is_somewhere() -> None:
    with pytest.raises(ConfigError, match="'a@1' has neither a prefix nor modules") as caught:
        package(externals=[{"spec": "a@1"}])
    assert "prefix" in (caught.value.hint or "")


def test_a_repository_from_git_may_be_changed_in_part(tmp_path: Path) -> None:
    low, high = (Scope(name, str(tmp_path / name)) for name in ("low", "high"))
    for scope, text in (
        (low, "{a: {git: g, branch: m}, b: /b}"),
        (high, "{a: {destination: a, tag: v1}}"),
    ):
        Path(scope.path).mkdir()
        (Path(scope.path) / "repos.yaml").write_text(f"repos: {text}\n")
    entry, other = load_settings([low, high], VARIABLES).repos
    assert (entry.git, entry.branch, entry.tag) == ("g", "m", "v1")
    assert (entry.path, other.name) == (tmp_path / "high/a", "b")
    with pytest.raises(ConfigError, match=r"repos.yaml:1: repos:a lacks 'git'"):
        print(load_settings([high], VARIABLES).repos)


def test_the_old_form_of_repositories_merges_with_names(tmp_path: Path) -> None:
    low, high = (Scope(name, str(tmp_path / name)) for name in ("low", "high"))
    for scope, text in ((low, "{a: /a}"), (high, "[/b]")):
        Path(scope.path).mkdir()
        (Path(scope.path) / "repos.yaml").write_text(f"repos: {text}\n")
    assert [str(e.path) for e in load_settings([low, high], VARIABLES).repos] == ["/b", "/a"]


def test_externals_of_providers_may_stand_under_a_virtual_package(files: Any) -> None:
    text = (
        "packages: {mpi: {buildable: false, externals: [{spec: mpich@3, prefix: /m}]}, mpich: {%s}}"
    )
    files.write("user/packages.yaml", text % "externals: [{spec: mpich@4, prefix: /n}]")
    packages = files.load().packages
    assert packages["mpi"].externals == () and packages["mpi"].buildable is False
    assert [entry.spec for entry in packages["mpich"].externals] == ["mpich@4", "mpich@3"]

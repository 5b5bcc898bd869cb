"""Entries of ``include:``: conditions, digests, downloads and clones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from spack.config.includes import IncludeAccess
from spack.config.scopes import Scope
from spack.config.settings import load_settings
from spack.config.variables import Variables
from spack.config.when_conditions import ArchitectureText, VersionText, holds
from spack.errors import ConfigError, FetchError, SpackError
from spack.util.hashing import sha256_hex

NAMES = {
    "platform": "linux",
    "os": "debian12",
    "target": "zen3",
    "arch": ArchitectureText("linux-debian12-zen3"),
    "hostname": "login1.cluster",
    "spack_version": VersionText("1.2.0"),
    "env": {"CI": "yes"},
}


def jobs(folder: Path, include: str, access: IncludeAccess) -> int:
    (folder / "include.yaml").write_text(f"include:\n- {include}\n")
    environ: Mapping[str, str] = {"ELSEWHERE": str(folder / "elsewhere.yaml")}
    scopes = [Scope("user", str(folder))]
    settings = load_settings(scopes, Variables(environ=environ), access=access)
    return settings.config.build_jobs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("x.yaml", "elsewhere.yaml"), start=1):
        (tmp_path / name).write_text(f"config: {{build_jobs: {number}}}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("{path: x.yaml, when: platform == 'linux'}", 1),
        ("{path: x.yaml, when: platform == 'darwin' or env.get('CI')}", 1),
        ("{path: none, when: platform == 'darwin'}", 16),
        ("{path: x.yaml, when: 'arch.satisfies(\"target=x86_64:\")'}", 1),
        ("{path: none, when: 'arch.satisfies(\"target=aarch64:\")'}", 16),
        ("{path: x.yaml, path_override_env_var: ELSEWHERE}", 2),
        ("{path: x.yaml, path_override_env_var: NOWHERE}", 1),
    ],
)
def test_conditions_and_variables(folder: Path, include: str, expected: int) -> None:
    assert jobs(folder, include, IncludeAccess(lambda: NAMES)) == expected


def test_nothing_is_asked_without_a_condition(folder: Path) -> None:
    def names() -> Mapping[str, Any]:
        raise AssertionError("there is no condition")

    assert jobs(folder, "x.yaml", IncludeAccess(names)) == 1


def test_a_digest_is_checked(folder: Path) -> None:
    digest = sha256_hex((folder / "x.yaml").read_bytes())
    assert jobs(folder, f"{{path: x.yaml, sha256: {digest}}}", IncludeAccess()) == 1
    url = (folder / "x.yaml").as_uri()
    assert jobs(folder, f"{{path: '{url}', sha256: {digest}}}", IncludeAccess()) == 1
    (folder / "x.yaml").write_text("config: {build_jobs: 3}\n")
    with pytest.raises(ConfigError, match=f"does not have the sha256 {digest}"):
        jobs(folder, f"{{path: x.yaml, sha256: {digest}}}", IncludeAccess())


def test_a_url_is_downloaded(folder: Path) -> None:
    asked: list[tuple[str, str]] = []

    def download(url: str, digest: str) -> str:
        asked.append((url, digest))
        return str(folder / "x.yaml")

    include = "{path: 'https://example.org/x.yaml', sha256: ABC}"
    assert jobs(folder, include, IncludeAccess(download=download)) == 1
    assert asked == [("https://example.org/x.yaml", "abc")]


def test_a_repository_is_cloned(folder: Path) -> None:
    asked: list[tuple[str, ...]] = []

    def clone(*pins: str) -> str:
        asked.append(pins)
        return str(folder)

    access = IncludeAccess(clone=clone)
    assert jobs(folder, "{git: url, tag: v1, paths: [x.yaml, elsewhere.yaml]}", access) == 1
    assert jobs(folder, "{git: url, branch: b, paths: [elsewhere.yaml]}", access) == 2
    assert asked == [("url", "", "v1", ""), ("url", "b", "", "")]
    for name in ("none.yaml", "../x.yaml", "/etc/passwd"):
        with pytest.raises(ConfigError, match=f"the repository url has no {name}"):
            jobs(folder, f"{{git: url, paths: [{name}]}}", access)
    assert jobs(folder, "{git: url, paths: [none.yaml], optional: true}", access) == 16


def test_what_is_optional_may_be_out_of_reach(folder: Path) -> None:
    def fail(*_: str) -> str:
        raise FetchError("no network")

    access = IncludeAccess(download=fail, clone=fail)
    url = "path: 'https://example.org/x.yaml', sha256: abc"
    for entry in (url, "git: url, paths: [x.yaml]"):
        assert jobs(folder, f"{{{entry}, optional: true}}", access) == 16
        with pytest.raises(SpackError, match=r"cannot include .*: no network"):
            jobs(folder, f"{{{entry}}}", access)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spack_version >= '1.0'", True),
        ("spack_version < '1.2'", False),
        ("spack_version.satisfies('1.2:')", True),
        ("spack_version.startswith('1.')", True),
        ("hostname.split('.')[0] == 'login1'", True),
        ("os.upper() == 'DEBIAN12'", True),
        ("arch.satisfies('platform=linux os=debian12')", True),
        ("arch.satisfies('platform=darwin')", False),
        ("'zen3' in arch", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:
    from spack.config.schema import Origin

    assert holds(text, NAMES, Origin("x", 1)) is expected


@pytest.mark.parametrize("text", ["arch.satisfies('@@')", "platform.join(['a'])", "os[9]"])
def test_conditions_that_cannot_be(text: str) -> None:
    from spack.config.schema import Origin

    with pytest.raises(ConfigError, match="x:1: cannot evaluate the condition"):
        holds(text, NAMES, Origin("x", 1))

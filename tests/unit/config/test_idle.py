"""Keys that Spack knows and that have no effect here: said once, and no error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from spack.config.keys import SECTIONS
from spack.config.schema import ConfigReport, Record, as_nodes
from spack.config.scopes import Scope, command_line_scope
from spack.config.settings import load_settings
from spack.config.unsupported import IDLE
from spack.config.variables import Variables

#: A value that the schema accepts and that is not harmless, where "x" is none.
VALUES: dict[str, Any] = {
    "bootstrap:sources": [{"name": "x", "metadata": "/x"}],
    "bootstrap:trusted": {"x": True},
    "compilers": [{"compiler": {}}],
    "concretizer:concretization_cache": {"enable": True},
    "concretizer:duplicates:strategy": "full",
    "concretizer:enable_node_namespace": True,
    "concretizer:externals:completion": "architecture_only",
    "concretizer:os_compatible": {"debian12": ["debian11"]},
    "concretizer:splice": {"automatic": True},
    "concretizer:static_analysis": True,
    "config:binary_index_ttl": 5,
    "config:debug": True,
    "config:extensions": ["/x"],
    "config:install_status": True,
    "config:installer": "new",
    "config:shared_linking:bind": True,
    "config:shared_linking:missing_library_policy": "error",
    "config:suppress_gpg_warnings": True,
    "config:template_dirs": ["/x"],
    **{f"container:images:spack:{key}": True for key in ("resolve_sha", "verify")},
    "definitions": [{"x": ["py-black"]}],
    "develop": {"x": {"spec": "x@=1.0"}},
    "mirrors:*:access_pair": {"id": "x", "secret_variable": "X"},
    "mirrors:*:autopush": True,
    "mirrors:*:binary": True,
    "mirrors:*:signed": True,
    **{
        f"mirrors:*:{way}:access_pair": {"id": "x", "secret_variable": "X"}
        for way in ("fetch", "pull")
    },
    "packages:*:externals:-:extra_attributes:implicit_rpaths": True,
    "packages:*:compiler": ["gcc"],
    "packages:*:package_attributes": {"x": 1},
    **{f"modules:*:{kind}:verbose": True for kind in ("tcl", "lmod")},
    "view": True,
}


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return the value below its keys: ``*`` is some name, ``-`` the item of a list.

    A mirror has a url, an image an operating system, and an external what it must have.
    """
    for key in reversed(path.split(":")):
        value = [value] if key == "-" else {"some" if key == "*" else key: value}
    if "mirrors" in value:
        value["mirrors"]["some"].setdefault("url", "/m")
        for way in ("fetch", "pull"):
            if isinstance(value["mirrors"]["some"].get(way), dict):
                value["mirrors"]["some"][way]["url"] = "/m"
    if "images" in value.get("container", {}):
        value["container"]["images"]["os"] = "debian:12"
    for upstream in value.get("upstreams", {}).values():
        upstream["install_tree"] = "/t"
    for external in value.get("packages", {}).get("some", {}).get("externals", []):
        external.update(spec="some@1", prefix="/usr")
    return dict(value)


def told(data: dict[str, Any]) -> list[str]:
    found: list[str] = []
    sections = {key: as_nodes(value, 7) for key, value in data.items()}
    load_settings(
        [Scope("user", "/etc/x.yaml", sections)], Variables({}, {}), report_note=found.append
    )
    return found


@pytest.mark.parametrize("path", IDLE)
def test_every_key_is_known_and_reported(path: str) -> None:
    data = nested(path, VALUES.get(path, "x"))
    report = ConfigReport()
    Record(SECTIONS).check(as_nodes(data), "file", (), report)
    assert report.problems == []
    notes = told(data)
    assert len(notes) == 1
    name = path.replace("*", "some").replace(":-", "")
    assert notes[0].startswith(f"/etc/x.yaml:7: {name} has no effect in this spack: ")
    for value in IDLE[path].harmless:
        assert told(nested(path, value)) == []


def test_a_file_says_it_once(files: Any, tmp_path: Path) -> None:
    location = files.write("user/config.yaml", "config:\n  build_jobs: 2\n  license_dir: /x\n")
    cache = str(tmp_path / "cache")
    scopes = [Scope("user", str(tmp_path / "user"))]

    def notes() -> list[str]:
        found: list[str] = []
        load_settings(scopes, files.variables, cache=cache, report_note=found.append)
        return found

    os.utime(location, (0, 0))
    assert notes() == [
        f"{location}:3: config:license_dir has no effect in this spack: "
        "licence files are the recipes' own affair"
    ]
    assert notes() == []
    location.write_text("config:\n  license_dir:: /y\n")
    assert len(notes()) == 1


def test_the_command_line_says_it_always() -> None:
    for _ in range(2):
        found: list[str] = []
        scope = command_line_scope(["config:debug:true"])
        load_settings([scope], report_note=found.append)
        assert found == [
            "command line: config:debug has no effect in this spack: the option -d shows tracebacks"
        ]


def test_the_defaults_have_none(root: Path) -> None:
    found: list[str] = []
    variables = Variables(
        {"spack": "/s", "data": "/d", "tree": "/d/opt", "user_cache_path": "/c", "user": "me"}
    )
    load_settings([Scope("defaults", str(root / "etc"))], variables, report_note=found.append)
    assert found == []

"""Provenance of binaries: what it says, and what of it is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.binary.provenance import BUILT, provenance_text, read_provenance
from spack.errors import BinaryCacheError
from spack.store import InstallRecord

SPEC = make_spec("pack@1", make_spec("needed"))
BUILD = {
    "source": [{"name": "pack-1.tar.gz", "sha256": "a" * 64}],
    "patch": [{"name": "fix.patch", "sha256": "b" * 64}],
    "protected": ["a sandbox"],
    "unprotected": ["a closed network"],
    "host": "builder",
    "tool": "1.0",
    "finished": 1_700_000_000,
}


def statement(facts: dict[str, Any]) -> Any:
    record = InstallRecord.of(SPEC, Path("/p"), transaction="t", facts=facts)
    return json.loads(provenance_text(SPEC, record, "c" * 64))


def test_a_build_is_described_the_same_every_time() -> None:
    data = statement({BUILT: BUILD})
    assert data == statement({BUILT: BUILD, "cache": "site"})
    assert data["subject"][0]["digest"] == {"sha256": "c" * 64}
    definition = data["predicate"]["buildDefinition"]
    assert definition["internalParameters"] == {
        "protected": ["a sandbox"],
        "unprotected": ["a closed network"],
        "dirty": False,
    }
    assert [row["name"] for row in definition["resolvedDependencies"]] == [
        "recipe test.pack",
        "source pack-1.tar.gz",
        "patch fix.patch",
        SPEC["needed"].short,
    ]
    details = data["predicate"]["runDetails"]
    assert details["metadata"] == {"invocationId": "t", "finishedOn": "2023-11-14T22:13:20Z"}
    assert read_provenance(json.dumps(data).encode(), "c" * 64, "x") == data


def test_of_an_earlier_install_less_is_known() -> None:
    predicate = statement({})["predicate"]
    assert predicate["runDetails"]["builder"]["id"] == "urn:spack-venv:host:unknown"
    assert "finishedOn" not in predicate["runDetails"]["metadata"]


def set_at(data: Any, path: str, value: object) -> bytes:
    data = target = copy.deepcopy(data)
    *keys, last = path.split(".")
    for key in keys:
        target = target[int(key) if key.isdigit() else key]
    target[last] = value
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("predicateType", "other", "its provenance cannot be read: its type is 'other'"),
        ("predicate", [], "its provenance cannot be read"),
        ("predicate.runDetails.builder", {}, "its provenance cannot be read: 'id'"),
        ("predicate.runDetails.builder.id", "\x1b[31m", "not a text that can be shown"),
        ("predicate.buildDefinition.resolvedDependencies", [{"name": 1}], "not a text"),
        ("predicate.buildDefinition.internalParameters.protected", 1, "cannot be read"),
        ("subject.0.digest.sha256", "d" * 64, "its provenance is of another archive"),
        ("subject", [], "its provenance is of another archive"),
    ],
)
def test_what_is_refused(path: str, value: object, reason: str) -> None:
    content = set_at(statement({BUILT: BUILD}), path, value)
    with pytest.raises(BinaryCacheError, match=reason):
        read_provenance(content, "c" * 64, "the binary of pack")


def test_what_is_no_statement() -> None:
    for content in (b"", b"[", b"[]", b"\xff", b"1"):
        with pytest.raises(BinaryCacheError, match="its provenance cannot be read"):
            read_provenance(content, "c" * 64, "x")

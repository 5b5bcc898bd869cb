"""Concrete specs in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.specs import make_spec
from spack.actions.spec_files import read_spec_file, without_files
from spack.errors import SpecError
from spack.spec import Spec, dump, to_specfile
from spack.util import yaml

ZLIB = make_spec("zlib@1.3", shared=True)
HDF5 = make_spec("hdf5@1.14", ZLIB)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hdf5.json").write_text(json.dumps(to_specfile(HDF5)))
    (tmp_path / "zlib.yaml").write_text(yaml.dump(to_specfile(ZLIB)))
    return tmp_path


def test_files_become_names_and_hashes(directory: Path) -> None:
    specs, nodes = without_files(map(Spec, ("p@2", "./hdf5.json+x", "q %c ^./zlib.yaml %gcc")))
    assert [str(spec) for spec in specs] == [
        "p@2",
        f"hdf5+x/{HDF5.dag_hash()}",
        f"q %c ^zlib/{ZLIB.dag_hash()} %gcc",
    ]
    assert nodes == [HDF5, ZLIB]
    assert without_files([Spec("p ^q")]) == ([Spec("p ^q")], [])
    again, nodes = without_files([Spec(f"{directory}/hdf5.json"), Spec(f"{directory}/hdf5.json")])
    assert again[0] == again[1] and nodes == [HDF5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "holds no concrete spec: JSONDecodeError"),
        ("[]", "holds no concrete spec: the stored specs are incomplete"),
        ("{}", "holds no concrete spec: the stored specs are incomplete"),
        ('{"spec": {"_meta": {"version": 5}, "nodes": []}}', "specs are incomplete: IndexError"),
        ('{"spec": {"_meta": {"version": 6}}}', "spec files of version 6 are not supported"),
        (json.dumps(dump([HDF5, ZLIB])), "there are 2 concrete specs, not one"),
        (json.dumps({**dump([HDF5]), "roots": ["abc"]}), "specs are incomplete: KeyError"),
        (json.dumps(to_specfile(HDF5)).replace("1.14", "1.15"), "it was changed"),
    ],
)
def test_damaged_files(directory: Path, text: str, message: str) -> None:
    (directory / "x.json").write_text(text)
    with pytest.raises(SpecError, match=message) as caught:
        read_spec_file("./x.json")
    assert (caught.value.ref, caught.value.facts["file"]) == ("spec-file", "./x.json")


def test_missing_and_malformed_files(directory: Path) -> None:
    with pytest.raises(SpecError, match=r"cannot read the spec file ./no.json: No such file"):
        read_spec_file("./no.json")
    (directory / "x.yaml").write_text("a: [")
    with pytest.raises(SpecError, match=r"./x.yaml holds no concrete spec: ./x.yaml:1: "):
        read_spec_file("./x.yaml")
    (directory / "x.json").write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match="UnicodeDecodeError"):
        read_spec_file("./x.json")


def test_what_reads_no_files_says_so() -> None:
    with pytest.raises(SpecError, match=r"./x.json is a file, and this takes specs"):
        HDF5.satisfies("./x.json")

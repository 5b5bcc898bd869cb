"""Dependencies of externals on externals."""

from __future__ import annotations

from typing import Any

import pytest

from spack.config.external_dependencies import of_system, with_external_dependencies
from spack.config.packages import ExternalEdge
from spack.errors import ConfigError

TEXT = """\
packages:
  a:
    externals:
    - spec: a@1 %gcc@12
      prefix: /a
      dependencies:
      - {id: b-site, deptypes: [link, run], virtuals: "x, y"}
      - {spec: "c@2", deptypes: run}
  b:
    externals: [{spec: b@1, prefix: /b}, {spec: b@1, prefix: /c, id: b-site}]
  c:
    externals: [{spec: c@1, prefix: /d}, {spec: c@2, prefix: /e}]
  gcc:
    externals: [{spec: gcc@12.2, prefix: /usr}]
  d:
    externals: [{spec: d@1, prefix: /d}]
"""


def test_they_are_found(files: Any) -> None:
    files.write("user/packages.yaml", TEXT)
    packages = files.load().packages
    found = with_external_dependencies(packages)
    assert found["a"].externals[0].edges == (
        ExternalEdge("b", 1, ("link", "run"), ("x", "y")),
        ExternalEdge("c", 1, ("run",)),
        ExternalEdge("gcc", 0),
    )
    assert found["b"] is packages["b"] and found["d"].externals[0].edges == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{id: nowhere}", "depends on 'nowhere', which is not among the externals"),
        ("{spec: c@3}", "depends on 'c@3', which is not among the externals"),
        ("{spec: c}", "depends on 'c', which is several externals: c@1 or c@2"),
        ("{deptypes: run}", "an entry without 'id' and 'spec'"),
    ],
)
def test_what_is_not_there_names_its_line(files: Any, row: str, message: str) -> None:
    files.write(
        "user/packages.yaml",
        TEXT.replace('{id: b-site, deptypes: [link, run], virtuals: "x, y"}', row),
    )
    with pytest.raises(ConfigError) as caught:
        with_external_dependencies(files.load().packages)
    assert "packages.yaml:4: the external 'a@1 %gcc@12' depends on" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("d@1 %llvm", "depends on 'llvm', which is not among the externals"),
        ("d@1 ^c", "depends on 'c', which is several externals: c@1 or c@2"),
    ],
)
def test_what_the_spec_of_an_external_names_is_one_external(
    files: Any, spec: str, message: str
) -> None:
    files.write("user/packages.yaml", TEXT.replace("d@1", spec))
    with pytest.raises(ConfigError, match=message):
        with_external_dependencies(files.load().packages)


def test_without_any_nothing_changes(files: Any) -> None:
    files.write("user/packages.yaml", "packages: {a: {externals: [{spec: a@1, prefix: /a}]}}\n")
    packages = files.load().packages
    assert with_external_dependencies(packages) is packages


def test_externals_of_other_systems_are_left_out(files: Any) -> None:
    specs = ("a@3 os=ubuntu24.04", "a@2 arch=darwin-sonoma-m1", "a@1 os=debian12", "a@0")
    rows = ", ".join(f'{{spec: "{spec}", prefix: /a}}' for spec in specs)
    files.write("user/packages.yaml", f"packages: {{a: {{externals: [{rows}]}}, b: {{}}}}\n")
    packages = files.load().packages
    found = of_system(packages, "linux", "debian12")
    assert [entry.spec for entry in found["a"].externals] == ["a@1 os=debian12", "a@0"]
    assert found["b"] is packages["b"]

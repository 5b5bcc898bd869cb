"""Reading and editing spack.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.config.schema import strip
from spack.config.variables import Variables
from spack.environment import EnvironmentManifest
from spack.environment.groups import solve_order
from spack.environment.spack_yaml import DEFAULT_TEXT
from spack.errors import ConfigError, EnvironmentFileError, SpackError, SpecError
from spack.spec import Spec


def write(folder: Path, text: str) -> EnvironmentManifest:
    path = folder / "spack.yaml"
    path.write_text(text)
    return EnvironmentManifest.read(path)


def texts(manifest: EnvironmentManifest, **names: object) -> list[str]:
    return [spec.text for spec in manifest.user_specs(names)]


def test_specs_keep_their_order_and_lines(tmp_path: Path) -> None:
    manifest = write(tmp_path, "spack:\n  specs:\n  - py-black\n  - zlib@1.2 +shared\n  - zlib\n")
    assert texts(manifest) == ["py-black", "zlib@1.2 +shared", "zlib"]
    assert [spec.origin.line for spec in manifest.user_specs()] == [3, 4, 5]


def test_definitions_and_matrices(tmp_path: Path) -> None:
    manifest = write(
        tmp_path,
        """\
spack:
  definitions:
  - compilers: [gcc@12, clang@17]
  - numpy: [py-numpy@2.0]
  - numpy: [py-numpy@1.26]
  - extra: [hdf5]
    when: platform == "linux" and not re.match("ppc", target)
  - extra: [netcdf]
    when: "'CI' in env or platform == 'darwin'"
  specs:
  - $extra
  - matrix:
    - [$numpy]
    - [$%compilers]
    exclude: ["py-numpy@2.0%clang"]
  - py-numpy@1.26 %gcc@12
""",
    )
    assert texts(manifest, platform="linux", target="zen3", env={}, os="debian12") == [
        "hdf5",
        "py-numpy@2.0 %gcc@12",
        "py-numpy@1.26 %gcc@12",
        "py-numpy@1.26 %clang@17",
    ]
    found = texts(manifest, platform="darwin", target="m1", env={}, os="sonoma")
    assert found[0] == "netcdf"


def test_a_definition_without_a_true_condition_is_empty_and_parts_are_one(tmp_path: Path) -> None:
    manifest = write(
        tmp_path,
        """\
spack:
  definitions:
  - tools: [a]
  - all: [$tools]
  - tools: [b]
  - tools: [c]
    when: platform == "darwin"
  - odd: [d]
    when: platform == "darwin"
  specs: [$all, $odd]
""",
    )
    assert texts(manifest, platform="linux") == ["a", "b"]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("[['%gcc', '%clang'], [hdf5, zlib]]",
         ["hdf5 %gcc", "zlib %gcc", "hdf5 %clang", "zlib %clang"]),
        ("[[hdf5], [^mpich], [+fortran]]", ["hdf5+fortran ^mpich"]),
        ("[[+shared ^mpich@4], [hdf5+hl], ['@1.14']]", ["hdf5@1.14+hl+shared ^mpich@4"]),
        ("[[{matrix: [[hdf5], [+mpi, ~mpi]]}, zlib], [target=x86_64_v3]]",
         ["hdf5 +mpi target=x86_64_v3", "hdf5 ~mpi target=x86_64_v3", "zlib target=x86_64_v3"]),
        ("[[tcl], [$^zlibs]]", ["tcl ^zlib@1.2 +pic", "tcl ^zlib@1.3 +pic"]),
        ("[[hdf5 +mpi, hdf5], ['@1.12', '@1.14']]\n    exclude: ['hdf5@1.12 +mpi']",
         ["hdf5 +mpi @1.14", "hdf5 @1.12", "hdf5 @1.14"]),
    ],
)  # fmt: skip
def test_matrices(tmp_path: Path, matrix: str, expected: list[str]) -> None:
    manifest = write(
        tmp_path,
        f"""\
spack:
  definitions:
  - zlibs:
    - matrix: [[zlib], ['@1.2', '@1.3'], [+pic]]
  specs:
  - matrix: {matrix}
""",
    )
    assert list(map(Spec, texts(manifest))) == list(map(Spec, expected))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("[[zlib, hdf5], [py-black]]", "zlib"),
        ("[[zlib], ['@1.2'], ['@1.3']]", "1.3"),
        ("[['zlib@@']]", "@@"),
        (str([[f"p{n}" for n in range(400)]] * 3), "the matrix has 64000000 combinations"),
    ],
)
def test_matrices_that_cannot_be(tmp_path: Path, matrix: str, message: str) -> None:
    manifest = write(tmp_path, f"spack:\n  specs:\n  - matrix: {matrix}\n")
    with pytest.raises(SpackError) as caught:
        manifest.user_specs()
    assert message in str(caught.value) and "spack.yaml:3" in str(caught.value)


GROUPS = """\
spack:
  definitions:
  - apps: [hdf5, tcl]
  specs:
  - zlib
  - group: apps
    needs: [compiler]
    specs:
    - $apps
    - zlib
    override:
      packages:
        c: {prefer: [gcc@12]}
  - group: compiler
    explicit: false
    specs: [gcc@12]
  - tcl
"""


def test_groups(tmp_path: Path) -> None:
    groups = write(tmp_path, GROUPS).groups()
    assert [(group.name, [spec.text for spec in group.specs]) for group in groups] == [
        ("default", ["zlib", "tcl"]),
        ("apps", ["hdf5", "tcl", "zlib"]),
        ("compiler", ["gcc@12"]),
    ]
    assert groups[1].override is not None and groups[0].override is None
    assert strip(groups[1].override) == {"packages": {"c": {"prefer": ["gcc@12"]}}}
    assert {spec.group for spec in groups[1].specs} == {"apps"}
    assert [group.explicit for group in groups] == [True, True, False]
    assert [group.name for group in solve_order(groups)] == ["default", "compiler", "apps"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("- {group: a, specs: [x], needs: [b]}", "4: 'a' needs 'b': there is no such group"),
        (
            "- {group: a, specs: [x]}\n  - {group: a, specs: [y]}",
            "5: the group 'a' is there already",
        ),
        (
            "- {group: a, needs: [b]}\n  - {group: b, needs: [a]}",
            "4: groups need each other: 'a', 'b'",
        ),
    ],
)
def test_groups_that_cannot_be(tmp_path: Path, groups: str, message: str) -> None:
    manifest = write(tmp_path, f"spack:\n  specs:\n  - z\n  {groups}\n")
    with pytest.raises(ConfigError) as caught:
        solve_order(manifest.groups())
    assert message in str(caught.value)


def test_a_group_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        write(
            tmp_path,
            "spack:\n  specs:\n  - group: a\n    spec: [x]\n    override:\n      packges: {}\n"
            "      packages: {all: {require: ['@@']}}\n",
        )
    found = "\n".join(caught.value.facts["problems"])
    assert "4: spack:specs:[0]: unknown key 'spec'" in found and "unknown key 'packges'" in found
    assert "spack.yaml:7: " in found


def test_the_short_form_of_a_view(tmp_path: Path) -> None:
    manifest = write(
        tmp_path,
        "spack:\n  view: {exclude: [py-mccabe], conflicts: {bin/x: a}, group: apps}\n",
    )
    (view,) = manifest.views()
    assert view.root == str(tmp_path / ".spack-env" / "view")
    assert (view.name, view.exclude, view.winners) == ("default", ("py-mccabe",), {"bin/x": "a"})
    assert view.groups == ("apps",)


def test_an_unknown_definition_names_its_line(tmp_path: Path) -> None:
    manifest = write(
        tmp_path, "spack:\n  definitions:\n  - tools: [a]\n  specs:\n  - b\n  - $tool\n"
    )
    with pytest.raises(ConfigError) as caught:
        manifest.user_specs()
    assert str(caught.value).startswith(f"{tmp_path}/spack.yaml:6: ")
    assert "tools" in str(caught.value.hint)


@pytest.mark.parametrize(
    "condition",
    ["platform ==", "unknown == 'x'", "__import__('os').system('x')", "platform < 'x'", "env['X']"],
)
def test_a_condition_is_data(tmp_path: Path, condition: str) -> None:
    manifest = write(
        tmp_path,
        f'spack:\n  definitions:\n  - a: [b]\n    when: "{condition}"\n  specs: [$a]\n',
    )
    with pytest.raises(ConfigError) as caught:
        manifest.user_specs({"platform": "linux", "env": {}})
    assert "spack.yaml:4:" in str(caught.value)


def test_malformed_files_name_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"spack.yaml:4: "):
        write(tmp_path, "spack:\n  specs:\n  - [a\n  view: x\n")
    with pytest.raises(ConfigError) as caught:
        write(tmp_path, "spack:\n  specs: 3\n  viev: true\n")
    problems = caught.value.facts["problems"]
    assert len(problems) == 2 and "spack.yaml:2: " in problems[0]
    assert "spack.yaml:3: " in problems[1]
    with pytest.raises(ConfigError):
        write(tmp_path, "specs: []\n")


def test_views(tmp_path: Path) -> None:
    default = str(tmp_path / ".spack-env/view")
    for text, roots in {
        "": [default],
        "  view: true\n": [default],
        "  view: false\n": [],
        "  view: view\n": [str(tmp_path / "view")],
        "  view: ./view\n": [str(tmp_path / "view")],
        "  view: /some/where\n": ["/some/where"],
        "  view: $env/v\n": [str(tmp_path / "v")],
        "  view: $spack/v\n": ["/root-of-spack/v"],
        "  view: {a: x, b: {root: y}}\n": [str(tmp_path / "x"), str(tmp_path / "y")],
    }.items():
        manifest = write(tmp_path, "spack:\n  specs: []\n" + text)
        variables = Variables({"spack": "/root-of-spack"})
        assert [view.root for view in manifest.views(variables)] == roots, text


def test_a_view_descriptor(tmp_path: Path) -> None:
    manifest = write(
        tmp_path,
        """\
spack:
  specs: []
  view:
    tools:
      root: tools
      link: roots
      link_type: hard
      select: [py-black, "^python"]
      exclude: [zlib]
      projections: {all: "{name}", zlib: z}
      conflicts: {"share/*": zlib}
""",
    )
    (view,) = manifest.views()
    assert view.name == "tools"
    assert (view.link, view.link_type) == ("roots", "hardlink")
    assert (view.select, view.exclude) == (("py-black", "^python"), ("zlib",))
    assert view.projections == {"all": "{name}", "zlib": "z"}
    assert view.winners == {"share/*": "zlib"}
    assert view.origin.line == 4


def test_views_with_one_root_are_refused(tmp_path: Path) -> None:
    manifest = write(tmp_path, "spack:\n  specs: []\n  view: {a: x, b: ./x}\n")
    with pytest.raises(EnvironmentFileError, match="same root"):
        manifest.views()


def test_an_unknown_variable_in_a_view(tmp_path: Path) -> None:
    manifest = write(tmp_path, "spack:\n  specs: []\n  view: $nowhere/x\n")
    with pytest.raises(ConfigError, match=r"spack.yaml:3: "):
        manifest.views()


COMMENTED = """\
# what we need
spack:
  specs:   # roots
  - zlib   # compression
  - "py-black@24:"

  # where
  view: false
"""


def test_editing_keeps_comments(tmp_path: Path) -> None:
    manifest = write(tmp_path, COMMENTED)
    edited = manifest.added(["py-isort", "zlib"])
    text = (tmp_path / "spack.yaml").read_text()
    assert texts(edited) == ["zlib", "py-black@24:", "py-isort"]
    for comment in ("# what we need", "# roots", "# compression", "# where"):
        assert comment in text
    edited.removed(["py-isort"])
    assert texts(EnvironmentManifest.read(tmp_path / "spack.yaml")) == ["zlib", "py-black@24:"]


def test_adding_to_an_empty_environment(tmp_path: Path) -> None:
    manifest = write(tmp_path, DEFAULT_TEXT)
    manifest.added(["py-black"])
    text = (tmp_path / "spack.yaml").read_text()
    assert "- py-black\n" in text and "# the packages that you ask for" in text
    manifest = write(tmp_path, "spack:\n")
    assert texts(manifest.added(["a", "b"])) == ["a", "b"]


def test_adding_what_is_there_does_not_write(tmp_path: Path) -> None:
    manifest = write(tmp_path, COMMENTED)
    before = (tmp_path / "spack.yaml").stat().st_mtime_ns
    assert manifest.added(["zlib"]) is manifest
    assert (tmp_path / "spack.yaml").stat().st_mtime_ns == before


def test_a_malformed_spec_changes_nothing(tmp_path: Path) -> None:
    manifest = write(tmp_path, COMMENTED)
    with pytest.raises(SpecError):
        manifest.added(["zlib@@1"])
    assert (tmp_path / "spack.yaml").read_text() == COMMENTED


def test_removing(tmp_path: Path) -> None:
    manifest = write(tmp_path, COMMENTED)
    assert texts(manifest.removed(["py-black"])) == ["zlib"]
    with pytest.raises(EnvironmentFileError) as caught:
        manifest.removed(["py-mypy"])
    assert "py-mypy" in str(caught.value)


def test_removing_what_a_list_fetches(tmp_path: Path) -> None:
    manifest = write(tmp_path, "spack:\n  definitions:\n  - tools: [a, b]\n  specs:\n  - $tools\n")
    with pytest.raises(EnvironmentFileError) as caught:
        manifest.removed(["a"])
    assert "spack.yaml:5" in str(caught.value.hint)
    assert texts(manifest.removed(["a"], "tools")) == ["b"]
    with pytest.raises(EnvironmentFileError, match="no definition"):
        manifest.added(["a"], "missing")


def test_comments_below_the_specs_stay_below_them(tmp_path: Path) -> None:
    manifest = write(tmp_path, DEFAULT_TEXT)
    for text in ("a", "b", "c"):
        manifest = manifest.added([text])
    lines = [line.strip() for line in (tmp_path / "spack.yaml").read_text().splitlines()]
    location = lines.index("- a")
    assert lines[location : location + 3] == ["- a", "- b", "- c"]
    assert lines[location + 3].startswith("# one directory")


@pytest.mark.parametrize(
    "before, after",
    [
        (
            "spack:\n  specs:\n  - a  # keep\n  # view\n\n  view: true\n",
            "spack:\n  specs:\n  - a  # keep\n  - b\n  # view\n\n  view: true\n",
        ),
        (
            "spack:\n  specs:\n  - a\n\n  view: true\n",
            "spack:\n  specs:\n  - a\n  - b\n\n  view: true\n",
        ),
        ("spack:\n  specs:\n  - a\n# end\n", "spack:\n  specs:\n  - a\n  - b\n# end\n"),
        ("spack:\n  specs: [a] # eol\n", "spack:\n  specs: [a, b] # eol\n"),
    ],
)
def test_where_an_added_spec_goes(tmp_path: Path, before: str, after: str) -> None:
    write(tmp_path, before).added(["b"])
    assert (tmp_path / "spack.yaml").read_text() == after


def test_a_spec_without_a_name_is_not_added(tmp_path: Path) -> None:
    manifest = write(tmp_path, COMMENTED)
    with pytest.raises(SpecError, match="names no package") as caught:
        manifest.added(["^python"])
    assert caught.value.hint
    assert (tmp_path / "spack.yaml").read_text() == COMMENTED


def test_a_root_without_a_name_is_removed_by_its_own_text_only(tmp_path: Path) -> None:
    manifest = write(tmp_path, "spack:\n  specs: ['^python', a]\n")
    with pytest.raises(EnvironmentFileError):
        manifest.removed(["nosuch"])
    assert texts(manifest.removed(["^python"])) == ["a"]


def test_a_view_whose_path_cannot_stand_in_path_is_refused(tmp_path: Path) -> None:
    manifest = write(tmp_path, "spack:\n  specs: [a]\n  view: /some/co:lon\n")
    with pytest.raises(EnvironmentFileError, match="PATH cannot name it") as caught:
        manifest.views()
    assert "spack.yaml:3" in str(caught.value)
    assert caught.value.hint


def test_the_view_of_an_environment_that_says_nothing(tmp_path: Path) -> None:
    manifest = write(tmp_path, "spack:\n").with_view(False)
    assert manifest.views() == ()
    assert (tmp_path / "spack.yaml").read_text() == "spack:\n  view: false\n"

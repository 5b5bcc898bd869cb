"""Finding, making, locking and removing environments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.config.schema import Origin
from spack.environment import (
    Environment,
    Lockfile,
    UserSpec,
    create_environment,
    find_environment,
    list_environments,
    remove_environment,
)
from spack.environment.lockfile import configuration_digest, read_lockfile
from spack.errors import ConfigError, EnvironmentFileError
from spack.spec import ConcreteSpec


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "environments"


def node(name: str, *below: ConcreteSpec) -> ConcreteSpec:
    return make_spec(name, *below, types=("link", "run"))


def asked(text: str, group: str = "default") -> UserSpec:
    return UserSpec(text, Origin("spack.yaml", 3), group)


def test_named_and_directory_environments(tmp_path: Path, root: Path) -> None:
    create_environment(root / "style", "style")
    create_environment(tmp_path / "here")
    assert list_environments(root) == ("style",)
    assert list_environments(tmp_path / "missing") == ()
    found = find_environment("style", root, tmp_path)
    assert (found.path, found.name, found.named) == (root / "style", "style", True)
    for name in ("here", "./here", str(tmp_path / "here"), "here/spack.yaml"):
        found = find_environment(name, root, tmp_path)
        assert (found.path, found.name, found.named) == (tmp_path / "here", "here", False)
    assert find_environment(".", root, tmp_path / "here").path == tmp_path / "here"


def test_a_name_wins_over_a_directory(tmp_path: Path, root: Path) -> None:
    create_environment(root / "both", "both")
    create_environment(tmp_path / "both")
    assert find_environment("both", root, tmp_path).named
    assert not find_environment("./both", root, tmp_path).named
    assert not find_environment("both", root, tmp_path, directory_only=True).named


def test_an_active_named_environment_is_found_by_its_directory(tmp_path: Path, root: Path) -> None:
    create_environment(root / "style", "style")
    assert find_environment(str(root / "style"), root, tmp_path, directory_only=True).named


def test_an_unknown_environment(tmp_path: Path, root: Path) -> None:
    create_environment(root / "style", "style")
    with pytest.raises(EnvironmentFileError) as caught:
        find_environment("stile", root, tmp_path)
    assert "style" in str(caught.value.hint)
    with pytest.raises(EnvironmentFileError) as caught:
        find_environment("./x", root, tmp_path)
    assert "spack.yaml" in str(caught.value)


def test_creating(tmp_path: Path, root: Path) -> None:
    environment = create_environment(root / "a", "a", "spack:\n  specs: [zlib]\n")
    assert [spec.text for spec in environment.manifest.user_specs()] == ["zlib"]
    with pytest.raises(EnvironmentFileError, match="already"):
        create_environment(root / "a", "a")
    with pytest.raises(EnvironmentFileError, match="cannot be the name"):
        create_environment(root / "a b", "a b")
    with pytest.raises(ConfigError):
        create_environment(root / "bad", "bad", "spack:\n  nothing: here\n")
    assert not (root / "bad").exists()
    with pytest.raises(EnvironmentFileError, match="cannot be made"):
        create_environment(root / "a" / "spack.yaml" / "x")


def test_removing(tmp_path: Path, root: Path) -> None:
    environment = create_environment(root / "a", "a")
    with environment.lock(timeout=1):
        remove_environment(environment)
    assert list_environments(root) == ()
    with pytest.raises(EnvironmentFileError, match="local directory"):
        remove_environment(create_environment(tmp_path / "mine"))


def test_the_view_that_activation_shows(tmp_path: Path) -> None:
    for number, (view, expected) in enumerate(
        {
            "true": ".spack-env/view",
            "v": "v",
            "{a: x}": "x",
            "{a: x, default: y}": "y",
            "{a: x, b: y}": None,
            "false": None,
        }.items()
    ):
        folder = tmp_path / str(number)
        environment = create_environment(folder, text=f"spack:\n  specs: []\n  view: {view}\n")
        chosen = environment.default_view()
        assert (chosen.root if chosen else None) == (str(folder / expected) if expected else None)


def test_a_lock_file_comes_back(tmp_path: Path) -> None:
    zlib = node("zlib")
    tool = node("tool", zlib)
    lock = Lockfile.from_solution([(asked("tool@1:"), tool), (asked("zlib"), zlib)], "digest")
    environment = create_environment(tmp_path / "env")
    assert environment.lockfile is None and environment.roots() == ()
    environment.write_lockfile(lock)
    again = Environment(tmp_path / "env")
    assert again.lockfile == lock
    assert [spec.dag_hash() for spec in again.roots()] == [tool.dag_hash(), zlib.dag_hash()]
    assert [spec.name for spec in again.roots()[0].traverse()] == ["tool", "zlib"]
    data = json.loads(again.lockfile_path.read_text())
    assert data["_meta"] == {
        "file-type": "spack-lockfile",
        "lockfile-version": 6,
        "specfile-version": 5,
    }
    assert set(data["concrete_specs"]) == {tool.dag_hash(), zlib.dag_hash()}


def test_when_a_lock_file_is_current() -> None:
    digest = configuration_digest({"packages": {"all": {"require": "%gcc"}}})
    lock = Lockfile.from_solution([(asked("zlib"), node("zlib"))], digest)
    assert lock.is_current([asked("zlib")], digest)
    assert not lock.is_current([asked("zlib@1")], digest)
    assert not lock.is_current([asked("zlib"), asked("tool")], digest)
    assert not lock.is_current([asked("zlib")], configuration_digest({"packages": {}}))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"_meta": {"file-type": "spack-lockfile", "lockfile-version": 6}}',
        '{"_meta": {"file-type": "spack-venv-lockfile", "lockfile-version": 1}, "roots": '
        '[{"spec": "a", "hash": "b"}], "concrete_specs": {}, "configuration": ""}',
        "\xff",
    ],
)
def test_an_unusable_lock_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spack.lock"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(EnvironmentFileError) as caught:
        read_lockfile(path)
    assert str(path) in str(caught.value)
    assert "concretize" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("kind", "version", "whose"),
    [
        ("spack-lockfile", 7, "a newer version of Spack or of this tool wrote it"),
        ("spack-lockfile", 3, "Spack before 0.18 wrote it"),
        ("spack-venv-lockfile", 2, "another program wrote it"),
    ],
)
def test_a_lock_file_of_another_version(
    tmp_path: Path, kind: str, version: int, whose: str
) -> None:
    """Making it again would lose it, so the hint says whose it is."""
    path = tmp_path / "spack.lock"
    meta = {"file-type": kind, "lockfile-version": version}
    path.write_text(json.dumps({"_meta": meta, "roots": [], "concrete_specs": {}}))
    with pytest.raises(EnvironmentFileError, match=f"is a {kind} of version {version}") as caught:
        read_lockfile(path)
    assert whose in str(caught.value.hint) and "keep a copy" in str(caught.value.hint)
    assert caught.value.facts["supported"] == "4, 5, 6"


def test_a_damaged_node(tmp_path: Path) -> None:
    path = tmp_path / "spack.lock"
    Lockfile.from_solution([(asked("zlib"), node("zlib"))]).write(path)
    data = json.loads(path.read_text())
    for value in data["concrete_specs"].values():
        value.clear()
    path.write_text(json.dumps(data))
    lock = read_lockfile(path)
    assert lock is not None
    with pytest.raises(EnvironmentFileError):
        lock.concrete_roots()


def test_an_environment_that_cannot_be_written(tmp_path: Path) -> None:
    environment = create_environment(tmp_path / "env")
    lock = Lockfile.from_solution([])
    (tmp_path / "env" / "spack.yaml").unlink()
    (tmp_path / "env").rmdir()
    with pytest.raises(EnvironmentFileError, match="cannot be written"):
        environment.write_lockfile(lock)
    with pytest.raises(EnvironmentFileError, match="cannot be changed"):
        environment.lock()


def test_versions_in_specs_are_kept_as_written(tmp_path: Path) -> None:
    environment = create_environment(tmp_path, text="spack:\n  specs: [a@1.10, 'b@2']\n")
    assert [spec.text for spec in environment.manifest.user_specs()] == ["a@1.10", "b@2"]


def test_conditions_of_definitions_may_ask_what_the_environment_is_given(tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text(
        "spack:\n  definitions:\n  - tools: [a]\n    when: platform == 'linux'\n"
        "  - tools: [b]\n    when: \"'CI' in env\"\n  specs: [$tools, c]\n"
    )
    environment = Environment(tmp_path, names=lambda: {"platform": "linux", "env": {}})
    assert [spec.text for spec in environment.user_specs()] == ["a", "c"]
    with pytest.raises(EnvironmentFileError, match="'a' is not among the specs") as caught:
        environment.remove(["a"])
    assert "spack.yaml:7" in str(caught.value.hint)


def test_without_definitions_nothing_is_asked(tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack:\n  specs: [c]\n")

    def names() -> Mapping[str, Any]:
        raise AssertionError

    assert [spec.text for spec in Environment(tmp_path, names=names).user_specs()] == ["c"]


def test_a_damaged_lock_file_is_named(tmp_path: Path) -> None:
    environment = create_environment(tmp_path / "here")
    child = node("child")
    environment.write_lockfile(Lockfile.from_solution([(asked("top"), node("top", child))]))
    data = json.loads(environment.lockfile_path.read_text())
    del data["concrete_specs"][child.dag_hash()]
    environment.lockfile_path.write_text(json.dumps(data))
    with pytest.raises(EnvironmentFileError, match=f"^{environment.lockfile_path}: "):
        Environment(environment.path).roots()


def test_an_environment_that_cannot_be_changed(tmp_path: Path) -> None:
    environment = create_environment(tmp_path / "here")
    environment.state_folder.mkdir()
    (environment.state_folder / "lock").symlink_to("nowhere/lock")
    with pytest.raises(EnvironmentFileError, match=r"here cannot be changed: ") as caught:
        environment.lock()
    assert "writable" in (caught.value.hint or "")


ARCH = {"platform": "linux", "platform_os": "debian12", "target": "x86_64"}


def change_node(lock: Lockfile, name: str, changes: dict[str, object]) -> Lockfile:
    """Return the lock with other values in the node called *name*, and the same hashes."""
    nodes = {
        digest: {**data, **changes} if data["name"] == name else data
        for digest, data in lock.nodes.items()
    }
    return Lockfile(lock.roots, lock.configuration, nodes)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("tool", {"version": "2.0"}, "the content of tool@2.0/"),
        ("zlib", {"version": "2.0"}, "the content of zlib@2.0/"),
        ("zlib", {"package_hash": "1" * 52}, "the content of zlib@1.0/"),
        ("zlib", {"parameters": {"shared": True}}, "the content of zlib@1.0/"),
        ("tool", {"dependencies": []}, "the content of tool@1.0/"),
        ("zlib", {"arch": {**ARCH, "platform": "../../out"}}, "invalid name '../../out'"),
        ("zlib", {"arch": {**ARCH, "platform_os": "a/b"}}, "invalid name 'a/b'"),
        ("zlib", {"arch": {**ARCH, "target": ".."}}, "invalid name '..'"),
        ("zlib", {"namespace": "x/../y"}, "invalid name 'x/../y'"),
    ],
)
def test_a_lock_whose_content_and_hashes_differ_is_refused(
    name: str, changes: dict[str, object], message: str
) -> None:
    lock = Lockfile.from_solution([(asked("tool"), node("tool", node("zlib")))])
    assert len(lock.specs) == 2
    with pytest.raises(EnvironmentFileError) as caught:
        change_node(lock, name, changes).concrete_roots()
    assert message in caught.value.message
    assert "restore it" in str(caught.value.hint)


def test_a_lock_with_an_earlier_digest_is_taken_as_it_is() -> None:
    lock = Lockfile.from_solution([(asked("zlib"), node("zlib"))], "0" * 32)
    assert lock.is_current([asked("zlib")], configuration_digest({"packages": {}}))
    assert not lock.is_current([asked("tool")], configuration_digest({"packages": {}}))


def test_a_lock_file_knows_groups_and_included_environments(tmp_path: Path) -> None:
    path = tmp_path / "spack.lock"
    zlib, tool = node("zlib"), node("tool")
    other = Lockfile.from_solution([(asked("tool"), tool)])
    pairs = [(asked("zlib"), zlib), (asked("zlib", "apps"), zlib)]
    lock = Lockfile.from_solution(pairs, "digest").including({"/some/where": other})
    lock.write(path)
    found = read_lockfile(path)
    assert found == lock
    assert [(root.spec, root.group) for root in found.roots] == [
        ("zlib", "default"),
        ("zlib", "apps"),
    ]
    assert [root.spec for root in found.every_root] == ["zlib", "zlib", "tool"]
    assert [spec.name for spec in found.concrete_roots()] == ["zlib", "zlib", "tool"]
    assert found.is_current([asked("zlib"), asked("zlib", "apps")], "digest")
    assert not found.is_current([asked("zlib", "apps"), asked("zlib")], "digest")


def test_the_roots_of_groups(tmp_path: Path) -> None:
    environment = create_environment(tmp_path / "env")
    pairs = [(asked("zlib"), node("zlib")), (asked("tool", "apps"), node("tool"))]
    environment.write_lockfile(Lockfile.from_solution(pairs))
    assert [root.name for root in environment.roots_of(["apps"])] == ["tool"]
    assert [root.name for root in environment.roots_of([])] == ["zlib", "tool"]


def test_including_an_environment(tmp_path: Path) -> None:
    environment = create_environment(tmp_path / "env")
    environment.include(["/other", "third"])
    environment.include(["/other"])
    included = environment.manifest.included()
    assert [(text, tree.value) for text, tree in included] == [
        ("/other", "/other"),
        ("third", str(tmp_path / "env" / "third")),
    ]


def test_roots_of_groups_that_are_not_explicit(tmp_path: Path) -> None:
    text = (
        "spack:\n  specs:\n  - zlib\n"
        "  - {group: tools, explicit: false, specs: [zlib, tool]}\n"
        "  - {group: apps, specs: [app]}\n"
    )
    environment = create_environment(tmp_path / "env", text=text)
    assert environment.implicit_roots() == frozenset()
    zlib, tool, app = (node(name) for name in ("zlib", "tool", "app"))
    pairs = [(asked("zlib"), zlib), (asked("zlib", "tools"), zlib)]
    pairs += [(asked("tool", "tools"), tool), (asked("app", "apps"), app)]
    environment.write_lockfile(Lockfile.from_solution(pairs))
    assert environment.implicit_roots() == {tool.dag_hash()}


def test_a_lock_that_is_nested_without_end_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "spack.lock"
    path.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(EnvironmentFileError, match="nested too deeply"):
        read_lockfile(path)

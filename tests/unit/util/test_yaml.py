from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from spack.errors import ConfigError
from spack.util import yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("1", 1), ("-3", -3), ("010", 10),
        ("0o17", 15), ("0x1F", 31), ("1.10", 1.1), (".5", 0.5), ("1e3", 1000.0),
        ("1_000", "1_000"), ("1.2.3", "1.2.3"), ("12:30", "12:30"), (".inf", float("inf")),
        ("-.INF", float("-inf")), ("+1", 1), ("%gcc", "%gcc"), ("-", "-"), ("3.x", "3.x"),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    assert yaml.scalar(text) == value
    assert type(yaml.scalar(text)) is type(value)
    if text and text != "-" and not text.startswith("%"):
        assert yaml.load("f", f"a: {text}").data == {"a": value}


TEXT = """\
# comment
packages:
  all:
    variants: &v [+mpi,
      ~foo]
  python::
    version: [1.10, '2.0', 3]
  gcc:
    variants: *v
"""


def test_every_value_has_its_line() -> None:
    loaded = yaml.load("f.yaml", TEXT)
    assert loaded.data["packages"]["gcc"] == {"variants": ["+mpi", "~foo"]}
    assert loaded.origin(("packages", "all", "variants", 1)) == ("f.yaml", 5)
    assert loaded.origin(("packages", "python:")) == ("f.yaml", 6)
    assert loaded.origin(("packages", "python:", "nothing", "below")) == ("f.yaml", 6)
    assert loaded.node(("packages", "python:", "version", 0)) == (1.1, 7, "1.10")


def test_merge_keys_are_resolved() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {z: 3}\nc:\n  <<: [*a, *b]\n  x: 9\n"
    assert yaml.load("f", text).data["c"] == {"x": 9, "y": 2, "z": 3}


def test_empty_files_are_empty_mappings() -> None:
    assert yaml.load("f", "").data == {}
    assert yaml.load("f", "# nothing\n").data == {}
    assert yaml.load("f", "a:\n").data == {"a": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: the key 'a' occurs twice, first in line 1"),
        ("a: [1,\n", "f.yaml:2: while parsing a flow node"),
        ("a:\n\t- b\n", "f.yaml:2: while scanning for the next token"),
        ("a: b: c\n", "f.yaml:1: mapping values are not allowed here"),
        ("--- a\n--- b\n", "f.yaml:2: expected a single document"),
        ("x: 1\na: !python/name:os x\n", "f.yaml:2: the tag"),
        ("a: !foo [x]\n", "f.yaml:1: the tag !foo"),
        ("a: !foo 'x'\n", "f.yaml:1: the tag !foo"),
        ("x: 1\na: \x01\n", "f.yaml:2: special characters"),
        ("? [a]\n: b\n", "f.yaml:1: a key must be a text"),
        ("a: &x [*x]\n", "f.yaml:1: an alias is inside its own anchor"),
        ("a: *y\n", "f.yaml:1: found undefined alias"),
        ("a:\n  <<: 3\n", "f.yaml:2: '<<' takes a mapping"),
        ("a: 'x\n", "f.yaml:2: while scanning a quoted scalar"),
    ],
)
def test_malformed_files_say_where(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yaml.load("f.yaml", text)
    assert str(caught.value).startswith(message)
    assert caught.value.facts["line"] == int(message.split(":")[1])


def test_tabs_and_colons_have_hints() -> None:
    for text, word in (("a:\n\t- b\n", "spaces"), ("a: b: c\n", "quotes")):
        with pytest.raises(ConfigError) as caught:
            yaml.load("f.yaml", text)
        assert word in (caught.value.hint or "")


def test_aliases_cannot_explode() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    with pytest.raises(ConfigError, match="too much data"):
        yaml.load("f", "\n".join(lines))


def test_unreadable_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        yaml.load(tmp_path)
    (tmp_path / "f").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigError, match=r"f:2: is not UTF-8"):
        yaml.load(tmp_path / "f")


def test_a_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert yaml.load(tmp_path / "f").data == {"a": 1}


class Cached:
    """A file, old enough to be remembered, and a cache."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "f.yaml"
        self.cache = directory / "cache"
        self.write("a: 1.10\n")

    def write(self, text: str) -> None:
        self.file.write_text(text)
        time.sleep(0.03)

    def load(self) -> yaml.Loaded:
        return yaml.load(self.file, cache=self.cache)


@pytest.fixture
def cached(tmp_path: Path) -> Cached:
    return Cached(tmp_path)


def test_remembered_files_are_not_parsed_again(cached: Cached) -> None:
    first = cached.load()
    assert first.fresh
    assert cached.load().fresh, "nothing is remembered before the caller says so"
    first.remember()
    first.remember()
    second = cached.load()
    assert not second.fresh
    assert second.tree == first.tree
    assert second.origin(("a",)) == (str(cached.file), 1)


def test_a_changed_file_is_parsed_again(cached: Cached) -> None:
    cached.load().remember()
    cached.write("a: 2.22\n")
    assert cached.load().data == {"a": 2.22}


def test_a_file_changed_just_now_is_not_trusted(cached: Cached) -> None:
    cached.file.write_text("a: 3\n")
    cached.load().remember()
    entry = next(cached.cache.iterdir())
    status = cached.file.stat()
    os.utime(entry, ns=(status.st_mtime_ns, status.st_mtime_ns + 1_000_000))
    assert cached.load().fresh


@pytest.mark.parametrize("damage", [b"", b"garbage", b"spack-yaml 1 0\n", None])
def test_a_damaged_cache_is_no_cache(cached: Cached, damage: bytes | None) -> None:
    cached.load().remember()
    entry = next(cached.cache.iterdir())
    raw = entry.read_bytes()
    entry.write_bytes(raw[:-3] + b"xyz" if damage is None else damage)
    loaded = cached.load()
    assert loaded.fresh and loaded.data == {"a": 1.1}


def test_an_unwritable_cache_is_no_cache(cached: Cached) -> None:
    cached.cache.write_text("a file")
    cached.load().remember()
    assert cached.load().fresh


def test_editing_keeps_comments_order_and_quotes(tmp_path: Path) -> None:
    location = tmp_path / "f.yaml"
    location.write_text("# top\nspack:\n  specs:\n  - 'a'  # first\n  view: true\n")
    document = yaml.round_trip(location)
    document.data["spack"]["specs"].append("b")
    document.save()
    assert location.read_text() == (
        "# top\nspack:\n  specs:\n  - 'a'  # first\n  - b\n  view: true\n"
    )


def test_editing_follows_the_indentation_of_the_file(tmp_path: Path) -> None:
    text = "spack:\n  specs:\n    # why\n    - a\n"
    document = yaml.round_trip(tmp_path / "f.yaml", text)
    document.data["spack"]["specs"].append("b")
    assert document.text() == text + "    - b\n"


def test_editing_a_missing_file_makes_it(tmp_path: Path) -> None:
    document = yaml.round_trip(tmp_path / "new.yaml")
    document.data["repos"] = {"mine": "/x"}
    document.save()
    assert (tmp_path / "new.yaml").read_text() == "repos:\n  mine: /x\n"


def test_editing_refuses_malformed_files(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a: 1\na: 2\n")
    with pytest.raises(ConfigError, match=":2: the key 'a' occurs twice"):
        yaml.round_trip(tmp_path / "f")
    with pytest.raises(ConfigError, match="cannot be read"):
        yaml.round_trip(tmp_path)


def test_dump_reads_back() -> None:
    data = {"a": [1, "1.10", "yes", {"b": None}], "c": {}, "d": [], "e": True}
    assert yaml.load("f", yaml.dump(data)).data == data


@pytest.mark.parametrize("text", ["[" * 50000, "".join(f"{' ' * n}a:\n" for n in range(3000))])
def test_nesting_without_end_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        yaml.load(str(tmp_path / "x.yaml"), text)

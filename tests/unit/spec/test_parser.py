"""The parser: canonical texts, errors with carets, whole command lines, real directives."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from spack.errors import SpecError
from spack.spec import Spec, parse, parse_many

CASES = Path(__file__).parents[2] / "cases" / "spec"

#: All of the strings that upstream's recipes hold; beside the repository, not in it.
CORPUS = Path(__file__).parents[4] / "shared" / "reference" / "spec-corpus.jsonl.gz"


@pytest.mark.table("canonical.txt")
def test_canonical_text(row: tuple[str, ...]) -> None:
    text, canonical = row
    assert str(parse(text)) == canonical
    assert str(parse(canonical)) == canonical


def errors() -> list[tuple[str, str, str | None]]:
    """Triples of the long message, the message and the hint."""
    blocks = (CASES / "errors.txt").read_text(encoding="utf-8").split("\n\n")[1:]
    found = []
    for block in blocks:
        lines = block.rstrip("\n").split("\n")
        hint = lines.pop()[2:] if lines[-1].startswith("? ") else None
        message = lines.pop()[2:]
        found.append(("\n".join(lines), message, hint))
    return found


@pytest.mark.parametrize("shown, message, hint", errors())
def test_errors_point_at_the_location(shown: str, message: str, hint: str | None) -> None:
    text = shown.split("\n")[0]
    with pytest.raises(SpecError) as caught:
        parse(text)
    error = caught.value
    assert (error.long_message, error.message, error.hint) == (shown, message, hint)
    assert (error.ref, error.facts["text"]) == ("spec-syntax", text)
    assert all(0 <= start <= end <= len(text) for start, end, _ in error.facts["problems"])


def test_line_breaks_do_not_move_the_carets() -> None:
    with pytest.raises(SpecError) as caught:
        parse("p@1\n\t@2")
    assert caught.value.long_message == "p@1  @2\n     ^^"


def test_results_are_memoised_and_errors_are_not() -> None:
    assert parse("py-x@1.2") is parse("py-x@1.2")
    assert Spec("py-x@1.2") is parse("py-x@1.2")
    assert Spec(parse("py-x")) is parse("py-x")
    for _ in range(2):
        with pytest.raises(SpecError, match="unexpected"):
            parse("p@")


@pytest.mark.parametrize(
    "texts, expected",
    [
        ("", []),
        ("a@1: b", ["a@1:", "b"]),
        ("a ^b c %d /abc /def", ["a ^b", "c %d/abc", "/def"]),
        (
            ["py-black", "@24:", "^python@3.11", "py-isort"],
            ["py-black@24: ^python@3.11", "py-isort"],
        ),
        (["p", "cflags=-O3 -g", "x=a b"], ["p cflags='-O3 -g' x='a b'"]),
        (["p", 'x=it\'s "it"'], ['p x="it\'s \\"it\\""']),
        (["p", "x='a b'", "y:==1"], ["p x='a b' y:==1"]),
        (["p", 'cflags="-O3" -g'], ["p cflags='\"-O3\" -g'"]),
        (["p", "cflags='-O3' -g"], ["p cflags=\"'-O3' -g\""]),
        (["p", "%[virtuals=c", "deptypes=build]", "gcc"], ["p %[deptypes=build] c=gcc"]),
        (["p", "^[", "virtuals=c", "when=+x y=b]", "gcc"], ["p ^[when='+x y=b'] c=gcc"]),
        (["p", "%[", "deptypes=build", "]", "gcc", "x=[a]"], ["p %[deptypes=build] gcc x=[a]"]),
        (["./a.json", "dir/b.yaml", "/c.json", "p"], ["./a.json", "dir/b.yaml", "/c.json", "p"]),
    ],
)
def test_many(texts: str | list[str], expected: list[str]) -> None:
    assert [str(spec) for spec in parse_many(texts)] == expected


def test_many_reports_all_problems_of_the_line() -> None:
    with pytest.raises(SpecError, match="2 problems") as caught:
        parse_many(["a@1@2", "b os=x os=y"])
    assert caught.value.long_message == (
        "a@1@2 b os=x os=y\n"
        "   ^^ a node has one version only\n"
        "             ^^^^ 'os' is given twice"
    )


def test_parts() -> None:
    spec = parse(
        "ns.sub.p@1.2:+x~~y a=1,2 b:=3 c=* cflags==-O2 cflags=-g arch=linux-rhel9-zen2: /abc"
        " %%[deptypes=build when='+x'] c,cxx=gcc@12 ^dir.q %z"
    )
    assert (spec.name, spec.namespace, spec.fullname) == ("p", "ns.sub", "ns.sub.p")
    assert str(spec.versions) == "1.2:"
    assert {name: value.value for name, value in spec.variants.items()} == {
        "x": True,
        "y": False,
        "a": ("1", "2"),
        "b": ("3",),
        "c": (),
    }
    assert [spec.variants[name].kind for name in "xabc"] == ["bool", "multi", "multi", "any"]
    assert [spec.variants[name].exact for name in "xabc"] == [True, False, True, False]
    assert (spec.variants["y"].propagate, spec.variants["x"].propagate) == (True, False)
    assert parse("a=1").variants["a"].value == "1"
    assert spec.flags["cflags"] == ("-O2", "-g")
    assert [getattr(flag, "propagate", None) for flag in spec.flags["cflags"]] == [True, False]
    assert (spec.platform, spec.os, spec.target) == ("linux", "rhel9", "zen2:")
    assert str(spec.architecture) == "linux-rhel9-zen2:"
    assert spec.hash_prefix == "abc"
    gcc, q = spec.dependencies
    assert (gcc.spec.name, gcc.direct, gcc.propagate) == ("gcc", True, True)
    assert (gcc.deptypes, gcc.virtuals, str(gcc.when)) == (("build",), ("c", "cxx"), "+x")
    assert (q.spec.name, q.direct, q.spec.dependencies[0].spec.name) == ("q", False, "z")
    assert parse("./x.json").file == "./x.json"
    assert parse("p").file is None
    assert parse("p").architecture is None


def test_the_sample_of_real_directives() -> None:
    for line in (CASES / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        text, canonical = json.loads(line)
        spec = parse(text)
        assert str(spec) == canonical
        assert parse(canonical).replace(namespace=spec.namespace) == spec


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the whole corpus is not at {CORPUS.name}")
def test_all_real_directives() -> None:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as stream:
        texts = [json.loads(line)[0] for line in stream]
    assert len(texts) == 39268
    for text in texts:
        spec = parse(text)
        again = parse(str(spec))
        assert again == spec or again.replace(namespace=spec.namespace) == spec, text

"""One table of output formats: each is offered by, and works in, all commands that have it."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from spack.cli import output
from spack.cli.output import DataFormat, add_output_options, is_for_programs, print_output
from spack.util import yaml

DATA = {"name": "café 😀", "rows": [{"a": 1, "b": ["x", None]}, ("1.10", True)], "none": {}}


def parsed(*words: str, **options: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_output_options(parser.add_mutually_exclusive_group(), **options)
    return parser.parse_args(words)


def test_data_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    plain = json.loads(json.dumps(DATA))
    assert print_output(parsed("--json"), lambda: DATA)
    assert json.loads(capsys.readouterr().out) == plain
    assert print_output(parsed("-y", short=True), lambda: DATA)
    assert yaml.load("x.yaml", capsys.readouterr().out).data == plain


def test_specs_in_a_format(capsys: pytest.CaptureFixture[str]) -> None:
    args = parsed("--format", "{name}", template="one line each")
    assert is_for_programs(args)
    assert print_output(args, dict, lambda template: [f"{template} 1", f"{template} 2"])
    assert capsys.readouterr().out == "{name} 1\n{name} 2\n"


def test_without_an_option_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    args = parsed(template="one line each")
    assert not is_for_programs(args) and not print_output(args, dict, lambda _: [])
    assert capsys.readouterr().out == ""


def test_a_new_format_is_one_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = DataFormat("repr", "r", "print Python's form", repr)
    monkeypatch.setattr(output, "DATA_FORMATS", (*output.DATA_FORMATS, row))
    assert print_output(parsed("--repr"), lambda: [1])
    assert capsys.readouterr().out == "[1]\n"

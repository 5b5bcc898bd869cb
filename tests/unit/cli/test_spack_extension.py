"""``spack venv`` in Spack: the command of this tool that it runs."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def extension() -> ModuleType:
    """Return the module, as Spack loads it."""
    path = ROOT / "share" / "spack-venv" / "venv" / "cmd" / "venv.py"
    spec = importlib.util.spec_from_file_location("spack_extension", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["create", "out"], ["view", "make", "out"]),
        (["create", "--link-type", "copy", "out"], ["view", "make", "--link-type", "copy", "out"]),
        (["status", "out"], ["view", "status", "out"]),
        (["pack", "out.tar"], ["env", "pack", "out.tar"]),
    ],
)
def test_arguments(extension: ModuleType, words: list[str], arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    extension.setup_parser(parser)
    assert extension.arguments_of(parser.parse_args(words)) == arguments


def test_the_command(extension: ModuleType) -> None:
    command = extension.command_line("/env", ["/a", "/b"], [("builtin", "/r")], ["view"])
    assert Path(command[0]) == ROOT / "bin" / "spack" and os.access(command[0], os.X_OK)
    assert command[1:] == [
        *("-c", "config:install_tree:root:$data/opt/spack"),
        *("-c", "upstreams:spack0:install_tree:/a", "-c", "upstreams:spack1:install_tree:/b"),
        *("-c", "repos:builtin:/r", "-e", "/env", "view"),
    ]
    assert (
        extension.command_line(None, [], [], [])[-1] == "config:install_tree:root:$data/opt/spack"
    )

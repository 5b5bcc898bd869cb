"""What a build is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.actions.build_dispatch import build_job
from spack.build import sandbox
from spack.build.options import BuildOptions
from spack.fetch.stage import Stage
from spack.install.interfaces import BuildRequest
from spack.repo import RepoPath
from spack.store import Layout, Store


@pytest.mark.parametrize(
    ("resources", "changes", "kept"),
    [
        ({}, {}, True),
        ({"more": Path("/stage/spack-src/more")}, {}, False),
        ({}, {"dirty": True}, False),
        ({}, {"variables": {"CFLAGS": "-O0"}}, False),
        ({}, {"passed": ("A",)}, False),
        ({}, {"wheels": None}, False),
    ],
)
def test_wheels_are_kept_only_of_what_their_key_names(
    resources: Any, changes: Any, kept: Any
) -> None:
    node = make_spec("a")
    stage = Stage(Path("/stage"), Path("/stage/spack-src"), resources=resources)
    parts = {
        **dict.fromkeys(("fetcher", "stage_root")),
        "store": Store(Layout(Path("/store"))),
    }
    build_options = BuildOptions(
        **{
            "recipes": RepoPath((), None),
            "library_path": (),
            "interpreter": "python",
            "wheels": Path("/wheels"),
            "host_environment": {"A": "1"},
            **parts,
            **changes,
        }
    )
    order = BuildRequest(node, Path("/p"), {}, stage, 1, Path("/log"), Path("/environment"))
    wheels = build_job(build_options, order, stage, sandbox.ALLOW).wheels
    assert wheels is None if not kept else wheels.startswith("/wheels/a-"), "of its own recipe"

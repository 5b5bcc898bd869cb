"""The formats of plans: a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from spack.engines.batch_script_format import SCRIPT_FORMATS
from spack.engines.build_graph import BuildGraph
from spack.engines.export_options import ExportOptions
from spack.engines.github_format import github_text
from spack.engines.gitlab_format import gitlab_text
from spack.engines.json_format import plan_json
from spack.engines.make_format import makefile_text
from spack.engines.ninja_format import ninja_text

__all__ = ["FORMATS", "SEPARATE_STORES"]

#: Format -> what writes a plan in it.
FORMATS: Mapping[str, Callable[[BuildGraph, ExportOptions], str]] = {
    "make": makefile_text,
    "ninja": ninja_text,
    **SCRIPT_FORMATS,
    "gitlab": gitlab_text,
    "github": github_text,
    "json": plan_json,
}

#: Formats whose builds have a store of their own each: they exchange through a cache.
SEPARATE_STORES = frozenset({"gitlab", "github"})

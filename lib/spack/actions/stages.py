"""Stages that are there: of which package, where their sources are; patched by hand."""

from __future__ import annotations

from pathlib import Path

from spack.actions.staging import stage_sources
from spack.build.options import BuildOptions
from spack.errors import FetchError
from spack.fetch.patches import apply
from spack.fetch.stage import SOURCE, Stage
from spack.spec import ConcreteSpec
from spack.util.report import Task

__all__ = ["build_directory", "need_stage", "patched", "source_directory_of"]


def need_stage(build_options: BuildOptions, spec: ConcreteSpec) -> Path:
    """Return the stage of a node.

    :raises FetchError: it has none.
    """
    path = build_options.stage_path(spec)
    if not path.is_dir():
        raise FetchError(
            f"{spec.short} is not staged",
            facts={"spec": spec.dag_hash(), "path": str(path)},
            hint=f"spack stage {spec.name}",
            ref="not-staged",
        )
    return path


def source_directory_of(build_options: BuildOptions, spec: ConcreteSpec) -> Path:
    """Return the directory of the unpacked sources of a node; a developer's own, if it is such.

    :raises FetchError: it is not staged.
    """
    from spack.actions.developing import is_editable, source_directory

    if spec.is_develop and is_editable(spec):
        return source_directory(spec)
    return need_stage(build_options, spec) / SOURCE


def build_directory(build_options: BuildOptions, spec: ConcreteSpec) -> Path:
    """Return the directory that a node was last built in: beside its sources, or those.

    :raises FetchError: it is not staged.
    """
    stage = need_stage(build_options, spec)
    beside = sorted(stage.glob("spack-build-*/"))
    return beside[0] if beside else source_directory_of(build_options, spec)


def patched(build_options: BuildOptions, spec: ConcreteSpec, task: Task) -> Stage:
    """Unpack the sources of a node and apply the patches; ``patch()`` of its recipe is not called.

    :raises FetchError: a patch does not apply.
    """
    stage = stage_sources(build_options, spec, task)
    for patch in stage.patches:
        apply(
            patch.path,
            stage.source_path,
            level=patch.level,
            working_dir=patch.working_dir,
            reverse=patch.reverse,
        )
    return stage

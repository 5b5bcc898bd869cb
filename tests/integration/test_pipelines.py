"""Pipelines of GitLab and workflows of GitHub, run by a shell: each job on a machine of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository


class Job(NamedTuple):
    """One job of a pipeline.

    :ivar needs: the names of the jobs that must have ended before.
    :ivar stubborn: it runs also if one of them has failed.
    """

    name: str
    needs: tuple[str, ...]
    script: str
    stubborn: bool = False


def gitlab_jobs(pipeline: Mapping[str, Any]) -> Iterator[Job]:
    for name, job in pipeline.items():
        if name not in ("stages", "default"):
            yield Job(name, tuple(job.get("needs", ())), "\n".join(job["script"]))


def github_jobs(workflow: Mapping[str, Any]) -> Iterator[Job]:
    """Yield the jobs of all matrices, with the values of each put in."""
    members: dict[str, list[str]] = {}
    for name, job in workflow["jobs"].items():
        stubborn = job.get("if") == "${{ !cancelled() }}"
        needs = tuple(x for needed in job.get("needs", ()) for x in members[needed])
        for number, row in enumerate(job["strategy"]["matrix"]["include"]):
            script = "\n".join(step["run"] for step in job["steps"] if "run" in step)
            for key, value in row.items():
                script = script.replace(f"${{{{ matrix.{key} }}}}", value)
            members.setdefault(name, []).append(f"{name}.{number}")
            yield Job(members[name][-1], needs, script, stubborn)


def run_jobs(jobs: Iterator[Job], run: Callable[[Job], int]) -> dict[str, int]:
    """Run each job after those that it needs, as a runner does; return their statuses."""
    waiting = list(jobs)
    statuses: dict[str, int] = {}
    while waiting:
        ready = [job for job in waiting if all(x in statuses for x in job.needs)]
        assert ready, f"jobs wait for each other: {waiting}"
        for job in ready:
            waiting.remove(job)
            broken = any(statuses[needed] for needed in job.needs) and not job.stubborn
            statuses[job.name] = -1 if broken else run(job)
    return statuses


JOBS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Job]]] = {
    "gitlab": gitlab_jobs,
    "github": github_jobs,
}


@pytest.mark.parametrize("form", JOBS)
def test_a_pipeline_of_jobs_that_share_a_cache_only(
    form: str, spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    ran.mkdir()
    with open(spack.home.config / "config.yaml", "a") as stream:
        stream.write(f"  build_env:\n    read: ['{ran}']\n    write: ['{ran}']\n")
    note = 'with open("{ran}/{name}", "a") as stream:\n    stream.write("x")\n'
    for name, below in {"ant": (), "bee": ("ant",), "cow": ("ant",), "dog": ("bee", "cow")}.items():
        recipes.plain(name, *below, install=note.format(ran=ran, name=name))
    recipes.plain("burnt", install='raise InstallError("too hot")\n')
    recipes.plain("cake", "burnt")
    project = tmp_path / "project"
    spack("env", "create", "-d", project)
    spack("-D", project, "add", "dog", "cake")
    spack("-D", project, "concretize")
    spack("mirror", "add", "--unsigned", "--autopush", "kept", tmp_path / "cache")
    file = tmp_path / "pipeline.yml"
    spack("-D", project, "env", "depfile", "--format", form, "-o", file, cwd=project)

    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "spack").symlink_to(spack.root / "bin" / "spack")

    def run(job: Job) -> int:
        """Run *job* in a copy of the project, with an install tree that is empty."""
        machine = tmp_path / "machines" / job.name
        machine.mkdir(parents=True)
        for name in ("spack.yaml", "spack.lock"):
            (machine / name).write_bytes((project / name).read_bytes())
        override = machine / "own"
        override.mkdir()
        (override / "config.yaml").write_text(
            f"config:\n  install_tree:\n    root: {machine / 'store'}\n"
        )
        variables = {
            **spack.variables(),
            "PATH": f"{bin_}{os.pathsep}{spack.environ['PATH']}",
        }
        text = job.script.replace("spack -e", f"spack -C {override} -e")
        done = subprocess.run(
            ["sh", "-ec", text], cwd=machine, env=variables, capture_output=True, text=True
        )
        print(f"{job.name}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.returncode

    statuses = run_jobs(JOBS[form](json.loads(file.read_text())), run)
    # What needs the one that fails is not run, or ends for want of it.
    without = {"gitlab": -1, "github": 4}[form]
    assert sorted(statuses.values()) == sorted([without, 0, 0, 0, 0, 1])
    assert {path.name: path.read_text() for path in ran.iterdir()} == dict.fromkeys(
        ("ant", "bee", "cow", "dog"), "x"
    )
    spack("install", "--cache-only", "dog")
    assert sorted(spack.names()) == ["ant", "bee", "cow", "dog"]

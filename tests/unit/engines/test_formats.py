from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from kits.build_graphs import make_graph
from spack.engines.batch_systems import BATCH_SYSTEMS, BatchJob, job_states
from spack.engines.export_options import ExportOptions
from spack.engines.format_names import FORMAT_NAMES
from spack.engines.formats import FORMATS

GRAPH = make_graph({"a": (60, ""), "b": (30, "a"), "c": (90, "a")})
OPTIONS = ExportOptions("/e n'v$", prefix="done", jobs=3)
HASH = {node.name: node.hash for node in GRAPH.nodes}
LABEL = {node.name: node.label for node in GRAPH.nodes}


def test_the_command_line_knows_all_formats() -> None:
    assert tuple(FORMATS) == FORMAT_NAMES


def test_make() -> None:
    text = FORMATS["make"](GRAPH, OPTIONS)
    assert f"\ndone/install/{LABEL['c']}: done/install/{LABEL['a']}\n" in text
    # The quotes are the shell's, the two $ are make's.
    assert "\n\t+$(SPACK) -e '/e n'\"'\"'v$$' build --present-ok" in text
    assert "+$(SPACK)" not in FORMATS["make"](GRAPH, OPTIONS._replace(jobserver=False))


def test_ninja() -> None:
    text = FORMATS["ninja"](GRAPH, OPTIONS)
    assert f"\nbuild done/install/{LABEL['b']}: build done/install/{LABEL['a']}\n" in text
    assert "\njobs = 3\n" in text and " --jobserver done/install/jobserver -j $jobs" in text
    assert "--jobserver" not in FORMATS["ninja"](GRAPH, OPTIONS._replace(jobserver=False))


def test_json() -> None:
    data = json.loads(FORMATS["json"](GRAPH, OPTIONS))
    assert (data["seconds"], data["critical_seconds"]) == (180, 150)
    assert [node["name"] for node in data["nodes"]] == ["a", "b", "c", "all"]
    assert data["nodes"][2]["needs"] == [HASH["a"]]
    assert data["nodes"][2]["command"].endswith(f"build --present-ok /{HASH['c']}")


#: What each system's documentation calls what a job of it needs.
SUBMITTED = {
    "slurm": [
        *("sbatch", "--parsable", "--no-requeue", "--job-name=spack:x", "--output=o"),
        *("--cpus-per-task=2", "--nice=7", "--mem=3M", "--dependency=afterok:1:2"),
        *("--kill-on-invalid-dep=yes", "--partition=p", "s"),
    ],
    "pbs": [
        *("qsub", "-N", "spack-x", "-j", "oe", "-o", "o", "-r", "n", "-V"),
        *("-l", "select=1:ncpus=2:mem=3mb", "-p", "-7", "-W", "depend=afterok:1:2"),
        *("--partition=p", "s"),
    ],
    "lsf": [
        *("bsub", "-J", "spack:x", "-o", "o", "-rn", "-n", "2", "-R", "span[hosts=1]"),
        *("-M", "3MB", "-w", "done(1) && done(2)", "-ti", "--partition=p", "s"),
    ],
}


@pytest.mark.parametrize("name", BATCH_SYSTEMS)
def test_submission(name: str) -> None:
    job = BatchJob("x", "s", "o", 2, (2 << 20) + 1, 7, after=("1", "2"), options=("--partition=p",))
    assert list(BATCH_SYSTEMS[name].submit(job)) == SUBMITTED[name]


def test_states_of_slurm() -> None:
    text = "7 PENDING Dependency\n8 PENDING DependencyNeverSatisfied\n9 RUNNING None\n\n5 NODE_FAIL"
    states = job_states(BATCH_SYSTEMS["slurm"], text)
    assert states == {"7": "waiting", "8": "blocked", "9": "running", "5": "lost"}


#: Stands for a batch system: runs the script at once and prints a name.
SUBMITTER = """\
#!/bin/sh
n=$(ls -1 {folder}/*.args 2>/dev/null | wc -l)
for word; do last=$word; done
echo "$@" > {folder}/$n.args
sh "$last" > {folder}/$n.log
echo "{answer}"
"""

ANSWERS = {"slurm": "10$n", "pbs": "10$n.server", "lsf": "Job <10$n> is submitted to queue <q>."}
COMMANDS = {"slurm": "sbatch", "pbs": "qsub", "lsf": "bsub"}


@pytest.mark.parametrize("name", BATCH_SYSTEMS)
def test_a_script_submits_each_job_after_those_it_needs(name: str, tmp_path: Path) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for command, text in {
        COMMANDS[name]: SUBMITTER.format(folder=tmp_path, answer=ANSWERS[name]),
        "spack": '#!/bin/sh\necho "$@"\n',
    }.items():
        (bin_ / command).write_text(text)
        (bin_ / command).chmod(0o755)
    script = tmp_path / "submit.sh"
    script.write_text(FORMATS[name](GRAPH, OPTIONS))
    environ = {"PATH": f"{bin_}:/usr/bin:/bin"}
    subprocess.run(["sh", script], cwd=tmp_path, env=environ, check=True)
    arguments = [path.read_text() for path in sorted(tmp_path.glob("*.args"))]
    ran = [path.read_text().split() for path in sorted(tmp_path.glob("*.log"))]
    assert [words[-1] for words in ran] == [f"/{HASH[x]}" for x in ("a", "c", "b", "all")]
    assert ran[0][:3] == ["-e", "/e", "n'v$"]
    first = "done(100)" if name == "lsf" else "afterok:100"
    assert "100" not in arguments[0]
    assert all(first in text for text in arguments[1:3])


def check_gitlab(pipeline: dict[str, object]) -> None:
    """Check what GitLab's schema of pipelines says of the keywords that are used.

    Whole schemas are not kept here: `check-jsonschema --builtin-schema vendor.gitlab-ci FILE` and
    `vendor.github-workflows` (of SchemaStore, Apache-2.0) have them.
    """
    jobs = {name: job for name, job in pipeline.items() if name not in ("stages", "default")}
    assert jobs
    for name, job in jobs.items():
        assert isinstance(job, dict) and set(job) <= {"stage", "needs", "variables", "script"}
        assert job["stage"] in pipeline["stages"]
        assert job["script"] and all(isinstance(line, str) for line in job["script"])
        assert len(job.get("needs", ())) <= 50
        assert all(needed in jobs and needed != name for needed in job.get("needs", ()))
        assert all(isinstance(value, str) for value in job.get("variables", {}).values())


def test_gitlab() -> None:
    pipeline = json.loads(FORMATS["gitlab"](GRAPH, OPTIONS))
    check_gitlab(pipeline)
    assert pipeline[LABEL["b"]]["needs"] == [LABEL["a"]]
    wide = make_graph({f"p{number:03}": (1, "") for number in range(120)})
    pipeline = json.loads(FORMATS["gitlab"](wide, OPTIONS))
    check_gitlab(pipeline)
    collected = [name for name in pipeline if name.startswith("wait-")]
    assert sum(len(pipeline[name]["needs"]) for name in collected) == 120
    check_gitlab(json.loads(FORMATS["gitlab"](make_graph({"a": (1, "")}, cached="a"), OPTIONS)))


def check_github(workflow: dict[str, dict[str, dict[str, object]]]) -> None:
    """Check what the schema of workflows says of the keywords that are used."""
    assert set(workflow) == {"name", "on", "jobs"}
    for job in workflow["jobs"].values():
        assert set(job) <= {"name", "needs", "if", "runs-on", "strategy", "steps"}
        assert all(needed in workflow["jobs"] for needed in job.get("needs", ()))  # type: ignore[attr-defined]
        strategy = job.get("strategy", {"fail-fast": False, "matrix": {"include": [{}]}})
        assert 0 < len(strategy["matrix"]["include"]) <= 256  # type: ignore[index]
        assert all(len(step) == 1 for step in job["steps"])  # type: ignore[attr-defined]


def test_github() -> None:
    workflow = json.loads(FORMATS["github"](GRAPH, OPTIONS))
    check_github(workflow)
    assert list(workflow["jobs"]) == ["level-0", "level-1", "level-2"]
    assert workflow["jobs"]["level-1"]["needs"] == ["level-0"]
    packages = workflow["jobs"]["level-1"]["strategy"]["matrix"]["include"]
    assert [row["hash"] for row in packages] == [HASH["b"], HASH["c"]]
    wide = json.loads(
        FORMATS["github"](make_graph({f"p{n:03}": (1, "") for n in range(300)}), OPTIONS)
    )
    check_github(wide)
    assert wide["jobs"]["level-1"]["needs"] == ["level-0-0", "level-0-1"]

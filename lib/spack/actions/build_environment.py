"""Looking into builds: the environment in which a package is built."""

from __future__ import annotations

from collections.abc import Mapping

from spack.actions.build_dispatch import build_variables, repository_rows
from spack.build import worker_process
from spack.build.job import ENVIRONMENT, BuildJob
from spack.build.options import BuildOptions
from spack.errors import InstallError
from spack.install.plan import PlanOptions, make_plan
from spack.spec import DEPTYPES, ConcreteSpec, dump

__all__ = ["build_environment"]


def build_environment(
    build_options: BuildOptions, spec: ConcreteSpec, tests: bool = False
) -> Mapping[str, str]:
    """Return all variables of the build of *spec*, as its recipe and its dependencies' make it.

    :param tests: with its test dependencies.

    A stage without sources stays behind, since the variables name it.

    :raises InstallError: what the build needs is not installed.
    """
    store = build_options.store
    there = store.database.installed_hashes()
    tested = frozenset({spec.name}) if tests else frozenset()
    options = PlanOptions(only="package", tests=tested)
    try:
        make_plan([spec], there - {spec.dag_hash()}, options)
    except InstallError as error:
        missing = {node.dag_hash(): node.short for node in spec.traverse(DEPTYPES)}
        names = ", ".join(missing[digest] for digest in error.facts["missing"])
        raise InstallError(
            f"the build environment of {spec.short} needs what is not installed: {names}",
            facts=error.facts,
            hint=f"spack install {'--test root ' if tests else ''}--only dependencies {spec.name}",
            ref="build-env-missing",
        ) from error
    stage = build_options.stage_path(spec)
    stage.mkdir(parents=True, exist_ok=True)
    prefixes = {node.dag_hash(): str(store.prefix(node)) for node in spec.traverse(DEPTYPES)}
    prefixes[spec.dag_hash()] = str(stage / "prefix")
    job = BuildJob(
        spec=dump([spec]),
        hash=spec.dag_hash(),
        prefixes=prefixes,
        stage_path=str(stage),
        source_path=None,
        log_path=str(stage / "spack-build-env.log"),
        result_path=str(stage / "spack-build-result.json"),
        repositories=repository_rows(build_options.recipes),
        task=ENVIRONMENT,
        library_path=build_options.library_path,
        keep_venv=True,
        run_tests=tests,
    )
    result = worker_process.run(
        job, build_variables(build_options, spec, stage), interpreter=build_options.interpreter
    )
    if result.failure is not None:
        raise result.failure.as_error(spec.short, job.log_path)
    if not result.environment:
        raise InstallError(f"the build environment of {spec.short} could not be made")
    return result.environment

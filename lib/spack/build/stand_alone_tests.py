"""The tests of an installed package: the ``test_`` methods of its class, each a part."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

from spack.api.tests import PackageTester, SkipTest, test_part
from spack.api.when import NoSuchMethodError
from spack.build.confinement import confine
from spack.build.enclosure import Enclosure
from spack.build.setup import run_environment

if TYPE_CHECKING:
    from spack.build.node_build import NodeBuild

__all__ = ["run_tests", "test_names"]


def test_names(package: Any) -> list[str]:
    """Return the sorted names of the test methods of a package."""
    return sorted(
        name
        for name in dir(type(package))
        if name.startswith("test_") and callable(getattr(type(package), name, None))
    )


def run_tests(build: NodeBuild, package: Any, enclosure: Enclosure) -> tuple[tuple[str, str], ...]:
    """Run the tests of *package* in the environment that its users have; return the outcomes.

    Each runs in a directory of its own below the stage.
    """
    build.copy_own_scripts()
    run_environment(build.context, build.roles).apply_modifications(os.environ)
    path = os.path.join(str(package.prefix), "bin")
    os.environ["PATH"] = os.pathsep.join([build.scripts, path, os.environ["PATH"]])
    confine(build.job, enclosure)
    tester: PackageTester = package.tester
    for name in test_names(package):
        method = getattr(package, name)
        purpose = (inspect.getdoc(method) or "").partition("\n")[0]
        directory = os.path.join(build.job.stage_path, "tests", name)
        build.phase = name
        with test_part(package, name, purpose, directory):
            try:
                method()
            except NoSuchMethodError as error:
                raise SkipTest("its conditions do not hold") from error
    return tuple(_worst(tester.results).items())


def _worst(results: list[tuple[str, str]]) -> dict[str, str]:
    """Return one outcome for each test: of parts with one name a failure counts."""
    ranks = ("skipped", "passed", "failed")
    found: dict[str, str] = {}
    for name, status in results:
        found[name] = max(status, found.get(name, status), key=ranks.index)
    return found

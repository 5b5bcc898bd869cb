"""Questions about the current build, and about what packages add to an environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from spack.api.callbacks import run_after
from spack.api.context import current_build
from spack.api.files import FileFilter
from spack.spec.deptypes import RUN_TIME
from spack.spec.languages import LANGUAGES
from spack.util.environment_modifications import EnvironmentModifications

__all__ = [
    "determine_number_of_jobs",
    "environment_modifications_for_specs",
    "filter_compiler_wrappers",
    "get_cmake_prefix_path",
    "get_effective_jobs",
    "make_package_test_rpath",
]


def determine_number_of_jobs(*, parallel: bool = False, max_cpus: int | None = None) -> int:
    """Return the number of jobs: 1 unless *parallel*, else what the build was given."""
    if not parallel:
        return 1
    context = current_build.get(None)
    jobs = context.jobs if context is not None else 1
    return jobs if max_cpus is None else max(1, min(jobs, max_cpus))


def get_effective_jobs(
    jobs: int, parallel: bool = True, supports_jobserver: bool = False
) -> int | None:
    """Return the number for ``-j``; None where a jobserver hands out the jobs."""
    if not parallel:
        return 1
    context = current_build.get(None)
    if supports_jobserver and context is not None and context.jobserver:
        return None
    return jobs


def get_cmake_prefix_path(pkg: Any) -> list[str]:
    """Return CMAKE_PREFIX_PATH: unlinked build dependencies come late, externals last."""
    direct = pkg.spec.dependencies(deptype=("build", "link"))
    linked = list(pkg.spec.traverse(deptype="link", root=False))
    ordered = list(dict.fromkeys([*linked, *direct]))
    ordered.sort(key=lambda spec: bool(spec.external))
    paths = (path for spec in ordered for path in spec.package.cmake_prefix_paths)
    return list(dict.fromkeys(str(path) for path in paths))


def environment_modifications_for_specs(
    *specs: Any, set_package_py_globals: bool = True
) -> EnvironmentModifications:
    """Return the run-time modifications of *specs* and their run dependencies."""
    env = EnvironmentModifications()
    for spec in _run_closure(specs):
        for variable, directories in _INSPECTED.items():
            for directory in directories:
                path = os.path.join(str(spec.prefix), directory)
                if os.path.isdir(path) and not spec.external:
                    env.prepend_path(variable, path)
        package = spec.package
        for dependent in _run_closure(specs):
            if any(edge.spec == spec for edge in dependent.edges_to_dependencies()):
                package.setup_dependent_run_environment(env, dependent)
        package.setup_run_environment(env)
    return env


_INSPECTED = {"PATH": ("bin",), "MANPATH": ("man", "share/man"), "ACLOCAL_PATH": ("share/aclocal",)}


def _run_closure(specs: Any) -> Iterator[Any]:
    seen = set()
    for spec in specs:
        for node in spec.traverse(deptype=RUN_TIME, order="post"):
            if node.dag_hash() not in seen:
                seen.add(node.dag_hash())
                yield node


def make_package_test_rpath(pkg: Any, test_dir: Any) -> None:
    """Do nothing: this is for Windows, which has no run paths."""


def filter_compiler_wrappers(
    *files: str,
    after: str = "install",
    relative_root: str | None = None,
    ignore_absent: bool = True,
    backup: bool = False,
    recursive: bool = False,
) -> None:
    """Replace the wrappers by the compilers in *files*, after phase *after*; a directive.

    :param files: names below the prefix, or below *relative_root* in it.
    :param recursive: the names are searched for in the whole tree.
    """

    def replace(instance: Any) -> None:
        pkg = getattr(instance, "pkg", instance)
        root = os.path.join(str(pkg.prefix), relative_root or "")
        paths = [path for path in _named(root, files, recursive) if os.path.isfile(path)]
        if not paths and ignore_absent:
            return
        chosen = FileFilter(*paths)
        for old, new in _replacements(pkg):
            chosen.filter(old, new, ignore_absent=ignore_absent, backup=backup, string=True)

    run_after(after)(replace)


def _named(root: str, files: tuple[str, ...], recursive: bool) -> list[str]:
    if not recursive:
        return [os.path.join(root, name) for name in files]
    wanted = set(files)
    return [
        os.path.join(directory, name)
        for directory, _, names in os.walk(root)
        for name in sorted(wanted.intersection(names))
    ]


def _replacements(pkg: Any) -> list[tuple[str, str]]:
    """Return wrapper paths with their replacements, longest first, as one may contain another."""
    pairs: dict[str, str] = {}
    for language in LANGUAGES:
        if language.name not in pkg.spec:
            continue
        compiler = pkg.spec[language.name].package
        path = getattr(compiler, language.attribute, None)
        for variable in language.variables:
            wrapper = os.environ.get(variable)
            if wrapper and path:
                pairs.setdefault(wrapper, path)
                pairs.setdefault(os.path.realpath(wrapper), path)
        pairs.setdefault(f"{compiler.linker_arg}--enable-new-dtags", "")
    return sorted(pairs.items(), key=lambda pair: -len(pair[0]))

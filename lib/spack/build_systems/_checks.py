"""Checks that several builders share."""

from __future__ import annotations

from typing import Any

from spack.package import (
    BuilderWithDefaults,
    apply_macos_rpath_fixups,
    execute_install_time_tests,
)

__all__ = [
    "BuilderWithDefaults",
    "apply_macos_rpath_fixups",
    "ensure_build_dependencies_or_raise",
    "execute_build_time_tests",
    "execute_install_time_tests",
]


def ensure_build_dependencies_or_raise(spec: Any, dependencies: list[str], error_msg: str) -> None:
    """Require *spec* to have the build dependencies *dependencies*.

    :raises RuntimeError: *error_msg*, and the directives that are missing in the recipe.
    """
    present = {dependency.name for dependency in spec.dependencies(deptype="build")}
    missing = [name for name in dependencies if name not in present]
    if missing:
        lines = [f'    depends_on("{name}", type="build")' for name in missing]
        raise RuntimeError(
            f"{error_msg}: missing dependencies: {', '.join(missing)}.\n\n"
            "Add these lines to the recipe:\n\n" + "\n".join(lines)
        )


def execute_build_time_tests(builder: Any) -> None:
    """Run what ``build_time_test_callbacks`` of *builder* names, when tests are wanted."""
    names = builder.build_time_test_callbacks
    if builder.pkg.run_tests and names:
        builder.pkg.tester.phase_tests(builder, "build", names)

"""The builder of Python packages that builds nothing: a wheel of the index to the prefix.

Which wheel is decided when the node is concretized; its sha256 is verified when it is fetched. It
goes through the same installer as one that is built here. What the recipe does for its build, such
as ``run_after("install")``, is not done: a wheel of the index is installed as it is published.
"""

from __future__ import annotations

import os

from spack.api.context import SpecView
from spack.api.package_base import PackageBase
from spack.errors import InstallError
from spack.package import EnvironmentModifications, Prefix, register_builder, tty
from spack.recipe.wheel_offers import fits_layout, tags_of_layout
from spack.spec.wheel import BINARY

from ._wheel import compiler, install_wheel
from .python_wheel import PythonWheelBuilder

__all__ = ["PythonBinaryBuilder"]


@register_builder(BINARY)
class PythonBinaryBuilder(PythonWheelBuilder):
    """Installs the wheel of the node."""

    alone = True

    def setup_dependent_build_environment(
        self, env: EnvironmentModifications, dependent_spec: SpecView
    ) -> None:
        """Change the environment of the build of a dependent, as the recipe says."""
        hook = getattr(self.pkg, "setup_dependent_build_environment", None)
        if hook is not None:
            hook(env, dependent_spec)

    def install(self, pkg: PackageBase, spec: SpecView, prefix: Prefix) -> None:
        """Run the only phase.

        :raises InstallError: the wheel is for another interpreter or of another project or
            version, or what :func:`install_wheel` raises.
        """
        wheel = pkg.stage.archive_file
        if not wheel:
            raise InstallError(
                f"there is no wheel of {pkg.name} in the stage",
                hint="`spack clean --stage` removes it; install again then",
                ref="wheel",
            )
        layout = self.layout()
        name = os.path.basename(wheel)
        tags = tags_of_layout(getattr(spec["python"].package, "layout", {}))
        if tags and not fits_layout(name, str(spec["python"].version), tags):
            raise InstallError(
                f"{name} is not for {tags[0]} ({tags[1]})",
                facts={"wheel": name, "tags": list(tags)},
                hint="concretize again: the interpreter has changed",
                ref="wheel-tags",
            )
        tty.msg(f"wheel of the index: {name}")
        expected = (name.split("-")[0], str(spec.version))
        with compiler(spec["python"].command.path) as compiles:
            install_wheel(wheel, layout, compiles, verify=True, expected=expected)

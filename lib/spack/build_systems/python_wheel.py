"""The builder of Python packages that needs no pip: hooks to a wheel, the wheel to the prefix.

The hooks of the build backend (PEP 517) run in the build's virtual environment; the wheel is
installed by the layout that python-venv has recorded. There is one phase, as with pip, so that
what a recipe does before and after ``install`` happens when it expects it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from spack.api.context import SpecView
from spack.api.package_base import PackageBase
from spack.package import (
    BuilderWithDefaults,
    Prefix,
    determine_number_of_jobs,
    execute_install_time_tests,
    get_effective_jobs,
    register_builder,
    run_after,
    tty,
)
from spack.spec.languages import LANGUAGE_NAMES

from ._backend import build_system_of, started
from ._editable import direct_url, left_clean
from ._wheel import WheelScheme, compiler, install_wheel

__all__ = ["PythonWheelBuilder", "flattened", "settings_of"]


@register_builder("python_wheel")
class PythonWheelBuilder(BuilderWithDefaults):
    """Builds a wheel with the hooks of the project's build backend, and installs it."""

    phases = ("install",)

    package_methods = ("test_imports",)
    package_long_methods = ("global_options", "config_settings")
    package_attributes = ("archive_files", "build_directory", "install_time_test_callbacks")

    install_time_test_callbacks = ["test_imports"]

    @property
    def build_directory(self) -> str:
        """Directory with ``pyproject.toml`` or ``setup.py``."""
        source: str = self.pkg.stage.source_path
        return source

    def config_settings(self, spec: SpecView, prefix: Prefix) -> Mapping[str, object]:
        """Return settings for the build backend (PEP 517), nested mappings allowed."""
        return {}

    def global_options(self, spec: SpecView, prefix: Prefix) -> Iterable[str]:
        """Return options of ``setup.py`` before its command."""
        return []

    def settings(self) -> dict[str, Any]:
        """Return all settings for the backend, those that the engine adds included."""
        spec = self.pkg.spec
        settings = dict(self.config_settings(spec, self.pkg.prefix))
        if spec.satisfies("%py-meson-python@0.11:"):
            jobs = get_effective_jobs(
                jobs=determine_number_of_jobs(parallel=self.pkg.parallel), supports_jobserver=True
            )
            if jobs is not None:
                settings.setdefault("compile-args", f"-j{jobs}")
        result = settings_of(settings)
        options = list(self.global_options(spec, self.pkg.prefix))
        if options:
            result["--global-option"] = options
        return result

    def layout(self) -> WheelScheme:
        """Return where the wheel's files go: as python-venv has recorded it, whatever runs this."""
        spec = self.pkg.spec
        python = spec["python"]
        nodes = spec.dependencies("python-venv") or spec.dependencies("python")
        return WheelScheme(
            prefix=str(self.pkg.prefix),
            purelib=python.package.purelib,
            platlib=python.package.platlib,
            headers=f"include/site/python{python.version.up_to(2)}",
            interpreter=os.path.join(str(nodes[0].prefix), "bin", "python3"),
            old=bool(python.satisfies("@:3.8")),
        )

    @property
    def compiles(self) -> bool:
        """Whether the recipe asks for a compiler."""
        return bool(self.pkg.spec.dependencies(virtuals=LANGUAGE_NAMES))

    def wheel(self) -> str:
        """Build the wheel in the stage; its path."""
        directory = os.path.join(self.pkg.stage.path, "wheel")
        os.makedirs(directory, exist_ok=True)
        system = build_system_of(self.build_directory)
        settings = self.settings()
        tty.msg(f"build backend: {system.backend}")
        python = self.spec["python"].command.path
        jobs = determine_number_of_jobs(parallel=self.pkg.parallel) if self.compiles else 1
        clean = left_clean(self.build_directory) if self.is_editable else nullcontext()
        with clean, started(python, self.build_directory, system, jobs) as hooks:
            hook = "build_editable" if self.is_editable else "build_wheel"
            self.pkg.stage.requirements += hooks.requirements(hook, settings)
            built = hooks.build(hook, directory, settings)
        self.pkg.stage.imports.update(built.found)
        if built.absent:
            tty.msg(f"modules that the build did not find: {', '.join(built.absent)}")
        return built.wheel

    @property
    def is_editable(self) -> bool:
        """Whether the install is to refer to the source tree, a developer's (PEP 660)."""
        return bool(self.pkg.spec.satisfies("+editable"))

    def install(self, pkg: PackageBase, spec: SpecView, prefix: Prefix) -> None:
        """Run the only phase."""
        archive = pkg.stage.archive_file
        ready = archive if archive and archive.endswith(".whl") else pkg.stage.wheel
        with compiler(spec["python"].command.path) as compiles:
            wheel = ready or self.wheel()
            tty.msg(f"wheel: {wheel if ready else os.path.basename(wheel)}")
            origin = direct_url(self.build_directory) if self.is_editable else None
            install_wheel(wheel, self.layout(), compiles, verify=bool(ready), direct_url=origin)

    run_after("install")(execute_install_time_tests)


def flattened(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield key and value of every leaf; of nested mappings the first key, as pip takes them.

    >>> list(flattened({"a": {"b": 1}, "c": [2, 3]}))
    [('a', 'b=1'), ('c', '2'), ('c', '3')]
    """
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from ((key, "=".join(rest)) for rest in flattened(value))
        elif isinstance(value, (list, tuple)):
            yield from ((key, str(item)) for item in value)
        else:
            yield key, str(value)


def settings_of(settings: Mapping[str, object]) -> dict[str, Any]:
    """Return settings as backends get them: a text, or a list of texts where there are several.

    >>> settings_of({"a": {"b": 1, "c": 2}, "d": 3})
    {'a': ['b=1', 'c=2'], 'd': '3'}
    """
    grouped: dict[str, list[str]] = {}
    for key, value in flattened(settings):
        grouped.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in grouped.items()}

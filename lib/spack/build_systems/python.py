"""Python packages: what extends Python, and the builder that goes through pip.

Builds run in a virtual environment whose ``sys.prefix`` is the package's own prefix
(:mod:`spack.build.build_venv`); ``spec["python"].command`` is its interpreter. So pip's idea of the
prefix, the one of ``sysconfig`` and that of FindPython are one and the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from spack.api.context import SpecView
from spack.package import (
    BuilderWithDefaults,
    ClassProperty,
    HeaderList,
    LibraryList,
    PackageBase,
    Prefix,
    build_system,
    classproperty,
    depends_on,
    determine_number_of_jobs,
    execute_install_time_tests,
    extends,
    find,
    get_effective_jobs,
    join_path,
    register_builder,
    run_after,
    test_part,
    tty,
    when,
    working_dir,
)

from ._editable import left_clean
from ._pip import changes_install, uses_pip
from .python_binary import PythonBinaryBuilder
from .python_wheel import PythonWheelBuilder, flattened

__all__ = [
    "PythonBinaryBuilder",
    "PythonExtension",
    "PythonPackage",
    "PythonPipBuilder",
    "PythonWheelBuilder",
]

#: Imports the modules named as arguments, each on a line of the log.
_IMPORT = """
import importlib, sys
for name in sys.argv[1:]:
    print(name, flush=True)
    importlib.import_module(name)
"""

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z")


class PythonExtension(PackageBase):
    """A package whose modules are imported by Python, however it is built."""

    @property
    def import_modules(self) -> Iterable[str]:
        """Modules that an installed package offers, for :meth:`test_imports`.

        Found in the prefix: every directory with ``__init__.py`` and every module beside them.
        """
        python = self.spec["python"].package
        modules: dict[str, None] = {}
        for directory in sorted({python.purelib, python.platlib}):
            root = join_path(self.prefix, directory)
            for path in find(root, "__init__.py", recursive=True):
                modules[os.path.relpath(os.path.dirname(path), root).replace(os.sep, ".")] = None
            for path in find(root, "*.py", recursive=False):
                modules[os.path.splitext(os.path.basename(path))[0]] = None
        skipped = tuple(self.skip_modules)
        found = [x for x in modules if _MODULE.match(x) and not _is_skipped(x, skipped)]
        tty.debug(f"modules found: {found}")
        return found

    @property
    def skip_modules(self) -> Iterable[str]:
        """Modules that :meth:`test_imports` leaves out, with all below them."""
        return []

    @property
    def bindir(self) -> str:
        """Directory of the package's programs."""
        return join_path(self.prefix, "bin")

    def test_imports(self) -> None:
        """Import the installed modules, away from the source tree."""
        python = self.module.python
        with test_part(self, "test_imports", purpose="import modules", work_dir="spack-test"):
            python("-c", _IMPORT, *self.import_modules)


def _is_skipped(module: str, skipped: Iterable[str]) -> bool:
    return any(module.startswith(name) for name in skipped)


def _url(cls: PythonPackage) -> str | None:
    return f"pypi:{cls.pypi}" if cls.pypi else None


def _list_url(cls: PythonPackage) -> str | None:
    return f"pypi:{cls.pypi.split('/')[0]}/" if cls.pypi else None


class PythonPackage(PythonExtension):
    """A package that a build backend (PEP 517) makes a wheel of.

    ``build_system=python_wheel`` calls the backend and installs the wheel; ``python_pip`` leaves
    both to pip, and is all that there is for recipes that themselves speak of pip.
    ``python_binary`` installs a wheel of the package index, which needs no build dependencies.

    ``pypi = "<project>/<file name>"`` says where its versions are; the index is the one that
    pip's own configuration names.
    """

    #: Project and file name of one version on the package index.
    pypi: str | None = None

    build_system_class = "PythonPackage"
    default_buildsystem = "python_pip"

    install_time_test_callbacks = ["test_imports"]

    build_system("python_wheel", "python_pip", "python_binary", default="python_wheel")

    with when("build_system=python_binary"):
        extends("python")

    with when("build_system=python_pip"):
        extends("python")
        depends_on("py-pip", type="build")
        # Since 70.1 setuptools makes wheels itself; no other backend needs the package.
        depends_on("py-wheel", type="build", when="^py-setuptools@:70.0")

    with when("build_system=python_wheel"):
        extends("python")
        depends_on("py-wheel", type="build", when="^py-setuptools@:70.0")

    #: The recipe does more than the install of what the build made.
    installs_more: ClassProperty[bool] = classproperty(changes_install)

    homepage: ClassProperty[str | None] = classproperty(lambda cls: None)
    url: ClassProperty[str | None] = classproperty(_url)
    list_url: ClassProperty[str | None] = classproperty(_list_url)

    @classmethod
    def impossible_build_systems(cls) -> Iterable[str]:
        """Return ``python_wheel`` for a recipe that calls pip or changes how it is called."""
        return ("python_wheel",) if uses_pip(cls) else ()

    @property
    def python_spec(self) -> SpecView:
        """The node whose interpreter runs the package: python-venv, else python."""
        found: SpecView = (
            self.spec.dependencies("python-venv") or self.spec.dependencies("python")
        )[0]
        return found

    @property
    def headers(self) -> HeaderList:
        """None: dependents that compile against it say where themselves."""
        return HeaderList([])

    @property
    def libs(self) -> LibraryList:
        """None: extension modules are not linked against."""
        return LibraryList([])


@register_builder("python_pip")
class PythonPipBuilder(BuilderWithDefaults):
    """Installs the source tree, or the wheel, with pip.

    Everything that pip may use is in the build's environment: no index, no isolation of its
    own, no configuration of the user's.
    """

    phases = ("install",)

    package_methods = ("test_imports",)
    package_long_methods = ("install_options", "global_options", "config_settings")
    package_attributes = ("archive_files", "build_directory", "install_time_test_callbacks")

    install_time_test_callbacks = ["test_imports"]

    @staticmethod
    def std_args(cls: object) -> list[str]:
        """Return arguments of every call of pip; the parameter is the package, and is not used."""
        return [
            "-vvv",
            "--no-input",
            "--no-cache-dir",
            "--disable-pip-version-check",
            "install",
            "--no-deps",
            "--ignore-installed",
            "--no-build-isolation",
            "--no-warn-script-location",
            "--no-index",
        ]

    @property
    def build_directory(self) -> str:
        """Directory with ``pyproject.toml`` or ``setup.py``."""
        source: str = self.pkg.stage.source_path
        return source

    def config_settings(self, spec: SpecView, prefix: Prefix) -> Mapping[str, object]:
        """Return settings for the build backend (PEP 517), nested mappings allowed; pip >= 22.1."""
        return {}

    def install_options(self, spec: SpecView, prefix: Prefix) -> Iterable[str]:
        """Return options of ``setup.py install``; pip < 23.1."""
        return []

    def global_options(self, spec: SpecView, prefix: Prefix) -> Iterable[str]:
        """Return options of ``setup.py`` before its command."""
        return []

    def install(self, pkg: PythonPackage, spec: SpecView, prefix: Prefix) -> None:
        """Run the only phase."""
        settings = dict(self.config_settings(spec, prefix))
        if spec.satisfies("%py-pip@22.1: %py-meson-python@0.11:"):
            jobs = get_effective_jobs(
                jobs=determine_number_of_jobs(parallel=pkg.parallel), supports_jobserver=True
            )
            if jobs is not None:
                settings.setdefault("compile-args", f"-j{jobs}")
        args = [*PythonPipBuilder.std_args(pkg), f"--prefix={prefix}"]
        args += [f"--config-settings={key}={value}" for key, value in flattened(settings)]
        args += [f"--install-option={item}" for item in self.install_options(spec, prefix)]
        args += [f"--global-option={item}" for item in self.global_options(spec, prefix)]
        archive = pkg.stage.archive_file
        pip = spec["python"].command.with_default_args("-m", "pip")
        with working_dir(self.build_directory):
            if spec.satisfies("+editable"):
                with left_clean(self.build_directory):
                    pip(*args, "--editable", ".")
            else:
                pip(*args, archive if archive and archive.endswith(".whl") else ".")

    run_after("install")(execute_install_time_tests)

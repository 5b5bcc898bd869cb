"""``PackageBase`` and ``Package``: what recipes derive from.

A package object exists only where recipe code runs: in the build worker, and (with a spec that
is not concrete) in the process that computes facts. Its ``spec`` is a
:class:`spack.api.context.SpecView`. The phases of the build are methods of a builder
(:mod:`spack.api.builder`); :func:`spack.api.builder.create_builder` makes those of them reachable
from the package that the package does not define itself.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from spack.api.directives import build_system
from spack.api.executable import Executable
from spack.api.identity import PackageIdentity
from spack.api.make import TargetsMixin
from spack.api.prefix import Prefix
from spack.api.tests import PackageTester
from spack.errors import InstallError
from spack.recipe.records import ExtendsRecord
from spack.spec import Spec
from spack.util.environment_modifications import EnvironmentModifications

__all__ = [
    "Package",
    "PackageBase",
    "PackageViewMixin",
    "build_system_flags",
    "env_flags",
    "inject_flags",
]


class _FlagHandler:
    """A flag handler that can be a class attribute without being bound."""

    def __init__(self, name: str, position: int) -> None:
        self.__name__ = name
        self.position = position

    def __call__(self, name: str, flags: Any) -> tuple[Any, Any, Any]:
        result: list[Any] = [None, None, None]
        result[self.position] = flags
        return (result[0], result[1], result[2])

    def __repr__(self) -> str:
        return self.__name__


#: Flags are injected by the compiler wrapper.
inject_flags = _FlagHandler("inject_flags", 0)
#: Flags are set as CFLAGS and so on.
env_flags = _FlagHandler("env_flags", 1)
#: Flags are given to the build system, see ``flags_to_build_system_args``.
build_system_flags = _FlagHandler("build_system_flags", 2)


class PackageViewMixin:
    """How a package's files get into a view; overriding it makes the view ask the recipe."""

    spec: Any

    def view_source(self) -> str:
        """Return where the files for views are: the prefix."""
        return str(self.spec.prefix)

    def view_destination(self, view: Any) -> str:
        """Return where they go: the root of *view*."""
        return str(view.get_projection_for_spec(self.spec))

    def view_file_conflicts(self, view: Any, merge_map: dict[str, str]) -> set[str]:
        """Return destinations of *merge_map* that exist already."""
        return {target for target in merge_map.values() if os.path.lexists(target)}

    def add_files_to_view(
        self, view: Any, merge_map: dict[str, str], skip_if_exists: bool = True
    ) -> None:
        """Link each file of *merge_map* (source to destination)."""
        for source, target in merge_map.items():
            if not (skip_if_exists and os.path.lexists(target)):
                view.link(source, target, spec=self.spec)

    def remove_files_from_view(self, view: Any, merge_map: dict[str, str]) -> None:
        """Remove each file of *merge_map*."""
        view.remove_files(merge_map.values())


class PackageBase(TargetsMixin, PackageViewMixin, PackageIdentity):
    """Base of all packages. Class attributes are the defaults that recipes override.

    :param spec: a view of a concrete spec (in a build), or of an abstract one (for facts).
    """

    #: True for a name that only other packages provide.
    virtual = False
    #: False for packages without sources; nothing is fetched.
    has_code = True
    #: False where ``make -j`` breaks the build.
    parallel = True
    #: True for packages that other packages extend, such as interpreters.
    extendable = False
    #: True where the user must fetch the sources by hand; accepted, nothing depends on it.
    manual_download = False
    #: Whether this build runs its tests; the build sets it.
    run_tests = False
    #: ``"all"`` or ``"specific"`` keeps ``-Werror``, which the compiler wrapper removes.
    keep_werror: Any = None
    #: Accepted; links have the run paths of all link dependencies.
    transitive_rpaths = True
    #: Accepted; tests have the compiler of the build.
    test_requires_compiler = False
    #: Files that must be in the prefix after the install, relative to it.
    sanity_check_is_file: ClassVar[Any] = []
    #: Directories that must be in the prefix after the install, relative to it.
    sanity_check_is_dir: ClassVar[Any] = []
    #: Accepted; ``spack verify libraries`` names all libraries that are not found.
    unresolved_libraries: ClassVar[Any] = []
    #: True where the software needs a licence file; accepted, the recipe writes it.
    license_required = False
    #: How a comment in that file begins; accepted.
    license_comment = "#"
    #: Where the software looks for it, relative to the prefix; see ``global_license_file``.
    license_files: ClassVar[Any] = []
    #: Variables that name it; accepted.
    license_vars: ClassVar[Any] = []
    #: Where the user gets a licence; accepted.
    license_url = ""
    test_suite: Any = None

    inject_flags = inject_flags
    env_flags = env_flags
    build_system_flags = build_system_flags

    def __init__(self, spec: Any) -> None:
        self.spec = spec
        #: The unpacked sources; the worker sets it.
        self.stage: Any = None
        #: Where results of tests are collected.
        self.tester: Any = PackageTester()
        #: The builder, once :func:`spack.api.builder.create_builder` has made one.
        self.builder: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.spec}>"

    def __getitem__(self, key: str) -> Any:
        """Return the package object of a dependency: ``self["python"].platlib``."""
        return self.spec[key].package

    @property
    def version(self) -> Any:
        """The version that is built.

        :raises ValueError: the spec has no exact version.
        """
        version = self.spec.version
        if version is None:
            raise ValueError(f"{self.name}: the spec has no exact version")
        return version

    @property
    def prefix(self) -> Prefix:
        """The installation prefix."""
        return Prefix(self.spec.prefix)

    @property
    def home(self) -> Prefix:
        """Where bin, lib and include are; some packages nest them."""
        return self.prefix

    @property
    def command(self) -> Executable:
        """The main program, ``bin/<name>``."""
        path = os.path.join(str(self.home), "bin", self.spec.name)
        if os.access(path, os.X_OK):
            return Executable(path)
        raise RuntimeError(f"unable to locate {self.spec.name} command in {self.home}/bin")

    @property
    def architecture(self) -> Any:
        """Platform, operating system and target."""
        return self.spec.architecture

    @property
    def compiler(self) -> Any:
        """Deprecated access to the compilers; forwarded to the compiler packages."""
        return self.spec.compiler

    def get_variant(self, name: str) -> Any:
        """Return the definition of variant *name* that applies to the spec; the later one precedes.

        :raises ValueError: there is none.
        """
        for condition, definition in reversed(self.variant_definitions(name)):
            if not definition.when or self.spec.satisfies(condition):
                return definition
        raise ValueError(f"no variant {name!r} on {self.spec}")

    @property
    def extendee_spec(self) -> Any:
        """The spec whose layout this package shares, or None."""
        for record in self.__declared__:
            if type(record) is ExtendsRecord and (
                not record.when or self.spec.satisfies(record.when)
            ):
                for dependency in self.spec.dependencies(Spec(record.spec).name):
                    return dependency
        return None

    @property
    def is_extension(self) -> bool:
        """Whether the spec extends another one."""
        return self.extendee_spec is not None

    def extends(self, spec: Any) -> bool:
        """Return whether the package extends *spec*."""
        if spec.name not in self.extendees:
            return False
        extendee = self.extendee_spec
        return bool(extendee is not None and extendee.satisfies(str(spec.name)))

    def provides(self, name: str) -> bool:
        """Return whether the package may provide virtual *name*, or is it."""
        return name == self.name or name in self.provided_virtual_names()

    def flag_handler(self, name: str, flags: Any) -> Any:
        """Return where compiler flags go: lists for (wrapper, environment, build system)."""
        return inject_flags(name, flags)

    def flags_to_build_system_args(self, flags: dict[str, list[str]]) -> None:
        """Hand *flags* to the build system; build-system classes override it.

        :raises NotImplementedError: there are flags and nothing takes them.
        """
        if any(flags.values()):
            raise NotImplementedError(f"{self.name}: its build system takes no compiler flags")

    def setup_run_environment(self, env: EnvironmentModifications) -> None:
        """Set what the installed package needs in the environment."""

    def setup_dependent_run_environment(
        self, env: EnvironmentModifications, dependent_spec: Any
    ) -> None:
        """Set what *dependent_spec* needs in the environment because of this package."""

    def setup_dependent_package(self, module: Any, dependent_spec: Any) -> None:
        """Set names in *module*, the recipe module of *dependent_spec*."""

    @property
    def cmake_prefix_paths(self) -> list[str]:
        """Directories for CMAKE_PREFIX_PATH of dependents."""
        return [str(self.prefix)]

    @property
    def rpath(self) -> list[str]:
        """Library directories of the package and of its link dependencies that exist."""
        prefix = str(self.prefix)
        paths = [os.path.join(prefix, "lib"), os.path.join(prefix, "lib64")]
        deptype = ("link",)
        for dependency in self.spec.traverse(deptype=deptype, root=False):
            for name in ("lib", "lib64"):
                path = os.path.join(str(dependency.prefix), name)
                if os.path.isdir(path):
                    paths.append(path)
        return paths

    @property
    def rpath_args(self) -> str:
        """:attr:`rpath` as linker flags."""
        return " ".join(f"-Wl,-rpath,{path}" for path in self.rpath)

    @property
    def metadata_dir(self) -> str:
        """The ``.spack`` directory in the prefix."""
        return os.path.join(str(self.prefix), ".spack")

    @property
    def install_log_path(self) -> str:
        """The log of the build in the prefix."""
        return os.path.join(self.metadata_dir, "spack-build-out.txt")

    @property
    def global_license_file(self) -> str:
        """Where the user keeps the license file of a licensed package.

        :raises InstallError: the package names no license file.
        """
        if not self.license_files:
            raise InstallError(f"{self.name} names no license file")
        name = os.path.basename(self.license_files[0])
        return os.path.join(os.path.expanduser("~"), ".spack", "licenses", self.name, name)

    def content_hash(self) -> str:
        """Return the package hash of the spec."""
        return str(getattr(self.spec, "package_hash", "") or "")


class Package(PackageBase):
    """A package whose recipe says itself how it is installed; ``build_system=generic``."""

    build_system_class = "Package"
    default_buildsystem = "generic"

    build_system("generic")

"""What dependencies give to a build: names in the recipe's module, and the environment.

The order is the contract of the package API: names first, by
``setup_dependent_package``, leaves before roots; then the environment, externals first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple

from spack.api.builder import create_builder
from spack.api.context import BuildContext
from spack.api.executable import Executable
from spack.api.module import ModuleChangePropagator, inject_globals
from spack.build.dependency_roles import Roles
from spack.build.wrapper import wrapper_variables
from spack.errors import InstallError
from spack.spec import ConcreteSpec
from spack.spec.languages import LANGUAGES
from spack.spec.wheel import wheel_of
from spack.util.environment_modifications import EnvironmentModifications, is_system_path

__all__ = ["INTERPRETERS", "ToolLocations", "build_environment", "inject_names", "run_environment"]

#: Compiler flags of a spec, and the variable of the wrapper that takes them.
FLAGS = ("cflags", "cxxflags", "fflags", "cppflags", "ldflags", "ldlibs")

#: Where pkg-config finds files below a prefix.
PKG_CONFIG = ("lib/pkgconfig", "lib64/pkgconfig", "share/pkgconfig")

#: Packages whose hooks must not decide which interpreter a build has; of their programs none is
#: a script for it.
INTERPRETERS = ("python", "python-venv")

#: Variables that dependencies set for use outside of builds. Python's modules are found by the
#: virtual environment of the build, compilers by the wrapper.
NOT_FROM_DEPENDENCIES = ("PYTHONPATH", "PYTHONHOME")
NOT_FROM_EXTERNALS = tuple(name for row in LANGUAGES for name in row.variables)


class _Undeclared(Executable):
    """A tool that the recipe uses without depending on it."""

    def __call__(self, *args: Any, **kwargs: Any) -> str | None:
        raise InstallError(
            f"{self.name} is used without a declared dependency",
            hint=f'add depends_on("{_PROVIDER.get(self.name, self.name)}", type="build")',
            ref="undeclared-tool",
        )


#: Tools that recipes expect as names, and the package that provides them.
_PROVIDER = {"make": "gmake", "gmake": "gmake", "ninja": "ninja"}


class ToolLocations(NamedTuple):
    """Where the Python tools of a build really are.

    :ivar interpreter: of the build's virtual environment, None without one; replaces ``python``.
    :ivar scripts: directory of console scripts that run with it.
    """

    interpreter: str | None
    scripts: str

    def corrected(self, tool: Any) -> Any:
        """Return a program of a Python dependency as it runs in this build; the rest unchanged."""
        if isinstance(tool, Executable) and self.interpreter is not None:
            copy = os.path.join(self.scripts, tool.name)
            if os.path.basename(os.path.dirname(tool.path)) == "bin" and os.path.exists(copy):
                corrected = tool.copy()
                corrected.exe[0] = copy
                return corrected
        return tool


class _Names(ModuleChangePropagator):
    """Names on their way into a module."""

    def correct(self, tools: ToolLocations) -> None:
        """Make the names that were set mean the programs as they run in this build."""
        for name, value in list(self._changes.items()):
            setattr(self, name, tools.corrected(value))


def inject_names(context: BuildContext, roles: Roles, jobs: int, tools: ToolLocations) -> None:
    """Put the names that recipes rely on into the modules of all packages with a part."""
    interpreter = tools.interpreter
    nodes = (*roles.order, roles.root)
    for node in nodes:
        package = context.package(node)
        inject_globals(package, _globals(package, jobs, interpreter))
    for node in nodes:
        package = context.package(node)
        for dependent in roles.all_dependents(node):
            target = context.package(dependent)
            names = _Names(target)
            package.setup_dependent_package(names, target.spec)
            names.correct(tools)
            if interpreter is not None and node.name in INTERPRETERS:
                names.python = Executable(interpreter)
            names.propagate_changes_to_mro()


def _globals(package: Any, jobs: int, interpreter: str | None) -> Mapping[str, Any]:
    values = {
        "make_jobs": jobs if package.parallel else 1,
        "prefix": package.prefix,
        "configure": Executable("./configure"),
        "dso_suffix": "so",
        "static_to_shared_library": _no_shared_library,
        **{name: _Undeclared(name) for name in _PROVIDER},
    }
    if interpreter is not None:
        values["python"] = Executable(interpreter)
    return values


def _no_shared_library(*args: Any, **kwargs: Any) -> None:
    raise InstallError(
        "static_to_shared_library() is not offered",
        hint="call the compiler: Executable(spack_cc)('-shared', ...)",
    )


def build_environment(
    context: BuildContext, roles: Roles, venv: str | None = None
) -> EnvironmentModifications:
    """Return all changes that lead from the clean environment to that of the root's build.

    :param venv: root of the build's virtual environment. It is what CMake is to find; programs
        beside its base interpreter are not tools of the build.
    """
    env = EnvironmentModifications()
    root = context.package(roles.root)
    tools = {node.dag_hash() for node in roles.tools}
    for node in roles.order:
        package = context.package(node)
        if node.dag_hash() in roles.build_time:
            if venv is None or node.name not in INTERPRETERS:
                _search_paths(env, package)
            _hook(package, "setup_dependent_build_environment", env, root.spec)
        if node.dag_hash() in tools and (venv is None or node.name not in INTERPRETERS):
            _programs(env, str(package.prefix))
        _runtime(env, context, roles, node)
    if any(node.name == "compiler-wrapper" for node in roles.direct):
        env.extend(wrapper_variables(context, roles))
    if venv is not None:
        env.prepend_path("CMAKE_PREFIX_PATH", venv)
    if wheel_of(roles.root) is None:
        _flags(env, root)
    _hook(root, "setup_build_environment", env)
    env.prune_duplicate_paths("PATH")
    return env


def _hook(package: Any, name: str, env: EnvironmentModifications, *args: Any) -> None:
    """Return a hook of the package's builder, which passes it on to the package.

    Packages that no builder knows (externals of unknown build systems) are asked directly.
    """
    target = package if package.spec.external else create_builder(package)
    getattr(target, name, lambda *ignored: None)(env, *args)


def _search_paths(env: EnvironmentModifications, package: Any) -> None:
    prefix = str(package.prefix)
    for path in package.cmake_prefix_paths:
        if not is_system_path(path):
            env.prepend_path("CMAKE_PREFIX_PATH", path)
    for directory in PKG_CONFIG:
        path = os.path.join(prefix, directory)
        if os.path.isdir(path) and not is_system_path(prefix):
            env.prepend_path("PKG_CONFIG_PATH", path)


def _programs(env: EnvironmentModifications, prefix: str) -> None:
    for name in ("bin64", "bin"):
        path = os.path.join(prefix, name)
        if os.path.isdir(path) and not is_system_path(path):
            env.prepend_path("PATH", path)


def _runtime(
    env: EnvironmentModifications, context: BuildContext, roles: Roles, node: ConcreteSpec
) -> None:
    """Return what *node* sets for its users, without what a build must not take from it."""
    package = context.package(node)
    changes = EnvironmentModifications()
    for dependent in roles.dependents(node):
        if dependent is not roles.root:
            package.setup_dependent_run_environment(changes, context.package(dependent).spec)
    package.setup_run_environment(changes)
    changes.drop(*NOT_FROM_DEPENDENCIES)
    external = _of_external(package)
    external.drop(*NOT_FROM_EXTERNALS)
    env.extend(changes)
    env.extend(external)


def _of_external(package: Any) -> EnvironmentModifications:
    """Return the ``environment`` modifications that the configuration of an external asks for."""
    env = EnvironmentModifications()
    settings = package.spec.extra_attributes.get("environment", {}) if package.spec.external else {}
    for name, value in (settings.get("set") or {}).items():
        env.set(name, value)
    for name in settings.get("unset") or ():
        env.unset(name)
    rows: tuple[tuple[str, Callable[[str, str], None]], ...] = (
        ("prepend_path", env.prepend_path),
        ("append_path", env.append_path),
        ("remove_path", env.remove_path),
    )
    for key, change in rows:
        for name, value in (settings.get(key) or {}).items():
            change(name, value)
    return env


def _flags(env: EnvironmentModifications, root: Any) -> None:
    """Hand compiler flags to the wrapper, the environment or the build system."""
    build_system = {}
    for name in FLAGS:
        given = list(root.spec.compiler_flags.get(name, ()))
        injected, exported, passed = root.flag_handler(name, given)
        if injected:
            env.set(f"SPACK_{name.upper()}", " ".join(injected))
        if exported:
            variable = "FFLAGS" if name == "fflags" else name.upper()
            env.set("LIBS" if name == "ldlibs" else variable, " ".join(exported))
            if name == "fflags":
                env.set("FCFLAGS", " ".join(exported))
        build_system[name] = list(passed or ())
    root.flags_to_build_system_args(build_system)


def run_environment(context: BuildContext, roles: Roles) -> EnvironmentModifications:
    """Return what using the installed root needs: its dependencies' modifications and its own."""
    env = EnvironmentModifications()
    root = context.package(roles.root)
    for node in _unique(roles.runtime):
        context.package(node).setup_dependent_run_environment(env, root.spec)
    root.setup_run_environment(env)
    return env


def _unique(nodes: Iterable[ConcreteSpec]) -> list[ConcreteSpec]:
    return list({node.dag_hash(): node for node in nodes}.values())

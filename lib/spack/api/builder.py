"""Builders: the phases of a build system, and how a package overrides them.

Three ways lead to the builder of a package (:func:`create_builder`):

1. the recipe's module has a class of the builder's name: that is it;
2. the package class has it as an attribute (build systems that specialize another one);
3. else the registered builder is used *through the package*: phases and the names that the builder
   lists in ``package_methods``, ``package_long_methods`` and ``package_attributes`` are looked up
   on the package first.

In case 3 the two classes are joined from both sides. The builder's subclass asks the package; and
the package object's class gets one more base at the very end of its MRO, which answers with the
builder's own definition. So ``super().install(spec, prefix)`` in a recipe reaches the builder, and
there is only one package object.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from spack.api.callbacks import Callback, run_after
from spack.api.context import SpecView
from spack.api.identity import is_recipe_module
from spack.api.metaclass import BuilderMeta
from spack.api.package_base import PackageBase
from spack.api.prefix import Prefix
from spack.errors import InstallError, RecipeError
from spack.util.environment_modifications import EnvironmentModifications

__all__ = [
    "BaseBuilder",
    "Builder",
    "BuilderWithDefaults",
    "GenericBuilder",
    "Phase",
    "apply_macos_rpath_fixups",
    "create_builder",
    "execute_install_time_tests",
    "register_builder",
    "registered_builder",
]

_B = TypeVar("_B", bound="Builder")

#: The builders by build system, filled while build-system modules are imported.
_REGISTERED: dict[str, type[Builder]] = {}

_ENVIRONMENT_HOOKS = ("setup_build_environment", "setup_dependent_build_environment")


def register_builder(build_system_name: str) -> Callable[[type[_B]], type[_B]]:
    """Register a builder of packages with ``build_system=<name>``; a class decorator."""

    def decorate(cls: type[_B]) -> type[_B]:
        cls.build_system = build_system_name
        _REGISTERED[build_system_name] = cls
        return cls

    return decorate


def registered_builder(build_system_name: str) -> type[Builder]:
    """Return the builder of a build system.

    :raises RecipeError: there is none.
    """
    try:
        return _REGISTERED[build_system_name]
    except KeyError:
        raise RecipeError(
            f"no builder for build_system={build_system_name}",
            hint=f"known build systems: {', '.join(sorted(_REGISTERED))}",
        ) from None


class Phase:
    """One phase of one build: the callbacks before it, the phase, the callbacks after it."""

    def __init__(self, name: str, builder: Builder) -> None:
        self.name = name
        self.builder = builder

    def callbacks(self, moment: str) -> Iterator[Callback]:
        """Return the callbacks that apply, those of the package first."""
        spec = self.builder.pkg.spec
        for callback in self.builder.phase_callbacks():
            if (callback.moment, callback.phase) == (moment, self.name) and (
                not callback.when or spec.satisfies(callback.when)
            ):
                yield callback

    def execute(self, completed: Callable[[], None] = lambda: None) -> None:
        """Run the phase. Errors of the recipe pass through.

        :param completed: called between the phase and the callbacks after it.
        :raises RecipeError: neither the package nor the builder defines the phase.
        """
        builder, pkg = self.builder, self.builder.pkg
        function = getattr(builder, self.name, None)
        if function is None:
            raise RecipeError(
                f"{pkg.name} does not define phase {self.name!r}",
                hint=f"build_system={builder.build_system} has the phases "
                f"{', '.join(builder.phases)}; define a method of that name",
            )
        for callback in self.callbacks("before"):
            callback.function(builder.callback_instance(callback))
        function(pkg, pkg.spec, pkg.prefix)
        completed()
        for callback in self.callbacks("after"):
            callback.function(builder.callback_instance(callback))

    def __str__(self) -> str:
        return f"phase {self.name} of {self.builder}"


class BaseBuilder(metaclass=BuilderMeta):
    """A builder without phases: environment hooks and callbacks that several builders share."""

    __callbacks__: tuple[Callback, ...]

    def __init__(self, pkg: PackageBase) -> None:
        self.pkg = pkg

    @property
    def spec(self) -> SpecView:
        """The concrete spec."""
        spec: SpecView = self.pkg.spec
        return spec

    @property
    def stage(self) -> Any:
        """The unpacked sources."""
        return self.pkg.stage

    @property
    def prefix(self) -> Prefix:
        """The installation prefix."""
        return self.pkg.prefix

    def setup_build_environment(self, env: EnvironmentModifications) -> None:
        """Change the environment of this package's build."""
        further = getattr(super(), "setup_build_environment", None)
        if further is not None:
            further(env)

    def setup_dependent_build_environment(
        self, env: EnvironmentModifications, dependent_spec: SpecView
    ) -> None:
        """Change the environment of a dependent's build."""
        further = getattr(super(), "setup_dependent_build_environment", None)
        if further is not None:
            further(env, dependent_spec)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.pkg!r}>"


class Builder(BaseBuilder, Sequence[Phase]):
    """A sequence of phases; ``for phase in builder: phase.execute()`` is the build.

    :cvar alone: the recipe's phases, callbacks and environment of the build are not for it.
    """

    alone: ClassVar[bool] = False
    phases: tuple[str, ...] = ()
    build_system: Any = None
    package_methods: tuple[str, ...] = ()
    package_long_methods: tuple[str, ...] = ()
    package_attributes: tuple[str, ...] = ()
    build_time_test_callbacks: ClassVar[Any] = []
    install_time_test_callbacks: ClassVar[Any] = []

    @property
    def archive_files(self) -> list[str]:
        """Globs of files that are kept beside the log."""
        return []

    def __getitem__(self, index: Any) -> Any:
        names = self.phases[index]
        if isinstance(names, str):
            return Phase(names, self)
        return [Phase(name, self) for name in names]

    def __len__(self) -> int:
        return len(self.phases)

    def phase_callbacks(self) -> tuple[Callback, ...]:
        """Return all callbacks in the order in which they run."""
        return self.__callbacks__

    def callback_instance(self, callback: Callback) -> object:
        """Return the object that *callback* is called on: the one whose class registered it."""
        return self


def _check_prefix(builder: BaseBuilder) -> None:
    """Check that the install has left what the recipe promises, and anything at all."""
    pkg = builder.pkg
    mode = os.stat(pkg.prefix).st_mode
    if ~mode & stat.S_IRWXU:
        os.chmod(pkg.prefix, mode | stat.S_IRWXU)  # its permissions are set after the build
    checks = ((pkg.sanity_check_is_file, os.path.isfile), (pkg.sanity_check_is_dir, os.path.isdir))
    for paths, is_there in checks:
        for path in [paths] if isinstance(paths, str) else paths:
            if not is_there(os.path.join(pkg.prefix, path)):
                raise InstallError(
                    f"{pkg.name} did not install {path}",
                    hint="the recipe promises it in sanity_check_is_file or sanity_check_is_dir",
                )
    if not any(name != ".spack" for name in os.listdir(pkg.prefix)):
        raise InstallError(
            f"{pkg.name} installed nothing into its prefix",
            hint="look into the log for where the files went",
        )


class BuilderWithDefaults(Builder):
    """Base of the builders of build systems: the prefix is checked after ``install``."""

    run_after("install")(_check_prefix)


def execute_install_time_tests(builder: Builder) -> None:
    """Run the tests that the builder lists for after the install, when tests are asked for."""
    names = builder.install_time_test_callbacks
    if builder.pkg.run_tests and names:
        builder.pkg.tester.phase_tests(builder, "install", names)


def apply_macos_rpath_fixups(builder: BaseBuilder) -> None:
    """Make installed libraries relocatable on macOS; nothing to do elsewhere."""


@register_builder("generic")
class GenericBuilder(BuilderWithDefaults):
    """Only the phase ``install``, which the recipe defines."""

    phases = ("install",)
    package_methods = ()
    package_attributes = ("archive_files", "install_time_test_callbacks")
    install_time_test_callbacks: ClassVar[Any] = []

    run_after("install")(execute_install_time_tests)

    def install(self, pkg: PackageBase, spec: SpecView, prefix: Prefix) -> None:
        """Install; recipes define it."""
        raise NotImplementedError(f"{pkg.name} does not define install(self, spec, prefix)")


def create_builder(pkg: PackageBase) -> Any:
    """Return the builder of *pkg*, made once.

    :raises RecipeError: the build system of the spec has no builder.
    """
    builder = pkg.__dict__.get("builder")
    if builder is None:
        builder = _create(pkg)
        pkg.builder = builder
    return builder


def _create(pkg: PackageBase) -> Any:
    registered = registered_builder(_build_system(pkg))
    if registered.alone:
        return registered(pkg)
    name = registered.__name__
    own = getattr(pkg.module, name, None)
    if isinstance(own, type) and is_recipe_module(own.__module__):
        return own(pkg)
    base = getattr(pkg, name, registered)
    joined, adapter = _join(type(pkg), base)
    pkg.__class__ = joined
    builder = adapter.__new__(adapter)
    pkg.builder = builder  # before __init__, which may already ask the package
    builder.__init__(pkg)
    return builder


def _build_system(pkg: PackageBase) -> str:
    try:
        return str(pkg.spec.variants["build_system"].value)
    except KeyError:
        default = getattr(pkg, "default_buildsystem", None)
        if default is None:
            raise RecipeError(f"{pkg.name} declares no build system") from None
        return str(default)


_JOINED: dict[tuple[type[PackageBase], type[Builder]], tuple[Any, Any]] = {}


def _join(package: type[PackageBase], base: type[Builder]) -> tuple[Any, Any]:
    """Join the package class and the builder so that each finds the other's definitions."""
    key = (package, base)
    if key not in _JOINED:
        adapter = _adapter(base, tuple(getattr(package, "phases", base.phases)))
        names = {"__module__": package.__module__, "__qualname__": package.__qualname__}
        bases = (package, _behind(base, adapter))
        make: Callable[..., type] = type(package)
        joined = make(package.__name__, bases, dict(names, __doc__=package.__doc__))
        _JOINED[key] = (joined, adapter)
    return _JOINED[key]


def _methods(base: type[Builder]) -> tuple[str, ...]:
    return tuple(base.package_methods or getattr(base, "legacy_methods", ()))


def _long_methods(base: type[Builder]) -> tuple[str, ...]:
    return tuple(base.package_long_methods or getattr(base, "legacy_long_methods", ()))


def _attributes(base: type[Builder]) -> tuple[str, ...]:
    return tuple(base.package_attributes or getattr(base, "legacy_attributes", ()))


class _Fallback:
    """An attribute of the builder, read through the package; an instance attribute wins."""

    def __init__(self, name: str, adapter: Any) -> None:
        self.name = name
        self.adapter = adapter

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        builder = create_builder(instance)
        return getattr(super(self.adapter, builder), self.name)


def _behind(base: type[Builder], adapter: Any) -> Any:
    """Return a class that ends the package's MRO with the builder's definitions."""

    def phase(name: str) -> Callable[..., Any]:
        def run(self: Any, spec: SpecView, prefix: Prefix) -> Any:
            builder = create_builder(self)
            return getattr(super(adapter, builder), name)(self, spec, prefix)

        run.__name__ = name
        return run

    def method(name: str) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(super(adapter, create_builder(self)), name)(*args, **kwargs)

        call.__name__ = name
        return call

    namespace: dict[str, Any] = {"__slots__": ()}
    for name in _attributes(base):
        namespace[name] = _Fallback(name, adapter)
    for name in _methods(base) + _long_methods(base) + _ENVIRONMENT_HOOKS:
        namespace[name] = method(name)
    for name in base.phases:
        namespace[name] = phase(name)
    return type(f"{base.__name__}Behind", (), namespace)


def _adapter(base: type[Builder], phases: tuple[str, ...]) -> Any:  # noqa: C901 - one small closure for each kind of attribute
    """Return a subclass of builder *base* that asks the package first."""

    def phase(name: str) -> Callable[..., Any]:
        def run(self: Any, pkg: PackageBase, spec: SpecView, prefix: Prefix) -> Any:
            return getattr(self.pkg, name)(spec, prefix)

        run.__name__ = name
        return run

    def method(name: str) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(self.pkg, name)(*args, **kwargs)

        call.__name__ = name
        return call

    def attribute(name: str) -> property:
        return property(lambda self: getattr(self.pkg, name))

    def phase_callbacks(self: Any) -> tuple[Callback, ...]:
        return tuple(type(self.pkg).__callbacks__) + tuple(base.__callbacks__)

    def callback_instance(self: Any, callback: Callback) -> Any:
        of_package = any(callback is item for item in type(self.pkg).__callbacks__)
        return self.pkg if of_package else self

    namespace: dict[str, Any] = {
        "__module__": base.__module__,
        "__doc__": base.__doc__,
        "phases": phases,
        "phase_callbacks": phase_callbacks,
        "callback_instance": callback_instance,
    }
    for name in _attributes(base):
        namespace[name] = attribute(name)
    for name in _methods(base) + _long_methods(base) + _ENVIRONMENT_HOOKS:
        namespace[name] = method(name)
    for name in (*base.phases, *phases):
        namespace[name] = phase(name)
    make: Callable[..., type] = type(base)
    return make(base.__name__, (base,), namespace)

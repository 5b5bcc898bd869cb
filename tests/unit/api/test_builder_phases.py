"""Builders, and packages that be in front of them."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from spack.api.builder import registered_builder
from spack.errors import InstallError, RecipeError
from spack.package import (
    BaseBuilder,
    BuilderWithDefaults,
    Package,
    PackageBase,
    build_system,
    create_builder,
    on_package_attributes,
    register_builder,
    run_after,
    run_before,
)
from spack.spec import ConcreteSpec, VariantValue

LOG: list = []


@pytest.fixture(autouse=True)
def clean_log() -> None:
    del LOG[:]


@register_builder("toy")
class ToyBuilder(BuilderWithDefaults):
    phases = ("configure", "install")
    package_methods = ("args", "check")
    package_long_methods = ("options",)
    package_attributes = ("targets", "directory")

    targets = ("all",)

    @property
    def directory(self) -> str:
        return f"{self.pkg.name}/build"

    def args(self) -> list:
        return ["builder"]

    def check(self) -> str:
        return "builder check"

    def options(self, spec: Any, prefix: Any) -> list:
        return [str(prefix)]

    def setup_build_environment(self, env: Any) -> None:
        LOG.append("builder env")

    def configure(self, pkg: Any, spec: Any, prefix: Any) -> None:
        LOG.append(("configure", self.args(), self.targets, self.directory))

    def install(self, pkg: Any, spec: Any, prefix: Any) -> None:
        Path(prefix, "file").write_text("x")
        LOG.append(("install", self.options(spec, prefix)))

    @run_after("configure")
    def after_configure(self) -> None:
        LOG.append(f"builder after configure of {type(self).__name__}")


class ToyPackage(PackageBase):
    default_buildsystem = "toy"
    build_system("toy")


class View:
    """As much of a spec as builders ask for."""

    name = "toy"

    def __init__(self, prefix: Path, text: str = "1", build_system: str = "toy") -> None:
        value = VariantValue.single("build_system", build_system)
        self.node = ConcreteSpec("toy", "mine", text, {"build_system": value})
        self.prefix = str(prefix)
        self.variants = self.node.variants

    def satisfies(self, text: object) -> bool:
        return self.node.satisfies(text)

    def __str__(self) -> str:
        return str(self.node)


def build(package: PackageBase) -> None:
    for phase in create_builder(package):
        phase.execute()


def test_the_builder_alone(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        pass

    build(Toy(View(tmp_path)))
    assert [
        ("configure", ["builder"], ("all",), "toy/build"),
        "builder after configure of ToyBuilder",
        ("install", [str(tmp_path)]),
    ] == LOG


def test_a_package_overrides_and_reaches_the_builder_with_super(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        targets = ("some",)

        @property
        def directory(self) -> str:
            return f"{super().directory}/deeper"

        def args(self) -> list:
            return ["package", *super().args()]

        def options(self, spec: Any, prefix: Any) -> list:
            return ["package", *super().options(spec, prefix)]

        def install(self, spec: Any, prefix: Any) -> None:
            LOG.append(("package install", self.check()))
            super().install(spec, prefix)

    package = Toy(View(tmp_path))
    build(package)
    assert [
        ("configure", ["package", "builder"], ("some",), "toy/build/deeper"),
        "builder after configure of ToyBuilder",
        ("package install", "builder check"),
        ("install", ["package", str(tmp_path)]),
    ] == LOG
    assert type(package).__name__ == "Toy"
    assert isinstance(package, Toy)


def test_there_is_one_package_object(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        def args(self) -> list:
            self.remembered = "x"
            return []

        @run_after("install")
        def look(self) -> None:
            LOG.append(self.remembered)

    package = Toy(View(tmp_path))
    build(package)
    assert package.remembered == "x"
    assert LOG[-1] == "x"
    assert create_builder(package) is create_builder(package)


def test_an_assigned_attribute_wins(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        def configure(self, spec: Any, prefix: Any) -> None:
            self.directory = "assigned"
            super().configure(spec, prefix)

    build(Toy(View(tmp_path)))
    assert LOG[0][3] == "assigned"


def test_callbacks_in_order(tmp_path: Path) -> None:
    class Middle(ToyPackage):
        @run_before("install")
        def middle(self) -> None:
            LOG.append("middle")

    class Toy(Middle):
        @run_before("install")
        def own(self) -> None:
            LOG.append("own")

        @run_before("install", when="@2:")
        def later(self) -> None:
            LOG.append("later")

        @run_after("configure")
        def after(self) -> None:
            LOG.append("package after configure")

        def configure(self, spec: Any, prefix: Any) -> None:
            LOG.append("configure")

    build(Toy(View(tmp_path)))
    assert LOG[:5] == [
        "configure",
        "package after configure",
        "builder after configure of ToyBuilder",
        "own",
        "middle",
    ]
    del LOG[:]
    build(Toy(View(tmp_path, "2")))
    assert "later" in LOG


def test_attributes_of_the_package_decide(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        @run_after("install")
        @on_package_attributes(run_tests=True)
        def tests(self) -> None:
            LOG.append("tests")

    build(Toy(View(tmp_path)))
    assert "tests" not in LOG
    package = Toy(View(tmp_path))
    package.run_tests = True
    build(package)
    assert "tests" in LOG

    class Other(BaseBuilder):
        @on_package_attributes(run_tests=True, missing=1)
        def never(self) -> str:
            return "called"

        @on_package_attributes(run_tests=True)
        def sometimes(self) -> str:
            return "called"

    assert Other(package).never() is None
    assert Other(package).sometimes() == "called"


def test_own_phases(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        phases = ("prepare", "install")

        def prepare(self, spec: Any, prefix: Any) -> None:
            LOG.append("prepare")

    build(Toy(View(tmp_path)))
    assert ["prepare", ("install", [str(tmp_path)])] == LOG


def test_a_phase_that_nothing_defines(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        phases = ("missing",)

    with pytest.raises(AttributeError, match="missing"):
        build(Toy(View(tmp_path)))


def test_environment_hooks(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        def setup_build_environment(self, env: Any) -> None:
            LOG.append("package env")
            super().setup_build_environment(env)

    builder = create_builder(Toy(View(tmp_path)))
    builder.setup_build_environment(None)
    builder.setup_dependent_build_environment(None, None)
    assert LOG == ["package env", "builder env"]


def test_a_builder_in_the_recipe(tmp_path: Path) -> None:
    name = "spack_repo.mine.packages.toy.package"
    module = types.ModuleType(name)
    sys.modules[name] = module
    try:

        class Toy(ToyPackage):
            def args(self) -> list:
                raise AssertionError("a recipe with a builder is not asked")

        class Own(ToyBuilder):
            def args(self) -> list:
                return ["own builder"]

            def install(self, pkg: Any, spec: Any, prefix: Any) -> None:
                LOG.append("own")
                super().install(pkg, spec, prefix)

        Toy.__module__ = Own.__module__ = name
        module.ToyBuilder = Own
        build(Toy(View(tmp_path)))
        assert LOG[0][1] == ["own builder"]
        assert "own" in LOG
    finally:
        del sys.modules[name]


def test_a_builder_as_an_attribute_of_the_package(tmp_path: Path) -> None:
    class Special(ToyBuilder):
        def args(self) -> list:
            return ["special"]

    class Toy(ToyPackage):
        ToyBuilder = Special

    build(Toy(View(tmp_path)))
    assert LOG[0][1] == ["special"]


def test_hooks_shared_by_builders(tmp_path: Path) -> None:
    class Shared(BaseBuilder):
        def setup_build_environment(self, env: Any) -> None:
            LOG.append("shared env")

        @run_after("install")
        def fix(self) -> None:
            LOG.append("shared fix")

    class Both(Shared, ToyBuilder):
        pass

    class Toy(ToyPackage):
        ToyBuilder = Both

    package = Toy(View(tmp_path))
    build(package)
    create_builder(package).setup_build_environment(None)
    assert LOG[-2:] == ["shared fix", "shared env"]


def test_generic_packages_say_themselves_how(tmp_path: Path) -> None:
    class Toy(Package):
        def install(self, spec: Any, prefix: Any) -> None:
            Path(prefix, "file").write_text("x")

    build(Toy(View(tmp_path, build_system="generic")))

    class Silent(Package):
        pass

    with pytest.raises(NotImplementedError, match="does not define install"):
        build(Silent(View(tmp_path, build_system="generic")))


def test_the_prefix_is_checked(tmp_path: Path) -> None:
    class Toy(Package):
        def install(self, spec: Any, prefix: Any) -> None:
            Path(prefix, ".spack").mkdir(exist_ok=True)

    with pytest.raises(InstallError, match="installed nothing"):
        build(Toy(View(tmp_path, build_system="generic")))

    class Promising(Package):
        sanity_check_is_file = "bin/tool"

        def install(self, spec: Any, prefix: Any) -> None:
            Path(prefix, "file").write_text("x")

    with pytest.raises(InstallError, match="did not install bin/tool"):
        build(Promising(View(tmp_path, build_system="generic")))


def test_an_unknown_build_system(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        pass

    with pytest.raises(RecipeError, match="no builder for build_system=nothing") as error:
        create_builder(Toy(View(tmp_path, build_system="nothing")))
    assert "generic" in (error.value.hint or "")
    assert registered_builder("toy") is ToyBuilder


def test_a_sequence_of_phases(tmp_path: Path) -> None:
    class Toy(ToyPackage):
        pass

    builder = create_builder(Toy(View(tmp_path)))
    assert [phase.name for phase in builder] == ["configure", "install"]
    assert len(builder) == 2
    assert builder[-1].name == "install"
    assert [phase.name for phase in builder[:1]] == ["configure"]

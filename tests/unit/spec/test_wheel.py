"""Which wheel a node is installed from, as its values say it."""

from __future__ import annotations

import pytest

from spack.errors import SpecError
from spack.spec import ConcreteSpec, VariantValue
from spack.spec.wheel import BINARY, WHEEL_KEYS, ChosenWheel, wheel_of

WHEEL = ChosenWheel("black-25.1.0-py3-none-any.whl", "ab" * 32, 1234)
SYSTEM = {"build_system": VariantValue.single("build_system", BINARY)}


def node(**texts: str) -> ConcreteSpec:
    variants = {name: VariantValue.single(name, text) for name, text in texts.items()}
    return ConcreteSpec("py-black", "venv", "25.1.0", variants)


def test_a_wheel_is_read_as_it_was_written() -> None:
    for wheel in (WHEEL, WHEEL._replace(size=None)):
        assert wheel_of(ConcreteSpec("a", "venv", "1", {**SYSTEM, **wheel.variants()})) == wheel
    assert wheel_of(node(build_system="python_wheel")) is None


def test_it_is_not_among_the_variants_that_are_shown() -> None:
    spec = ConcreteSpec("py-black", "venv", "25.1.0", {**SYSTEM, **WHEEL.variants()})
    assert spec.format("{name}{variants}") == f"py-black build_system={BINARY}"
    assert spec.format("{variants.wheel_size}") == "wheel_size=1234"
    assert set(WHEEL.variants()) == set(WHEEL_KEYS)


def test_variants_of_a_recipe_that_are_called_wheel() -> None:
    """Upstream's ``py-platformdirs`` has one."""
    variants = {"wheel": VariantValue.boolean("wheel", False)}
    spec = ConcreteSpec("py-platformdirs", "builtin", "4.10.0", variants)
    assert wheel_of(spec) is None
    assert spec.format("{name}{variants}") == "py-platformdirs~wheel"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wheel": "../black.whl"}, "invalid file name '../black.whl'"),
        ({"wheel": "black.tar.gz"}, "invalid file name"),
        ({"wheel_sha256": ""}, "invalid sha256 ''"),
        ({"wheel_size": "-1"}, "invalid size '-1'"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, str], message: str) -> None:
    texts = {"wheel": WHEEL.filename, "wheel_sha256": WHEEL.sha256, **changes}
    texts["build_system"] = BINARY
    with pytest.raises(SpecError, match=message) as caught:
        wheel_of(node(**texts))
    assert caught.value.hint

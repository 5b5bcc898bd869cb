"""Layers: what a user adds on top of a view."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spack.errors import ViewError
from spack.view.layer import make_layer
from spack.view.plan_types import LINK_TYPES

from .conftest import TEMPLATES, Make, Store, demo_sources, run
from .test_moved import pip_source, wheel


def versions(layer: Path) -> dict[str, str]:
    """Return what importlib.metadata and so pip sees, the first of each name."""
    code = (
        "import importlib.metadata as m\n"
        "for d in m.distributions(): print(d.metadata['Name'], d.version)"
    )
    found: dict[str, str] = {}
    for line in run(layer / "bin/python", "-c", code).splitlines():
        name, version = line.split()
        found.setdefault(name, version)
    return found


def test_it_sees_the_view(tmp_path: Path, store: Store, make: Make) -> None:
    view, path = tmp_path / "the 'view'", tmp_path / "layer"
    make(view, demo_sources(store))
    (view / store.python.purelib / "extra.pth").write_text("../../../more\n")
    (view / "more").mkdir()
    (view / "more/extra.py").write_text("E = 1\n")
    layer = make_layer(str(path), str(view), TEMPLATES)
    assert (layer.stand_ins, layer.renewed, layer.own) == (2, False, ())
    assert versions(path) == {"py-one": "1.0", "py-two": "1.0"}
    assert run(path / "bin/tool", "x") == f"1 2 {path} x"
    assert run(path / "bin/python", "-c", "import extra; print(extra.E)") == "1"
    script = f". '{path}/bin/activate'; command -v tool python; "
    script += "printenv VIRTUAL_ENV MANPATH; deactivate; echo $PATH"
    out = run("bash", "-euc", script).splitlines()
    assert out[:3] == [f"{path}/bin/tool", f"{path}/bin/python", str(path)]
    assert out[3].startswith(f"{view}/share/man") and out[4] == "/usr/bin:/bin"
    path.rename(tmp_path / "elsewhere")
    assert run(tmp_path / "elsewhere/bin/tool") == f"1 2 {tmp_path / 'elsewhere'}"


def test_what_cannot_be_one(tmp_path: Path, store: Store, make: Make) -> None:
    make(tmp_path / "view", demo_sources(store))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/precious").write_text("x")
    with pytest.raises(ViewError, match="is not a layer"):
        make_layer(str(tmp_path / "mine"), str(tmp_path / "view"), TEMPLATES)
    with pytest.raises(ViewError, match="no view"):
        make_layer(str(tmp_path / "layer"), str(tmp_path / "mine"), TEMPLATES)
    make(tmp_path / "plain", [store.package("plain", {"x": "x\n"})], python=None)
    with pytest.raises(ViewError, match="shows no Python"):
        make_layer(str(tmp_path / "layer"), str(tmp_path / "plain"), TEMPLATES)
    with pytest.raises(ViewError, match="inside the view"):
        make_layer(str(tmp_path / "view/lib/layer"), str(tmp_path / "view"), TEMPLATES)
    with pytest.raises(ViewError, match="cannot be written"):
        make_layer(str(tmp_path / "mine/precious/layer"), str(tmp_path / "view"), TEMPLATES)


@pytest.mark.slow
@pytest.mark.parametrize("link_type", LINK_TYPES)
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_upgrading_in_a_layer(
    tmp_path: Path, store: Store, make: Make, link_type: str, tool: str, uv: str
) -> None:
    """The view and the store stay as they are; what is there is renewed and what is new stays."""
    view, path = tmp_path / "view", tmp_path / "layer"
    sources = [
        store.venv_source(),
        pip_source(store),
        store.extension(
            "alpha", {"alpha/__init__.py": "VERSION = '1.0'\n"},
            scripts={"alpha": store.shebang + "import alpha; print(alpha.VERSION)\n"},
        ),
    ]  # fmt: skip
    make(view, sources, link_type=link_type)
    before = store.snapshot()
    make_layer(str(path), str(view), TEMPLATES)

    def manage(*words: object) -> str:
        if tool == "pip":
            command = [path / "bin/pip", *words, "--disable-pip-version-check"]
            return run(*command, env={"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1"})
        env = {"VIRTUAL_ENV": str(path), "UV_CACHE_DIR": str(tmp_path / "cache")}
        done = run("sh", "-c", '"$@" 2>/dev/null', "sh", uv, "pip", *words, env=env)
        return done

    yes = ["-y"] if tool == "pip" else []
    assert "alpha==1.0" in manage("list", "--format=freeze")
    assert run(path / "bin/alpha") == "1.0"
    manage("install", "--no-index", "--no-deps", "-U", wheel(tmp_path, "alpha", "2.0"))
    assert run(path / "bin/python", "-c", "import alpha; print(alpha.VERSION)") == "2.0"
    assert "alpha==2.0" in manage("list", "--format=freeze")
    manage("install", "--no-index", "--no-deps", wheel(tmp_path, "beta", "1.0"))
    layer = make_layer(str(path), str(view), TEMPLATES)
    assert layer.renewed and layer.own == ("alpha", "beta") and layer.stand_ins == 1
    assert run(path / "bin/python", "-c", "import alpha; print(alpha.VERSION)") == "2.0"
    manage("uninstall", *yes, "alpha")
    assert run(path / "bin/python", "-c", "import alpha, beta; print(alpha.VERSION)") == "1.0"
    make_layer(str(path), str(view), TEMPLATES)
    assert run(path / "bin/alpha") == "1.0" and "alpha==1.0" in manage("list", "--format=freeze")
    assert run(view / "bin/alpha") == "1.0" and not os.path.lexists(view / "bin/beta")
    assert not make(view, sources, link_type=link_type).changed
    assert store.snapshot() == before

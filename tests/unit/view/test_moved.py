"""Views that were moved, and what pip does in them."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from spack.cli.event_text import view_lines
from spack.view.plan_types import LINK_TYPES, ViewSource
from spack.view.view_manifest import load_activation, load_manifest

from .conftest import INTERPRETERS, Content, Make, Python, Store, demo_sources, record_row, run

EVERY_TYPE = pytest.mark.parametrize("link_type", LINK_TYPES)
EVERY_PYTHON = pytest.mark.parametrize("base", INTERPRETERS, ids=lambda p: p.version)

LOCATIONS = {
    "elsewhere": "elsewhere",
    "space and quotes": 'with space/it\'s "quoted" $x',
    "unicode": "ünï/☃",
    "long": f"{'l' * 140}/{'m' * 140}",
}


def names_of(root: Path, text: str) -> list[str]:
    """Files and links below *root* that name *text*; byte-code apart, which is harmless."""
    found = []
    for path in root.rglob("*"):
        if path.is_symlink():
            if text in os.readlink(path):
                found.append(str(path))
        elif path.is_file() and path.suffix != ".pyc" and text.encode() in path.read_bytes():
            found.append(str(path))
    return found


@EVERY_TYPE
@EVERY_PYTHON
@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS)
def test_a_moved_view_works(
    tmp_path: Path, make: Make, base: Python, link_type: str, location: str
) -> None:
    store = Store(tmp_path / "prefixes", base)
    old = tmp_path / "old place" / "view"
    sources = demo_sources(store)
    make(old, sources, link_type=link_type, python=base)
    assert names_of(old, "old place") == []
    new = tmp_path / location
    new.parent.mkdir(parents=True, exist_ok=True)
    old.rename(new)
    old.parent.rmdir()
    code = "import sys, ns.one; print(sys.prefix)"
    assert run(new / "bin/python", "-c", code) == str(new)
    assert run(new / "bin/tool") == f"1 2 {new}"
    child = f"import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', {code!r}"
    child += "], text=True), end='')"
    assert run(new / "bin/python3", "-c", child) == str(new)
    again = make(new, sources, link_type=link_type, python=base)
    assert not again.changed


def test_a_read_only_copy(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    make(view, demo_sources(store), link_type="copy")
    copy = tmp_path / "copied"
    shutil.copytree(view, copy, symlinks=True)
    shutil.rmtree(view)
    for folder, _, files in os.walk(copy):
        for name in files:
            if not os.path.islink(os.path.join(folder, name)):
                os.chmod(os.path.join(folder, name), 0o555)
        os.chmod(folder, 0o555)
    try:
        assert run(copy / "bin/tool") == f"1 2 {copy}"
    finally:
        for folder, _, _ in os.walk(copy):
            os.chmod(folder, 0o755)


@EVERY_TYPE
def test_an_untouched_copy_of_a_view_is_right(
    tmp_path: Path, store: Store, make: Make, link_type: str
) -> None:
    """Other times and inodes: the content decides."""
    sources = demo_sources(store)
    make(tmp_path / "view", sources, link_type=link_type)
    subprocess.run(["cp", "-r", tmp_path / "view", tmp_path / "copy"], check=True)
    assert not make(tmp_path / "copy", sources, link_type=link_type).changed


def test_the_view_reports_itself(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    make(view, demo_sources(store), prompt="style")
    manifest = load_manifest(str(view))
    activation = load_activation(str(view))
    assert manifest is not None and activation is not None and store.python is not None
    assert manifest.python == {
        "executable": store.python.executable,
        "version": store.python.version,
        "purelib": store.python.purelib,
        "platlib": store.python.platlib,
    }
    owner = manifest.owner("include/zlib.h")
    assert owner is not None and owner.name == "zlib"
    assert manifest.owner("pyvenv.cfg") is None and manifest.owner("nothing") is None
    assert manifest.items["bin/tool"].how == "text" and manifest.items["bin/tool"].digest
    assert activation.prompt == "style" and activation.is_venv
    assert str(tmp_path / "view") not in (view / ".spack-view/manifest.json").read_text()
    assert load_manifest(str(tmp_path)) is None and load_activation(str(tmp_path)) is None


def test_a_layer_on_top_of_a_view(tmp_path: Path, store: Store, make: Make) -> None:
    """``python -m venv`` from a view's Python makes a venv of the base interpreter."""
    view = tmp_path / "view"
    make(view, demo_sources(store))
    run(view / "bin/python3", "-m", "venv", "--without-pip", tmp_path / "nested")
    out = run(tmp_path / "nested/bin/python", "-c", "import sys; print(sys.prefix)")
    assert out == str(tmp_path / "nested")


@EVERY_PYTHON
def test_it_has_what_a_venv_has(tmp_path: Path, make: Make, base: Python) -> None:
    """Compared with ``python -m venv --without-pip`` of the same interpreter."""
    made = tmp_path / "venv"
    done = subprocess.run([base.executable, "-m", "venv", "--without-pip", made])
    if done.returncode:
        pytest.skip(f"python {base.version} has no venv module")
    view = tmp_path / "view"
    make(view, [Store(tmp_path / "prefixes", base).venv_source()], python=base)
    for path in made.rglob("*"):
        relative = path.relative_to(made)
        if relative.parts[0] == "include" and len(relative.parts) > 1:
            continue
        if relative.name in ("activate.bat", "deactivate.bat", ".gitignore", "𝜋thon"):
            continue
        other = view / relative
        assert other.exists(), relative
        assert (path.is_symlink(), path.is_dir()) == (other.is_symlink(), other.is_dir()), relative
    code = "import sys, site, sysconfig; p = sysconfig.get_paths(); print("
    code += "sys.base_prefix, sys.executable, site.getsitepackages(), p['purelib'], p['scripts'])"
    expected = run(made / "bin/python", "-c", code).replace(str(made), str(view))
    assert run(view / "bin/python", "-c", code) == expected
    known = dict(re.findall(r"^(\S+) = (.*)$", (made / "pyvenv.cfg").read_text(), re.M))
    own = dict(re.findall(r"^(\S+) = (.*)$", (view / "pyvenv.cfg").read_text(), re.M))
    for key in ("include-system-site-packages", "version", "home"):
        assert own[key] == known[key], key


# -- pip ---------------------------------------------------------------------------------------


def pip_source(store: Store) -> ViewSource:
    """Pip as a package of the store, from the interpreter that runs the tests."""
    try:
        distribution = importlib.metadata.distribution("pip")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("pip is not installed for the interpreter that runs the tests")
    assert store.python is not None
    files: dict[str, Content] = {}
    for file in distribution.files or ():
        path = Path(str(file.locate()))
        if ".." not in file.parts and path.suffix != ".pyc" and path.is_file():
            files[f"{store.python.purelib}/{file.as_posix()}"] = path.read_bytes()
    script = store.shebang + "import sys\nfrom pip._internal.cli.main import main\n"
    script += "sys.exit(main())\n"
    files["bin/pip"] = (script, 0o755)
    return store.package("py-pip", files, role="extension", version=distribution.version)


def wheel(folder: Path, name: str, version: str) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:print\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        rows = []
        for member, text in files.items():
            archive.writestr(member, text)
            rows.append(record_row(member, text))
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
    return path


@pytest.mark.slow
@EVERY_TYPE
def test_pip_never_changes_the_store(
    tmp_path: Path, store: Store, make: Make, link_type: str
) -> None:
    view = tmp_path / "view"
    assert store.python is not None
    sources = [
        store.venv_source(),
        pip_source(store),
        store.extension(
            "alpha", {"alpha/__init__.py": "VERSION = '1.0'\n"}, scripts={"alpha": store.shebang}
        ),
    ]
    make(view, sources, link_type=link_type)
    before = store.snapshot()
    install = ["install", "--no-index", "--no-deps", "-q", "--disable-pip-version-check"]
    wheels = [wheel(tmp_path, "alpha", "2.0"), wheel(tmp_path, "beta", "1.0")]

    def pip(*words: object) -> str:
        return run(
            view / "bin/pip", *words, env={"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1"}
        )

    shown = pip("list", "--format=freeze", "--disable-pip-version-check")
    assert "alpha==1.0" in shown
    pip(*install, wheels[1])
    assert run(view / "bin/python", "-c", "import beta; print(beta.VERSION)") == "1.0"
    result = make(view, sources, link_type=link_type, force=True)
    assert any(path.endswith("beta/__init__.py") for path in result.kept)
    assert run(view / "bin/python", "-c", "import beta; print(beta.VERSION)") == "1.0"
    pip(*install, "-U", wheels[0])
    assert run(view / "bin/python", "-c", "import alpha; print(alpha.VERSION)") == "2.0"
    result = make(view, sources, link_type=link_type)
    assert [(x.label, x.package) for x, location in result.distributions if location] == [
        ("alpha 2.0 (by pip)", "alpha@1.0")
    ]
    assert [x.label for x, location in result.distributions if not location] == [
        "beta 1.0 (by pip)"
    ]
    assert [line.split(",")[0] for line in view_lines(result)] == [
        "alpha 2.0 (by pip)",
        "kept beta 1.0 (by pip)",
    ]
    assert "alpha==1.0" in pip("list", "--format=freeze", "--disable-pip-version-check")
    pip(*install, "-U", wheels[0])
    pip("uninstall", "-y", "-q", "alpha", "beta", "--disable-pip-version-check")
    assert store.snapshot() == before
    result = make(view, sources, link_type=link_type)
    assert result.repaired
    assert run(view / "bin/python", "-c", "import alpha; print(alpha.VERSION)") == "1.0"
    assert store.snapshot() == before

"""Environments as images: their layers, and what is installed from them elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command
from kits.registry import REGISTRY, run_registry

TRUSTING: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}


@pytest.fixture(scope="module")
def work(small: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment of packages that are installed."""
    folder = tmp_path_factory.mktemp("images") / "work"
    return environment(small, folder, "top", "prog", "py-sweet")


@pytest.fixture
def other(make_spack: Callable[[Path], Command], tmp_path: Path) -> Command:
    """Return the command of another user, that has no package and no recipe of its own."""
    return make_spack(tmp_path / "other")


def environment(spack: Command, folder: Path, *specs: str) -> Path:
    spack("env", "create", "-d", folder)
    spack("-e", folder, "add", *specs)
    spack("-e", folder, "install")
    return folder


def digests(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if re.fullmatch("[0-9a-f]{64}", path.name)}


def manifest_of(image: Path, tag: str = "latest") -> dict[str, Any]:
    index = json.loads((image / "index.json").read_text())
    rows = {x["annotations"]["org.opencontainers.image.ref.name"]: x for x in index["manifests"]}
    return json.loads(blob(image, rows[tag]["digest"]).read_text())  # type: ignore[no-any-return]


def blob(image: Path, digest: str) -> Path:
    return image / "blobs" / "sha256" / digest.partition(":")[2]


def works(view: Path) -> None:
    subprocess.run([view / "bin" / "prog"], check=True)
    subprocess.run([view / "bin" / "top"], check=True)
    code = [str(view / "bin" / "python"), "-c", "import sweet; sweet.main()"]
    assert subprocess.check_output(code, text=True) == "sweet\n"


def with_needs(image: Path, target: Path, **changes: object) -> Path:
    """Return a copy of an image with other needs, all digests being right."""
    shutil.copytree(image, target)
    manifest = manifest_of(image)
    config = json.loads(blob(image, manifest["config"]["digest"]).read_text())
    config["org.spack-venv.environment"]["needs"].update(changes)

    def written(data: object) -> dict[str, object]:
        text = json.dumps(data).encode()
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        blob(target, digest).write_bytes(text)
        return {"digest": digest, "size": len(text)}

    manifest["config"].update(written(config))
    index = json.loads((image / "index.json").read_text())
    index["manifests"][0].update(written(manifest))
    (target / "index.json").write_text(json.dumps(index))
    return target


def test_an_image_in_a_directory(
    small: Command, other: Command, work: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    said = small("-e", work, "env", "pack", "--format", "oci", "-o", image).out
    digest = re.search(r"sha256:([0-9a-f]{64})", said)
    assert digest is not None and f"into {image}:latest" in said
    assert all(hashlib.sha256(blob(image, f":{x}").read_bytes()).hexdigest() == x
               for x in digests(image))  # fmt: skip

    # The layers of packages are the archives of a cache.
    small("-e", work, "buildcache", "push", "--unsigned", tmp_path / "cache")
    layers = [row["digest"].partition(":")[2] for row in manifest_of(image)["layers"]]
    assert set(layers[:-1]) < digests(tmp_path / "cache")

    # The same environment has the same digest, and another one has the same layers.
    again = small("-e", work, "env", "pack", "--format", "oci", image).out
    assert digest[0] in again and "0.0 of" in again
    before = digests(image)
    part = environment(small, tmp_path / "part", "top", "py-sweet")
    small("-e", part, "env", "pack", "--format", "oci", f"{image}:part")
    assert len(digests(image) - before) == 3, "its view, configuration and manifest"

    # Unpacked layer by layer it is a file system in which links have the right targets.
    root = tmp_path / "root"
    for layer in layers:
        with tarfile.open(blob(image, f":{layer}")) as tar:
            for member in tar:
                tar.extract(member, root, **TRUSTING)
    program = root / "opt" / "view" / "bin" / "prog"
    subprocess.run([root / str(program.readlink()).strip("/")], check=True)
    config = json.loads(blob(image, manifest_of(image)["config"]["digest"]).read_text())
    assert "PATH=/opt/view/bin:" in str(config["config"]["Env"])

    # Elsewhere it is an environment of its own.
    there = tmp_path / "there"
    pulled = other("env", "pull", f"{image}@{digest[0]}", there).out
    assert "pulled 5 packages" in pulled and digest[0] in pulled
    works(there / "view")
    assert str(small.home.store) not in (there / "view" / "bin" / "top").read_text()
    assert "base@1.0" in other("-e", there, "find").out
    assert other.names() == [] and "exists already" in other.fails("env", "pull", image, there).err


def test_what_is_not_as_its_digest_says_is_refused(
    small: Command, other: Command, work: Path, tmp_path: Path
) -> None:
    image, there = tmp_path / "image", tmp_path / "there"
    small("-e", work, "env", "pack", "--format", "oci", image)
    for name in ("config", "layers"):
        copy = tmp_path / name
        shutil.copytree(image, copy)
        row = manifest_of(image)[name]
        damaged = blob(copy, (row[0] if name == "layers" else row)["digest"])
        content = damaged.read_bytes()
        damaged.write_bytes(content[:50] + b"xx" + content[52:])
        refused = other.fails("env", "pull", copy, there).err
        assert "digest" in refused and not there.exists()
    wrong = f"{image}@sha256:{'0' * 64}"
    assert "has no blob 000" in other.fails("env", "pull", wrong, there).err
    assert "has no image other" in other.fails("env", "pull", f"{image}:other", there).err
    blob(image, manifest_of(image)["layers"][0]["digest"]).unlink()
    assert "has no blob" in other.fails("env", "pull", image, there).err
    assert not there.exists()


def test_what_the_machine_lacks_is_named_first(
    small: Command, other: Command, work: Path, tmp_path: Path
) -> None:
    image, there = tmp_path / "image", tmp_path / "there"
    small("-e", work, "env", "pack", "--format", "oci", image)
    strange = with_needs(image, tmp_path / "strange", targets=["zen9"], libc="glibc 9.1")
    refused = other.fails("env", "pull", strange, there).err
    assert "processor zen9" in refused and "glibc 9.1 or newer" in refused
    assert not there.exists()
    forced = other("env", "pull", "--force", strange, there)
    assert "processor zen9" in forced.err
    works(there / "view")


def test_an_image_of_another_tool(
    small: Command, other: Command, work: Path, tmp_path: Path
) -> None:
    image, there = tmp_path / "image", tmp_path / "there"
    small("-e", work, "env", "pack", "--format", "oci", image)
    for changes in ({"store": None}, {"targets": 7}):
        damaged = with_needs(image, tmp_path / next(iter(changes)), **changes)
        refused = other.fails("env", "pull", damaged, there).err
        assert "has no environment that can be used" in refused and not there.exists()
    (tmp_path / "closed").write_text("")
    refused = other.fails("env", "pull", image, tmp_path / "closed" / "there").err
    assert "cannot be written" in refused


def test_an_image_upon_another(small: Command, work: Path, tmp_path: Path) -> None:
    base, image = tmp_path / "base", tmp_path / "image"
    part = environment(small, tmp_path / "part", "base")
    small("-e", part, "env", "pack", "--format", "oci", base)
    small("-e", work, "env", "pack", "--format", "oci", "--base-image", base, "-o", image)
    below, above = manifest_of(base)["layers"], manifest_of(image)["layers"]
    assert above[: len(below)] == below
    assert all(blob(image, row["digest"]).exists() for row in above)
    nowhere = ("--base-image", tmp_path / "nowhere")
    refused = small.fails("-e", work, "env", "pack", "--format", "oci", *nowhere, image).err
    assert "has no image latest" in refused


def test_names_of_images(small: Command, work: Path, tmp_path: Path) -> None:
    for name in ("oci://host", "docker://host/name", "http://host/x"):
        refused = small.fails("env", "pull", name, tmp_path / "there", code=2).err
        assert "does not name an image" in refused
    (tmp_path / "file").write_text("")
    said = small.fails("-e", work, "env", "pack", "--format", "oci", tmp_path / "file").err
    assert "cannot be" in said
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "index.json").write_text("[]")
    assert "index.json" in small.fails("env", "pull", tmp_path / "plain", tmp_path / "no").err


@pytest.mark.skipif(REGISTRY is None, reason="docker-registry is not installed")
def test_an_image_in_a_registry(small: Command, other: Command, work: Path, tmp_path: Path) -> None:
    with run_registry(tmp_path / "registry") as host:
        url = f"oci+http://{host}/team/work"
        said = small("-e", work, "env", "pack", "--format", "oci", "-o", f"{url}:v1").out
        digest = re.search(r"sha256:[0-9a-f]{64}", said)
        assert digest is not None
        small("-e", work, "buildcache", "push", "--unsigned", url)
        assert "0.0 of" in small("-e", work, "env", "pack", f"{url}:v2").out
        other("env", "pull", f"{url}@{digest[0]}", tmp_path / "there")
        works(tmp_path / "there" / "view")
        moved = other("env", "pull", f"{url}:v2", tmp_path / "twice").out
        assert "(0.0 MB moved)" in moved
        missing = other.fails("env", "pull", f"{url}:v3", tmp_path / "no").err
        assert "has no image v3" in missing

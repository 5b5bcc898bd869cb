"""Images: the same documents for the same content, and nothing that is not as its digest says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from spack.binary.cache_storage import MissingInCacheError
from spack.binary.oci_image import (
    EXTENSION,
    Image,
    ImageContent,
    ImageLayer,
    ImageLayout,
    image_documents,
    load_image,
    machine_architecture,
    verified_layer,
)
from spack.errors import BinaryCacheError


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def written(layout: ImageLayout, tag: str = "latest", **changes: Any) -> Image:
    """Write an image of one layer, with other keys in its manifest; return it."""
    layer = b"not a tar file"
    layout.write(sha256(layer), layer)
    content = ImageContent(
        [ImageLayer(len(layer), sha256(layer), "d" * 64)],
        {"PATH": "/bin"},
        "amd64",
        extension={"format": 1},
    )
    config, manifest = image_documents(content)
    layout.write(sha256(config), config)
    if changes:
        manifest = json.dumps({**json.loads(manifest), **changes}).encode()
    layout.tag(tag, manifest)
    return Image(sha256(manifest), content.layers, json.loads(config))


@pytest.fixture
def layout(tmp_path: Path) -> ImageLayout:
    return ImageLayout(tmp_path / "image")


def test_what_is_written_is_read(layout: ImageLayout) -> None:
    image = written(layout)
    assert load_image(layout, "latest", "amd64") == image
    assert load_image(layout, f"sha256:{image.digest}", "amd64") == image
    assert image.config[EXTENSION] == {"format": 1}
    assert image.config["config"]["Env"] == ["PATH=/bin"]
    again = written(layout, "again")
    assert again.digest == image.digest
    assert load_image(layout, "again", "amd64") == load_image(layout, "latest", "amd64")


def test_an_index_has_an_image_for_each_processor(layout: ImageLayout) -> None:
    image = written(layout)
    row = {
        "digest": f"sha256:{image.digest}",
        "platform": {"os": "linux", "architecture": machine_architecture("x86_64")},
    }
    layout.tag("many", json.dumps({"manifests": [row]}).encode())
    assert load_image(layout, "many", "amd64") == image
    with pytest.raises(BinaryCacheError, match="no image for linux on riscv64"):
        load_image(layout, "many", machine_architecture("riscv64"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layers": [{"size": 1, "digest": "md5:00", "mediaType": "x"}]}, "is not sha256"),
        ({"layers": [{"size": 1, "digest": f"sha256:{'0' * 64}", "mediaType": "x"}] * 2}, "more"),
        ({"config": {"digest": 7}}, "is not sha256"),
        ({"layers": None}, "cannot be read"),
    ],
)
def test_damaged_manifests(layout: ImageLayout, changes: dict[str, Any], said: str) -> None:
    written(layout, **changes)
    with pytest.raises(BinaryCacheError, match=said):
        load_image(layout, "latest", "amd64")


def test_wrong_digests(layout: ImageLayout, tmp_path: Path) -> None:
    image = written(layout)
    blobs = tmp_path / "image" / "blobs" / "sha256"
    (blobs / image.layers[0].digest).write_bytes(b"another content")
    with pytest.raises(BinaryCacheError, match="does not have the digest"):
        verified_layer(layout, image.layers[0], tmp_path / "part", lambda done: None)
    (blobs / image.digest).write_bytes(b"{}")
    for reference in ("latest", f"sha256:{image.digest}"):
        with pytest.raises(BinaryCacheError, match="has another digest"):
            load_image(layout, reference, "amd64")


def test_what_is_missing(layout: ImageLayout, tmp_path: Path) -> None:
    with pytest.raises(MissingInCacheError, match="has no image latest"):
        load_image(layout, "latest", "amd64")
    image = written(layout)
    (tmp_path / "image" / "blobs" / "sha256" / image.layers[0].digest).unlink()
    with pytest.raises(MissingInCacheError, match="has no blob"):
        verified_layer(layout, image.layers[0], tmp_path / "part", lambda done: None)


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    layout = ImageLayout(tmp_path / "file")
    with pytest.raises(BinaryCacheError, match="cannot be written"):
        layout.write("0" * 64, b"x")
    with pytest.raises(BinaryCacheError, match="cannot be read"):
        layout.manifest("latest")
    (tmp_path / "index.json").write_text("[]")
    with pytest.raises(BinaryCacheError, match=r"index\.json is refused"):
        ImageLayout(tmp_path).manifest("latest")

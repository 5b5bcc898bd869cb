"""Recipes of images: what they say, and that the environment in them is the one that is meant."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Literal

import pytest

from spack.actions.containerizing import ContainerRecipe, container_recipe, container_text
from spack.environment.environment import Environment
from spack.errors import ConfigError, UsageError

BASE = """\
spack:
  specs: [py-click, "zlib@1.3 cflags='-O2 -g'"]
  packages: {all: {target: [x86_64_v3]}}
"""


def recipe(folder: Path, container: str = "", text: str = BASE) -> ContainerRecipe:
    (folder / "spack.yaml").write_text(text + container)
    return container_recipe(Environment(folder).manifest.tree, "debian12", "/home/me/spack-venv")


def commands(text: str) -> list[str]:
    """Return the commands of RUN in a Dockerfile."""
    joined = re.sub(r"\\\n", "", text)
    return [line[4:] for line in joined.splitlines() if line.startswith("RUN ")]


def test_a_dockerfile_of_three_stages(tmp_path: Path) -> None:
    text = container_text(recipe(tmp_path), "final")
    assert re.findall("^FROM .*", text, re.M) == [
        "FROM debian:12 AS bootstrap",
        "FROM bootstrap AS builder",
        "FROM debian:12",
    ]
    assert "COPY --from=spack . /opt/spack\n" in text
    assert "--build-context spack=/home/me/spack-venv" in text
    assert "spack -e /opt/spack-environment install --fail-fast" in text
    assert text.endswith('ENTRYPOINT ["/entrypoint.sh"]\nCMD ["/bin/sh"]\n')
    assert "FROM debian:12\n" not in container_text(recipe(tmp_path), "build")
    assert "builder" not in container_text(recipe(tmp_path), "bootstrap")


def test_the_manifest_in_the_image(tmp_path: Path) -> None:
    """The shell writes a spack.yaml that is read, with paths of the image."""
    text = container_text(recipe(tmp_path), "build")
    (script,) = [line for line in commands(text) if "spack.yaml" in line and "printf" in line]
    there = tmp_path / "image"
    subprocess.run(["sh", "-euc", script.replace("/opt/", f"{there}/")], check=True)
    manifest = Environment(there / "spack-environment").manifest
    assert [spec.text for spec in Environment(there / "spack-environment").user_specs()] == [
        "py-click",
        "zlib@1.3 cflags='-O2 -g'",
    ]
    assert manifest.views()[0].root == f"{there}/views/view"
    assert "x86_64_v3" in (there / "spack-environment" / "spack.yaml").read_text()


def test_what_container_configures(tmp_path: Path) -> None:
    container = """\
  view: {fold: true}
  container:
    format: docker
    images: {os: "almalinux:9", spack: {url: /src/spack.git, ref: v1}}
    strip: false
    depfile: true
    os_packages: {build: [hdf5-devel], final: [less], update: false}
    labels: {app: 'say "x" $y'}
"""
    text = container_text(recipe(tmp_path, container), "final")
    assert "git clone -q /src/spack.git /opt/spack \\\n && git -C /opt/spack checkout -q v1" in text
    assert "yum install -y" in text and "hdf5-devel" in text and "python3 less" in text
    assert "yum update" not in text and "strip" not in text and "fold: true" in text
    assert 'make -f /opt/spack-environment/Makefile -j "$(nproc)"' in text
    assert r'LABEL "app"="say \"x\" \$y"' in text and "container:" not in text


def test_images_of_the_user(tmp_path: Path) -> None:
    container = "  container: {images: {build: site/spack, final: site/base}}\n"
    text = container_text(recipe(tmp_path, container), "final")
    assert text.startswith("# The environment\nFROM site/spack AS builder\n")
    assert "FROM site/base\n" in text and "apt-get" not in text


@pytest.mark.parametrize("last", ["bootstrap", "build", "final"])
def test_a_definition_of_singularity(
    tmp_path: Path, last: Literal["bootstrap", "build", "final"]
) -> None:
    container = """\
  container:
    format: singularity
    singularity: {runscript: exec click, help: it clicks}
    labels: {a: b}
"""
    text = container_text(recipe(tmp_path, container), last)
    assert text.startswith("Bootstrap: docker\nFrom: debian:12\nStage: build\n")
    assert "%files\n    /home/me/spack-venv /opt/spack\n" in text
    assert ("install --fail-fast" in text) == (last != "bootstrap")
    sections = ["%files from build", "%runscript\n    exec click", "%help", "%labels\n    a b"]
    assert [section in text for section in sections] == [last == "final"] * 4


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ("  container: {images: {os: 'plan9:4'}}\n", "the operating system is not known"),
        ("  include: [more.yaml]\n", "it needs files of this machine"),
        ("  develop: {zlib: {spec: zlib@1.3}}\n", "an environment with `develop`"),
    ],
)
def test_what_cannot_be_a_recipe(tmp_path: Path, container: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        recipe(tmp_path, container)


@pytest.mark.parametrize(
    "container", ["{format: lxc}", "{images: {os: x, build: y}}", "{nosuch: 1}", "[]"]
)
def test_malformed_sections(tmp_path: Path, container: str) -> None:
    with pytest.raises(ConfigError):
        recipe(tmp_path, f"  container: {container}\n")

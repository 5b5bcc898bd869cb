"""Copies of spack.yaml in another directory."""

from __future__ import annotations

from pathlib import Path

from spack.environment.manifest_copy import manifest_for_elsewhere, manifest_of_roots
from spack.environment.spack_yaml import DEFAULT_TEXT

TEXT = """\
spack:
  include:
  - x.yaml
  - {path: ../y, when: platform == "linux"}
  - {git: url, paths: [inside.yaml]}
  - $env/z.yaml
  specs: [a]
  include_concrete: [other]
  view: views/all
  develop:
    a: {spec: a@=1, path: src}
    b: {spec: b@=1}
  repos:
    mine: recipes
    cloned: {git: url, destination: clone, paths: [inside]}
  mirrors: {m: ./mirror, n: https://example.org/n, o: {url: mirror}}
  config:
    install_tree: {root: store}
    build_stage: [stage, ~/stage]
    source_cache: $spack/cache
  packages:
    c:
      externals:
      - {spec: c@1, prefix: tools/c}
"""


def test_relative_paths_are_made_absolute() -> None:
    found = manifest_for_elsewhere(Path("/work/env/spack.yaml"), TEXT)
    for before, after in {
        "- x.yaml": "- /work/env/x.yaml",
        "path: ../y,": "path: /work/y,",
        "[other]": "[/work/env/other]",
        "path: src}": "path: /work/env/src}",
        "b: {spec: b@=1}": "b: {spec: b@=1, path: /work/env/b}",
        "mine: recipes": "mine: /work/env/recipes",
        "destination: clone": "destination: /work/env/clone",
        "m: ./mirror": "m: /work/env/mirror",
        "{url: mirror}": "{url: /work/env/mirror}",
        "{root: store}": "{root: /work/env/store}",
        "[stage, ~/stage]": "[/work/env/stage, ~/stage]",
        "prefix: tools/c": "prefix: /work/env/tools/c",
    }.items():
        assert before in TEXT and after in found
    for same in ("view: views/all", "$env/z.yaml", "$spack/cache", "paths: [inside.yaml]"):
        assert same in found


def test_what_has_no_relative_path_stays_as_it_is() -> None:
    text = "# mine\nspack:\n    specs:   [a]  # first\n    view:    ./v\n"
    assert manifest_for_elsewhere(Path("/work/env/spack.yaml"), text) == text


def test_the_old_form_of_repositories() -> None:
    text = "spack:\n  repos:\n  - ./recipes\n  - /abs\n"
    found = manifest_for_elsewhere(Path("/work/env/spack.yaml"), text)
    assert "- /work/env/recipes\n" in found and "- /abs\n" in found


def test_a_manifest_of_roots() -> None:
    found = manifest_of_roots(DEFAULT_TEXT, ["a@1", "b +x"], Path("/new/spack.yaml"))
    assert "    - a@1\n    - b +x\n" in found and "view: true" in found

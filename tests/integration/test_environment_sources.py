"""Environments that are made from something, and that include others or have groups."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kits.command import Command
from kits.recipe_repository import RecipeRepository


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "spack.yaml").write_text("spack:\n" + text)
    return folder


def test_made_from_a_file_a_directory_a_name_and_a_lock(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("one")
    source = write(tmp_path / "source", "  include: [x.yaml]\n  specs: [one]\n  view: false\n")
    (source / "x.yaml").write_text("config: {build_jobs: 3}\n")
    spack("-e", source, "concretize")
    decided = json.loads((source / "spack.lock").read_text())["roots"]

    spack("env", "create", "--dir", tmp_path / "from-file", source / "spack.yaml")
    spack("-e", tmp_path / "from-file", "concretize")
    found = spack("-e", tmp_path / "from-file", "config", "get", "config").out
    assert "build_jobs: 3" in found
    kept = tmp_path / "kept"
    spack("env", "create", "--dir", "--keep-relative", kept, source / "spack.yaml")
    assert "kept/x.yaml does not exist" in spack.fails("-e", kept, "concretize").err

    spack("env", "create", "copy", source)
    spack("env", "create", "--dir", tmp_path / "from-name", "copy")
    (tmp_path / "alone").mkdir()
    (source / "spack.lock").rename(tmp_path / "alone" / "spack.lock")
    spack("env", "create", "locked", tmp_path / "alone" / "spack.lock")
    for name in ("copy", str(tmp_path / "from-name"), "locked"):
        assert "up to date" in spack("-e", name, "concretize").out
        folder = tmp_path / "from-name"
        if "/" not in name:
            folder = spack.home.path / "environments" / name
        assert json.loads((folder / "spack.lock").read_text())["roots"] == decided
    assert "- one" in (spack.home.path / "environments" / "locked" / "spack.yaml").read_text()

    refused = spack.fails("env", "create", "third", "nothing").err
    assert "nothing cannot be read" in refused and "name or directory of an environment" in refused
    assert "third" not in spack("env", "list").lines


def test_concrete_specs_of_another_environment(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("base")
    recipes.plain("one", "base")
    recipes.plain("two", "base")
    first = write(tmp_path / "first", "  specs: [one]\n")
    second = write(tmp_path / "second", f"  specs: [two]\n  include_concrete: [{first}]\n")
    refused = spack.fails("-e", second, "concretize").err
    assert "spack.yaml:3: cannot include" in refused and "it is not concretized" in refused

    spack("-e", first, "concretize")
    assert re.search(r"^\w+  one@", spack("-e", second, "concretize").out, re.M)
    assert "up to date" in spack("-e", second, "concretize").out
    status = spack("-e", second, "env", "status").out
    assert f"included {first}:\n -   one" in status
    spack("-e", second, "install")
    assert sorted(path.name for path in (second / ".spack-env/view/bin").iterdir()) == [
        "base", "one", "two",
    ]  # fmt: skip
    assert "wanted by the environment" in spack.fails("uninstall", "-y", "one").err

    # What the other one becomes counts when this one is concretized again, not before.
    spack("-e", first, "remove", "one")
    spack("-e", first, "concretize")
    spack("-e", second, "install")
    assert (second / ".spack-env/view/bin/one").exists()
    spack("-e", second, "concretize")
    spack("-e", second, "install")
    assert not (second / ".spack-env/view/bin/one").exists()

    spack("env", "create", "third", "--include-concrete", second)
    assert "two@1.0" in spack("-e", "third", "concretize").out
    write(second, f"  specs: [two]\n  include_concrete: [{second}/.]\n")
    assert (
        "spack.yaml:3: an environment cannot include itself"
        in spack.fails("-e", second, "concretize").err
    )
    refused = spack.fails("env", "create", "fourth", "--include-concrete", tmp_path / "none").err
    assert "has no spack.yaml" in refused


def test_groups_of_specs(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    recipes.plain("base")
    recipes.plain("one", "base")
    folder = write(
        tmp_path / "here",
        """\
  definitions:
  - roots: [one]
  specs:
  - group: first
    specs: [$roots]
    override:
      packages: {base: {require: ["@0.9"]}}
  - group: second
    needs: [first]
    specs: [$roots, base]
  view:
    default: {root: view, group: second}
  concretizer: {reuse: false}
  packages: {base: {prefer: ["@1.0"]}}
""",
    )
    recipes.add("base", 'has_code = False\nversion("1.0")\nversion("0.9")\n')
    spack("-e", folder, "concretize")
    lock = json.loads((folder / "spack.lock").read_text())
    assert [(root["spec"], root["group"]) for root in lock["roots"]] == [
        ("one", "first"),
        ("one", "second"),
        ("base", "second"),
    ]
    assert "up to date" in spack("-e", folder, "concretize").out
    # A group keeps what it has, and takes nothing from a group that it does not need.
    spack("-e", folder, "add", "one")
    spack("-e", folder, "concretize")
    after = json.loads((folder / "spack.lock").read_text())
    assert [root for root in after["roots"] if root.get("group")] == lock["roots"]
    assert sum(root["spec"] == "one" for root in after["roots"]) == 3


def test_included_urls(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    text = b"config: {build_jobs: 7}\n"
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "c.yaml").write_bytes(text)
    handler = partial(Quiet, directory=str(tmp_path / "www"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    url = f"http://127.0.0.1:{server.server_address[1]}/c.yaml"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        wrong = f"  include:\n  - {{path: '{url}', sha256: {'0' * 64}}}\n"
        refused = spack.fails("-e", write(tmp_path / "here", wrong), "config", "get", "config").err
        digest = sha256(text).hexdigest()
        assert f"spack.yaml:3: cannot include {url}: its sha256 is {digest}, not 000" in refused
        right = wrong.replace("0" * 64, digest)
        found = spack("-e", write(tmp_path / "here", right), "config", "get", "config").out
        assert "build_jobs: 7" in found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    # It is kept, and the kept file is checked.
    assert "build_jobs: 7" in spack("-e", tmp_path / "here", "config", "get", "config").out


def test_included_repositories(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    recipes.plain("one")
    site = tmp_path / "site"
    site.mkdir()
    (site / "c.yaml").write_text("config: {build_jobs: 7}\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        subprocess.run(command, cwd=site, check=True)
    folder = write(
        tmp_path / "here", f"  include:\n  - {{git: '{site.as_uri()}', paths: [c.yaml]}}\n"
    )
    assert "build_jobs: 7" in spack("-e", folder, "config", "get", "config").out
    site.rename(tmp_path / "away")
    assert "build_jobs: 7" in spack("-e", folder, "config", "get", "config").out
    missing = "  include:\n  - {git: 'file:///no/where', paths: [c.yaml]}\n"
    refused = spack.fails("-e", write(tmp_path / "there", missing), "config", "get", "config").err
    assert "spack.yaml:3: cannot include file:///no/where: " in refused

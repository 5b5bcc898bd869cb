"""From recipe to stage, against a server on the loopback."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from spack.config.settings import Settings
from spack.config.variables import Variables
from spack.errors import FetchError, RecipeError
from spack.fetch.fetcher import Fetcher, FetchOptions, index_and_transport
from spack.fetch.mirror import Mirror
from spack.fetch.package_index import read_default_index_wheel
from spack.fetch.pipconfig import PipSettings, read
from spack.fetch.source import Checksum, IndexSource, UrlSource
from spack.fetch.source_cache import SourceCache
from spack.recipe.records import PatchRecord, Recipe, ResourceRecord, VersionRecord

CONFIGURED = Settings.from_data(
    {}, Variables({"data": "/d", "tree": "/d/opt", "user_cache_path": "/c"})
).fetch

PATCH = b"""--- a/setup.py
+++ b/setup.py
@@ -1 +1 @@
-print(1)
+print(2)
"""


@pytest.fixture
def workspace(tmp_path: Path, server: Any, page: Any, tarball: Any, sha256: Any) -> Any:
    """Return a recipe with sources on the server, and fetchers for it."""

    class Workspace:
        data = tarball({"foo-1.0/setup.py": b"print(1)\n", "foo-1.0/foo.py": b""})
        digest = sha256(data)
        cache = tmp_path / "cache"

        def __init__(self) -> None:
            self.publish(self.data)
            (tmp_path / "recipe").mkdir()

        def publish(self, data: bytes, fragment: str = "") -> None:
            server.pages["/simple/foo/"] = page(
                f'<a href="/f/foo-1.0.tar.gz{fragment}">foo</a>'.encode(), "text/html"
            )
            server.pages["/f/foo-1.0.tar.gz"] = page(data)

        def recipe(self, url: str = "pypi:foo/foo-1.0.tar.gz", **changes: Any) -> Recipe:
            values = {"url": url, "sha256": self.digest, "line": 5, **changes}
            version = VersionRecord("1.0", **values)
            path = str(tmp_path / "recipe" / "package.py")
            return Recipe("py-foo", "venv", path, "", versions=(version,))

        def fetcher(self, checksum: bool = True, **options: Any) -> Fetcher:
            settings = PipSettings(index_url=f"{server.url}/simple/", retries=0)

            def network() -> Any:
                return index_and_transport(settings, CONFIGURED, {}, lambda: (Path(), ""))

            return Fetcher(
                SourceCache(self.cache),
                options.pop("network", network),
                environ=dict(os.environ),
                options=FetchOptions(checksum=checksum),
                **options,
            )

        def cached(self) -> list[str]:
            return sorted(
                str(path.relative_to(self.cache))
                for path in self.cache.rglob("*")
                if path.is_file()
            )

    return Workspace()


def no_network() -> Any:
    raise AssertionError("the network was asked for")


def test_stage_from_the_index(workspace: Any, tmp_path: Path) -> None:
    seen: list[int] = []
    stage = workspace.fetcher().stage(
        workspace.recipe(), "1.0", tmp_path / "s", progress=lambda done, total: seen.append(done)
    )
    assert stage.path == tmp_path / "s"
    assert stage.source_path == tmp_path / "s" / "spack-src"
    assert sorted(os.listdir(stage.source_path)) == ["foo.py", "setup.py"]
    location = f"_source-cache/archive/{workspace.digest[:2]}/{workspace.digest}.tar.gz"
    assert workspace.cached() == [location]
    assert stage.archive_file == workspace.cache / location
    assert seen[-1] == len(workspace.data)
    stage.destroy()
    assert not stage.path.exists()


def test_the_cache_needs_no_network(workspace: Any, tmp_path: Path) -> None:
    workspace.fetcher().fetch_all(workspace.recipe(), "1.0")
    workspace.fetcher(network=no_network).stage(workspace.recipe(), "1.0", tmp_path / "s")


def test_the_cache_imports_no_network_module(root: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import spack.fetch.fetcher;"
        "print([m for m in ('ssl', 'socket', 'http.client') if m in sys.modules])"
    )
    argv = [sys.executable, "-I", "-c", code, str(root / "lib")]
    assert subprocess.run(argv, stdout=-1, check=True).stdout.strip() == b"[]"


def test_a_damaged_cache_is_mended(workspace: Any, tmp_path: Path) -> None:
    path = workspace.fetcher().fetch(
        IndexSource("foo", "foo-1.0.tar.gz", Checksum("sha256", workspace.digest))
    )
    path.write_bytes(b"damaged")
    workspace.fetcher().stage(workspace.recipe(), "1.0", tmp_path / "s")
    assert path.read_bytes() == workspace.data


def test_checksum_mismatch(workspace: Any, tmp_path: Path, sha256: Any) -> None:
    workspace.publish(b"something else")
    with pytest.raises(FetchError) as caught:
        workspace.fetcher().stage(workspace.recipe(), "1.0", tmp_path / "s")
    error = caught.value
    assert error.ref == "checksum"
    assert error.message.startswith("checksum mismatch: http://127.0.0.1")
    assert f"expected sha256 {workspace.digest}" in str(error.long_message)
    assert f"found    sha256 {sha256(b'something else')}" in str(error.long_message)
    assert error.hint and "package.py:5" in error.hint
    assert workspace.cached() == []
    assert not (tmp_path / "s").exists()


def test_index_that_serves_another_file_under_the_name(workspace: Any, server: Any) -> None:
    workspace.publish(b"evil", "#sha256=" + "e" * 64)
    with pytest.raises(FetchError, match=r"offers another foo-1.0.tar.gz") as caught:
        workspace.fetcher().fetch_all(workspace.recipe(), "1.0")
    assert "e" * 64 in str(caught.value.long_message)
    assert [path for path, _ in server.requests] == ["/simple/foo/"]


def test_web_page_instead_of_an_archive(workspace: Any) -> None:
    workspace.publish(b"<!DOCTYPE html><p>Please log in")
    with pytest.raises(FetchError) as caught:
        workspace.fetcher().fetch_all(workspace.recipe(), "1.0")
    assert "the server sent a web page" in str(caught.value.long_message)


def test_another_location_has_the_right_file(workspace: Any, server: Any, page: Any) -> None:
    server.pages["/other/foo-1.0.tar.gz"] = page(workspace.data)
    workspace.publish(b"wrong")
    source = IndexSource(
        "foo",
        "foo-1.0.tar.gz",
        Checksum("sha256", workspace.digest),
        urls=(f"{server.url}/other/foo-1.0.tar.gz",),
    )
    assert workspace.fetcher().fetch(source).read_bytes() == workspace.data


def test_no_checksum(workspace: Any, tmp_path: Path) -> None:
    bare = workspace.recipe(sha256=None)
    with pytest.raises(FetchError, match=r"py-foo@1.0 has no checksum") as caught:
        workspace.fetcher().stage(bare, "1.0", tmp_path / "s")
    assert caught.value.ref == "no-checksum"
    assert caught.value.hint and "package.py:5" in caught.value.hint
    assert "--no-checksum" in caught.value.hint
    workspace.fetcher(checksum=False).stage(bare, "1.0", tmp_path / "s")
    workspace.publish(workspace.data[:-1])
    workspace.fetcher(checksum=False).fetch_all(workspace.recipe(), "1.0")


def test_other_checksums(workspace: Any, tmp_path: Path) -> None:
    import hashlib

    sha512 = hashlib.sha512(workspace.data).hexdigest()
    recipe = workspace.recipe(sha256=None, options={"sha512": sha512})
    workspace.fetcher().stage(recipe, "1.0", tmp_path / "s")
    assert sha512 in workspace.cached()[0]


def test_missing_everywhere(workspace: Any, server: Any) -> None:
    recipe = workspace.recipe("pypi:foo/foo-9.tar.gz")
    with pytest.raises(FetchError) as caught:
        workspace.fetcher().fetch_all(recipe, "1.0")
    assert caught.value.message == "py-foo@1.0: cannot fetch foo-9.tar.gz"
    assert f"{server.url}/simple/" in str(caught.value.long_message)
    recipe = workspace.recipe(f"{server.url}/none/foo-1.0.tar.gz")
    with pytest.raises(FetchError) as caught:
        workspace.fetcher().fetch_all(recipe, "1.0")
    assert "404" in str(caught.value.long_message)


def test_no_network(workspace: Any, tmp_path: Path) -> None:
    settings = PipSettings(index_url="http://127.0.0.1:9/simple", retries=0)
    network = lambda: index_and_transport(settings, CONFIGURED, {}, lambda: (Path(), ""))  # noqa: E731
    with pytest.raises(FetchError) as caught:
        workspace.fetcher(network=network).stage(workspace.recipe(), "1.0", tmp_path / "s")
    assert "http://127.0.0.1:9/simple/foo/ cannot be read" in str(caught.value.long_message)
    assert caught.value.hint and "network" in caught.value.hint
    assert not (tmp_path / "s").exists()


def test_the_own_configuration_goes_before_pips() -> None:
    pip = PipSettings("https://pip/simple", ("https://more",), retries=7, timeout=5.0)
    own = CONFIGURED._replace(
        index_url="https://own/simple",
        extra_index_urls=("https://further",),
        retries=1,
        connect_timeout=9,
        ssl_certs=Path("/certs.pem"),
        verify_ssl=False,
    )
    index, transport = index_and_transport(pip, own, {}, lambda: (Path(), ""))
    assert index.index_urls == ("https://own/simple/", "https://more/", "https://further/")
    settings = transport.settings
    assert (settings.retries, settings.timeout, settings.verify) == (1, 9.0, False)
    assert settings.cert == "/certs.pem"
    index, transport = index_and_transport(
        pip, CONFIGURED, {"CURL_CA_BUNDLE": "/curl.pem"}, lambda: (Path(), "")
    )
    assert index.index_urls == ("https://pip/simple/", "https://more/")
    assert (transport.settings.retries, transport.settings.cert) == (7, "/curl.pem")


def test_mirrors_go_first(workspace: Any, server: Any, tmp_path: Path) -> None:
    location = tmp_path / "mirror/_source-cache/archive" / workspace.digest[:2]
    location.mkdir(parents=True)
    (location / f"{workspace.digest}.tar.gz").write_bytes(workspace.data)
    fetcher = workspace.fetcher(mirrors=[Mirror("m", str(tmp_path / "mirror"))])
    fetcher.fetch_all(workspace.recipe(), "1.0")
    assert server.requests == []
    by_name = Mirror("n", f"{server.url}/m/")
    assert list(by_name.addresses(None, "x.tar.gz", "py-foo@1.0")) == [
        f"{server.url}/m/py-foo/py-foo-1.0.tar.gz"
    ]


def test_file_that_is_used_as_it_is(workspace: Any, server: Any, page: Any, tmp_path: Path) -> None:
    server.pages["/simple/foo/"] = page(b'<a href="foo-1.0-py3-none-any.whl">x</a>', "text/html")
    server.pages["/simple/foo/foo-1.0-py3-none-any.whl"] = page(workspace.data)
    recipe = workspace.recipe("pypi:foo/foo-1.0-py3-none-any.whl")
    stage = workspace.fetcher().stage(recipe, "1.0", tmp_path / "s")
    assert stage.archive_file == stage.source_path / "foo-1.0-py3-none-any.whl"
    assert stage.archive_file.read_bytes() == workspace.data


def test_package_without_code(workspace: Any, tmp_path: Path) -> None:
    recipe = Recipe("x", "v", "/r/package.py", "", attributes={"has_code": False})
    stage = workspace.fetcher(network=no_network).stage(recipe, "1.0", tmp_path / "s")
    assert os.listdir(stage.source_path) == [] and stage.archive_file is None


def test_corrupt_archive_leaves_no_stage(workspace: Any, tmp_path: Path, sha256: Any) -> None:
    data = gzip.compress(b"not a tar file" * 99)
    workspace.publish(data)
    with pytest.raises(FetchError, match=r"foo-1.0.tar.gz cannot be unpacked"):
        workspace.fetcher().stage(workspace.recipe(sha256=sha256(data)), "1.0", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_resources(
    workspace: Any, server: Any, page: Any, tarball: Any, sha256: Any, tmp_path: Path
) -> None:
    data = tarball({"res-2/a/b.txt": b"b", "res-2/c.txt": b"c"})
    server.pages["/res-2.tar.gz"] = page(data)

    def stage(**values: Any) -> Path:
        record = ResourceRecord("res", f"{server.url}/res-2.tar.gz", sha256(data), **values)
        location = tmp_path / f"s{len(list(tmp_path.glob('s*')))}"
        found = workspace.fetcher().stage(workspace.recipe(), "1.0", location, resources=[record])
        assert sorted(os.listdir(location)) == ["spack-src"]
        return found.source_path

    assert (stage(placement="vendor") / "vendor/c.txt").read_bytes() == b"c"
    assert (stage(destination="d/e", placement="f") / "d/e/f/a/b.txt").read_bytes() == b"b"
    source = stage(destination="d", placement={"a": "x", "c.txt": "y/c"})
    assert (source / "d/x/b.txt").read_bytes() == b"b" and (source / "d/y/c").read_bytes() == b"c"
    assert (stage() / "resource-res/c.txt").exists()
    assert (stage(placement={"c.txt": "setup.py"}) / "setup.py").read_bytes() == b"print(1)\n"
    for values in (
        {"destination": "../.."},
        {"placement": "../../x"},
        {"placement": {"../s": "x"}},
    ):
        with pytest.raises(RecipeError, match="outside of the sources"):
            stage(**values)
    with pytest.raises(FetchError, match="resource res has no 'none'"):
        stage(placement={"none": "x"})


def test_patches(
    workspace: Any, server: Any, page: Any, sha256: Any, put: Any, tmp_path: Path
) -> None:
    packed = gzip.compress(PATCH, mtime=0)
    server.pages["/fix.patch"] = page(PATCH)
    server.pages["/fix.patch.gz"] = page(packed)
    put("recipe/local.patch", PATCH)
    good = sha256(PATCH)
    records = [
        PatchRecord("local.patch", good, level=1),
        PatchRecord(f"{server.url}/fix.patch", good, level=0, reverse=True),
        PatchRecord(f"{server.url}/fix.patch.gz", good, archive_sha256=sha256(packed)),
    ]
    recipe = workspace.recipe()
    stage = workspace.fetcher().stage(
        recipe, "1.0", tmp_path / "s", patches=[(recipe, record) for record in records]
    )
    assert [patch.path.read_bytes() for patch in stage.patches] == [PATCH] * 3
    assert [(patch.level, patch.reverse) for patch in stage.patches] == [
        (1, False),
        (0, True),
        (1, False),
    ]
    assert (stage.source_path / "setup.py").read_bytes() == b"print(1)\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [("local.patch", "checksum mismatch: local.patch"), ("none.patch", "is not there")],
)
def test_bad_patches(workspace: Any, put: Any, tmp_path: Path, source: str, message: str) -> None:
    put("recipe/local.patch", PATCH + b"changed")
    recipe = workspace.recipe()
    patches = [(recipe, PatchRecord(source, "0" * 64, line=9))]
    with pytest.raises(FetchError, match=message):
        workspace.fetcher().stage(recipe, "1.0", tmp_path / "s", patches=patches)
    assert not (tmp_path / "s").exists()


def test_threads_fetch_a_file_once(workspace: Any, server: Any) -> None:
    fetcher = workspace.fetcher()
    threads = [
        threading.Thread(target=fetcher.fetch_all, args=(workspace.recipe(), "1.0"))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path for path, _ in server.requests] == ["/simple/foo/", "/f/foo-1.0.tar.gz"]


def test_unwritable_locations(workspace: Any, put: Any, tmp_path: Path) -> None:
    workspace.cache = put("file", b"") / "cache"
    with pytest.raises(FetchError, match=r"source cache .* cannot be written") as caught:
        workspace.fetcher().fetch_all(workspace.recipe(), "1.0")
    assert caught.value.hint and "config:source_cache" in caught.value.hint
    workspace.cache = tmp_path / "cache2"
    with pytest.raises(FetchError, match=r"the stage .* cannot be written") as caught:
        workspace.fetcher().stage(workspace.recipe(), "1.0", tmp_path / "file" / "s")
    assert caught.value.hint and "config:build_stage" in caught.value.hint


def test_unknown_algorithms_cannot_appear(workspace: Any, server: Any) -> None:
    source = UrlSource((f"{server.url}/f/foo-1.0.tar.gz",), "foo-1.0.tar.gz", None, what="x")
    with pytest.raises(FetchError, match="x has no checksum"):
        workspace.fetcher().fetch(source)


@pytest.mark.network
def test_real_source_from_the_configured_index(
    root: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    def network() -> Any:
        lock = root / "share" / "bootstrap" / "requirements.lock"
        settings = read(os.environ, (sys.prefix,))
        return index_and_transport(
            settings, CONFIGURED, os.environ, lambda: read_default_index_wheel(lock)
        )

    digest = "72ad266176c4a3fcfab5f2930d76896059851240570ce9a98733b658cb786eba"
    version = VersionRecord("3.9.0", "pypi:flit-core/flit_core-3.9.0.tar.gz", digest)
    recipe = Recipe("py-flit-core", "venv", "/r/package.py", "", versions=(version,))
    fetcher = Fetcher(SourceCache(tmp_path / "cache"), network, environ=os.environ)
    stage = fetcher.stage(recipe, "3.9.0", tmp_path / "s")
    assert (stage.source_path / "pyproject.toml").is_file()

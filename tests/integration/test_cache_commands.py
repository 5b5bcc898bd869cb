"""What ``spack buildcache`` shows, takes out of caches and leaves out of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.command import Command
from kits.object_store import LOGIN, serve_objects
from kits.recipe_repository import RecipeRepository
from spack.binary.provenance import PREDICATE_TYPE


def add(spack: Command, cache: Path, *words: str) -> None:
    spack("mirror", "add", "--type", "binary", "--unsigned", *words, "site", cache)


def test_provenance_is_pushed_and_shown(small: Command, other: Command, cache: Path) -> None:
    add(other, cache)
    text = other("buildcache", "show", "prog").out
    assert "prog@1.0/" in text and "  cache: site\n" in text and "bytes, sha256 " in text
    assert "  built: 20" in text and "  from: recipe tiny.prog (recipe " in text
    assert "  from: source " in text and "  from: base@1.0/" in text
    (row,) = json.loads(other("buildcache", "show", "--json", "prog").out)
    assert row["provenance"]["predicateType"] == PREDICATE_TYPE
    assert row["provenance"]["subject"][0]["digest"]["sha256"] == row["sha256"]
    assert row["problem"] is None
    other("buildcache", "install", "prog")
    again = other.home.store / "again"
    other("buildcache", "push", "--unsigned", "--only=package", again, "prog")
    other("mirror", "set-url", "site", again)
    assert "  from: source " in other("buildcache", "show", "prog").out
    assert "no cache has none" in other.fails("buildcache", "show", "none", code=2).err
    other("mirror", "set", "--signed", "site")
    assert "  not trusted: it is not signed" in other("buildcache", "show", "prog").out


def test_archives_and_spec_files_are_written(
    small: Command, other: Command, cache: Path, tmp_path: Path
) -> None:
    add(other, cache)
    paths = other("buildcache", "download", "-s", "base", "-p", tmp_path / "out").lines
    assert [Path(path).suffix for path in paths] == [".json", ".gz"]
    assert all(Path(path).is_file() for path in paths)
    assert other("spec", "--format", "{hash}", paths[0]).lines == [
        small("find", "--format", "{hash}", "base").lines[0]
    ]
    two = other.fails("buildcache", "download", "-s", "base top", "-p", tmp_path, code=2).err
    assert "2 packages are named, not one" in two
    (tmp_path / "file").write_text("")
    refused = other.fails("buildcache", "download", "-s", "base", "-p", tmp_path / "file" / "x")
    assert "cannot be written: Not a directory" in refused.err
    save = ("buildcache", "save-specfile", "--root-spec", "top", "--specfile-dir", tmp_path / "s")
    other(*save, "-s", "base,top")
    assert sorted(x.name for x in (tmp_path / "s").iterdir()) == ["base.json", "top.json"]
    missing = other.fails(*save, "-s", "prog", code=2).err
    assert "top@1.0/" in missing and "does not depend on prog" in missing
    other("mirror", "rm", "site")
    add(other, tmp_path / "empty")
    absent = other.fails("buildcache", "download", "-s", "base", "-p", tmp_path / "out").err
    assert "no cache has base@1.0/" in absent


def test_an_index_view_is_of_environments(
    small: Command, other: Command, cache: Path, tmp_path: Path
) -> None:
    small("buildcache", "push", "--unsigned", tmp_path / "c", "top", "prog")
    update = ("buildcache", "update-index", "--name", "team", tmp_path / "c")
    environments = [tmp_path / "one", tmp_path / "two"]
    for path, spec in zip(environments, ("base", "py-sweet")):
        other("env", "create", "-d", path)
        other("-e", path, "add", spec)
        other("-e", path, "concretize")
    made = other(*update, environments[0]).out
    assert "the index view team of" in made and "lists 1 package" in made
    assert "has an index view team" in other.fails(*update, environments[0], code=2).err
    added = other("-e", environments[1], *update, "--append").out
    assert "lists 1 package" in added
    assert "2 packages of the environments are not in the cache" in added
    other("config", "add", f"mirrors:site:{{url: {tmp_path / 'c'}, signed: false, view: team}}")
    assert "==> 1 cached package" in other("buildcache", "list", "-N").out
    assert "tiny.base@1.0" in other("buildcache", "list", "-N").out
    report = tmp_path / "report.json"
    other("buildcache", "check-index", "-n", "team", "-o", report, tmp_path / "c")
    assert json.loads(report.read_text()) == {"examined": 1, "problems": []}
    assert "==> 3 packages" in other("buildcache", "check-index", tmp_path / "c").out
    refused = other.fails("buildcache", "update-index", "--append", tmp_path / "c", code=2).err
    assert "an index of environments needs a name" in refused
    wrong = other.fails("buildcache", "update-index", "-n", "../x", tmp_path / "c", code=2).err
    assert "cannot be the name of an index view" in wrong
    no_views = other.fails(
        "-e", environments[0], "buildcache", "update-index", "-n", "x", "http://127.0.0.1:9", code=2
    )
    assert "has no index views" in no_views.err


def test_an_environment_is_copied_alone(
    other: Command, cache: Path, tmp_path: Path, small: Command
) -> None:
    path = tmp_path / "env"
    other("env", "create", "-d", path)
    other("-e", path, "add", "base")
    other("-e", path, "concretize")
    add(other, cache)
    copied = other("-e", path, "buildcache", "sync", "site", tmp_path / "copy").out
    assert "copied 1 package to" in copied and "0 were there" in copied
    other("mirror", "rm", "site")
    add(other, tmp_path / "copy")
    assert "the caches have all of it" in other("buildcache", "check", "--scope=user", "base").out
    lacks = other("buildcache", "check", "--scope=user", "prog", check=False)
    assert lacks.code == 1 and "prog@1.0" in lacks.out


def test_what_may_not_be_passed_on_stays(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("free")
    path = recipes.plain("secret", "free")
    recipe = path / "package.py" if path.is_dir() else path
    recipe.write_text(
        recipe.read_text().replace(
            "    has_code = False\n",
            '    has_code = False\n    redistribute(binary=False, when="@1:")\n',
        )
    )
    spack("install", "secret")
    push = ("buildcache", "push", "--unsigned", tmp_path / "c", "secret")
    shown = spack(*push).text
    assert "pushed 1 package" in shown
    assert "left out, as their recipes do not allow to pass them on: secret" in shown
    assert "pushed 1 package" in spack(*push, "--private").text


def test_a_bucket_is_a_cache(small: Command, other: Command) -> None:
    with serve_objects() as store:
        secret_options = ("--s3-access-key-id", LOGIN.key_id, "--s3-access-key-secret-variable")
        options = (*secret_options, "SECRET", "--s3-endpoint-url", store.url)
        other("mirror", "add", "--type=binary", "--unsigned", *options, "site", "s3://b/team")
        keys = {"AWS_ACCESS_KEY_ID": LOGIN.key_id, "AWS_SECRET_ACCESS_KEY": LOGIN.secret}
        environ = {**keys, "S3_ENDPOINT_URL": store.url}
        push = ("buildcache", "push", "--unsigned", "s3://b/team", "py-sweet")
        assert "pushed 2 packages" in small(*push, environ=environ).out
        assert "2 were there" in small(*push, environ=environ).out
        assert "from $SECRET, which is not set" in other.fails("buildcache", "list").err
        store.requests.clear()
        secret = {"SECRET": LOGIN.secret}
        other("buildcache", "install", "py-sweet", environ=secret)
        assert len(store.requests) <= 4, store.requests  # index, its part, two archives
        assert (
            "lists 2 packages"
            in small("buildcache", "update-index", "s3://b/team", environ=environ).out
        )
        refused = other.fails("buildcache", "list", environ={"SECRET": "wrong"}).err
        assert "s3://b/team/v3/" in refused and "--s3-access-key-secret-variable" not in refused
    other("mirror", "set-url", "--s3-profile", "team", "site", "s3://b/other")
    assert "profile: team" in other("config", "get", "mirrors").out


@pytest.mark.parametrize("stops", [True, False])
def test_a_push_that_fails(
    spack: Command, recipes: RecipeRepository, tmp_path: Path, stops: bool
) -> None:
    for name in ("one", "two"):
        recipes.plain(name)
    spack("install", "one", "two")
    (tmp_path / "c").write_text("")
    words = ("--fail-fast",) if stops else ()
    failed = spack.fails(
        "buildcache", "push", "-j1", "--unsigned", *words, tmp_path / "c/x", "one", "two"
    )
    named = [line for line in failed.err.splitlines() if "could not be pushed: " in line]
    assert named == [] or named[0].count("@1.0") == (1 if stops else 2)

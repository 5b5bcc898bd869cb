"""What builds see and reach: their own, and what the configuration opens."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kits.command import Command, Home, WaitUntil
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port that this machine listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_network_is_closed_but_for_named_packages(
    spack: Command, recipes: RecipeRepository, port: int
) -> None:
    recipes.plain(
        "caller", install=f"__import__('socket').create_connection(('127.0.0.1', {port}))\n"
    )
    result = spack.fails("install", "caller")
    assert "Connection refused" in result.err
    assert "config:build_env:network:[NAME] opens it" in result.err
    spack.fails("-c", "config:build_env:network:[another]", "install", "caller")
    spack("-c", "config:build_env:network:[caller]", "install", "caller")
    spack("-c", "config:build_env:network:true", "install", "--overwrite", "-y", "caller")
    spack("install", "--dirty", "--overwrite", "-y", "caller")


def test_a_build_may_use_its_own_loopback(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain(
        "server",
        install="""\
            import socket
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
        """,
    )
    spack("install", "server")


def test_the_log_says_what_protected_the_build(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("plain")
    result = spack("install", "plain")
    log = spack("logs", "plain").out
    assert "protected by: a file system that it may not change, processes of its own" in log
    assert "not protected" not in log + result.text


def test_stores_and_stages_behind_links(
    spack: Command, recipes: RecipeRepository, tmp_path: Path, clone: Path
) -> None:
    """HOME, the tree and the stages are links, one of them relative and in a hidden directory."""
    home = tmp_path / "link"
    home.symlink_to(spack.home.path.name)
    (spack.home.path / "real store").mkdir()
    spack.home.store.symlink_to("real store")
    recipes.plain("base")
    recipes.plain("top", "base", install="Executable('base')()\n")
    linked = Command(clone, {**spack.environ, "HOME": str(home)}, home, Home(home))
    text = (spack.home.config / "config.yaml").read_text().replace(str(spack.home.path), str(home))
    (spack.home.config / "config.yaml").write_text(text)
    linked("install", "top")
    real = os.path.realpath(linked.prefix("top"))
    assert real.startswith(f"{spack.home.path}/real store/")
    linked("verify")


def test_an_external_in_a_home_is_seen(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    """Its prefix is; what is beside it in the home is not."""
    tool = spack.home.path / "sw" / "bin" / "tool"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho from the home\n")
    tool.chmod(0o755)
    (spack.home.path / "private").write_text("x")
    recipes.plain("tool")
    (spack.home.config / "packages.yaml").write_text(
        f"packages:\n  tool:\n    buildable: false\n    externals:\n"
        f"    - {{spec: tool@1.0, prefix: {spack.home.path}/sw}}\n"
    )
    recipes.plain(
        "user",
        "tool",
        install=f"""\
            import os
            print(Executable("tool")(output=str))
            assert not os.path.exists("{spack.home.path}/private")
        """,
    )
    spack("install", "user")
    assert "from the home" in spack("logs", "user").out


def test_a_process_that_is_left_behind_ends_with_its_build(
    spack: Command,
    recipes: RecipeRepository,
    processes_of: Callable[[Path], list[str]],
    until: WaitUntil,
) -> None:
    """It does not delay the install, and writes nothing into the finished prefix."""
    recipes.plain(
        "leaver",
        install="""\
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(2)
                    open(prefix.late, "w").close()
                    time.sleep(600)
                os._exit(0)
        """,
    )
    started = time.monotonic()
    spack("install", "leaver")
    assert time.monotonic() - started < 60
    prefix = spack.prefix("leaver")
    assert processes_of(spack.home.stages) == []
    time.sleep(2.5)
    assert not (prefix / "late").exists()
    spack("verify")


def test_a_cancelled_build_leaves_nothing(
    spack: Command,
    recipes: RecipeRepository,
    processes_of: Callable[[Path], list[str]],
    until: WaitUntil,
    reports: Path,
) -> None:
    recipes.plain(
        "endless",
        install=f"""\
            import os, time
            if os.fork() == 0:
                os.setsid()
                open("{reports}/started", "w").close()
                time.sleep(600)
            time.sleep(600)
        """,
    )
    for number in (2, 15, 9):
        with spack.start("install", "endless") as process:
            until((reports / "started").exists, "the build runs")
            process.send_signal(number)
            process.wait(60)
        until(lambda: processes_of(spack.home.stages) == [], "all of it has ended")
        (reports / "started").unlink()

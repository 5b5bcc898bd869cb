"""Scopes made of files in a temporary directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

import pytest

from spack.config.scopes import Scope
from spack.config.settings import Settings, load_settings
from spack.config.variables import Variables
from spack.errors import ConfigError

Errors = Callable[..., list[str]]


class Files:
    """Writes files of scopes and loads them, lowest precedence first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.variables = Variables(
            {"data": "/data", "tree": "/data/opt", "user": "me"}, {"HERE": "/here"}, "/home/me"
        )

    def write(self, name: str, text: str) -> Path:
        location = self.root / name
        location.parent.mkdir(parents=True, exist_ok=True)
        location.write_text(text)
        return location

    def load(self, *scopes: Any, platform: str = "linux", cache: str | None = None) -> Settings:
        made = [
            Scope(item, str(self.root / item)) if isinstance(item, str) else item
            for item in scopes or ("user",)
        ]
        return load_settings(made, self.variables, platform, cache)

    def problems(self, *scopes: Any) -> list[str]:
        """All messages of the error that loading ends with, without the directory."""
        with pytest.raises(ConfigError) as caught:
            self.load(*scopes)
        return messages(caught.value, self.root)


def messages(error: ConfigError, root: Path) -> list[str]:
    every: Sequence[BaseException] = [error, *error.causes]
    return [str(item).replace(f"{root}/", "") for item in every]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)

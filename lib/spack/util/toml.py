"""TOML, which the standard library reads from Python 3.11 on."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["parse_toml"]


def parse_toml(data: bytes) -> Mapping[str, Any]:
    """Return the tables of a document.

    :raises ValueError: it is malformed.
    """
    # start-up: only what reads projects of Python needs it; before 3.11 it was a package
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    parsed: Mapping[str, Any] = toml.loads(data.decode("utf-8"))
    return parsed

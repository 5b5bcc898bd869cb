"""What configuration keys mean, and their defaults, for the reference page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from spack.config.config_keys import ConfigSettings

__all__ = ["default_of", "meaning_of", "unused_meanings"]

ROOT = Path(__file__).resolve().parents[2]
MEANINGS = ROOT / "docs" / "reference" / "configuration-keys.yaml"


@cache
def _meanings() -> Mapping[str, str]:
    loaded: dict[str, str] = YAML(typ="safe").load(MEANINGS.read_text(encoding="utf-8"))
    return loaded


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((key, re.compile(re.escape(key).replace(r"\*", "[^:]+"))) for key in _meanings())


def _fitting(key: str) -> str | None:
    return next((name for name, pattern in _patterns() if pattern.fullmatch(key)), None)


def meaning_of(key: str) -> str:
    """Return what the key means, or nothing if that is not written."""
    name = _fitting(key)
    return "" if name is None else _meanings()[name]


def unused_meanings(keys: Iterator[str]) -> set[str]:
    """Return the lines that are the first to fit none of *keys*."""
    return set(_meanings()) - {_fitting(key) for key in keys}


@cache
def _defaults() -> Mapping[str, Any]:
    """Return the values of ``etc/*.yaml``."""
    merged: dict[str, Any] = {}
    for path in sorted((ROOT / "etc").glob("*.yaml")):
        merged.update(YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {})
    return merged


def default_of(key: str) -> str:
    """Return the default of a key as it is written, or nothing if it has none of its own."""
    value: Any = _defaults()
    words = key.split(":")
    for word in words:
        if not isinstance(value, dict) or word not in value:
            return _coded_default(words)
        value = value[word]
    return "null" if value is None else _written(value)


def _coded_default(words: list[str]) -> str:
    """Return the default of a key of ``config`` that is stated beside the key only."""
    if words[0] != "config":
        return ""
    for row in vars(ConfigSettings).values():
        if getattr(row, "at", None) == ":".join(words[1:]):
            return _written(getattr(row, "default", None))
    return ""


def _written(value: object) -> str:
    """Return a value as YAML has it, or nothing for one that is not one word."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or not isinstance(value, (str, int)) else str(value)

"""Moments that ``find`` understands."""

from __future__ import annotations

import datetime

import pytest

from spack.actions.dates import parse_date
from spack.errors import UsageError

NOW = datetime.datetime(2026, 3, 31, 12, 30, 15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", datetime.datetime(2026, 1, 1)),
        ("2026-02", datetime.datetime(2026, 2, 1)),
        ("2026-02-03", datetime.datetime(2026, 2, 3)),
        ("2026-02-03 04:05", datetime.datetime(2026, 2, 3, 4, 5)),
        ("2026-02-03T04:05:06", datetime.datetime(2026, 2, 3, 4, 5, 6)),
        ("now", NOW),
        ("Yesterday", NOW - datetime.timedelta(days=1)),
        ("3 days ago", NOW - datetime.timedelta(days=3)),
        ("1 week ago", NOW - datetime.timedelta(days=7)),
        ("2 months ago", NOW - datetime.timedelta(days=60)),
    ],
)
def test_moments(text: str, expected: datetime.datetime) -> None:
    assert parse_date(text, NOW) == expected.timestamp()


@pytest.mark.parametrize("text", ["", "soon", "2026-13", "2026-02-30", "days ago", "20260101"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read the date"):
        parse_date(text, NOW)

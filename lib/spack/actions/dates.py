"""Dates as users write them on the command line."""

from __future__ import annotations

import datetime
import re

from spack.errors import UsageError

__all__ = ["parse_date"]

_AGO = re.compile(r"(\d+)\s+(day|week|month|year)s?\s+ago\Z")
_FORMATS = (
    (re.compile(r"\d{4}\Z"), "%Y"),
    (re.compile(r"\d{4}-\d{2}\Z"), "%Y-%m"),
    (re.compile(r"\d{4}-\d{2}-\d{2}\Z"), "%Y-%m-%d"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}\Z"), "%Y-%m-%d %H:%M"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}\Z"), "%Y-%m-%d %H:%M:%S"),
)
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


def parse_date(text: str, now: datetime.datetime) -> float:
    """Return the moment that *text* means, in seconds since the epoch, in local time.

    :param text: ``2026``, ``2026-01``, ``2026-01-31``, with ``12:00`` or ``12:00:30``, ``now``,
        ``yesterday``, or ``3 days ago`` (weeks, months, years).
    :raises UsageError: it is none of these.
    """
    wanted = text.strip().lower()
    if wanted == "now":
        return now.timestamp()
    if wanted == "yesterday":
        return (now - datetime.timedelta(days=1)).timestamp()
    ago = _AGO.match(wanted)
    if ago:
        days = int(ago.group(1)) * _DAYS[ago.group(2)]
        return (now - datetime.timedelta(days=days)).timestamp()
    for pattern, form in _FORMATS:
        if pattern.match(text.strip()):
            try:
                return datetime.datetime.strptime(text.strip().replace("T", " "), form).timestamp()
            except ValueError:
                break
    raise UsageError(
        f"cannot read the date '{text}'",
        hint="write 2026-01-31, 2026-01-31 12:00, yesterday, or '3 days ago'",
        ref="date",
    )

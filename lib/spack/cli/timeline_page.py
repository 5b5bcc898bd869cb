"""The timeline of an install as one HTML file that needs nothing else.

Each package is a row with its periods as bars; the chain that the end waited for has a frame and
arrows. Pointing at a row shows what it needed and what needed it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from spack.cli.progress import seconds
from spack.install.timeline import Timeline, TimelineEntry

__all__ = ["timeline_page"]

#: Colour and text of each kind of period.
_KINDS = {
    "fetch": ("#4c9be8", "fetched and unpacked"),
    "wait": ("#d5d8dd", "waited for its turn"),
    "build": ("#3a9d5d", "built"),
    "check": ("#b58bd6", "checked"),
}

_ROW, _BAR, _LEFT, _WIDTH, _TOP = 24, 14, 260, 900, 34

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; color: #1d2430; background: #fff; }
svg { font: 12px ui-monospace, monospace; max-width: 100%; height: auto; }
.row rect.area { fill: transparent; } .row:hover rect.area { fill: #f2f4f7; }
.row.needed rect.area { fill: #e6f1fd; } .row.needs rect.area { fill: #fdf3e1; }
.critical text.title { font-weight: bold; } .failed text.title { fill: #c62828; }
.critical rect.frame { stroke: #d1495b; stroke-width: 2; fill: none; }
line.grid { stroke: #e4e7ec; } text.scale { fill: #667085; }
path.chain { stroke: #d1495b; fill: none; stroke-width: 1.5; }
table { border-collapse: collapse; } td, th { padding: 0.2em 1em 0.2em 0; text-align: left; }
td.time { text-align: right; } tr.critical td:first-child { font-weight: bold; }
.key { display: inline-block; width: 1em; height: 1em; margin: 0 0.4em 0 1.2em;
  vertical-align: middle; border-radius: 3px; }
"""

_SCRIPT = """
const rows = new Map([...document.querySelectorAll('.row')].map(x => [x.id, x]));
const needs = x => x.dataset.requires.split(' ').filter(Boolean);
for (const row of rows.values()) {
  const mark = on => {
    for (const id of needs(row)) rows.get(id)?.classList.toggle('needed', on);
    for (const other of rows.values())
      if (needs(other).includes(row.id)) other.classList.toggle('needs', on);
  };
  row.addEventListener('mouseenter', () => mark(true));
  row.addEventListener('mouseleave', () => mark(false));
}
"""


def timeline_page(timeline: Timeline, title: str) -> str:
    """Return the page."""
    keys = "".join(
        f'<span class="key" style="background:{color}"></span>{text}'
        for color, text in _KINDS.values()
    )
    built = sum(entry.result == "installed" for entry in timeline.entries)
    work = sum(entry.total("build") + entry.total("check") for entry in timeline.entries)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f"<p>{built} of {len(timeline.entries)} packages installed in "
            f"{seconds(timeline.seconds)}; their builds took {seconds(work)} together.",
            f"{keys}<span class='key' style='border:2px solid #d1495b'></span>critical path</p>",
            *_drawing(timeline),
            "<h2>What each package waited for</h2>",
            *_table(timeline),
            f"<script>{_SCRIPT}</script></body></html>",
            "",
        ]
    )


def _drawing(timeline: Timeline) -> Iterator[str]:
    scale = _WIDTH / max(timeline.seconds, 0.001)
    rows = {entry.hash: number for number, entry in enumerate(timeline.entries)}
    height = _TOP + _ROW * len(rows) + 8
    yield f'<svg viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" role="img">'
    step = _tick(timeline.seconds)
    for number in range(int(timeline.seconds / step) + 1):
        x = _LEFT + number * step * scale
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{height}"/>'
        yield f'<text class="scale" x="{x:.1f}" y="{_TOP - 14}">{number * step:g} s</text>'
    for entry in timeline.entries:
        yield from _row(entry, rows[entry.hash], scale, critical=entry.hash in timeline.critical)
    entries = timeline.by_hash
    for before, after in zip(timeline.critical, timeline.critical[1:]):
        x1, y1 = _LEFT + entries[before].end * scale, _middle(rows[before])
        x2, y2 = _LEFT + entries[after].work_begin * scale, _middle(rows[after])
        bend = f"C {x1 + 14:.1f} {y1} {x2 - 14:.1f} {y2} {x2:.1f} {y2}"
        yield f'<path class="chain" d="M {x1:.1f} {y1} {bend}"/>'
    yield "</svg>"


def _middle(row: int) -> float:
    return _TOP + row * _ROW + _ROW / 2


def _tick(total: float) -> float:
    """Return the seconds between two marks of the scale: 1, 2 or 5 times a power of ten."""
    rough = max(total, 0.001) / 8
    power = 10.0 ** math.floor(math.log10(rough))
    return next(x * power for x in (1, 2, 5, 10) if x * power >= rough)


def _row(entry: TimelineEntry, row: int, scale: float, *, critical: bool) -> Iterator[str]:
    names = ["row", *(["critical"] if critical else []), *(["failed"] * (entry.result == "failed"))]
    top = _TOP + row * _ROW
    needs = " ".join(entry.requires)
    yield f'<g class="{" ".join(names)}" id="{entry.hash}" data-requires="{needs}">'
    yield f'<rect class="area" x="0" y="{top}" width="{_LEFT + _WIDTH + 20}" height="{_ROW}"/>'
    name = escape(entry.title.partition("/")[0])
    note = "" if entry.result == "installed" else f" ({entry.result})"
    yield f'<text class="title" x="4" y="{top + 16}">{name}{note}</text>'
    y = top + (_ROW - _BAR) / 2
    for period in entry.periods:
        width = max(1.0, (period.end - period.begin) * scale)
        color, text = _KINDS[period.kind]
        what = period.name if period.name != period.kind else text
        took = seconds(period.end - period.begin)
        yield (
            f'<rect x="{_LEFT + period.begin * scale:.1f}" y="{y}" width="{width:.1f}" '
            f'height="{_BAR}" fill="{color}"><title>{name}: {escape(what)}, {took}</title></rect>'
        )
    if critical:
        x = _LEFT + entry.work_begin * scale
        width = max(2.0, (entry.end - entry.work_begin) * scale)
        yield (
            f'<rect class="frame" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
        )
    yield "</g>"


def _table(timeline: Timeline) -> Iterator[str]:
    yield "<table><tr><th>package</th><th>waited for</th><th>then for its turn</th>"
    yield "<th>fetched</th><th>built and checked</th><th>ended</th></tr>"
    entries = timeline.by_hash
    for entry in timeline.entries:
        last = entries[entry.waited_for] if entry.waited_for is not None else None
        ready = max(last.end if last else 0.0, entry.begin + entry.total("fetch"))
        work = entry.total("build") + entry.total("check")
        mark = ' class="critical"' if entry.hash in timeline.critical else ""
        cells = [
            f"<td>{escape(entry.title)}</td>",
            f"<td>{escape(last.title.partition('/')[0]) if last else ''}</td>",
            f'<td class="time">{seconds(max(0.0, entry.work_begin - ready))}</td>',
            f'<td class="time">{seconds(entry.total("fetch"))}</td>',
            f'<td class="time">{seconds(work)}</td>',
            f'<td class="time">{seconds(entry.end)}</td>',
        ]
        yield f"<tr{mark}>{''.join(cells)}</tr>"
    yield "</table>"

"""Errors, colours, columns and trees as a user sees them."""

from __future__ import annotations

import errno
import io

import pytest

from spack.cli import render
from spack.cli.printable import printable
from spack.cli.progress import PlainReporter
from spack.errors import FetchError, SpackError


def shown(error: SpackError, **options: object) -> str:
    stream = io.StringIO()
    render.render_error(error, stream, **options)  # type: ignore[arg-type]  # options of the test
    return stream.getvalue()


def test_an_error_has_message_details_and_hint() -> None:
    error = FetchError("no such file", "expected a\nfound b", hint="try again")
    assert shown(error) == (
        "==> Error: no such file\n    expected a\n    found b\n  hint: try again\n"
    )


def test_causes_are_numbered_when_there_are_several() -> None:
    error = SpackError(
        "two problems",
        causes=[SpackError("first", hint="do this"), ValueError("second")],
    )
    text = shown(error)
    assert "  1. first" in text
    assert "hint: do this" in text
    assert "  2. second" in text


def test_debug_adds_reference_and_traceback() -> None:
    try:
        raise FetchError("gone", ref="checksum")
    except FetchError as error:
        text = shown(error, debug=True)
    assert "reference: checksum" in text
    assert "Traceback (most recent call last)" in text


def test_errors_of_the_system_get_a_hint() -> None:
    error = render.system_error(OSError(errno.ENOSPC, "No space left on device", "/x"))
    assert error.message == "No space left on device: /x"
    assert "install_tree" in str(error.hint)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "SPACK_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert not render.use_color(io.StringIO())
    assert render.use_color(Terminal())
    assert render.use_color(io.StringIO(), "always")
    assert not render.use_color(Terminal(), "never")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not render.use_color(Terminal())
    monkeypatch.setenv("SPACK_COLOR", "always")
    assert render.use_color(io.StringIO())


def test_columns_read_downwards() -> None:
    assert render.columns(["a", "b", "c", "d", "e"], width=9) == "a  c  e\nb  d"
    assert render.columns([]) == ""


def test_a_table_aligns_all_but_the_last_column() -> None:
    assert render.table([("a", "long"), ("abc", "x")], indent=1) == " a    long\n abc  x"


def test_causes_that_the_details_report_are_not_reported_again() -> None:
    causes = [SpackError("first", hint="do this"), SpackError("second", hint="do that")]
    error = SpackError("all is lost", "- first\n- second", causes=causes, hint="do this")
    assert shown(error) == (
        "==> Error: all is lost\n    - first\n    - second\n  2. hint: do that\n  hint: do this\n"
    )


@pytest.mark.parametrize(
    ("text", "shown_text"),
    [
        ("plain \u00e9 text", "plain \u00e9 text"),
        ("\x1b[31mred\x1b[0m\n\ttext", "red\n\ttext"),
        ("\x1b]0;title\x07\x1b[2Jcleared", "\\x1b]0;title\\x07\\x1b[2Jcleared"),
        ("over\rwritten \x9b2J", "over\\rwritten \\x9b2J"),
        ("txt.\u202eexe", "txt.\\u202eexe"),
    ],
)
def test_a_terminal_gets_no_commands_of_builds(
    text: str, shown_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printable(text) == shown_text
    cause = SpackError(text, text, hint=text)
    error = shown(SpackError(text, text, hint=text, causes=[cause]), color="always")
    render.message(text)
    render.warning(text)
    stream = io.StringIO()
    reporter = PlainReporter(stream, "never", False)
    reporter.warning(text)
    captured = capsys.readouterr()
    for written in (error, captured.out, captured.err, stream.getvalue()):
        assert shown_text.split("\n")[0] in written
        assert not set("\r\x07\x9b\u202e").intersection(written)
        assert "\x1b[2J" not in written and "\x1b]" not in written

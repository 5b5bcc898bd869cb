"""One attempt at a URL: how it fails, and the answer when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Opened", "Opener", "TransportError", "failure_of_status"]

#: Answers that another attempt may turn into a success.
TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504, 520, 527))


class TransportError(Exception):
    """One attempt failed.

    :param transient: another attempt may succeed.
    :param unreachable: there is no way to the server: later attempts are likely to fail, too.
    :param status: of the answer, if there was one.
    :param pause: seconds that the server asked to wait.
    :param challenge: how the server wants to be asked (``WWW-Authenticate``).
    """

    def __init__(
        self,
        reason: str,
        *,
        transient: bool,
        status: int | None = None,
        pause: float | None = None,
        challenge: str = "",
        unreachable: bool = False,
    ) -> None:
        super().__init__(reason)
        self.unreachable = unreachable
        self.challenge = challenge
        self.reason = reason
        self.transient = transient
        self.status = status
        self.pause = pause


class Opened(Protocol):
    """An answer whose body is yet to be read; header names are lower-case."""

    @property
    def url(self) -> str: ...

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def read(self, size: int) -> bytes:
        """Return the next bytes, ``b""`` at the end.

        :raises TransportError: the connection broke.
        """
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class Opener(Protocol):
    """Opens URLs of some schemes."""

    def open(self, url: str, headers: Mapping[str, str]) -> Opened:
        """Return the answer of one attempt at *url*; redirects are followed.

        :raises TransportError: no answer, or an unsuccessful one (not 2xx).
        """
        ...


def failure_of_status(status: int, reason: str, headers: Mapping[str, str]) -> TransportError:
    """Return the error for an unsuccessful answer."""
    lower = {name.lower(): value for name, value in headers.items()}
    after = lower.get("retry-after", "")
    return TransportError(
        f"the server answers {status} {reason}".rstrip(),
        transient=status in TRANSIENT,
        status=status,
        pause=float(after) if after.isdigit() else None,
        challenge=lower.get("www-authenticate", ""),
    )

"""``http://`` and ``https://`` with the standard library: logins, proxies, redirects, TLS.

Each request has a connection of its own. Where users rely on what pip does, this does the same: a
login is sent again when a redirect stays on its host, and only then; ``ALL_PROXY`` is for both
schemes; what a URL may not contain is quoted.
"""

from __future__ import annotations

import base64
import errno
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, InvalidURL
from typing import IO, Any
from urllib.parse import quote, urlsplit

from spack.fetch.network_settings import NetworkSettings, split_credentials
from spack.fetch.tls import tls_context
from spack.fetch.transport_error import Opened, TransportError, failure_of_status

__all__ = ["HttpOpener"]

#: What stays as it is when a URL is quoted: reserved characters, and what is quoted already.
_SAFE = "!#$%&'()*+,/:;=?@[]~"

#: Ports by scheme.
_PORTS = {"http": 80, "https": 443}

#: What says that there is no network, or no server at that address.
_UNREACHABLE = frozenset(
    (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH)
)


def _is_unreachable(reason: object) -> bool:
    return isinstance(reason, socket.gaierror) or (
        isinstance(reason, OSError) and reason.errno in _UNREACHABLE
    )


class HttpOpener:
    """Opens connections as the settings say; may be used by several threads."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._settings = settings
        #: By whether certificates are checked: reading the system's takes 10 ms and more.
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def open(self, url: str, headers: Mapping[str, str]) -> Opened:
        """See :class:`spack.fetch.transport_error.Opener`."""
        return self.send("GET", url, headers)

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | IO[bytes] = b""
    ) -> Opened:
        """Return the answer of one attempt at a request.

        :param headers: an ``authorization`` among them is sent instead of a configured login, and
            not to other hosts. :param body: of a file, ``content-length`` is in *headers*.
        :raises TransportError: no answer, or an unsuccessful one.
        """
        settings = self._settings
        address, login = split_credentials(quote(url, safe=_SAFE))
        request = urllib.request.Request(address, body or None, method=method)
        for name, value in {"user-agent": settings.user_agent, **headers}.items():
            if name == "authorization":
                request.add_unredirected_header("Authorization", value)
            else:
                request.add_header(name, value)
        login = login or settings.login(address)
        if login and "authorization" not in headers:
            token = base64.b64encode(":".join(login).encode()).decode()
            request.add_unredirected_header("Authorization", "Basic " + token)
        try:
            answer = self._director(address).open(request, timeout=settings.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise failure_of_status(error.code, error.reason, dict(error.headers)) from error
        except urllib.error.URLError as error:
            # A text is a URL that cannot be opened at all; certificates do not mend themselves.
            final = isinstance(error.reason, (str, ssl.SSLError))
            raise TransportError(
                str(error.reason), transient=not final, unreachable=_is_unreachable(error.reason)
            ) from error
        except InvalidURL as error:
            raise TransportError(str(error), transient=False) from error
        except (OSError, HTTPException) as error:
            raise TransportError(str(error) or type(error).__name__, transient=True) from error
        return _Answer(answer)

    def _director(self, address: str) -> urllib.request.OpenerDirector:
        verify = self._settings.verify and not self._settings.trusted(address)
        context = self._contexts.get(verify)
        if context is None:
            context = self._contexts[verify] = tls_context(self._settings, verify)
        director = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(self._settings.proxies_for(address)),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
            _Redirects(),
        ):
            director.add_handler(handler)
        return director


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects, 308 among them, which the standard library knows from Python 3.11 on."""

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        known = 307 if code == 308 else code
        new = super().redirect_request(req, fp, known, msg, headers=headers, newurl=newurl)
        login = req.unredirected_hdrs.get("Authorization")
        if new is not None and login and _keeps_login(req.full_url, newurl):
            new.add_unredirected_header("Authorization", login)
        return new


def _keeps_login(old: str, new: str) -> bool:
    """Return whether *new* is on the same host and port, or on its port for https."""
    before, after = urlsplit(old), urlsplit(new)
    if before.hostname != after.hostname:
        return False
    ports = [parts.port or _PORTS.get(parts.scheme) for parts in (before, after)]
    if before.scheme == after.scheme:
        return ports[0] == ports[1]
    return (before.scheme, after.scheme, *ports) == ("http", "https", 80, 443)


class _Answer:
    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.url = str(answer.url)
        self.status = int(answer.status)
        self.headers = {name.lower(): value for name, value in answer.headers.items()}

    def read(self, size: int) -> bytes:
        try:
            # read1 gives what came before a connection broke
            return bytes(self._answer.read1(size))
        except (OSError, HTTPException) as error:
            raise TransportError(str(error) or type(error).__name__, transient=True) from error

    def close(self) -> None:
        self._answer.close()

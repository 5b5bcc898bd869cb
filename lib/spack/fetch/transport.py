"""Downloading with requests: kept connections, the user's proxies and netrc, resume, retries.

Imported only when something is to be fetched that is not in the cache; requests itself only at
the first connection.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Callable

from spack.fetch.plain import (
    BaseTransport,
    NetworkSettings,
    Opened,
    TransportError,
    failure_of_status,
    split_credentials,
    tls_context,
)

__all__ = ["Transport"]


class Transport(BaseTransport):
    """One requests session per thread and trust level; connections to a host are reused."""

    def __init__(
        self, settings: NetworkSettings, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(settings, pause=pause)
        self._local = threading.local()

    def open(self, url: str, headers: Mapping[str, str]) -> Opened:
        import requests  # start-up: 80 ms, and only when something must be fetched

        address, login = split_credentials(url)
        login = login or self.settings.login(address)
        verify = self.settings.verify and not self.settings.trusted(address)
        session = self._session(verify)
        try:
            answer = session.get(
                address,
                headers=dict(headers),
                auth=login,
                proxies=self.settings.proxies_for(address),
                stream=True,
                timeout=self.settings.timeout,
            )
        except requests.exceptions.SSLError as error:
            raise TransportError(_reason(error), transient=False) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise TransportError(_reason(error), transient=False) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise TransportError(_reason(error), transient=True) from error
        if not answer.ok:
            with answer:
                reason = answer.reason or ""
                raise failure_of_status(answer.status_code, reason, dict(answer.headers))
        return _Answer(answer)

    def _session(self, verify: bool) -> Any:
        import requests  # start-up: see open

        sessions: dict[bool, Any] = self._local.__dict__.setdefault("sessions", {})
        if verify not in sessions:
            session = requests.Session()
            session.headers["user-agent"] = self.settings.user_agent
            session.trust_env = False
            session.verify = verify
            if not verify:
                import urllib3  # start-up: loaded by requests at this point

                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            session.mount("https://", _adapter(tls_context(self.settings, verify)))
            sessions[verify] = session
        return sessions[verify]


class _Answer:
    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.url = str(answer.url)
        self.status = int(answer.status_code)
        self.headers = {name.lower(): value for name, value in answer.headers.items()}

    def read(self, size: int) -> bytes:
        import urllib3  # start-up: loaded by requests at this point

        raw = self._answer.raw
        # read1, where urllib3 has it, gives what came before a connection broke
        read = getattr(raw, "read1", raw.read)
        try:
            return bytes(read(size, decode_content=True))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise TransportError(_reason(error), transient=True) from error

    def close(self) -> None:
        self._answer.close()


def _adapter(context: Any) -> Any:
    """Return an adapter whose connections trust what *context* trusts."""
    from requests.adapters import HTTPAdapter  # start-up: see Transport.open

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **kwargs)

        def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
            return super().proxy_manager_for(proxy, ssl_context=context, **kwargs)

        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """Leave the trusted certificates to *context*; requests would add certifi's."""
            conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"

    return Adapter()


def _reason(error: BaseException) -> str:
    """Return the innermost cause: requests and urllib3 wrap it several times."""
    inner: BaseException = error
    while True:
        candidates = (getattr(inner, "reason", None), *inner.args)
        deeper = next((item for item in candidates if isinstance(item, BaseException)), None)
        if deeper is None:
            return str(inner) or type(inner).__name__
        inner = deeper

"""Downloading with the standard library alone; the retry and resume logic of all transports.

:class:`BaseTransport` holds what every transport does: whole small documents, downloads that
resume with ``Range``, retries with growing pauses, ``file://``. What differs, opening one
connection, is the subclass's: :class:`PlainTransport` here uses ``urllib`` (it serves the first
run), :class:`spack.fetch.transport.Transport` uses requests.
"""

from __future__ import annotations

import base64
import netrc
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Callable, Optional, Protocol, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from spack.errors import FetchError
from spack.fetch.index_names import without_secrets
from spack.fetch.pipconfig import PipSettings

__all__ = [
    "BaseTransport",
    "TransportError",
    "NetworkSettings",
    "Opened",
    "PlainTransport",
    "Progress",
    "network_settings",
    "split_credentials",
    "tls_context",
]

#: Called with the bytes so far and the total (None when unknown).
Progress = Callable[[int, Optional[int]], None]

Result = TypeVar("Result")

CHUNK = 1 << 18
#: Answers that another attempt may turn into a success.
TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504, 520, 527))
#: Seconds; the pause before attempt n is FIRST_PAUSE * 2**n, at most LONGEST_PAUSE.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 20.0
#: Largest document :meth:`BaseTransport.get` reads: the index pages of the largest projects are
#: about 10 MB.
LARGEST_DOCUMENT = 200 << 20
#: Where systems keep their certificates, for Pythons built with another idea of it.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


@dataclass(frozen=True)
class NetworkSettings:
    """How to reach the network.

    :param cert: a file or directory of certificates to trust instead of the system's.
    :param trusted_hosts: ``host`` or ``host:port`` whose certificate is not checked.
    :param proxy: for http and https alike; None takes the environment's.
    :param credentials: ``(user, password)`` by ``host[:port]``, from index urls.
    :param environ: where proxies and ``NETRC`` are looked up.
    """

    timeout: float = 15.0
    retries: int = 5
    verify: bool = True
    cert: str | None = None
    client_cert: str | None = None
    trusted_hosts: tuple[str, ...] = ()
    proxy: str | None = None
    credentials: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    user_agent: str = "spack-venv"
    environ: Mapping[str, str] = field(default_factory=dict)

    def trusted(self, url: str) -> bool:
        """Return whether the certificate of *url*'s host goes unchecked."""
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2] in self.trusted_hosts or (
            parts.hostname in self.trusted_hosts
        )

    def proxies_for(self, url: str) -> dict[str, str]:
        """Return proxies by scheme: the configured one, else the environment's unless exempted."""
        if self.proxy:
            return {"http": self.proxy, "https": self.proxy}
        found = {}
        for name, value in self.environ.items():
            if value and name.lower().endswith("_proxy"):
                found[name.lower()[: -len("_proxy")]] = value
        host = urlsplit(url).netloc.rpartition("@")[2]
        if urllib.request.proxy_bypass_environment(host, found):  # type: ignore[attr-defined]  # not in typeshed's list
            return {}
        found.pop("no", None)
        return found

    def login(self, url: str) -> tuple[str, str] | None:
        """Return user and password for *url*: its index's, else those of ``~/.netrc``."""
        parts = urlsplit(url)
        location = parts.netloc.rpartition("@")[2]
        if location in self.credentials:
            return self.credentials[location]
        home = self.environ.get("HOME") or os.path.expanduser("~")
        file = self.environ.get("NETRC") or os.path.join(home, ".netrc")
        try:
            found = netrc.netrc(file).authenticators(parts.hostname or "")
        except (OSError, netrc.NetrcParseError):
            return None
        return (found[0] or found[1] or "", found[2] or "") if found else None


def network_settings(
    settings: PipSettings, index_urls: Sequence[str], environ: Mapping[str, str]
) -> NetworkSettings:
    """Return pip's network settings; logins in *index_urls* hold for their hosts."""
    credentials = {}
    for url in index_urls:
        address, login = split_credentials(url)
        if login:
            credentials[urlsplit(address).netloc] = login
    return NetworkSettings(
        timeout=settings.timeout,
        retries=settings.retries,
        cert=settings.cert,
        client_cert=settings.client_cert,
        trusted_hosts=settings.trusted_hosts,
        proxy=settings.proxy,
        credentials=credentials,
        environ=environ,
    )


class TransportError(Exception):
    """One attempt failed.

    :param transient: another attempt may succeed.
    :param status: of the answer, if there was one.
    :param pause: seconds that the server asked to wait.
    """

    def __init__(
        self,
        reason: str,
        *,
        transient: bool,
        status: int | None = None,
        pause: float | None = None,
    ) -> None:
        super().__init__(reason)
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

        :raises Failure: the connection broke.
        """
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class BaseTransport:
    """Retries, resume and ``file://`` over :meth:`open`."""

    def __init__(
        self, settings: NetworkSettings, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.settings = settings
        self._pause = pause

    def open(self, url: str, headers: Mapping[str, str]) -> Opened:
        """Return the answer of one attempt at *url*; redirects are followed.

        :raises TransportError: no answer, or an unsuccessful one (not 2xx).
        """
        raise NotImplementedError

    def get(self, url: str, accept: str = "*/*") -> tuple[str, str, bytes]:
        """Return a small document: final URL, content type, body.

        :raises FetchError: ``facts["status"]`` has the answer's status, None without answer.
        """
        local = _local_file(url)
        if local is not None:
            try:
                return url, "", local.read_bytes()
            except OSError as error:
                raise _unreadable(local, error) from error

        def attempt() -> tuple[str, str, bytes]:
            answer = self.open(url, {"accept": accept})
            try:
                body = b"".join(_chunks(answer, LARGEST_DOCUMENT))
            finally:
                answer.close()
            return answer.url, answer.headers.get("content-type", ""), body

        return self._with_retries(url, attempt)

    def download(
        self,
        url: str,
        target: Path,
        *,
        progress: Progress | None = None,
        limit: int | None = None,
    ) -> Mapping[str, str]:
        """Write the body of *url* to *target* and return the headers of the last answer.

        What an earlier, broken attempt of this call left in *target* is continued where the
        server agrees that the file is still the same (``If-Range``); else it starts again.

        :param limit: bytes; a longer body is refused.
        :raises FetchError: as :meth:`get`; *target* is removed.
        """
        local = _local_file(url)
        if local is not None:
            _copy(local, target, progress)
            return {}
        target.unlink(missing_ok=True)
        state: dict[str, str] = {}

        def attempt() -> Mapping[str, str]:
            return self._attempt_download(url, target, state, progress, limit)

        try:
            return self._with_retries(url, attempt)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _attempt_download(
        self,
        url: str,
        target: Path,
        state: dict[str, str],
        progress: Progress | None,
        limit: int | None,
    ) -> Mapping[str, str]:
        have = target.stat().st_size if target.exists() and "validator" in state else 0
        headers = {"accept": "*/*", "accept-encoding": "identity"}
        if have:
            headers.update({"range": f"bytes={have}-", "if-range": state["validator"]})
        answer = self.open(url, headers)
        try:
            if answer.status != 206:
                have = 0
            validator = answer.headers.get("etag", answer.headers.get("last-modified", ""))
            if validator and not validator.startswith("W/"):
                state["validator"] = validator
            length = answer.headers.get("content-length", "")
            total = have + int(length) if length.isdigit() else None
            with open(target, "ab" if have else "wb") as out:
                for chunk in _chunks(answer, None):
                    out.write(chunk)
                    have += len(chunk)
                    if limit is not None and have > limit:
                        raise TransportError(f"it is longer than {limit} bytes", transient=False)
                    if progress:
                        progress(have, total)
            if total is not None and have < total:
                raise TransportError(f"it broke off after {have} of {total} bytes", transient=True)
            return answer.headers
        except OSError as error:
            raise TransportError(f"{target} cannot be written: {error}", transient=False) from error
        finally:
            answer.close()

    def _with_retries(self, url: str, attempt: Callable[[], Result]) -> Result:
        left = self.settings.retries
        pause = FIRST_PAUSE
        while True:
            try:
                return attempt()
            except TransportError as failure:
                if not failure.transient or left <= 0:
                    raise self._error(url, failure) from failure
                left -= 1
                self._pause(min(max(pause, failure.pause or 0.0), LONGEST_PAUSE))
                pause *= 2

    def _error(self, url: str, failure: TransportError) -> FetchError:
        hint = None
        if failure.status in (401, 403):
            hint = "the server wants a login: put it into ~/.netrc or into the index's url"
        elif failure.status is None and failure.transient:
            hint = (
                "is there a network? PIP_INDEX_URL or pip.conf name another index, "
                "https_proxy a proxy, PIP_CERT the certificates to trust"
            )
        return FetchError(
            f"{without_secrets(url)} cannot be read: {failure.reason}",
            facts={"url": without_secrets(url), "status": failure.status},
            hint=hint,
        )


class PlainTransport(BaseTransport):
    """Connections by ``urllib``: one per request, logins by netrc and url, proxies, TLS."""

    def open(self, url: str, headers: Mapping[str, str]) -> Opened:
        address, login = split_credentials(url)
        request = urllib.request.Request(address)
        for name, value in {"user-agent": self.settings.user_agent, **headers}.items():
            request.add_header(name, value)
        login = login or self.settings.login(address)
        if login:
            token = base64.b64encode(":".join(login).encode()).decode()
            request.add_unredirected_header("authorization", "Basic " + token)
        verify = self.settings.verify and not self.settings.trusted(address)
        try:
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler(self.settings.proxies_for(address)),
                urllib.request.HTTPSHandler(context=tls_context(self.settings, verify)),
            )
            answer = opener.open(request, timeout=self.settings.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise failure_of_status(error.code, error.reason, dict(error.headers)) from error
        except urllib.error.URLError as error:
            certificate = isinstance(error.reason, ssl.SSLCertVerificationError)
            raise TransportError(str(error.reason), transient=not certificate) from error
        except (OSError, HTTPException) as error:
            raise TransportError(str(error) or type(error).__name__, transient=True) from error
        return _PlainAnswer(answer)


class _PlainAnswer:
    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.url = str(answer.url)
        self.status = int(answer.status)
        self.headers = {name.lower(): value for name, value in answer.headers.items()}

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._answer.read(size))
        except (OSError, HTTPException) as error:
            raise TransportError(str(error) or type(error).__name__, transient=True) from error

    def close(self) -> None:
        self._answer.close()


def failure_of_status(status: int, reason: str, headers: Mapping[str, str]) -> TransportError:
    """Return the error for an unsuccessful answer."""
    lower = {name.lower(): value for name, value in headers.items()}
    after = lower.get("retry-after", "")
    return TransportError(
        f"the server answers {status} {reason}".rstrip(),
        transient=status in TRANSIENT,
        status=status,
        pause=float(after) if after.isdigit() else None,
    )


def split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """Return *url* without ``user:password@``, and these two if it had them."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    login, _, location = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=location)), (unquote(user), unquote(password))


def tls_context(settings: NetworkSettings, verify: bool = True) -> ssl.SSLContext:
    """Return a context with the system's trust store, or the one that pip's settings name."""
    environ = settings.environ
    named = settings.cert or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    try:
        if named and verify:
            path = os.path.expanduser(named)
            directory = os.path.isdir(path)
            context = ssl.create_default_context(
                cafile=None if directory else path, capath=path if directory else None
            )
        else:
            context = ssl.create_default_context()
        if settings.client_cert:
            context.load_cert_chain(os.path.expanduser(settings.client_cert))
    except OSError as error:
        file = settings.client_cert if settings.client_cert and not named else named
        raise TransportError(
            f"the certificates {file} cannot be read: {error}", transient=False
        ) from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif not named and not context.cert_store_stats()["x509_ca"]:
        paths = ssl.get_default_verify_paths()
        if not (paths.capath and os.path.isdir(paths.capath) and os.listdir(paths.capath)):
            for bundle in filter(os.path.isfile, BUNDLES):
                context.load_verify_locations(bundle)
                break
    return context


def _chunks(answer: Opened, limit: int | None) -> Any:
    have = 0
    while True:
        chunk = answer.read(CHUNK)
        if not chunk:
            return
        have += len(chunk)
        if limit is not None and have > limit:
            raise TransportError(f"it is longer than {limit} bytes", transient=False)
        yield chunk


def _local_file(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _copy(source: Path, target: Path, progress: Progress | None) -> None:
    try:
        with open(source, "rb") as data, open(target, "wb") as out:
            total = os.fstat(data.fileno()).st_size
            _pump(data, out, total, progress)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise _unreadable(source, error) from error


def _pump(data: IO[bytes], out: IO[bytes], total: int, progress: Progress | None) -> None:
    have = 0
    while True:
        chunk = data.read(CHUNK)
        if not chunk:
            return
        out.write(chunk)
        have += len(chunk)
        if progress:
            progress(have, total)


def _unreadable(path: Path, error: OSError) -> FetchError:
    missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
    return FetchError(
        f"{path} cannot be read: {error.strerror}",
        facts={"url": str(path), "status": 404 if missing else None},
    )

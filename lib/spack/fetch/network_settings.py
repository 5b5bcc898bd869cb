"""How to reach the network: pip's settings, proxies, logins."""

from __future__ import annotations

import netrc
import os
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from spack.fetch.pipconfig import PipSettings

__all__ = ["NetworkSettings", "network_settings", "split_credentials"]


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
        every = found.pop("all", None)
        return {"http": every, "https": every, **found} if every else found

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


def split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """Return *url* without ``user:password@``, and these two if it had them."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    login, _, location = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=location)), (unquote(user), unquote(password))

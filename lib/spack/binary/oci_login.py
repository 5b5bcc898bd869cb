"""Logins to registries: ``Basic``, and tokens that another server gives (RFC 6750)."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spack.errors import FetchError

if TYPE_CHECKING:
    from spack.fetch.transport import Transport

__all__ = ["RegistryLogin"]


class RegistryLogin:
    """What is sent with requests to one repository of a registry.

    :param login: user and password; None is anonymous.
    """

    def __init__(self, transport: Transport, name: str, login: tuple[str, str] | None) -> None:
        self._transport = transport
        self._name = name
        self._login = login
        #: By whether they allow to write.
        self._known: dict[bool, Mapping[str, str]] = {}
        self._guard = threading.Lock()

    def headers(self, *, writes: bool) -> Mapping[str, str]:
        """Return the headers that are known to be right."""
        with self._guard:
            return self._known.get(writes, {})

    def answer(self, challenge: str, *, writes: bool) -> Mapping[str, str]:
        """Return the headers that a registry wants, which said so with *challenge*.

        :raises FetchError: it gives no token, or wants what is not configured.
        """
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "bearer":
            found = {"authorization": f"Bearer {self._token(rest, writes)}"}
        elif kind.lower() == "basic" and self._login is not None:
            found = {"authorization": self._basic(self._login)}
        else:
            raise FetchError(
                "it wants a login, and none is configured",
                facts={"status": 401},
                hint="set access_pair of the mirror",
            )
        with self._guard:
            self._known[writes] = found
        return found

    def _token(self, challenge: str, writes: bool) -> str:
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        actions = "pull,push" if writes else "pull"
        query = {
            "service": fields.get("service", ""),
            "scope": f"repository:{self._name}:{actions}",
        }
        url = f"{fields.get('realm', '')}?{urlencode({k: v for k, v in query.items() if v})}"
        headers = {"accept": "application/json"}
        if self._login is not None:
            headers["authorization"] = self._basic(self._login)
        answer = self._transport.document(url, headers)
        try:
            data = json.loads(answer.body)
            return str(data.get("token") or data["access_token"])
        except (ValueError, KeyError, AttributeError) as error:
            raise FetchError("it gives no token", facts={"status": 401}) from error

    @staticmethod
    def _basic(login: tuple[str, str]) -> str:
        return "Basic " + base64.b64encode(":".join(login).encode()).decode()

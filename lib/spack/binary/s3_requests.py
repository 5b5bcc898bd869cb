"""Requests to S3 and what is compatible with it, signed with version 4 of its signature.

Written from the public description of "AWS Signature Version 4" and of the REST API; the tests have
the examples of that description. There is no library here: ``bin/spack`` sees none that users have
installed, and five kinds of requests need a page of code.
"""

from __future__ import annotations

import configparser
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

__all__ = ["EMPTY_DIGEST", "S3Login", "S3Target", "find_login", "signed_headers"]

#: The sha256 of a request without a body.
EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()

_ALGORITHM = "AWS4-HMAC-SHA256"
_USUAL_REGION = "us-east-1"


class S3Login(NamedTuple):
    """A key of an account; *token* of one that expires."""

    key_id: str
    secret: str
    token: str = ""


class S3Target(NamedTuple):
    """A bucket.

    :ivar base: its URL without a slash at the end. :ivar prefix: of the keys, without slashes at
        its ends.
    """

    base: str
    prefix: str
    region: str

    @classmethod
    def of_url(cls, url: str, endpoint: str, region: str) -> S3Target:
        """Return the target of ``s3://BUCKET/PREFIX``.

        :param endpoint: the URL of the service; AWS for ``""``.
        """
        parts = urlsplit(url)
        prefix = parts.path.strip("/")
        if endpoint:
            return cls(f"{endpoint.rstrip('/')}/{parts.netloc}", prefix, region)
        return cls(f"https://{parts.netloc}.s3.{region}.amazonaws.com", prefix, region)

    def url(self, name: str = "", query: Mapping[str, str] | None = None) -> str:
        """Return the URL of a file of the cache; of the bucket for ``""``."""
        key = "/".join(part for part in (self.prefix, name) if part) if name else ""
        path = f"{self.base}/{quote(key, safe='/-_.~')}"
        return f"{path}?{urlencode(sorted(query.items()), quote_via=quote)}" if query else path


def find_login(
    environ: Mapping[str, str], home: Path, profile: str = ""
) -> tuple[S3Login | None, str]:
    """Return login and region as AWS's tools find them: variables, then a profile of their files.

    :param profile: of the configuration; then variables with keys do not count.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret and not profile:
        login = S3Login(key, secret, environ.get("AWS_SESSION_TOKEN", ""))
        return login, region or _USUAL_REGION
    name = profile or environ.get("AWS_PROFILE", "default")
    folder = home / ".aws"
    config = _section(environ.get("AWS_CONFIG_FILE"), folder / "config", f"profile {name}", name)
    keys = _section(environ.get("AWS_SHARED_CREDENTIALS_FILE"), folder / "credentials", name)
    region = region or config.get("region", "") or _USUAL_REGION
    merged = {**config, **keys}
    key, secret = merged.get("aws_access_key_id"), merged.get("aws_secret_access_key")
    if not (key and secret):
        return None, region
    return S3Login(key, secret, merged.get("aws_session_token", "")), region


def _section(named: str | None, usual: Path, *names: str) -> Mapping[str, str]:
    """Return the first of the sections *names* of a file; nothing of one that cannot be read."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(named or usual, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    return next((dict(parser[name]) for name in names if parser.has_section(name)), {})


def signed_headers(
    method: str,
    url: str,
    digest: str,
    target: S3Target,
    login: S3Login | None,
    *,
    moment: datetime | None = None,
    further: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the headers of a request; without a login, those of an anonymous one.

    :param digest: the sha256 of the body, hex. :param moment: now, if it is None.
    :param further: headers that are signed, too.
    """
    stamp = (moment or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    headers = {"x-amz-content-sha256": digest, **(further or {})}
    if login is None:
        return headers
    headers["x-amz-date"] = stamp
    if login.token:
        headers["x-amz-security-token"] = login.token
    parts = urlsplit(url)
    signed = {"host": parts.netloc, **headers}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    request = "\n".join((method, parts.path or "/", parts.query, lines, names, digest))
    scope = f"{stamp[:8]}/{target.region}/s3/aws4_request"
    text = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{login.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={login.key_id}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return headers

"""The caches of binaries that the configuration names, put together when one is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable
from urllib.parse import urlsplit

from spack.actions.binary_installs import CachedInstalls, CachePolicy, patchelf_on
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_storage import CacheStorage, DirectoryStorage, HttpStorage
from spack.binary.signatures import NoSignatures, Trust, TrustedKeys
from spack.binary.signing_keys import KeyRing
from spack.config.scopes import Scope, user_config_path
from spack.config.setting_types import MirrorEntry
from spack.config.settings import load_settings
from spack.errors import ConfigError, SpackError, UsageError
from spack.util.hashing import sha256_hex

if TYPE_CHECKING:
    from spack.fetch.transport import Transport
    from spack.session.session import Session
    from spack.spec import ConcreteSpec
    from spack.store.database import Database

__all__ = [
    "cached_installs",
    "caches_of",
    "configured_caches",
    "image_cache",
    "key_ring",
    "login_of",
    "named_cache",
    "pushing",
    "transport_for",
]


#: Further attempts at a cache, after which the next source is taken.
_RETRIES = 2


def cached_installs(
    session: Session, policy: CachePolicy, given: Sequence[BinaryCache] | None = None
) -> CachedInstalls | None:
    """Return the caches as installs use them; None if they are not to be used, or none is there.

    :param given: instead of those that are configured.
    """
    if not policy.uses_caches:
        return None
    caches = configured_caches(session) if given is None else given
    if not caches and not policy.needs_caches:
        return None
    search_path = os.pathsep.join(session.search_path)
    return CachedInstalls(caches, policy, session.reporter, patchelf_on(search_path))


def pushing(session: Session) -> Callable[[Sequence[ConcreteSpec]], None] | None:
    """Return what pushes new builds to the mirrors with ``autopush``; None without such mirrors."""
    mirrors = [entry for entry in session.settings.mirrors if entry.binary and entry.autopush]
    if not mirrors:
        return None

    def push_all(built: Sequence[ConcreteSpec]) -> None:
        from spack.actions.buildcache import push  # start-up: something was built

        for entry in mirrors:
            try:
                cache = _cache(session, entry, push=True)
                jobs = session.settings.config.build_jobs
                push(built, session.store, cache, session.reporter, jobs=jobs).raise_failures()
            except SpackError as error:
                session.reporter.warning(f"not pushed to the cache {entry.name}: {error.message}")

    return push_all


def configured_caches(session: Session, trust: Trust | None = None) -> list[BinaryCache]:
    """Return the caches of the configuration's mirrors, in their order.

    :param trust: instead of what is configured.
    """
    return session.caches if trust is None else make_caches(session, trust)


def make_caches(session: Session, trust: Trust | None = None) -> list[BinaryCache]:
    """Return the caches of the configuration; see :attr:`spack.session.session.Session.caches`."""
    mirrors = [entry for entry in session.settings.mirrors if entry.binary]
    return [_cache(session, entry, trust=trust) for entry in mirrors]


def caches_of(session: Session, scopes: Sequence[Scope]) -> list[BinaryCache]:
    """Return the caches that *scopes* alone configure."""
    settings = load_settings(scopes, session.variables, session.host.platform)
    return [_cache(session, entry) for entry in settings.mirrors if entry.binary]


def cached_databases(session: Session) -> list[Database]:
    """Return what the configured caches have, for the solver.

    A cache that cannot be read is left out, with a warning; what was known of it before counts.
    """
    found = []
    for cache in configured_caches(session):
        try:
            cache.refresh()
        except SpackError as error:
            session.reporter.warning(f"the cache {cache.name} is not asked: {error.message}")
        found.append(cache.catalogue.database)
    return found


def named_cache(
    session: Session,
    name: str,
    *,
    push: bool,
    trust: Trust | None = None,
    view: str | None = None,
) -> BinaryCache:
    """Return the cache of a mirror's name, of a directory or of a URL.

    :param push: it is written to. :param trust: instead of what is configured.
    :param view: the name of an index view, instead of what is configured.
    :raises UsageError: there is no such mirror or directory.
    """
    for entry in session.settings.mirrors:
        if entry.name == name:
            return _cache(session, entry, push=push, trust=trust, view=view)
    if "://" not in name:
        path = Path(os.path.abspath(session.cwd / os.path.expanduser(name)))
        if "/" not in name and not path.is_dir():
            raise UsageError(
                f"there is no mirror and no directory {name}",
                hint="`spack mirror list` shows all mirrors; a new directory is written ./DIR",
                ref="mirror-name",
            )
        name = str(path)
    entry = MirrorEntry(
        name,
        fetch_url=name,
        push_url=name,
        source=False,
        binary=True,
        signed=True,
        autopush=False,
        origin="command line",
    )
    return _cache(session, entry, push=push, trust=trust, view=view)


def image_cache(session: Session, storage: CacheStorage) -> BinaryCache:
    """Return a cache of verified archives, for which no signature is needed."""
    local = session.cache / "binary" / sha256_hex(storage.url)[:16]
    return BinaryCache(storage.url, storage, local, NoSignatures())


def key_ring(session: Session) -> KeyRing:
    """Return the user's keys: ``keys`` and ``gpg`` beside the user's configuration.

    ``SPACK_GNUPGHOME`` names another key ring of GnuPG, as it does for Spack.
    """
    user = Path(user_config_path(session.environ, session.home))
    gnupg = Path(session.environ.get("SPACK_GNUPGHOME") or user / "gpg")
    return KeyRing(user / "keys", gnupg, session.environ)


def _cache(
    session: Session,
    entry: MirrorEntry,
    *,
    push: bool = False,
    trust: Trust | None = None,
    view: str | None = None,
) -> BinaryCache:
    url = entry.push_url if push else entry.fetch_url
    if view is None:
        view = "" if push else entry.view
    _check_view(view)
    local = session.cache / "binary" / sha256_hex(f"{url} {view}" if view else url)[:16]
    if trust is None:
        trust = TrustedKeys(key_ring(session)) if entry.signed else NoSignatures()
    return BinaryCache(entry.name, _storage(session, entry, url, push), local, trust, view=view)


def _check_view(view: str) -> None:
    if view and not re.fullmatch(r"\w[\w.+-]*", view):
        raise UsageError(
            f"{view!r} cannot be the name of an index view",
            hint="use letters, digits, '.', '_', '+' and '-'",
            ref="index-view",
        )


def _storage(session: Session, entry: MirrorEntry, url: str, push: bool) -> CacheStorage:
    scheme = urlsplit(url).scheme if "://" in url else "file"
    if scheme == "file":
        return DirectoryStorage.of_url(url)
    if scheme in ("http", "https"):
        return HttpStorage(url, transport_for(session, url, login_of(session, entry, push)))
    if scheme in ("oci", "oci+http"):
        from spack.binary.oci_registry import OciRegistry  # start-up: few mirrors are registries

        return OciRegistry(url, transport_for(session, url), login_of(session, entry, push))
    if scheme == "s3":
        return _bucket(session, entry, url, push)
    raise ConfigError(
        f"the mirror {url} cannot be used: its scheme is none of file, http, https, oci, "
        "oci+http, s3",
        hint="use a directory, an http server, a registry or a bucket",
        ref="mirror-scheme",
    )


def _bucket(session: Session, entry: MirrorEntry, url: str, push: bool) -> CacheStorage:
    """Return the cache of an ``s3://`` URL.

    :raises ConfigError: a variable of the environment that the mirror names is not set.
    """
    from spack.binary.s3_requests import S3Login, S3Target, find_login  # start-up: few are buckets
    from spack.binary.s3_storage import S3Storage

    connection = entry.connection_for("push" if push else "fetch")
    endpoint = str(connection.get("endpoint_url") or session.environ.get("S3_ENDPOINT_URL") or "")
    login, region = find_login(
        session.environ, Path(session.home), str(connection.get("profile") or "")
    )
    pair = login_of(session, entry, push)
    if pair is not None:
        token = connection.get("access_token_variable")
        login = S3Login(*pair, _variable(session, entry, "token", token) if token else "")
    target = S3Target.of_url(url, endpoint, region)
    return S3Storage(url, target, transport_for(session, target.base), login)


def transport_for(session: Session, url: str, login: tuple[str, str] | None = None) -> Transport:
    """Return the transport of sources, with a login for the host of *url*.

    A cache that does not answer is soon left out.
    """
    from spack.fetch.transport import Transport  # start-up: not for directories

    settings = session.fetcher().connect()[1].settings
    credentials = dict(settings.credentials)
    if login is not None:
        credentials[urlsplit(url).netloc.rpartition("@")[2]] = login
    return Transport(
        replace(settings, credentials=credentials, retries=min(settings.retries, _RETRIES))
    )


def login_of(session: Session, entry: MirrorEntry, push: bool) -> tuple[str, str] | None:
    """Return the user and the password of a mirror; None if none is configured.

    :raises ConfigError: a variable of the environment that it names is not set.
    """
    connection = entry.connection_for("push" if push else "fetch")
    pair = connection.get("access_pair")
    if not pair:
        return None
    if isinstance(pair, (list, tuple)):
        return str(pair[0]), str(pair[1])

    def value(key: str) -> str:
        name = pair.get(f"{key}_variable")
        return str(pair.get(key, "")) if name is None else _variable(session, entry, key, name)

    return value("id"), value("secret")


def _variable(session: Session, entry: MirrorEntry, key: str, name: str) -> str:
    if name not in session.environ:
        raise ConfigError(
            f"{entry.origin}: the mirror {entry.name} takes its {key} from ${name}, which is not "
            "set",
            hint=f"export {name}=…",
            ref="mirror-login",
        )
    return session.environ[name]

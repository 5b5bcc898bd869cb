"""The fetcher, put together from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spack.bootstrap.own_dependencies import LOCK
from spack.config.settings import Settings
from spack.fetch.fetcher import Fetcher, FetchOptions, index_and_transport
from spack.fetch.mirror import Mirror
from spack.fetch.package_index import PackageIndex, read_default_index_wheel
from spack.fetch.pipconfig import read
from spack.fetch.source_cache import SourceCache

if TYPE_CHECKING:
    # start-up: imported by the first download
    from spack.fetch.transport import Transport

__all__ = ["make_fetcher"]


def make_fetcher(
    settings: Settings, environ: Mapping[str, str], root: Path, *, checksum: bool
) -> Fetcher:
    """Return the fetcher of the source cache, the mirrors, the package index, URLs and git.

    Nothing of the network is touched before something is missing from the cache.

    :param root: of this installation; its lock file knows the usual index.
    :param checksum: False takes sources without a checksum, and with a wrong one.
    """

    def network() -> tuple[PackageIndex, Transport]:
        return index_and_transport(
            read(environ),
            settings.fetch,
            environ,
            lambda: read_default_index_wheel(root / LOCK),
            pages=settings.config.misc_cache / "index",
        )

    return Fetcher(
        SourceCache(settings.fetch.source_cache),
        network,
        mirrors=[Mirror(entry.name, entry.fetch_url) for entry in settings.mirrors if entry.source],
        environ=environ,
        options=FetchOptions(checksum=checksum),
    )

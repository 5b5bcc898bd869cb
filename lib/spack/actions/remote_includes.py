"""What ``include:`` of the configuration takes from elsewhere: verified downloads, and clones.

Neither asks the configuration, which is not read yet when its includes are: downloads use the
built-in settings of the network and those of pip, and are kept in the usual source cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.config.includes import IncludeAccess
from spack.config.settings import Settings
from spack.util.hashing import sha256_hex

if TYPE_CHECKING:
    from spack.config.variables import Variables

__all__ = ["include_access"]


def include_access(
    names: Callable[[], Mapping[str, Any]],
    variables: Variables,
    environ: Mapping[str, str],
    root: Path,
    user_cache: Path,
) -> IncludeAccess:
    """Return what resolves includes.

    :param names: gives what conditions may ask.
    :param root: of this installation. :param user_cache: clones are made below it.
    """

    def download(url: str, digest: str) -> str:
        from spack.actions.fetching import make_fetcher  # start-up: few files include URLs
        from spack.errors import FetchError
        from spack.fetch.source import Checksum, UrlSource

        fetcher = make_fetcher(Settings({}, variables), environ, root, checksum=True)
        name = url.rstrip("/").rpartition("/")[2]
        source = UrlSource((url,), name, Checksum("sha256", digest), expand=False, what=url)
        try:
            return str(fetcher.fetch(source))
        except FetchError as error:
            if error.ref != "checksum":
                raise
            raise error.replaced(
                message=f"its sha256 is {error.facts['found']}, not {digest}",
                hint="look at what has changed in it, then correct the digest",
            ) from error

    def clone(url: str, branch: str, tag: str, commit: str) -> str:
        from spack.fetch.git import Git  # start-up: few files include repositories
        from spack.fetch.git_clones import Clones
        from spack.fetch.source import GitSource

        source = GitSource(url, commit or None, tag or None, branch or None, what=url)
        target = user_cache / "includes" / sha256_hex("\0".join((url, branch, tag, commit)))[:16]
        Clones(Git(environ)).create(source, target, lambda path: None)
        return str(target)

    return IncludeAccess(names, download, clone)

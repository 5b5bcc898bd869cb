"""``file://``: mirrors and package indexes in directories."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from spack.errors import FetchError
from spack.fetch.network_settings import NetworkSettings
from spack.fetch.transport_error import Opened, TransportError

__all__ = ["FileOpener"]


class FileOpener:
    """Opens files; what cannot be read now cannot be read by another attempt either."""

    def __init__(self, settings: NetworkSettings) -> None:
        """Take no settings; a path says all."""

    def open(self, url: str, headers: Mapping[str, str]) -> Opened:
        """See :class:`spack.fetch.transport_error.Opener`.

        :raises FetchError: the file cannot be read.
        """
        path = url2pathname(urlsplit(url).path)
        try:
            stream = open(path, "rb")  # noqa: SIM115 - closed with the answer
        except OSError as error:
            missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
            raise FetchError(
                f"{path} cannot be read: {error.strerror}",
                facts={"url": path, "status": 404 if missing else None},
            ) from error
        return _OpenFile(url, stream)


class _OpenFile:
    status = 200

    def __init__(self, url: str, stream: IO[bytes]) -> None:
        self.url = url
        self.headers = {"content-length": str(os.fstat(stream.fileno()).st_size)}
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise TransportError(str(error.strerror), transient=False) from error

    def close(self) -> None:
        self._stream.close()

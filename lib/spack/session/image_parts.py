"""Where images are that the command line names, with the logins of the configured mirrors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from spack.binary.oci_client import OciClient
from spack.binary.oci_image import ImageLayout, ImageRepository, ImageStore
from spack.errors import UsageError
from spack.session.binary_parts import login_of, transport_for

if TYPE_CHECKING:
    from spack.session.session import Session

__all__ = ["ImageReference", "image_reference"]

#: The tag of an image that is named without one, as in every container engine.
LATEST = "latest"


class ImageReference(NamedTuple):
    """An image that the user names.

    :ivar name: its tag, or ``sha256:DIGEST``.
    """

    store: ImageStore
    name: str


def image_reference(session: Session, text: str, *, push: bool) -> ImageReference:
    """Return the image of ``oci://HOST/NAME[:TAG][@sha256:DIGEST]`` or ``DIRECTORY[:TAG]``.

    :param push: it is written to.
    :raises UsageError: it is something else.
    """
    if "://" not in text:
        path, _, digest = text.partition("@sha256:")
        folder, separator, tag = path.rpartition(":")
        if not separator or "/" in tag:
            folder, tag = path, LATEST
        layout = ImageLayout(Path(os.path.abspath(session.cwd / folder)))
        return ImageReference(layout, f"sha256:{digest}" if digest else tag)
    url, _, digest = text.partition("@")
    parts = urlsplit(url)
    repository, separator, tag = parts.path.strip("/").rpartition(":")
    repository = repository if separator else parts.path.strip("/")
    if parts.scheme not in ("oci", "oci+http") or not (parts.netloc and repository):
        raise UsageError(
            f"{text} does not name an image",
            hint="write oci://HOST/NAME:TAG (oci+http:// without encryption), or a directory",
            ref="image-name",
        )
    base = f"{parts.scheme}://{parts.netloc}/{repository}"
    client = OciClient(base, transport_for(session, base), _login(session, base, push))
    return ImageReference(ImageRepository(client), digest or (tag if separator else LATEST))


def _login(session: Session, url: str, push: bool) -> tuple[str, str] | None:
    """Return the login of the first mirror in the same registry."""
    host = urlsplit(url).netloc
    for entry in session.settings.mirrors:
        mirror = entry.push_url if push else entry.fetch_url
        if mirror.startswith(("oci://", "oci+http://")) and urlsplit(mirror).netloc == host:
            return login_of(session, entry, push)
    return None

"""Which certificates are trusted."""

from __future__ import annotations

import os
import ssl

from spack.fetch.network_settings import NetworkSettings
from spack.fetch.transport_error import TransportError

__all__ = ["tls_context"]

#: Where systems keep their certificates, for Pythons built with another idea of it.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


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

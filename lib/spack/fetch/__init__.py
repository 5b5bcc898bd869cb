"""Sources: found, brought, verified by sha256, unpacked safely, patched (see ``fetcher``)."""

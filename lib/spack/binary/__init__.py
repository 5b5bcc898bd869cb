"""Caches of binaries: what was installed once, packed, moved and installed elsewhere.

A cache has Spack's layout (version 3)::

    blobs/<algorithm>/<2 digits>/<digest>          archives, specs, indexes: by their content
    v3/layout.json
    v3/manifests/spec/<name>/<name>-<version>-<hash>.spec.manifest.json
    v3/manifests/index/index.manifest.json

A manifest lists blobs with size, media type and digest; it may be signed. An archive is the
``tar.gz`` of one prefix.
"""

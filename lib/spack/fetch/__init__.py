"""Sources: found, fetched, verified, unpacked safely, and made ready to be patched.

::

    Recipe, version  -> source.source_for      -> UrlSource | IndexSource | GitSource
    IndexSource      -> index.PackageIndex     -> Links (find-links, Simple API; pipconfig)
    url              => transport.Transport    => file (retries, resume; http_opener, file_opener)
    file             => cache.SourceCache      => verified file, by its checksum
    verified file    => archive.unpack         => source directory (box.Box: the rules)
    all of it        => fetcher.Fetcher.stage  => stage.Stage
    Stage.patches    => patches.apply          (by the build)

``package_index``, ``transport``, ``pipconfig`` and what they import use the standard library alone:
the first run (:mod:`spack.bootstrap.own_dependencies`) needs them before any dependency is there.
"""

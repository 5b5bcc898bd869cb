"""Sources: found, fetched, verified, unpacked safely, and made ready to be patched.

::

    Recipe, version  -> source.source_for      -> UrlSource | IndexSource | GitSource
    IndexSource      -> index.PackageIndex     -> Links (find-links, Simple API; pipconfig)
    url              => transport.Transport    => file (plain.BaseTransport: retries, resume)
    file             => cache.SourceCache      => verified file, by its checksum
    verified file    => archive.unpack         => source directory (box.Box: the rules)
    all of it        => fetcher.Fetcher.stage  => stage.Stage
    Stage.patches    => patches.apply          (by the build)

``index``, ``plain``, ``pipconfig`` and ``names`` use the standard library alone, as the first run
(:mod:`spack.bootstrap.own_dependencies`) needs them before any dependency is there.
"""

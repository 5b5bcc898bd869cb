"""What builds are made with: what a session knows, put together when something is built."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from spack.build.clean_environment import compiler_variables
from spack.build.options import BuildOptions
from spack.errors import ConfigError
from spack.store import Modes, modes_of
from spack.util.jobserver import inherited_jobserver

if TYPE_CHECKING:
    from spack.session.session import Session
    from spack.spec import ConcreteSpec

__all__ = ["make_build_options"]


def make_build_options(
    session: Session,
    *,
    checksum: bool,
    dirty: bool | None,
    keep_venv: bool,
    strict_metadata: bool,
    verbose: bool,
) -> BuildOptions:
    """See :meth:`spack.session.Session.build_options`.

    :raises ConfigError: ccache is asked for and not there.
    """
    settings, config = session.settings, session.settings.config
    compiling = _compiling(session)

    def modes(spec: ConcreteSpec) -> Modes:
        return modes_of(settings.permissions(spec.name), config.allow_sgid)

    return BuildOptions(
        recipes=session.recipes,
        fetcher=session.fetcher(checksum=checksum and config.checksum),
        store=session.store,
        host_environment=session.environ,
        stage_root=session.stage_root,
        library_path=session.library_path,
        interpreter=sys.executable,
        passed=config.build_env_pass,
        variables=config.build_env_set,
        write_policy=config.build_env_outside,
        writable=(
            *map(str, config.build_env_write),
            *filter(None, [compiling.get("CCACHE_DIR")]),
        ),
        readable=tuple(map(str, config.build_env_read)),
        network=config.build_env_network,
        compiling=compiling,
        stage_name=config.stage_name,
        dirty=config.dirty if dirty is None else dirty,
        keep_venv=keep_venv,
        wheels=settings.fetch.source_cache / "wheels",
        pool=settings.fetch.source_cache / "unpacked" / str(os.geteuid()),
        strict_metadata=strict_metadata,
        verbose=verbose,
        modes=modes,
        jobserver=inherited_jobserver(session.environ),
    )


def _compiling(session: Session) -> Mapping[str, str]:
    config = session.settings.config
    ccache = None
    if config.ccache:
        ccache = shutil.which("ccache", path=os.pathsep.join(session.search_path))
        if ccache is None:
            raise ConfigError(
                f"{session.settings.origin('config', 'ccache')}: config:ccache is true, but "
                "there is no program ccache on PATH",
                hint="install ccache with the system's package manager, or set it to false",
                ref="ccache",
            )
    directory = session.environ.get("CCACHE_DIR") or str(session.cache / "ccache")
    return compiler_variables(
        config.build_language, config.shared_linking, config.keep_werror, ccache, directory
    )

"""The composition root: everything that a command works with, made once and when first used.

Only this module and :mod:`spack.cli` read the process's environment, its directory and the
user; the layers below get the narrow pieces they need as arguments (DESIGN, decision 1).
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    FrozenSet,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from spack.config.places import find_places
from spack.config.scopes import (
    Scope,
    command_line_scope,
    custom_scope,
    environment_scope,
    standard_scopes,
)
from spack.config.settings import Settings, load_settings
from spack.config.variables import Variables
from spack.errors import ConfigError, UsageError
from spack.host.platform import Host, platform_name
from spack.util.hashing import sha256_hex

if TYPE_CHECKING:
    # Each of these is imported by the property that first needs it: `find` pays for none.
    from spack.actions.concretizing import Wishes
    from spack.actions.environments import EnvironmentWork
    from spack.actions.repositories import RepositoryAccess
    from spack.actions.workshop import Workshop
    from spack.config.packages import PackageSettings
    from spack.environment import DevelopSpec, Environment
    from spack.fetch.fetcher import Fetcher
    from spack.recipe.records import Recipe
    from spack.repo import RepoPath
    from spack.solver.problem import Root, Solution
    from spack.spec import ConcreteSpec, Spec
    from spack.store import Modes, Store
    from spack.util.process import Completed
    from spack.util.report import Reporter

__all__ = ["Options", "Session", "make_session"]

#: The environment variable that names the active environment (its directory).
ACTIVE = "SPACK_ENV"

#: Where programs of the system are when PATH does not say so.
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")

#: From this many on, reading recipes takes long enough to say so.
_MANY_RECIPES = 200


class Options(NamedTuple):
    """The global options of the command line; see ``spack help``."""

    env: Optional[str] = None
    env_dir: Optional[str] = None
    no_env: bool = False
    config: Tuple[str, ...] = ()
    config_scope: Tuple[str, ...] = ()
    insecure: bool = False
    debug: bool = False
    quiet: bool = False
    color: Optional[str] = None


class Session:
    """One run of the command; its parts are made when first used and never change.

    :ivar places: directories of this installation.
    :ivar environ: the process's environment variables.
    :ivar cwd: the directory that relative paths of the command line refer to.
    :ivar home: the user's directory.
    """

    def __init__(
        self,
        options: Options,
        environ: Mapping[str, str],
        cwd: Path,
        home: str,
        make_reporter: Callable[[], Reporter],
    ) -> None:
        self.options = options
        self.environ = environ
        self.cwd = cwd
        self.home = home
        self._make_reporter = make_reporter
        self.places = find_places(environ, home)

    # -- configuration -----------------------------------------------------------------------

    @cached_property
    def variables(self) -> Variables:
        """``$spack`` and its like, without ``$env``."""
        places = self.places
        return Variables(
            {
                "spack": str(places.root),
                "data": str(places.data),
                "user_cache_path": str(places.user_cache),
                "tempdir": lambda: _temporary_directory(self.environ),
                "user": lambda: _user_name(self.environ),
                "SPACK_ROOT": str(places.root),
                "cwd": str(self.cwd),
                "SSL_CERT_FILE": self.environ.get("SSL_CERT_FILE", ""),
            },
            self.environ,
            self.home,
        )

    @cached_property
    def scopes(self) -> Tuple[Scope, ...]:
        """All scopes, lowest precedence first; the active environment's among them."""
        scopes: List[Scope] = list(standard_scopes(str(self.places.etc), self.environ, self.home))
        if self.environment is not None:
            scopes.append(environment_scope(self.environment.manifest.loaded))
        scopes += [custom_scope(str(self.cwd / path)) for path in self.options.config_scope]
        if self.options.config:
            scopes.append(command_line_scope(self.options.config))
        if self.options.insecure:
            scopes.append(command_line_scope(("config:verify_ssl:false",)))
        return tuple(scopes)

    @cached_property
    def settings(self) -> Settings:
        """The merged configuration.

        :raises ConfigError: every problem of every file at once.
        """
        variables = self.variables
        if self.environment is not None:
            variables = variables.with_values(env=str(self.environment.path))
        return self._load(self.scopes, variables)

    @cached_property
    def base_settings(self) -> Settings:
        """The configuration without the active environment: what finds environments by name."""
        scopes = standard_scopes(str(self.places.etc), self.environ, self.home)
        return self._load(scopes, self.variables)

    def _load(self, scopes: Sequence[Scope], variables: Variables) -> Settings:
        return load_settings(
            scopes,
            variables,
            platform_name(),
            self._config_cache,
            tell=lambda note: self.reporter.warning(note),
        )

    @property
    def _config_cache(self) -> str:
        return str(self.places.user_cache / "cache" / "config")

    @property
    def cache(self) -> Path:
        """The directory of what may be computed again (``config:misc_cache``)."""
        return self.settings.config.misc_cache

    # -- parts -------------------------------------------------------------------------------

    @cached_property
    def environment(self) -> Optional[Environment]:
        """The active environment: ``-e``, ``-D`` or ``$SPACK_ENV``; None with ``-E`` or without.

        :raises EnvironmentFileError: it is named but not there.
        """
        options = self.options
        named = options.env or options.env_dir
        if options.no_env or not (named or self.environ.get(ACTIVE)):
            return None
        return self.find_environment(named or self.environ[ACTIVE], options.env is None)

    def find_environment(self, name: str, directory_only: bool = False) -> Environment:
        """The environment of that name, or in that directory."""
        from spack.environment import find_environment

        root = self.base_settings.config.environments_root
        return find_environment(
            name,
            root,
            self.cwd,
            directory_only=directory_only,
            cache=self._config_cache,
            names=self._condition_names,
        )

    def _condition_names(self) -> Mapping[str, Any]:
        """What conditions in ``spack.yaml`` may ask."""
        host = Host.detect(str(self.places.user_cache / "cache" / "host"))
        return {
            "platform": host.platform,
            "os": host.os,
            "target": host.target,
            "arch": f"{host.platform}-{host.os}-{host.target}",
            "hostname": os.uname().nodename,
            "env": self.environ,
        }

    def within(self, environment: Environment) -> Session:
        """A session like this one with *environment* active."""
        options = self.options._replace(env=None, env_dir=str(environment.path), no_env=False)
        return Session(options, self.environ, self.cwd, self.home, self._make_reporter)

    def need_environment(self, command: str) -> Environment:
        """The active environment.

        :raises UsageError: none is active.
        """
        if self.environment is None:
            raise UsageError(
                f"`spack {command}` needs an active environment",
                hint=f"name one: `spack -e NAME-OR-DIR {command} …`, or `spack env activate NAME`",
                ref="no-environment",
            )
        return self.environment

    @cached_property
    def host(self) -> Host:
        """This machine."""
        return Host.detect(str(self.cache / "host"), self.settings.concretizer.granularity)

    @cached_property
    def recipes(self) -> RepoPath:
        """The configured repositories of recipes, this tree's own among them."""
        from spack.actions.repositories import repositories
        from spack.repo import RepoPath

        return RepoPath(
            repositories(self.settings.repos, self.repository_access),
            self.cache / "recipes",
            on_build=self._tell_of_index,
        )

    @property
    def repository_access(self) -> RepositoryAccess:
        """What opens repositories of recipes, and clones those from git."""
        from spack.actions.repositories import access_to

        cache = self.places.user_cache
        return access_to(cache, self.environ, lambda: self.reporter, self._config_cache)

    def _tell_of_index(self, count: int) -> None:
        if count > _MANY_RECIPES:
            self.reporter.info(f"reading {count} recipes (once)")

    def need_recipe(self, name: str) -> Recipe:
        """The facts of a package.

        :raises RecipeError: there is none, with names that look like it.
        """
        recipe = self.recipes.get(name)
        if recipe is None:
            raise self.recipes.unknown(name)
        return recipe

    @cached_property
    def packages(self) -> Mapping[str, PackageSettings]:
        """``packages.yaml`` with what this machine has where nothing is configured."""
        from spack.config.externals import packages_with_detected
        from spack.host.detection import ON_THE_FLY

        return packages_with_detected(
            self.settings,
            self.search_path,
            self.run_program,
            str(self.cache / "host"),
            [name for name in ON_THE_FLY if self.recipes.exists(name)],
        )

    @property
    def search_path(self) -> Tuple[str, ...]:
        """Directories where programs of the machine are looked for."""
        path = tuple(item for item in self.environ.get("PATH", "").split(os.pathsep) if item)
        further = [str(x) for x in self.settings.config.additional_external_search_paths]
        further += [os.path.join(item, "bin") for item in further]
        return tuple(dict.fromkeys((*path, *SYSTEM_PATH, *further)))

    @staticmethod
    def run_program(argv: Sequence[str]) -> Completed:
        """Run a program of the machine to ask it what it is, in a neutral environment."""
        from spack.util.process import run

        return run(argv, env={"PATH": os.pathsep.join(SYSTEM_PATH), "LC_ALL": "C"}, cwd="/")

    @cached_property
    def splits_env(self) -> bool:
        """Whether ``/usr/bin/env -S`` works here."""
        from spack.host import launch

        return launch.splits_env(self.run_program, str(self.cache / "host"))

    @cached_property
    def store(self) -> Store:
        """The install tree."""
        from spack.store import Layout, Store

        config = self.settings.config
        layout = Layout(
            config.install_tree,
            projections=config.projections,
            padded_length=config.padded_length,
            hash_length=config.install_hash_length,
        )
        return Store(
            layout,
            locks=config.locks,
            patience=config.db_lock_timeout,
            package_patience=config.package_lock_timeout,
        )

    @cached_property
    def reporter(self) -> Reporter:
        """Where progress goes."""
        return self._make_reporter()

    @cached_property
    def library_path(self) -> Tuple[str, ...]:
        """What a child started with ``-I -S`` needs on ``sys.path`` beside the standard library."""
        standard = os.path.dirname(os.__file__)
        own = str(Path(__file__).resolve().parent.parent)
        return (
            own,
            *(
                item
                for item in sys.path
                if item not in (own, standard, os.path.join(standard, "lib-dynload"))
                and os.path.isdir(item)
            ),
        )

    # -- use cases that need many parts ------------------------------------------------------

    def concretize(self, specs: Sequence[Spec], wishes: Wishes) -> Solution:
        """Make specs of the command line concrete, in the light of what is installed."""
        from spack.solver.problem import Root

        develop = self.environment.develop_specs(self.variables) if self.environment else ()
        return self._solve([Root(spec) for spec in specs], wishes, (), develop)

    def concretize_environment(
        self, environment: Environment, wishes: Wishes, force: bool = False
    ) -> Solution:
        """Make the specs of an environment concrete; nothing is written.

        :param force: forget what was decided before.
        """
        from spack.actions.environments import parse_at
        from spack.solver.problem import Root

        roots = [
            Root(parse_at(item.text, item.origin), str(item.origin))
            for item in environment.user_specs()
        ]
        fixed = () if force or self.settings.concretizer.force else environment.roots()
        return self._solve(roots, wishes, fixed, environment.develop_specs(self.variables))

    def environment_work(self, environment: Environment) -> EnvironmentWork:
        """What is needed to bring *environment* up to date; it is the active one."""
        from spack.actions.environments import EnvironmentWork, known_environments

        root = self.base_settings.config.environments_root
        configuration = {x: self.settings.data(x) for x in ("packages", "concretizer")}
        develop = environment.develop_specs(self.variables)
        if develop:
            configuration["develop"] = sorted(str(row.constraint) for row in develop)
        return EnvironmentWork(
            environment=environment,
            configuration=configuration,
            views=environment.views(self.variables),
            solve=lambda wishes, force: self.concretize_environment(environment, wishes, force),
            store=self.store,
            recipes=lambda: self.recipes,
            share=self.places.share,
            register=self.environments_file,
            reporter=self.reporter,
            library_path=self.library_path,
            splits_env=self.splits_env,
            others=lambda: known_environments(root, self.environments_file),
            own_places=lambda: (self.stage_root, self.store.root),
        )

    def _reusable(self, wanted: Sequence[Spec]) -> Mapping[str, ConcreteSpec]:
        """Installed specs that ``concretizer:reuse`` allows, and those that are named by hash."""
        from spack.actions.concretizing import allowed

        reuse = self.settings.concretizer.reuse_settings
        return allowed(self.store.database.specs(), reuse, wanted)

    def _solve(
        self,
        roots: Sequence[Root],
        wishes: Wishes,
        fixed: Sequence[ConcreteSpec],
        develop: Sequence[DevelopSpec],
    ) -> Solution:
        from spack.actions.concretizing import concretize, reusable_specs
        from spack.solver.problem import Root

        settings = self.settings
        return concretize(
            roots,
            self.recipes,
            self.host,
            self.packages,
            settings.concretizer,
            reusable_specs(self._reusable([root.spec for root in roots]), fixed),
            wishes,
            deprecated=settings.config.deprecated,
            develop={row.name: Root(row.constraint, str(row.origin)) for row in develop},
        )

    @property
    def stage_root(self) -> Path:
        """Where this install tree's builds are staged: below the first configured usable directory.

        Each install tree has a part of its own: nodes of one hash may be built for several trees
        at one time, and the locks of one tree do not hold others off.

        :raises InstallError: no configured directory can be used.
        """
        from spack.fetch.stage import choose_root

        own = sha256_hex(str(self.store.root))[:8]
        return choose_root(self.settings.config.build_stage, os.getuid()) / own

    def workshop(
        self,
        *,
        checksum: bool = True,
        dirty: bool = False,
        keep_venv: bool = False,
        strict_metadata: bool = False,
    ) -> Workshop:
        """What builds need.

        :param checksum: False takes sources without a checksum, and with a wrong one.
        """
        from spack.actions.workshop import Workshop

        config = self.settings.config
        compiling = self._compiling()
        return Workshop(
            recipes=self.recipes,
            fetcher=self.fetcher(checksum=checksum and config.checksum),
            store=self.store,
            host_environment=self.environ,
            stage_root=self.stage_root,
            library_path=self.library_path,
            interpreter=sys.executable,
            passed=config.build_env_pass,
            variables=config.build_env_set,
            outside=config.build_env_outside,
            writable=(
                *map(str, config.build_env_write),
                *filter(None, [compiling.get("CCACHE_DIR")]),
            ),
            compiling=compiling,
            stage_name=config.stage_name,
            dirty=dirty or config.dirty,
            keep_venv=keep_venv,
            wheels=self.settings.fetch.source_cache / "wheels",
            strict_metadata=strict_metadata,
            modes=self._modes,
        )

    def _compiling(self) -> Mapping[str, str]:
        """:raises ConfigError: ccache is asked for and not there."""
        from spack.build.environment import compiler_variables

        config = self.settings.config
        ccache = None
        if config.ccache:
            import shutil  # start-up: with its archives 3 ms, and only for builds

            ccache = shutil.which("ccache", path=os.pathsep.join(self.search_path))
            if ccache is None:
                raise ConfigError(
                    f"{self.settings.origin('config', 'ccache')}: config:ccache is true, but "
                    "there is no program ccache on PATH",
                    hint="install ccache with the system's package manager, or set it to false",
                    ref="ccache",
                )
        directory = self.environ.get("CCACHE_DIR") or str(self.cache / "ccache")
        return compiler_variables(
            config.build_language, config.shared_linking, config.keep_werror, ccache, directory
        )

    def _modes(self, spec: ConcreteSpec) -> Modes:
        from spack.store import modes_of

        permissions = self.settings.permissions(spec.name)
        return modes_of(permissions, self.settings.config.allow_sgid)

    def fetcher(self, *, checksum: bool = True) -> Fetcher:
        """What brings sources; see :func:`spack.actions.fetching.make_fetcher`."""
        from spack.actions.fetching import make_fetcher

        return make_fetcher(self.settings, self.environ, self.places.root, checksum=checksum)

    def environment_roots(self) -> FrozenSet[str]:
        """Hashes of the roots of all environments that are known and still exist."""
        from spack.actions.environments import living_roots

        return living_roots(self.base_settings.config.environments_root, self.environments_file)

    @property
    def environments_file(self) -> Path:
        """Where environments outside of the directory of named ones are remembered."""
        return self.places.data / "var" / "spack" / "environments.json"

    def close(self) -> None:
        """Ends what is open; nothing is lost if it is not called."""
        made: Dict[str, Any] = self.__dict__
        if "store" in made:
            self.store.close()
        close = getattr(made.get("reporter"), "close", None)
        if close is not None:
            close()


def make_session(options: Any, make_reporter: Callable[[], Reporter]) -> Session:
    """The session of this process for the parsed global options.

    :param make_reporter: called when progress is first to be told.
    """
    environ = dict(os.environ)
    home = os.path.expanduser("~")
    values: Dict[str, Any] = {
        key: getattr(options, key) for key in Options._fields if hasattr(options, key)
    }
    for key in ("config", "config_scope"):
        values[key] = tuple(values.get(key) or ())
    try:
        directory = Path.cwd()
    except OSError:
        # It was removed: only a command that needs it will miss it.
        directory = Path(environ.get("PWD") or "/")
    return Session(Options(**values), environ, directory, home, make_reporter)


def _temporary_directory(environ: Mapping[str, str]) -> str:
    """Where temporary files go, as :func:`tempfile.gettempdir` says, whose import takes 3 ms."""
    named = [environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    for path in (*named, "/tmp", "/var/tmp", "/usr/tmp"):
        if path and os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK):
            return os.path.abspath(path)
    return os.getcwd()


def _user_name(environ: Mapping[str, str]) -> str:
    """The user, as :func:`getpass.getuser` says, whose import takes 0.5 ms."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if environ.get(name):
            return environ[name]
    import pwd  # only there where users have names

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())

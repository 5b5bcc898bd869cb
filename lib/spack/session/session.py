"""The parts of one run of the command, each made once and when first used."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
)

from spack.config.paths import find_installation
from spack.config.schema import nodes_of
from spack.config.scopes import (
    ENVIRONMENT_SCOPE,
    Scope,
    command_line_scope,
    custom_scope,
    environment_scope,
    standard_scopes,
)
from spack.config.settings import load_settings
from spack.errors import EnvironmentFileError, UsageError
from spack.host.platform import Host, platform_name
from spack.session.global_options import (
    condition_names,
    configuration_variables,
    library_path,
    run_program,
    search_path,
    upstream_roots,
)
from spack.util.hashing import sha256_hex

if TYPE_CHECKING:
    # Each of these is imported by the property that first needs it: `find` pays for none.
    from spack.actions.concretizing import ConcretizeOptions
    from spack.actions.environments import EnvironmentWork
    from spack.actions.index_wheels import IndexWheels
    from spack.actions.repositories import RepositoryAccess
    from spack.actions.views import ViewParts
    from spack.binary.binary_cache import BinaryCache
    from spack.build.options import BuildOptions
    from spack.config.includes import IncludeAccess
    from spack.config.packages import PackageSettings
    from spack.config.schema import Tree
    from spack.config.settings import Settings
    from spack.config.variables import Variables
    from spack.environment import Environment
    from spack.fetch.fetcher import Fetcher
    from spack.recipe.records import Recipe
    from spack.repo import RepoPath
    from spack.session.global_options import (
        GlobalOptions,
    )
    from spack.solver.problem import Solution
    from spack.spec import ConcreteSpec, Spec
    from spack.store import Store
    from spack.util.report import Reporter

__all__ = ["ACTIVE", "Session"]

#: The environment variable that names the active environment (its directory).
ACTIVE = "SPACK_ENV"

#: From this many on, reading recipes takes long enough to say so.
_MANY_RECIPES = 200


class Session:
    """One run of the command; its parts are made when first used and never change.

    :ivar locations: directories of this installation.
    :ivar environ: the process's environment variables.
    :ivar cwd: the directory that relative paths of the command line refer to.
    :ivar home: the user's directory.
    """

    def __init__(
        self,
        options: GlobalOptions,
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
        self.locations = find_installation(environ, home)

    # -- configuration -----------------------------------------------------------------------

    @cached_property
    def variables(self) -> Variables:
        """``$spack`` and its like, without ``$env``."""
        return configuration_variables(self.locations, self.environ, self.cwd, self.home)

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """All scopes, lowest precedence first; the active environment's among them."""
        scopes = list(standard_scopes(str(self.locations.etc), self.environ, self.home))
        if self.environment is not None:
            scopes.append(environment_scope(self.environment.manifest.loaded))
        return (*scopes, *self._given_scopes())

    def _given_scopes(self) -> list[Scope]:
        """Return the scopes of the command line, which are above all."""
        scopes = [custom_scope(str(self.cwd / path)) for path in self.options.config_scope]
        if self.options.config:
            scopes.append(command_line_scope(self.options.config))
        if self.options.insecure:
            scopes.append(command_line_scope(("config:verify_ssl:false",)))
        return scopes

    @cached_property
    def settings(self) -> Settings:
        """The merged configuration.

        :raises ConfigError: every problem of every file at once.
        """
        variables = self.variables
        if self.environment is not None:
            variables = variables.with_values(env=str(self.environment.path))
        return self._load(self.scopes, variables)

    def environment_settings(self, environment: Environment) -> Settings:
        """Return what the ``spack.yaml`` of *environment*, and the files it includes, configure.

        The lock of an environment follows these, not other scopes.
        """
        scope = environment_scope(environment.manifest.loaded)._replace(fresh=False)
        variables = self.variables.with_values(env=str(environment.path))
        return self._load((scope,), variables)

    @cached_property
    def base_settings(self) -> Settings:
        """The configuration without the active environment: what finds environments by name."""
        scopes = standard_scopes(str(self.locations.etc), self.environ, self.home)
        scopes += tuple(scope._replace(fresh=False) for scope in self._given_scopes())
        return self._load(scopes, self.variables)

    def _load(self, scopes: Sequence[Scope], variables: Variables) -> Settings:
        return load_settings(
            scopes,
            variables,
            platform_name(),
            self._config_cache,
            report_note=lambda note: self.reporter.warning(note),
            access=self._include_access(),
        )

    def _include_access(self) -> IncludeAccess:
        from spack.actions.remote_includes import include_access

        return include_access(
            self._condition_names,
            self.variables,
            self.environ,
            self.locations.root,
            user_cache=self.locations.user_cache,
        )

    def _condition_names(self) -> Mapping[str, Any]:
        return condition_names(self.locations, self.environ)

    @property
    def _config_cache(self) -> str:
        return str(self.locations.user_cache / "cache" / "config")

    @property
    def cache(self) -> Path:
        """The directory of what may be computed again (``config:misc_cache``)."""
        return self.settings.config.misc_cache

    # -- parts -------------------------------------------------------------------------------

    @cached_property
    def environment(self) -> Environment | None:
        """The active environment: ``-e``, ``-D`` or ``$SPACK_ENV``; None with ``-E`` or without.

        :raises EnvironmentFileError: it is named but not there.
        """
        options = self.options
        named = options.env_dir if options.env is None else options.env
        if options.no_env:
            return None
        if named is not None:
            return self.find_environment(named, options.env is None)
        active = self.environ.get(ACTIVE)
        if not active:
            return None
        try:
            return self.find_environment(active, directory_only=True)
        except EnvironmentFileError as error:
            raise error.replaced(
                message=f"the active environment is missing: {error.message}",
                hint="`spack env deactivate`; if it was moved, activate it where it is now",
            ) from error

    def find_environment(self, name: str, directory_only: bool = False) -> Environment:
        """Return the environment of that name, or in that directory."""
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

    def within(self, environment: Environment, *config: str) -> Session:
        """Return a session like this one with *environment* active.

        :param config: further values, as ``-c`` takes them.
        """
        options = self.options._replace(
            env=None,
            env_dir=str(environment.path),
            no_env=False,
            config=(*self.options.config, *config),
        )
        return Session(options, self.environ, self.cwd, self.home, self._make_reporter)

    def with_override(self, sections: Tree) -> Session:
        """Return a session like this one with *sections* above the active environment's.

        What they cannot change is shared: recipes, the install tree, the reporter.
        """
        other = Session(self.options, self.environ, self.cwd, self.home, self._make_reporter)
        shared: dict[str, Any] = other.__dict__
        shared.update(environment=self.environment, recipes=self.recipes, store=self.store)
        shared.update(reporter=self.reporter, base_settings=self.base_settings)
        scopes: list[Scope] = []
        for scope in self.scopes:
            scopes.append(scope)
            if scope.name == ENVIRONMENT_SCOPE:
                scopes.append(Scope("group", scope.path, nodes_of(sections)[0], fresh=False))
        shared["scopes"] = tuple(scopes)
        return other

    def need_environment(self, command: str) -> Environment:
        """Return the active environment.

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
        """Return this machine."""
        return Host.detect(str(self.cache / "host"), self.settings.concretizer.granularity)

    @cached_property
    def recipes(self) -> RepoPath:
        """The configured repositories of recipes, this tree's own among them."""
        from spack.actions.repositories import repositories
        from spack.repo import RepoPath
        from spack.repo.index_repository import IndexRepository

        return RepoPath(
            repositories(self.settings.repos, self.repository_access),
            self.cache / "recipes",
            on_build=self._report_index,
            of_index=IndexRepository(self.cache / "index-recipes"),
        )

    @property
    def repository_access(self) -> RepositoryAccess:
        """What opens repositories of recipes, and clones those from git."""
        from spack.actions.repositories import access_to

        cache = self.locations.user_cache
        return access_to(cache, self.environ, lambda: self.reporter, self._config_cache)

    def _report_index(self, count: int) -> None:
        if count > _MANY_RECIPES:
            from spack.actions.notices import ReadingRecipes  # start-up: once per change

            self.reporter.report(ReadingRecipes(count))

    def need_recipe(self, name: str) -> Recipe:
        """Return the facts of a package.

        :raises RecipeError: there is none, with names that look like it.
        """
        recipe = self.recipes.get(name)
        if recipe is None:
            raise self.recipes.unknown(name)
        return recipe

    @cached_property
    def packages(self) -> Mapping[str, PackageSettings]:
        """``packages.yaml`` with what this machine has where nothing is configured."""
        from spack.actions.notices import CompilerUnusable
        from spack.config.externals import packages_with_detected
        from spack.host.detection import ON_THE_FLY

        return packages_with_detected(
            self.settings,
            self.search_path,
            run_program,
            str(self.cache / "host"),
            [name for name in ON_THE_FLY if self.recipes.exists(name)],
            unusable=lambda found: self.reporter.report(CompilerUnusable(found.executable)),
        )

    @property
    def search_path(self) -> tuple[str, ...]:
        """Directories where programs of the machine are looked for."""
        return search_path(self.environ, self.settings.config.additional_external_search_paths)

    #: Runs a program of the machine to ask it what it is.
    run_program = staticmethod(run_program)

    @cached_property
    def splits_env(self) -> bool:
        """Whether ``/usr/bin/env -S`` works here."""
        from spack.host import launch

        return launch.splits_env(run_program, str(self.cache / "host"))

    @property
    def view_parts(self) -> ViewParts:
        """What views are made with."""
        from spack.actions.unrecorded_environments import UnrecordedEnvironments
        from spack.actions.views import ViewParts

        return ViewParts(
            store=self.store,
            share=self.locations.share,
            recipes=lambda: self.recipes,
            library_path=self.library_path,
            splits_env=self.splits_env,
            run_environments=UnrecordedEnvironments(
                self.cache / "run-environments", lambda: self.recipes, self.library_path
            ),
        )

    @cached_property
    def store(self) -> Store:
        """The install tree."""
        from spack.store import Layout, Store, Upstreams

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
            upstreams=Upstreams(
                upstream_roots(self.settings, self.locations), self.cache / "upstreams"
            ),
        )

    @cached_property
    def wheels(self) -> IndexWheels:
        """Wheels of the package index; nothing is looked up before the solver asks."""
        from spack.actions.index_wheels import index_wheels

        return index_wheels(self.fetcher(checksum=self.settings.config.checksum))

    @cached_property
    def caches(self) -> list[BinaryCache]:
        """The configured caches of binaries; the index of each is read once."""
        from spack.session.binary_parts import make_caches

        return make_caches(self)

    @cached_property
    def reporter(self) -> Reporter:
        """Where progress goes."""
        return self._make_reporter()

    @cached_property
    def library_path(self) -> tuple[str, ...]:
        """See :func:`spack.session.global_options.library_path`."""
        return library_path()

    # -- use cases that need many parts ------------------------------------------------------

    def concretize(self, specs: Sequence[Spec], concretize_options: ConcretizeOptions) -> Solution:
        """Make specs of the command line concrete, in the light of what is installed."""
        from spack.session.solver_input import concretize_specs

        return concretize_specs(self, specs, concretize_options)

    def concretize_environment(
        self,
        environment: Environment,
        concretize_options: ConcretizeOptions,
        force: bool = False,
        more: Sequence[ConcreteSpec] = (),
    ) -> Solution:
        """Make the specs of an environment concrete; nothing is written.

        :param force: forget what was decided before.
        :param more: concrete specs that may be used beside those that are installed.
        """
        from spack.session.solver_input import concretize_environment

        force = force or concretize_options.force
        return concretize_environment(self, environment, concretize_options, force, more)

    def environment_work(self, environment: Environment) -> EnvironmentWork:
        """Return what updates *environment*, the active one."""
        from spack.session.environment_parts import environment_work

        return environment_work(self, environment)

    @property
    def stage_root(self) -> Path:
        """Where this install tree's builds are staged: below the first configured usable directory.

        Each install tree has a part of its own: nodes of one hash may be built for several trees
        at one time, and the locks of one tree do not block the other.

        :raises InstallError: no configured directory can be used.
        """
        from spack.fetch.stage import choose_root

        own = sha256_hex(str(self.store.root))[:8]
        return choose_root(self.settings.config.build_stage, os.getuid()) / own

    def excluded_directories(self) -> tuple[Path, ...]:
        """Return directories of the engine that may be among a developer's sources."""
        return (self.stage_root, self.store.root)

    def build_options(
        self,
        *,
        checksum: bool = True,
        dirty: bool | None = None,
        keep_venv: bool = False,
        strict_metadata: bool = False,
        verbose: bool = False,
    ) -> BuildOptions:
        """Return the options of builds.

        :param checksum: False takes sources without a checksum, and with a wrong one.
        :param dirty: None is as configured.
        :param verbose: report what builds print.
        :raises ConfigError: a program that the configuration asks for is not there.
        """
        from spack.session.build_parts import make_build_options

        return make_build_options(
            self,
            checksum=checksum,
            dirty=dirty,
            keep_venv=keep_venv,
            strict_metadata=strict_metadata,
            verbose=verbose,
        )

    def fetcher(self, *, checksum: bool = True) -> Fetcher:
        """Return the fetcher; see :func:`spack.actions.fetching.make_fetcher`."""
        from spack.actions.fetching import make_fetcher

        return make_fetcher(self.settings, self.environ, self.locations.root, checksum=checksum)

    def environment_roots(self) -> Mapping[str, tuple[str, ...]]:
        """Return the root hashes of all known and existing environments, with their names."""
        from spack.actions.environments import living_roots

        return living_roots(self.base_settings.config.environments_root, self.environments_file)

    @property
    def environments_file(self) -> Path:
        """Where environments outside of the directory of named ones are remembered.

        With the packages that they need, as a hash says nothing of the install tree that it is in.
        """
        return self.store.layout.database_folder / "environments.json"

    def close(self) -> None:
        """Close the open parts; nothing is lost without the call."""
        made: dict[str, Any] = self.__dict__
        for name in ("recipes", "wheels", "store", "reporter"):
            close = getattr(made.get(name), "close", None)
            if close is not None:
                close()

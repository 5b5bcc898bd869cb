"""Packages with a ``configure`` script, or with what autoconf makes one from."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from spack.api.context import SpecView
from spack.package import (
    BuilderWithDefaults,
    EnvironmentModifications,
    Executable,
    FileFilter,
    InstallError,
    ModuleChangePropagator,
    PackageBase,
    Prefix,
    apply_macos_rpath_fixups,
    build_system,
    compiler_spec,
    conflicts,
    copy,
    create_builder,
    depends_on,
    execute_install_time_tests,
    find,
    force_remove,
    is_exe,
    keep_modification_time,
    mkdirp,
    register_builder,
    run_after,
    run_before,
    safe_remove,
    tty,
    when,
    working_dir,
)
from spack.spec.languages import LANGUAGES

from ._checks import ensure_build_dependencies_or_raise, execute_build_time_tests

__all__ = ["AutotoolsBuilder", "AutotoolsPackage"]

#: Families whose old ``config.guess`` and ``config.sub`` do not know them: newer ones replace
#: those that do not run. The value is what config.sub is tried with.
GNUCONFIG_TARGETS = {"ppc64le": "ppc64le", "aarch64": "aarch64", "riscv64": "riscv64"}

#: Faults that old libtool macros left in ``configure`` scripts.
CONFIGURE_FAULTS = (
    (r'^(\s*if test x-L = )("\$p" \|\|\s*)$', r"\1x\2"),
    (r'^(\s*test x-R = )("\$p")(; then\s*)$', r'\1x\2 || test x-l = x"$p"\3'),
    (r'^(\s*test \$p = "-R")(; then\s*)$', r'\1 || test x-l = x"$p"\2'),
)


class AutotoolsPackage(PackageBase):
    """A package for ``./configure && make && make install``."""

    build_system_class = "AutotoolsPackage"
    default_buildsystem = "autotools"

    build_system("autotools")

    with when("build_system=autotools"):
        for _family in GNUCONFIG_TARGETS:
            depends_on("gnuconfig", type="build", when=f"target={_family}:")
        depends_on("gmake", type="build")
        conflicts("platform=windows")

    def flags_to_build_system_args(self, flags: Mapping[str, list[str]]) -> None:
        """Turn compiler flags into ``NAME=flags`` arguments, kept in ``configure_flag_args``."""
        args: list[str] = []
        for name, values in flags.items():
            if values:
                variable = "LIBS" if name == "ldlibs" else name.upper()
                args.append(f"{variable}={' '.join(values)}")
        if flags.get("fflags"):  # FFLAGS is for Fortran 77 only
            args.append(f"FCFLAGS={' '.join(flags['fflags'])}")
        self.configure_flag_args = args

    def enable_or_disable(self, *args: Any, **kwargs: Any) -> list[str]:
        """See :meth:`AutotoolsBuilder.enable_or_disable`."""
        found: list[str] = create_builder(self).enable_or_disable(*args, **kwargs)
        return found

    def with_or_without(self, *args: Any, **kwargs: Any) -> list[str]:
        """See :meth:`AutotoolsBuilder.with_or_without`."""
        found: list[str] = create_builder(self).with_or_without(*args, **kwargs)
        return found


@register_builder("autotools")
class AutotoolsBuilder(BuilderWithDefaults):
    """Generate ``configure`` where it is missing, configure, build, install."""

    phases = ("autoreconf", "configure", "build", "install")

    package_methods = ("configure_args", "check", "installcheck")
    package_attributes = (
        "archive_files",
        "patch_libtool",
        "build_targets",
        "install_targets",
        "build_time_test_callbacks",
        "install_time_test_callbacks",
        "force_autoreconf",
        "autoreconf_extra_args",
        "install_libtool_archives",
        "patch_config_files",
        "configure_directory",
        "configure_abs_path",
        "build_directory",
        "autoreconf_search_path_args",
    )

    #: Correct what libtool gets wrong.
    patch_libtool = True
    #: Generate ``configure`` even if it is there.
    force_autoreconf = False
    #: Further arguments of autoreconf.
    autoreconf_extra_args: list[str] = []
    #: Keep ``.la`` files, which name directories of the build.
    install_libtool_archives = False

    build_targets: list[str] = []
    install_targets = ["install"]
    build_time_test_callbacks = ["check"]
    install_time_test_callbacks = ["installcheck"]

    @property
    def patch_config_files(self) -> bool:
        """Whether ``config.guess`` and ``config.sub`` may be too old for the target."""
        return self._gnuconfig_family() is not None

    def _gnuconfig_family(self) -> str | None:
        families = (x for x in GNUCONFIG_TARGETS if self.pkg.spec.satisfies(f"target={x}:"))
        return next(families, None)

    @property
    def _removed_la_files_log(self) -> str:
        return os.path.join(self.build_directory, "removed_la_files.txt")

    @property
    def archive_files(self) -> list[str]:
        """Files of the build that are kept with its log."""
        files = [os.path.join(self.build_directory, "config.log")]
        return files if self.install_libtool_archives else [*files, self._removed_la_files_log]

    @property
    def configure_directory(self) -> str:
        """Directory of ``configure``."""
        source: str = self.pkg.stage.source_path
        return source

    @property
    def configure_abs_path(self) -> str:
        """Path of ``configure``."""
        return os.path.join(os.path.abspath(self.configure_directory), "configure")

    @property
    def build_directory(self) -> str:
        """Directory to build in: that of ``configure``."""
        return os.path.join(self.pkg.stage.source_path, self.configure_directory)

    @property
    def autoreconf_search_path_args(self) -> list[str]:
        """``-I`` for the aclocal directories of build dependencies, externals last."""
        own = [x.prefix.share.aclocal for x in self.spec.dependencies("automake", "build")]
        dependencies = self.spec.dependencies(deptype="build")
        ordered = sorted(dependencies, key=lambda dependency: bool(dependency.external))
        args: dict[str, None] = {}
        for dependency in ordered:
            path = str(dependency.prefix.share.aclocal)
            if os.path.isdir(path) and path not in own:
                args[path] = None
        return [word for path in args for word in ("-I", path)]

    @run_before("autoreconf")
    def _delete_configure_to_force_update(self) -> None:
        if self.force_autoreconf:
            force_remove(self.configure_abs_path)

    def autoreconf(self, pkg: AutotoolsPackage, spec: SpecView, prefix: Prefix) -> None:
        """Make ``configure`` where it is missing."""
        if os.path.exists(self.configure_abs_path):
            return
        ensure_build_dependencies_or_raise(
            spec, ["autoconf", "automake", "libtool"], "Cannot generate configure"
        )
        tty.msg("There is no configure script: generating it")
        with working_dir(self.configure_directory):
            pkg.module.autoreconf(
                "-ivf", *self.autoreconf_search_path_args, *self.autoreconf_extra_args
            )

    @run_after("autoreconf")
    def _do_patch_config_files(self) -> None:
        """Replace ``config.guess`` and ``config.sub`` that do not run by newer ones."""
        family = self._gnuconfig_family()
        if not self.patch_config_files or family is None:
            return
        names = ["config.sub", "config.guess"]
        old = [x for x in find(self.pkg.stage.path, names) if not _runs(x, family)]
        if not old:
            return
        ensure_build_dependencies_or_raise(
            self.pkg.spec, ["gnuconfig"], "Cannot patch config files"
        )
        directory = self.pkg.spec["gnuconfig"].prefix
        new = {os.path.basename(x): x for x in find(directory, names, recursive=False)}
        for path in old:
            replacement = new.get(os.path.basename(path))
            if replacement is None or not _runs(replacement, family):
                raise InstallError(
                    f"gnuconfig in {directory} has no {os.path.basename(path)} that runs",
                    hint="set patch_config_files = False in the recipe to do without",
                )
            mode = os.stat(path).st_mode
            os.chmod(path, mode | stat.S_IWUSR)
            copy(replacement, path)
            os.chmod(path, mode)

    @run_after("autoreconf")
    def _set_configure_or_die(self) -> None:
        """Publish the name ``configure``."""
        if not os.path.exists(self.configure_abs_path):
            raise InstallError(f"configure script not found in {self.configure_directory}")
        names = ModuleChangePropagator(self.pkg)
        names.configure = Executable(self.configure_abs_path)
        names.propagate_changes_to_mro()

    @run_before("configure")
    def _prepare_configure(self) -> None:
        """Let scripts run as root, and correct faults of old libtool macros in them."""
        os.environ["FORCE_UNSAFE_CONFIGURE"] = "1"
        if not self.patch_libtool:
            return
        scripts = FileFilter(*filter(is_exe, find(self.build_directory, "configure")))
        with keep_modification_time(*scripts.filenames):
            for regex, replacement in CONFIGURE_FAULTS:
                scripts.filter(regex, replacement)

    def configure_args(self) -> list[str]:
        """Return arguments of the recipe, after ``--prefix``."""
        return []

    def configure(self, pkg: AutotoolsPackage, spec: SpecView, prefix: Prefix) -> None:
        """Run ``configure``."""
        flags = list(getattr(self.pkg, "configure_flag_args", []))
        with working_dir(self.build_directory, create=True):
            pkg.module.configure(*flags, f"--prefix={prefix}", *self.configure_args())

    @run_after("configure")
    def _do_patch_libtool(self) -> None:
        """Give ``libtool`` the flags of compilers that it did not recognise."""
        files = list(filter(is_exe, find(self.build_directory, "libtool")))
        if not self.patch_libtool or not files:
            return
        libtool = FileFilter(*files)
        compiler = compiler_spec(self.spec)
        if compiler is not None:
            libtool.filter('^wl=""$', f'wl="{compiler.package.linker_arg}"')
        for row in LANGUAGES:
            if self.spec.satisfies(f"%{row.name}"):
                libtool.filter(
                    '^pic_flag=""$',
                    f'pic_flag="{self.spec[row.name].package.pic_flag}"',
                    start_at=f"# ### BEGIN {row.libtool}",
                    stop_at=f"# ### END {row.libtool}",
                )

    def build(self, pkg: AutotoolsPackage, spec: SpecView, prefix: Prefix) -> None:
        """Make the build targets; ``V=1`` lets automake show its commands."""
        with working_dir(self.build_directory):
            pkg.module.make("V=1", *self.build_targets)

    def install(self, pkg: AutotoolsPackage, spec: SpecView, prefix: Prefix) -> None:
        """Make the install targets."""
        with working_dir(self.build_directory):
            pkg.module.make(*self.install_targets)

    run_after("build")(execute_build_time_tests)

    def check(self) -> None:
        """Make the targets ``test`` and ``check`` where the Makefile has them."""
        with working_dir(self.build_directory):
            self.pkg._if_make_target_execute("test")
            self.pkg._if_make_target_execute("check")

    def with_or_without(
        self,
        name: str,
        activation_value: Callable[[str], Any] | str | None = None,
        variant: str | None = None,
    ) -> list[str]:
        """Return ``--with-x`` or ``--without-x`` for a variant.

        A variant that is on or off gives one argument with *name*; another one gives an argument
        for each value that it may have. A method ``with_or_without_<value>`` of the recipe makes
        the argument itself.

        :param activation_value: a function of the value whose result is appended with ``=``;
            ``"prefix"`` means the prefix of the dependency of that name.
        :param variant: the variant's name where it is not *name*.
        :raises KeyError: the package has no such variant.
        """
        return self._arguments(("with", "without"), name, activation_value, variant)

    def enable_or_disable(
        self,
        name: str,
        activation_value: Callable[[str], Any] | str | None = None,
        variant: str | None = None,
    ) -> list[str]:
        """Return :meth:`with_or_without` with ``--enable-x`` and ``--disable-x``."""
        return self._arguments(("enable", "disable"), name, activation_value, variant)

    def _arguments(
        self,
        words: tuple[str, str],
        name: str,
        activation_value: Callable[[str], Any] | str | None,
        variant: str | None,
    ) -> list[str]:
        spec, variant = self.pkg.spec, variant or name
        if not self.pkg.has_variant(variant):
            raise KeyError(f"'{variant}' is not a variant of '{self.pkg.name}'")
        if variant not in spec.variants:
            return []
        value = spec.variants[variant].value
        if isinstance(value, bool):
            options = [(name, value)]
        else:
            chosen = {value} if isinstance(value, str) else set(value)
            options = [(x, x in chosen) for x in self._feature_values(variant)]
        args = []
        for option, active in options:
            method = f"{words[0]}_or_{words[1]}_{option}"
            own = getattr(self, method, None) or getattr(self.pkg, method, None)
            if own is not None:
                args.append(own(active))
            elif active:
                args.append(f"--{words[0]}-{option}{self._assigned(activation_value, option)}")
            else:
                args.append(f"--{words[1]}-{option}")
        return args

    def _feature_values(self, variant: str) -> Iterable[str]:
        """Return values of a variant that mean features, not their absence."""
        values = self.pkg.get_variant(variant).values
        features = getattr(values, "feature_values", None) or values
        return [str(getattr(value, "value", value)) for value in features]

    def _assigned(self, activation_value: Callable[[str], Any] | str | None, option: str) -> str:
        if activation_value == "prefix":
            return f"={self.pkg.spec[option].prefix}"
        value = activation_value(option) if callable(activation_value) else None
        return f"={value}" if value else ""

    run_after("install")(execute_install_time_tests)

    def installcheck(self) -> None:
        """Make the target ``installcheck`` where the Makefile has it."""
        with working_dir(self.build_directory):
            self.pkg._if_make_target_execute("installcheck")

    @run_after("install")
    def _remove_libtool_archives(self) -> None:
        """Remove ``.la`` files, and note which."""
        if self.install_libtool_archives:
            return
        files = find(str(self.pkg.prefix), "*.la")
        with safe_remove(*files):
            mkdirp(os.path.dirname(self._removed_la_files_log))
            with open(self._removed_la_files_log, "w", encoding="utf-8") as stream:
                stream.write("\n".join(files))

    def setup_build_environment(self, env: EnvironmentModifications) -> None:
        """Nothing on this platform."""

    run_after("install", when="platform=darwin")(apply_macos_rpath_fixups)


def _runs(script: str, family: str) -> bool:
    """Return whether *script* (config.guess, or config.sub with its argument) knows the machine."""
    args = [script, family] if os.path.basename(script) == "config.sub" else [script]
    try:
        return subprocess.run(args, capture_output=True, check=False).returncode == 0
    except OSError:
        return False

import json
import os
import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *

#: Prints how an interpreter lays out what is installed for it; runs with -I -S.
PROBE = """
import json, os, sys, sysconfig
names = sysconfig.get_scheme_names()
scheme = next(n for n in ("venv", "rpm_prefix", "posix_prefix", "nt") if n in names)
base = dict.fromkeys(("base", "platbase", "installed_base", "installed_platbase"), "/prefix")
path = lambda key: os.path.relpath(sysconfig.get_path(key, scheme, base), "/prefix")
stdlib = os.path.dirname(os.__file__)
config = sysconfig.get_config_vars()
version = "%d.%d.%d" % sys.version_info[:3]
include = [config.get("INCLUDEPY"), sysconfig.get_path("include", scheme)]
print(json.dumps({
    "executable": sys.executable, "prefix": sys.prefix, "base_prefix": sys.base_prefix,
    "version": version, "implementation": sys.implementation.name,
    "abiflags": getattr(sys, "abiflags", ""), "stdlib": os.path.basename(stdlib),
    "stdlib_dir": stdlib, "scheme": scheme, "purelib": path("purelib"),
    "platlib": path("platlib"), "scripts": path("scripts"), "include": path("include"),
    "data": path("data"), "platlibdir": getattr(sys, "platlibdir", "lib"),
    "soabi": config.get("SOABI") or "", "ext_suffix": config.get("EXT_SUFFIX") or "",
    "cache_tag": sys.implementation.cache_tag or "", "tags": [],
    "ldlibrary": config.get("LDLIBRARY") or "", "libdir": config.get("LIBDIR") or "",
    "shared": bool(config.get("Py_ENABLE_SHARED")),
    "include_dirs": list(dict.fromkeys(i for i in include if i)),
}))
"""


class Python(Package):
    """The interpreter of the machine; it is an external package.

    What is installed for it goes into prefixes of its own, in the layout that ``layout`` records:
    that of an explicit scheme, never of the one that a distribution has made its default.
    """

    homepage = "https://www.python.org/"

    extendable = True
    tags = ["build-tools"]

    license("0BSD")

    variant("freethreading", default=False, description="Without the global interpreter lock")
    variant("debug", default=False, description="With debug assertions")

    executables = [r"^python(3(\.\d+)?)?[td]?$"]

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("-I", "-S", "-V", output=str, error=str, fail_on_error=False)
        match = re.search(r"Python (\d+\.\d+\.\d+\S*)", output)
        return match.group(1) if match else None

    @classmethod
    def determine_variants(cls, exes, version_str):
        exes = sorted(exes, key=lambda exe: (os.path.basename(exe) != "python3", exe))
        layout = cls.probe(exes[0])
        flags = layout["abiflags"]
        variants = ("+" if "t" in flags else "~") + "freethreading"
        variants += ("+" if "d" in flags else "~") + "debug"
        return variants, {"executable": exes[0], "layout": layout}

    @classmethod
    def probe(cls, exe):
        """Ask the interpreter *exe* for its layout; starts one process."""
        return json.loads(Executable(exe)("-I", "-S", "-c", PROBE, output=str))

    @property
    def layout(self):
        """The directories of the interpreter and of what is installed for it.

        Paths of the scheme are relative to the prefix that something is installed into.
        """
        known = self.spec.extra_attributes.get("layout")
        if known:
            return known
        recorded = getattr(self, "_layout", None)
        if recorded is None:
            recorded = self._layout = self.probe(self._executable())
        return recorded

    def _executable(self):
        named = self.spec.extra_attributes.get("executable")
        if named and os.path.exists(named):
            return named
        short = str(self.version.up_to(2))
        return which_string(
            f"python{short}", "python3", "python", path=[self.prefix.bin], required=True
        )

    @property
    def command(self):
        return Executable(self.layout["executable"])

    @property
    def home(self):
        return Prefix(self.layout["base_prefix"])

    @property
    def config_vars(self):
        """What ``sysconfig`` says, and the relative paths of the scheme."""
        known = getattr(self, "_config_vars", None)
        if known is None:
            program = "import json, sysconfig; print(json.dumps(sysconfig.get_config_vars()))"
            known = json.loads(self.command("-I", "-S", "-c", program, output=str))
            layout = self.layout
            known.update({name: layout[name] for name in ("include", "platlib", "purelib")})
            known["python_version"] = str(self.version.up_to(2))
            known["version"] = str(self.version)
            self._config_vars = known
        return known

    @property
    def include(self):
        """Directory of headers, relative to a prefix."""
        return self.layout["include"]

    @property
    def platlib(self):
        """Directory of modules for one platform, relative to a prefix."""
        return self.layout["platlib"]

    @property
    def purelib(self):
        """Directory of modules for all platforms, relative to a prefix."""
        return self.layout["purelib"]

    @property
    def headers(self):
        # looked up now: packages of the system add headers without touching the interpreter
        directories = self.layout["include_dirs"]
        directory = next((d for d in directories if os.path.exists(os.path.join(d, "Python.h"))), None)
        if directory is None:
            raise NoHeadersError(
                f"{self.layout['executable']} has no Python.h, which C extensions need; "
                "install its development package"
            )
        headers = HeaderList(find(directory, "*.h", recursive=True))
        directories = [directory]
        config = os.path.join(self.layout["libdir"], "..", "include", self.layout["soabi"])
        if os.path.isdir(config):
            directories.append(config)
        headers.directories = directories
        return headers

    @property
    def libs(self):
        short = str(self.version.up_to(2)) + self.layout["abiflags"]
        directories = [self.layout["libdir"], self.home.lib, self.home.lib64]
        for shared in (True, False):
            for directory in directories:
                found = find_libraries([f"libpython{short}"], directory, shared=shared)
                if found:
                    return found
        raise NoLibrariesError(f"libpython{short} is in none of {', '.join(map(str, directories))}")

    def setup_dependent_package(self, module, dependent_spec):
        module.python = self.command
        module.python_include = join_path(dependent_spec.prefix, self.include)
        module.python_platlib = join_path(dependent_spec.prefix, self.platlib)
        module.python_purelib = join_path(dependent_spec.prefix, self.purelib)

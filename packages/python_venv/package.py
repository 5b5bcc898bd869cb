import json
import os

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class PythonVenv(Package):
    """The virtual environment that all Python extensions of an install tree are run with.

    It holds no packages; its ``pyvenv.cfg`` hides those of the base interpreter. How packages are
    laid out is recorded once, in ``.spack/python.json``.
    """

    homepage = "https://docs.python.org/3/library/venv.html"
    has_code = False

    tags = ["build-tools"]

    license("0BSD")

    version("1.0")

    variant(
        "system_packages",
        default=False,
        description="Packages of the base interpreter are visible too",
    )

    extends("python")

    def install(self, spec, prefix):
        """What ``python -m venv --without-pip`` makes, also where the interpreter lacks venv."""
        layout = dict(self.layout)
        base = layout["executable"]
        site = os.path.join(prefix, layout["purelib"])
        mkdirp(prefix.bin, prefix.include, site, os.path.join(prefix, ".spack"))
        if layout["platlib"].startswith("lib64/"):
            symlink("lib", prefix.lib64)
        symlink(base, prefix.bin.python3)
        major, minor = layout["version"].split(".")[:2]
        for name in dict.fromkeys(["python", f"python{major}.{minor}", os.path.basename(base)]):
            if name != "python3":
                symlink("python3", prefix.bin.join(name))
        with open(prefix.join("pyvenv.cfg"), "w") as stream:
            stream.write(f"home = {os.path.dirname(base)}\n")
            visible = "true" if spec.satisfies("+system_packages") else "false"
            stream.write(f"include-system-site-packages = {visible}\n")
            stream.write(f"version = {layout['version']}\n")
            stream.write(f"executable = {base}\n")
        layout["system_packages"] = spec.satisfies("+system_packages")
        with open(prefix.join(".spack").join("python.json"), "w") as stream:
            json.dump(layout, stream, indent=1, sort_keys=True)
            stream.write("\n")

    @property
    def layout(self):
        """What is recorded; before the install, what the base interpreter's recipe says."""
        known = getattr(self, "_layout", None)
        if known is None:
            record = self.prefix.join(".spack").join("python.json")
            if os.path.exists(record):
                with open(record) as stream:
                    known = json.load(stream)
            else:
                known = self.spec["python"].package.layout
            self._layout = known
        return known

    @property
    def bindir(self):
        return self.prefix.bin

    @property
    def command(self):
        return Executable(self.prefix.bin.python3)

    @property
    def platlib(self):
        """Directory of modules for one platform, relative to a prefix."""
        return self.layout["platlib"]

    @property
    def purelib(self):
        """Directory of modules for all platforms, relative to a prefix."""
        return self.layout["purelib"]

    @property
    def cmake_prefix_paths(self):
        """None: FindPython would take this interpreter, and install into this prefix."""
        return []

    @property
    def headers(self):
        return HeaderList([])

    @property
    def libs(self):
        return LibraryList([])

    def setup_dependent_run_environment(
        self, env: EnvironmentModifications, dependent_spec: Spec
    ) -> None:
        directory = join_path(dependent_spec.prefix, "bin")
        if os.path.isdir(directory):
            env.prepend_path("PATH", directory)

    def setup_dependent_package(self, module, dependent_spec):
        module.python = self.command
        module.python_platlib = join_path(dependent_spec.prefix, self.platlib)
        module.python_purelib = join_path(dependent_spec.prefix, self.purelib)

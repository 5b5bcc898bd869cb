"""Let pip write scripts into this view that find its Python beside themselves: it may be moved.

Written by spack. Nothing happens unless pip is imported.
"""

import sys

HEADER = b"@HEADER@"
MODULES = ("pip._vendor.distlib.scripts", "pip._internal.operations.install.wheel")


def _change(module):
    import os

    own = os.fsencode(sys.executable)
    bin_directory = os.path.join(sys.prefix, "bin")
    if module.__name__ == MODULES[0]:
        shebang = module.ScriptMaker._get_shebang

        def get_shebang(self, *args, **options):
            line = shebang(self, *args, **options)
            inside = os.path.realpath(self.target_dir) == os.path.realpath(bin_directory)
            return HEADER if inside and own in line else line

        module.ScriptMaker._get_shebang = get_shebang
        return
    fix = module.fix_script

    def fix_script(path):
        changed = fix(path)
        if changed and os.path.dirname(os.path.realpath(path)) == os.path.realpath(bin_directory):
            with open(path, "rb") as stream:
                line, rest = stream.readline(), stream.read()
            if line.strip() == b"#!" + own:
                with open(path, "wb") as stream:
                    stream.write(HEADER + rest)
        return changed

    module.fix_script = fix_script
    save = module.ZipBackedFile.save

    def save_inside(self):
        # A directory of the view may be a link to one of a package, which is not changed.
        folder = os.path.dirname(self.dest_path)
        shown, real = os.path.abspath(folder), os.path.realpath(folder)
        inside = shown.startswith(os.path.abspath(sys.prefix) + os.sep)
        if inside and not f"{real}{os.sep}".startswith(os.path.realpath(sys.prefix) + os.sep):
            from pip._internal.exceptions import InstallationError

            raise InstallationError(
                f"{shown} is a directory of a package that spack has installed in {real}; "
                "nothing is written into it. Uninstall that distribution first, or use a layer: "
                "spack env layer DIR"
            )
        return save(self)

    module.ZipBackedFile.save = save_inside


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in MODULES:
            return None
        from importlib.machinery import PathFinder

        found = PathFinder.find_spec(name, path, target)
        if found is not None and hasattr(found.loader, "exec_module"):
            run = found.loader.exec_module

            def exec_module(module):
                run(module)
                try:
                    _change(module)
                except AttributeError:  # another pip: its scripts name this directory
                    pass

            found.loader.exec_module = exec_module
        return found


sys.meta_path.insert(0, _Finder)

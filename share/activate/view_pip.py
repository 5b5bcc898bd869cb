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

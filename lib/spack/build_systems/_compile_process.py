"""Runs in the interpreter that is built for: compiles modules, the same bytes every time.

Standard input has lines ``<source path>\\0<path in tracebacks>``, and ``\\0<directory>`` where the
bytecode goes elsewhere than beside the source. It is bound to nothing but the source (PEP 552, an
unchecked hash): no time stamp, no path of the machine. A file that does not compile is left
without; any Python from 3.7 on.
"""

import importlib.util
import marshal
import os
import sys
import warnings


def compile_file(path: str, shown: str, directory: str = "") -> None:
    """Write the bytecode of the module at *path*, which calls itself *shown*.

    :param directory: of the bytecode; by default ``__pycache__`` beside the module.
    """
    with open(path, "rb") as stream:
        source = stream.read()
    try:
        code = compile(source, shown, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # templates, or for another version
    target = importlib.util.cache_from_source(path, optimization="")
    if directory:
        target = os.path.join(directory, os.path.basename(target))
    flags = (1).to_bytes(4, "little")
    data = importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as stream:
        stream.write(data + marshal.dumps(code))


def main() -> None:
    """Compile until standard input ends."""
    del sys.path[0]
    warnings.simplefilter("ignore")
    sys.pycache_prefix = None
    for line in sys.stdin.buffer.read().splitlines():
        compile_file(*os.fsdecode(line).split("\0"))


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # taking the interpreter down takes as long as a module

"""What a hostile build tries, each attempt a statement; ``install`` of the recipe runs them all.

An attempt that raises nothing counts as success, unless the machine's side tells (the test looks
whether a file appeared, a process died, a message arrived). Targets are in ``targets.json`` beside
the recipe; ``T`` holds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from kits.recipe_repository import RecipeRepository

__all__ = ["ATTEMPTS", "add_hostile_recipe"]

#: By what is attacked. ``libc``, ``os``, ``socket``, ``stat`` and ``T`` are there.
ATTEMPTS: Mapping[str, str] = {
    "read ~/.ssh": "open(T['home'] + '/.ssh/id').read()",
    "read a file in a home": "open(T['home'] + '/notes').read()",
    "read files of other programs in /var/tmp": "open(T['loose']).read()",
    "read the environment of the installer": "environ_of_others()",
    "write into a home": "open(T['home'] + '/stray', 'w').close()",
    "write into a dependency": "open(T['dependency'] + '/stray', 'w').close()",
    "write into another package's wheels": "os.makedirs(T['wheels'] + '/stray')",
    "leave a file in /tmp": "open(T['marks'][0], 'w').close()",
    "leave a file in /var/tmp": "open(T['marks'][1], 'w').close()",
    "leave a file in /dev/shm": "open(T['marks'][2], 'w').close()",
    "write to /proc/sys": "os.close(os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY))",
    "mode of a dependency's file": "os.chmod(T['file'], os.stat(T['file']).st_mode)",
    "owner of a dependency's file": "os.chown(T['file'], os.getuid(), os.getgid())",
    "time of a dependency's file": "os.utime(T['file'], (0, 0))",
    "attribute of a dependency's file": (
        "os.chmod(T['file'], 0o755); os.setxattr(T['file'], 'user.x', b'')"
    ),
    "time of a user's file that it may read": "os.utime(T['shown'], (0, 0))",
    "trace another process": "trace(T['sleeper'])",
    "signal another process": "os.kill(T['sleeper'], 15)",
    "connect by TCP": "socket.create_connection(('127.0.0.1', T['tcp']), 2).close()",
    "send by UDP": "socket.socket(2, 2).sendto(b'x', ('127.0.0.1', T['udp']))",
    "connect to a socket in a home": "socket.socket(1).connect(T['home'] + '/agent')",
    "connect to an abstract socket": "socket.socket(1).connect(chr(0) + T['abstract'])",
    "see shared memory (System V)": "check(libc.shmget(T['key'], 0, 0))",
    "mount": "check(libc.mount(b'x', prefix.encode(), b'tmpfs', 0, None))",
    "uncover what is hidden": "check(libc.umount2(T['covered'].encode(), 2))",
    "make a device": "os.mknod(prefix + '/device', stat.S_IFBLK | 0o600, os.makedev(7, 0))",
    "leave a process": "leave(lambda: os.execvp('sleep', ['sleep', T['seconds']]))",
    "leave a process that holds its pipes": "leave(lambda: time.sleep(float(T['seconds'])))",
}

_RECIPE = '''
import ctypes
import json
import os
import socket
import stat
import time

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *

libc = ctypes.CDLL(None, use_errno=True)
with open(os.path.join(os.path.dirname(__file__), "targets.json")) as stream:
    T = json.load(stream)


def check(status):
    if status < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def environ_of_others():
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as stream:
                if b"SECRET_OF_THE_INSTALLER" in stream.read():
                    return
        except OSError:
            pass
    raise OSError("no process has it")


def trace(process):
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    check(libc.ptrace(16, process, 0, 0))
    libc.ptrace(17, process, 0, 0)


def leave(act):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            act()
        os._exit(0)
    os.wait()


class Hostile(Package):
    """For tests."""

    has_code = False
    version("1.0")
    depends_on("victim", type=("build", "run"))

    def install(self, spec, prefix):
        prefix = str(prefix)
        os.mkdir(prefix + "/bin")
        found = {}
        for name, statement in ATTEMPTS.items():
            try:
                exec(statement, {**globals(), "prefix": prefix})
            except OSError as error:
                found[name] = str(error)
            else:
                found[name] = ""
        if os.path.exists(prefix + "/device"):
            os.unlink(prefix + "/device")
        print("FOUND", json.dumps(found), flush=True)
'''


def add_hostile_recipe(recipes: RecipeRepository, targets: Mapping[str, object]) -> None:
    """Write the recipe ``hostile``; its build logs a line that begins with FOUND."""
    path = recipes.write("hostile", f"{_RECIPE}\n\nATTEMPTS = {dict(ATTEMPTS)!r}\n")
    path.with_name("targets.json").write_text(json.dumps(targets))

"""The machine: platform, microarchitecture, interpreters, compilers and tools.

Nothing here reads the environment or the working directory: search paths, a runner for short
processes and a cache directory are arguments.
"""

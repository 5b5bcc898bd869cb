"""The names of the formats of plans, for the command line, which imports them only to write one."""

from __future__ import annotations

__all__ = ["FORMAT_NAMES"]

#: See :data:`spack.engines.formats.FORMATS`, which has a row for each.
FORMAT_NAMES = ("make", "ninja", "slurm", "pbs", "lsf", "gitlab", "github", "json")

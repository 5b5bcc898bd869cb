"""Installing: plan (pure), execute (scheduler), prefix (transaction), check, uninstall, reindex.

The way of one node: :func:`make_plan` makes it a step, :func:`execute` fetches and builds it
through the protocols of :mod:`spack.install.ports`, :class:`PrefixTransaction` sees to it that it
is installed whole or not at all, :func:`check_prefix` that what is there is right.
"""

from __future__ import annotations

from spack.install.check import Checked, Problem, PythonPaths, check_prefix
from spack.install.execute import Failure, Report, Schedule, execute
from spack.install.explicit import mark_explicit
from spack.install.plan import BUILD, EXTERNAL, REUSE, Options, Plan, Step, make_plan
from spack.install.ports import Builder, Order, Outcome, Services, Sources, Stage
from spack.install.prefix import PrefixTransaction
from spack.install.reindex import Reindexed, Verified, reindex, verify_records
from spack.install.uninstall import Removal, plan_removal, remove, unneeded

__all__ = [
    "BUILD",
    "EXTERNAL",
    "REUSE",
    "Builder",
    "Checked",
    "Failure",
    "Options",
    "Order",
    "Outcome",
    "Plan",
    "PrefixTransaction",
    "Problem",
    "PythonPaths",
    "Reindexed",
    "Removal",
    "Report",
    "Schedule",
    "Services",
    "Sources",
    "Stage",
    "Step",
    "Verified",
    "check_prefix",
    "execute",
    "make_plan",
    "mark_explicit",
    "plan_removal",
    "reindex",
    "remove",
    "unneeded",
    "verify_records",
]

"""The solver: from what is asked to concrete specs, or to the reasons why there are none.

:func:`.concretize.concretize` takes a :class:`Problem` and gives a :class:`Solution`. On the way
a problem becomes facts (:mod:`.encode`), clingo runs them with ``logic/*.lp`` (:mod:`.driver`), and
the model becomes specs (:mod:`.decode`). Which packages are looked at grows from round to round
(:mod:`.expansion`); several instances of one build tool are only allowed when one is not enough
(:mod:`.rounds`). What cannot be satisfied is explained by :mod:`.explain`.
"""

from __future__ import annotations

from spack.solver.problem import Problem, RecipeSource, Root, Solution, Statistics

__all__ = ["Problem", "RecipeSource", "Root", "Solution", "Statistics"]

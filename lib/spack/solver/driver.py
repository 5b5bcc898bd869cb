"""Runs clingo; the only module that imports it.

The answer comes as rows of plain values, so that nothing above knows of the library. A solver
can be stopped from another thread and honours a bound on its time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.solver.quoting import unquote

if TYPE_CHECKING:
    import clingo

__all__ = ["Answer", "Row", "explain_core", "find_core", "optimize"]

Row = tuple[Any, ...]

LOGIC = Path(__file__).parent / "logic"

#: Found by measuring: unsatisfiable cores prove optimality at once where branch and bound walks
#: through thousands of models (py-torch: 0.2 s against more than 5 s).
OPTIONS = ("--configuration=tweety", "--opt-strategy=usc,one")

#: How often a waiting solver looks whether it was interrupted, in seconds.
POLL = 0.2


@dataclass
class Answer:
    """Outcome of one run.

    :param atoms: shown atoms by predicate, each a tuple of plain arguments.
    :param cost: per priority, highest first, of the best model.
    :param optimal: False when time ran out before the best model was proven to be the best.
    :param core: guards that contradict each other, of an unsatisfiable run with guards.
    :param enough: sets of guards, each of which only has to be taken back.
    """

    satisfiable: bool
    atoms: dict[str, list[Row]] = field(default_factory=dict)
    cost: tuple[tuple[int, int], ...] = ()
    optimal: bool = True
    core: tuple[int, ...] = ()
    enough: tuple[tuple[int, ...], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


def _control(parts: Sequence[str], facts: Sequence[str], options: Sequence[str]) -> Any:
    # start-up: clingo costs 24 ms, and only what concretizes needs it
    import clingo

    control = clingo.Control(list(options), logger=_quiet)
    for part in parts:
        control.load(str(LOGIC / f"{part}.lp"))
    control.add("base", [], "\n".join(facts))
    return control


def _quiet(code: Any, text: str) -> None:
    """Ignore clingo's warnings, which are about the engine's program, not the user's input."""


def optimize(facts: Sequence[str], duplicates: bool, deadline: float) -> Answer:
    """Return the best model of the program with *facts*.

    :param duplicates: whether packages may have several instances.
    :param deadline: the time, as of ``time.perf_counter``, from which on the best model so far is
        taken; the answer says ``optimal=False`` then, and has no atoms when there is no model yet.
    """
    parts = ["concretize", "wheels", "optimize", *(["duplicates"] if duplicates else [])]
    start = time.perf_counter()
    control = _control(parts, facts, OPTIONS)
    control.ground([("base", [])])
    grounded = time.perf_counter()
    models: list[tuple[str, Sequence[int], Sequence[int]]] = []

    def on_model(model: clingo.Model) -> None:
        models[:] = [(str(model), model.cost, model.priority)]

    if grounded >= deadline:
        return Answer(False, optimal=False, seconds={"ground": grounded - start})
    done = False
    with control.solve(on_model=on_model, async_=True) as handle:
        while not done:
            done = handle.wait(min(POLL, max(deadline - time.perf_counter(), 0)))
            if not done and time.perf_counter() >= deadline:
                handle.cancel()
                break
        handle.get()
    answer = Answer(bool(models), optimal=done)
    if models:
        text, cost, priority = models[0]
        answer.atoms = _rows(text)
        answer.cost = tuple(zip(priority, cost))
    answer.seconds = {"ground": grounded - start, "solve": time.perf_counter() - grounded}
    return answer


#: An atom without nested terms, and one argument of it: a string, a number or a constant.
_ATOM = re.compile(r'([a-z_]+)\(((?:"(?:[^"\\]|\\.)*"|[^()"])*)\)')
_ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|(-?\d+)|([a-z]\w*)')


def _rows(text: str) -> dict[str, list[Row]]:
    """Return atoms by predicate, from a model as clingo prints it, which is cheapest."""
    found: dict[str, list[Row]] = {}
    for name, arguments in _ATOM.findall(text):
        row = tuple(
            int(number) if number else constant or unquote(string)
            for string, number, constant in _ARGUMENT.findall(arguments)
        )
        found.setdefault(name, []).append(row)
    return found


#: Bounds of the work of one explanation: how often the solver runs, and for how many conflicts
#: each time. Beyond them the contradiction that is left may not be minimal.
CALLS = 500
CONFLICTS = 20_000

#: Called with a contradiction; returns sets of assumptions that could be taken back.
Changes = Callable[[Sequence[int]], Sequence[Sequence[int]]]


def explain_core(
    facts: Sequence[str],
    duplicates: bool,
    order: Sequence[int],
    deadline: float,
    changes: Changes,
) -> Answer:
    """Return a minimal set of assumptions without which there would be a model.

    :param order: the numbers of all assumptions, in the order in which they are dropped if
        possible.
    :param deadline: as of :func:`optimize`; the core that is left then is not minimal.
    :param changes: the answer's ``enough`` has those after which there is a model.
    """
    start = time.perf_counter()
    search = _core_search(facts, duplicates, order, deadline)
    core = search.core_of(sorted(search.literal_of))
    if core is None:
        return Answer(True)
    search.bound(CONFLICTS)
    core = search.minimal(search.shrunk(core))
    enough = tuple(tuple(change) for change in changes(core) if search.is_enough(change))
    seconds = {"explain": time.perf_counter() - start}
    return Answer(False, core=core, enough=enough, seconds=seconds)


def find_core(
    facts: Sequence[str], duplicates: bool, order: Sequence[int], deadline: float
) -> tuple[int, ...] | None:
    """Return some set of assumptions that contradict each other, None when there is a model.

    The arguments are those of :func:`explain_core`.
    """
    search = _core_search(facts, duplicates, order, deadline)
    return search.core_of(sorted(search.literal_of))


def _core_search(
    facts: Sequence[str], duplicates: bool, order: Sequence[int], deadline: float
) -> _CoreSearch:
    parts = ["concretize", "wheels", "explain", *(["duplicates"] if duplicates else [])]
    control = _control(parts, facts, ("--configuration=tweety",))
    control.ground([("base", [])])
    return _CoreSearch(control, order, deadline)


class _CoreSearch:
    """Makes a contradiction smaller."""

    def __init__(self, control: clingo.Control, order: Sequence[int], deadline: float) -> None:
        import clingo

        self.control = control
        self.deadline = deadline
        self.calls = 0
        self.rank = {number: location for location, number in enumerate(order)}
        self.literal_of: dict[int, int] = {}
        for number in order:
            symbol = clingo.Function("g", [clingo.Number(number)])
            atom = control.symbolic_atoms[symbol]
            if atom is not None:
                self.literal_of[number] = atom.literal

    def bound(self, conflicts: int) -> None:
        """Give up each further call after so many conflicts."""
        configuration: Any = self.control.configuration
        configuration.solve.solve_limit = f"{conflicts},umax"

    def exhausted(self) -> bool:
        """Return whether the work is bounded here."""
        return self.calls >= CALLS or time.perf_counter() >= self.deadline

    def core_of(self, chosen: Sequence[int]) -> tuple[int, ...] | None:
        """Return a subset of *chosen* that is unsatisfiable; None when none is found."""
        self.calls += 1
        assumptions = [self.literal_of[number] for number in chosen if number in self.literal_of]
        with self.control.solve(assumptions=assumptions, yield_=True) as handle:
            handle.resume()
            if not handle.get().unsatisfiable:
                return None
            literals = set(handle.core())
        return tuple(number for number in chosen if self.literal_of.get(number) in literals)

    def is_enough(self, change: Sequence[int]) -> bool:
        """Return whether there is a model without the assumptions of *change*."""
        if self.exhausted():
            return True
        self.calls += 1
        kept = [literal for number, literal in self.literal_of.items() if number not in change]
        return bool(self.control.solve(assumptions=kept).satisfiable)

    def shrunk(self, core: Sequence[int]) -> tuple[int, ...]:
        """Return a smaller contradiction by solving again: which one depends on the order."""
        best, failures = tuple(core), 0
        while failures < 2 and len(best) > 1 and not self.exhausted():
            smaller = self.core_of(best[::-1])
            failures = failures + 1 if smaller is None or len(smaller) == len(best) else 0
            best = smaller or best
        return best

    def minimal(self, core: Sequence[int]) -> tuple[int, ...]:
        """Return a contradiction of which nothing can be left out, unless the work is over.

        Leaves out large chunks first, then smaller ones: of many guards few matter.
        """
        rest = sorted(core, key=self.rank.__getitem__)
        chunk = max(1, len(rest) // 2)
        while True:
            location = 0
            while location < len(rest) and not self.exhausted():
                smaller = self.core_of(rest[:location] + rest[location + chunk :])
                if smaller is None:
                    location += chunk
                else:
                    rest = [number for number in rest if number in smaller]
            if chunk == 1 or self.exhausted():
                return tuple(rest)
            chunk = max(1, min(chunk // 2, len(rest) // 2))

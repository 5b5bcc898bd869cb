"""Which packages may be wheels of the index, and what means that one is built from source."""

from __future__ import annotations

from spack.recipe.package_names import INDEX_NAMESPACE
from spack.recipe.records import Recipe, VariantRecord
from spack.solver.facts import FactSink
from spack.solver.quoting import quote
from spack.spec import ConcreteSpec, Spec
from spack.spec.wheel import BINARY

__all__ = ["WheelFacts", "changes_build"]


class WheelFacts:
    """Writes the facts that ``logic/wheels.lp`` reads."""

    def __init__(self, sink: FactSink) -> None:
        self.sink = sink
        self.conditions = sink.conditions
        self.emit = sink.emit
        self.wheels = sink.catalog.wheels
        self._restrained = False

    def is_for_builds(self, spec: ConcreteSpec) -> bool:
        """Return whether *spec*, which is installed, may only be what a build needs.

        The first time it emits that there are such specs.
        """
        if self.sink.context.problem.wheel_policy != "build" or not self.wheels.is_restrained(spec):
            return False
        if not self._restrained:
            self._restrained = True
            self.emit("restrained.")
        return True

    def write(self, name: str) -> None:
        """Emit the facts of package *name*, whose build is looked at."""
        recipe = self.sink.catalog.recipe(name)
        if recipe is None or not self.wheels.fits(name):
            return
        p = quote(name)
        self.emit(f"wheel({p}).")
        self.conditions.mentioned.setdefault((name, "build_system"), set()).add(BINARY)
        if self.wheels.preferred(name):
            self.emit(f"wheel_preferred({p}).")
        if self.wheels.for_builds_only(name):
            self.emit(f"built_only({p}).")
        if self.wheels.barred(name):
            self._bars(name, recipe)
        for record in recipe.variants:
            if record.name != "build_system" and changes_build(recipe, record):
                # mentioned: the program must choose it to see that it is the default
                self.conditions.mentioned.setdefault((name, record.name), set())
                for value in record.default:
                    self.emit(f"made_with({p},{quote(record.name)},{quote(value)}).")

    def _bars(self, name: str, recipe: Recipe) -> None:
        """Write what the policy does not override: changed sources, links to what was chosen."""
        whens = [record.when for record in recipe.patches]
        whens += [record.when for record in recipe.resources]
        if not self.wheels.preferred(name):
            whens.append("")
        for when in dict.fromkeys(whens):
            condition = self.conditions.when(name, when)
            if condition is not None:
                number = self.sink.number()
                self.emit(f"wheel_bar({quote(name)},{number}).")
                self.sink.conjunction("kcond", number, condition)


def changes_build(recipe: Recipe, record: VariantRecord) -> bool:
    """Return whether a variant is more than a choice of what is needed at run time.

    A variant that only conditions of run dependencies name is such a choice, as an extra is.
    """
    if recipe.namespace == INDEX_NAMESPACE:
        return False
    named = [
        dependency.types
        for dependency in recipe.dependencies
        if dependency.when and record.name in Spec.parse(dependency.when).variants
    ]
    return not named or any("link" in x or not {"run", "test"}.intersection(x) for x in named)

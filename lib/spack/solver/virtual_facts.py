"""Virtual packages as facts: the providers, what each ``provides`` gives, and at which cost.

Most providers of a virtual are never chosen; a language has a dozen. Those that are neither
there nor expanded nor named by any constraint are alike, and one placeholder represents them all:
the package ``<virtual>?``. When a solution uses it, the next round looks at each for itself
(:attr:`spack.solver.round_context.Learned.opened`).
"""

from __future__ import annotations

from typing import NamedTuple

from spack.solver.facts import FactSink
from spack.solver.quoting import quote
from spack.solver.rule_facts import RuleFacts
from spack.spec import Spec, VersionList
from spack.spec.languages import LANGUAGE_NAMES

__all__ = ["REST", "VirtualFacts", "rest_of"]

#: Ends the name of the placeholder for the providers that are not expanded.
REST = "?"


def rest_of(virtual: str) -> str:
    """Return the name of all providers that are not expanded."""
    return f"{virtual}{REST}"


class _User(NamedTuple):
    """A dependency on a virtual package."""

    name: str
    number: int
    spec: Spec
    types: tuple[str, ...]


class VirtualFacts:
    """Writes everything about virtual packages."""

    def __init__(self, sink: FactSink, rules: RuleFacts) -> None:
        self.sink = sink
        self.rules = rules
        self.context = sink.context
        self.catalog = sink.catalog
        self.emit = sink.emit
        self._users: dict[str, list[_User]] = {}
        self._shown: dict[str, dict[str, None]] = {}

    def need(self, name: str, number: int, spec: Spec, types: tuple[str, ...]) -> None:
        """Write that a dependency of *name* leads to the virtual package that *spec* names."""
        virtual = spec.name
        self.emit(f"dvirt({number},{quote(virtual)}).")
        user = _User(name, number, spec, types)
        if virtual not in self._users:
            self._users[virtual] = []
            self._shown[virtual] = {}
            for provider in self._prominent(virtual):
                self._show(virtual, provider)
        self._users[virtual].append(user)
        for provider in self._shown[virtual]:
            self._use(user, provider)

    def _prominent(self, virtual: str) -> list[str]:
        """Return the available and the expanded providers, and the first that could be built."""
        found = []
        first = True
        for provider in self.catalog.providers(virtual):
            buildable = self.catalog.fixed(provider) is None
            if (
                self.context.expanded(provider)
                or self.context.available(provider)
                or (first and buildable)
            ):
                found.append(provider)
            first = first and not buildable
        return found

    def _show(self, virtual: str, provider: str) -> None:
        self._shown[virtual][provider] = None
        self.sink.visit(provider)
        for user in self._users[virtual]:
            self._use(user, provider)

    def _use(self, user: _User, provider: str) -> None:
        self.sink.link(user.name, provider, user.types)
        inner = user.spec.replace(name="", versions=VersionList.any())
        if inner != Spec():
            self.sink.impose(user.number, provider, inner)
        if not user.spec.versions.is_any:
            for term in self.provided(provider, user.spec, within=False):
                self.emit(f"dbad({user.number},{term}).")

    def show(self) -> bool:
        """Look at the providers that constraints name; whether there are new ones."""
        named = set(self.sink.universe)
        opened = set(self.context.learned.opened)
        for literal in self.sink.conditions.literals:
            if literal.key[0] == "d":
                named.add(literal.key[1])
            elif literal.key[0] == "V":
                _, virtual, _, versions, providers, _ = literal.key
                if versions or any(condition for _, condition in providers):
                    opened.add(virtual)
        size = len(self.sink.universe)
        for virtual, users in self._users.items():
            settings = self.catalog.settings(virtual)
            ruled = settings is not None and bool(settings.require or settings.conflict)
            preferred = [x for group in settings.prefer for x in group.specs] if settings else []
            preferred_names = {Spec.parse(text).name for text in preferred}
            everyone = virtual in opened or ruled or not preferred_names.isdisjoint(("", virtual))
            everyone = everyone or any(u.spec.variants or u.spec.dependencies for u in users)
            hidden = [p for p in self.catalog.providers(virtual) if p not in self._shown[virtual]]
            for provider in hidden:
                known = provider in named or provider in preferred_names
                if everyone or known or len(hidden) == 1:
                    self._show(virtual, provider)
        return len(self.sink.universe) > size

    def write(self) -> None:
        """Emit the candidates of each virtual package."""
        costs: dict[str, int] = {}
        for virtual, users in self._users.items():
            v = quote(virtual)
            if virtual in LANGUAGE_NAMES:
                self.emit(f"language({v}).")
            rest = True
            for cost, provider in enumerate(self.catalog.providers(virtual)):
                name = provider
                if provider not in self._shown[virtual]:
                    if not rest:
                        continue
                    rest, name = False, rest_of(virtual)
                    self.emit(f"package({quote(name)}).", f"can_be_placeholder({quote(name)}).")
                    for user in users:
                        self.sink.link(user.name, name, user.types)
                if virtual in LANGUAGE_NAMES:
                    costs[name] = min(cost, costs.get(name, cost))
                self.emit(f"vcand({v},{quote(name)}).", f"vcost({v},{quote(name)},{cost}).")
            settings = self.catalog.settings(virtual)
            for group in (*settings.require, *settings.prefer) if settings is not None else ():
                self.rules.virtual(virtual, group)
            for group in settings.conflict if settings is not None else ():
                self.rules.virtual_conflict(virtual, group)
        self.emit(*(f"compiler_cost({quote(name)},{cost})." for name, cost in costs.items()))

    def rests(self) -> dict[str, list[str]]:
        """Return the placeholders for several providers, and which those are."""
        found: dict[str, list[str]] = {}
        for virtual in self._users:
            hidden = [p for p in self.catalog.providers(virtual) if p not in self._shown[virtual]]
            if hidden:
                found[rest_of(virtual)] = hidden
        return found

    # -- provides -------------------------------------------------------------------------

    def provisions_of(self, name: str) -> None:
        """Emit what the recipe of *name* provides."""
        recipe = self.catalog.recipe(name)
        for index, names in enumerate(self._provisions(name)):
            assert recipe is not None
            condition = self.sink.conditions.when(name, recipe.provides[index].when)
            if condition is None:
                continue
            term = _term(name, index)
            self.emit(f"provision({term},{quote(name)}).")
            self.sink.conjunction("provcond", term, condition)
            self.emit(*(f"provname({term},{quote(given.name)})." for given in names))
            for given in names:
                for other in names:
                    if given.name != other.name:
                        self.emit(f"together({term},{quote(given.name)},{quote(other.name)}).")

    def _provisions(self, name: str) -> list[list[Spec]]:
        """Write what each ``provides`` of a recipe names."""
        if not self.context.expanded(name) and not self.context.available(name):
            return []
        recipe = self.catalog.recipe(name)
        if recipe is None:
            return []
        return [[Spec.parse(text) for text in record.virtuals] for record in recipe.provides]

    def provided(self, provider: str, wanted: Spec, within: bool) -> list[str]:
        """Return the provisions of *provider* for a virtual, by the version that they give it.

        :param within: those that are entirely in what is *wanted*, else those that have nothing
            in common with it. A provider that gives several versions at once gives what they
            have in common.
        """
        found = []
        for index, names in enumerate(self._provisions(provider)):
            for given in names:
                if given.name != wanted.name:
                    continue
                if within:
                    fits = given.versions.satisfies(wanted.versions)
                else:
                    fits = not given.versions.intersects(wanted.versions)
                if fits:
                    found.append(_term(provider, index))
        return found


def _term(name: str, index: int) -> str:
    """Return the term of one ``provides``."""
    return f"r({quote(name)},{index})"

"""Names, directories and text of module files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_edge, make_spec
from spack.actions.module_layout import ModuleNames, UnlockedDirectory
from spack.actions.module_text import ModuleContent, module_text
from spack.config.module_settings import ModuleKind
from spack.config.settings import Settings
from spack.config.variables import Variables
from spack.errors import ConfigError
from spack.spec import ConcreteSpec
from spack.util.environment_modifications import Change

VARIABLES = Variables({"data": "/data"})

GCC = make_spec("gcc@12.2.0", external="/usr")
OWN_GCC = make_spec("gcc@14.1.0")


def built(text: str, *needs: Any, compiler: ConcreteSpec = GCC) -> ConcreteSpec:
    """Return a node that is compiled, with what it links to."""
    return make_spec(text, *needs, make_edge((compiler, ("build",), ("c",))))


MPI = built("openmpi@5.0")
CORE = built("zlib@1.3")
ABOVE = built("hdf5@1.14", make_edge((MPI, ("link",), ("mpi",))), CORE)


def names_of(
    kind: ModuleKind, data: Mapping[str, Any] = {}, explicit: bool = True, **more: Any
) -> ModuleNames:
    """Return the names of the set ``default``, with *data* as the rules of its kind."""
    settings = Settings.from_data({"modules": {"default": {kind: data, **more}}}, VARIABLES)
    chosen = settings.module_sets["default"]
    return ModuleNames(
        chosen,
        chosen.trees[kind],
        lambda digest: explicit,
        lambda node, virtual: node.name == "openmpi" and virtual == "mpi",
    )


def test_names_of_tcl_modules() -> None:
    names = names_of("tcl")
    assert names.use_name(CORE) == f"zlib/1.3-gcc-12.2.0-{CORE.dag_hash(7)}"
    folder = Path("/data/share/spack/modules/linux-debian12-x86_64")
    assert names.path(CORE) == folder / names.use_name(CORE)
    assert names.use_name(make_spec("py-x@1")).startswith("py-x/1-none-none-")


def test_a_projection_is_a_name_and_a_suffix_follows_it() -> None:
    data = {
        "hash_length": 0,
        "projections": {"all": "{name}/{version}", "zlib": "libs/{name}-{version}"},
        "^openmpi": {"suffixes": {"^mpi": "mpi", "cuda": "never"}},
    }
    names = names_of("tcl", data, arch_folder=False, roots={"tcl": "/m"})
    assert names.use_name(CORE) == "libs/zlib-1.3"
    assert names.use_name(ABOVE) == "hdf5/1.14-mpi"
    assert names.path(ABOVE) == Path("/m/hdf5/1.14-mpi")
    assert names_of("tcl", {"naming_scheme": "{name}"}).use_name(CORE).startswith("zlib-")


def test_what_is_excluded() -> None:
    names = names_of("tcl", {"exclude": ["%gcc"], "include": ["zlib"]})
    assert names.is_excluded(ABOVE) and not names.is_excluded(CORE)
    assert names.related(ABOVE, "autoload", "direct") == [CORE]
    implicit = names_of("tcl", {"exclude_implicits": True}, explicit=False)
    assert implicit.is_excluded(CORE)
    hidden = names_of("tcl", {"hide_implicits": True, "hash_length": 0}, explicit=False)
    assert hidden.is_hidden(CORE) and hidden.use_name(CORE).endswith(CORE.dag_hash(7))


def test_rules_of_all_come_first_and_lists_grow() -> None:
    data = {
        "zlib": {"conflict": ["b"], "autoload": "none"},
        "all": {"conflict": ["a"], "autoload": "all", "environment": {"set": {"A": "1"}}},
        "zlib@1": {"environment": {"set": {"B": "2"}}},
    }
    rules = names_of("tcl", data).rules(CORE)
    assert rules["conflict"] == ["a", "b"]
    assert rules["autoload"] == "none"
    assert rules["environment"] == {"set": {"A": "1", "B": "2"}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("none", []), ("run", []), ("direct", [MPI, CORE]), ("all", [MPI, CORE])],
)
def test_autoload(choice: str, expected: list[ConcreteSpec]) -> None:
    names = names_of("tcl", {"all": {"autoload": choice}})
    assert names.related(ABOVE, "autoload", "direct") == expected


def test_the_hierarchy_of_lmod() -> None:
    names = names_of("lmod", {"hierarchy": ["mpi"]}, roots={"lmod": "/m"})
    top = Path("/m/linux-debian12-x86_64")
    assert names.path(CORE) == top / "Core" / f"zlib/1.3-{CORE.dag_hash(7)}.lua"
    provider = f"openmpi/5.0-{MPI.dag_hash(7)}"
    assert names.directory(ABOVE) == top / provider / "Core"
    assert names.directory(MPI) == top / "Core"
    assert names.provides(MPI) == ("mpi",)
    assert list(names.unlocked(MPI)) == [UnlockedDirectory((), (str(top), provider, "Core"))]


def test_a_compiler_that_is_not_core_opens_its_directory() -> None:
    names = names_of("lmod", {"hierarchy": ["mpi"]}, roots={"lmod": "/m"}, arch_folder=False)
    assert names.directory(built("x", compiler=OWN_GCC)) == Path("/m/gcc/14.1.0")
    assert names.provides(OWN_GCC) == ("compiler",)
    assert list(names.unlocked(OWN_GCC)) == [
        UnlockedDirectory((), ("/m", "gcc/14.1.0")),
        UnlockedDirectory(("mpi",), ("/m", "mpi", "gcc/14.1.0")),
    ]
    data = {"core_compilers": ["gcc@14"], "core_specs": ["y"], "hierarchy": ["mpi"]}
    core = names_of("lmod", data, roots={"lmod": "/m"}, arch_folder=False)
    assert core.directory(built("x", compiler=OWN_GCC)) == Path("/m/Core")
    assert core.directory(built("x")) == Path("/m/gcc/12.2.0")
    assert core.directory(built("y")) == Path("/m/Core")


def test_levels_can_be_left_out() -> None:
    data = {"hierarchy": ["mpi"], "filter_hierarchy_specs": {"hdf5": ["mpi"]}}
    names = names_of("lmod", data, roots={"lmod": "/m"}, arch_folder=False)
    assert names.directory(ABOVE) == Path("/m/Core")


def test_quotes() -> None:
    content = ModuleContent(
        "what {is} it",
        "a\nb }",
        {"Name": "x"},
        [
            Change("set", "A", 'say "hi" to {you'),
            Change("append_flags", "B", "-O2", " "),
            Change("prepend_path", "MANPATH", "/p/man"),
            Change("unset", "C"),
            Change("prune_duplicate_paths", "PATH"),
        ],
        conflicts=["y"],
    )
    tcl = module_text("tcl", content).splitlines()
    assert "module-whatis {what {is} it}" in tcl
    assert r'setenv {A} "say \"hi\" to \{you"' in tcl
    assert "append-path --delim { } {B} {-O2}" in tcl
    assert tcl[-3:] == ["prepend-path {MANPATH} {/p/man}", "unsetenv {C}", "append-path MANPATH {}"]
    assert "conflict {y}" in tcl
    lua = module_text("lmod", content).splitlines()
    assert r'setenv("A", "say \"hi\" to {you")' in lua
    assert 'append_path("B", "-O2", " ")' in lua
    assert 'unsetenv("C")' in lua


def test_what_is_wrong_is_reported() -> None:
    with pytest.raises(ConfigError, match="enable"):
        Settings.from_data({"modules": {"default": {"enable": ["csh"]}}})
    with pytest.raises(ConfigError, match="autoload"):
        names_of("tcl", {"all": {"autoload": "some"}})
    with pytest.raises(ConfigError, match="unknown key 'tlc'"):
        Settings.from_data({"modules": {"default": {"tlc": {}}}})


def test_sets_inherit_inspections() -> None:
    data = {
        "prefix_inspections": {"./bin": ["PATH"], "./x": ["X"]},
        "own": {"prefix_inspections": {"./bin": ["OTHER"]}, "use_view": "v", "enable": ["lmod"]},
    }
    own = Settings.from_data({"modules": data}).module_sets["own"]
    assert own.inspections == {"./bin": ("OTHER", "PATH"), "./x": ("X",)}
    assert (own.use_view, own.enable) == ("v", ("lmod",))

"""What can be counted about the shape of the code: names, cycles, ``Any``, calls, sizes.

Every count is of the syntax trees below ``lib/spack``; nothing is imported. ``tests/counts`` prints
them, ``tests/unit/test_shape.py`` holds them.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kits import language

#: From this number of positional arguments on, a call is to be made by keyword.
POSITIONAL = 6
FUNCTION_LINES, CLASS_LINES, FILE_LINES = 50, 300, 500
#: Functions that take any number of words; all of their arguments are alike.
VARIADIC = ("join", "format", "Choice", "_git", "_ask", "run", "syscall")
#: Named after what users type, or after what recipes import: not compared with other modules.
NAMED_FROM_WITHOUT = ("cli/commands/",)
#: The functions that each command has.
COMMAND_PROTOCOL = ("add_arguments", "run")

#: Types that hold each other: a node holds edges, which hold nodes; a constraint holds
#: dependencies, which hold constraints. Their modules know each other's types, nothing more.
RECURSIVE_TYPES = (
    {f"spack.spec.{name}" for name in ("concrete", "dag_hash", "edge", "traversal")},
    {f"spack.spec.{name}" for name in ("canonical_text", "constraint", "dependency")},
)

Tree = dict[str, ast.Module]


def parse(root: Path = language.ROOT) -> Tree:
    """Return the syntax trees of the engine below *root*, by path relative to ``lib/spack``."""
    lib = root / "lib" / "spack"
    return {
        path.relative_to(lib).as_posix(): ast.parse(path.read_text("utf-8"), str(path))
        for path in sorted(lib.rglob("*.py"))
    }


def _walk(trees: Tree, kinds: type | tuple[type, ...]) -> Iterator[tuple[str, ast.AST]]:
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield path, node


def duplicate_classes(trees: Tree) -> list[str]:
    """Return the class names that more than one class has, each with its classes."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, node in _walk(trees, ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        found[node.name].append(f"{path}:{node.lineno}")
    return [f"{name}: {', '.join(at)}" for name, at in sorted(found.items()) if len(at) > 1]


def duplicate_modules(trees: Tree) -> list[str]:
    """Return the module names that more than one module has, each with its modules."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in trees:
        name = Path(path).stem
        if name not in ("__init__", "__main__") and not path.startswith(NAMED_FROM_WITHOUT):
            found[name].append(path)
    return [f"{name}: {', '.join(at)}" for name, at in sorted(found.items()) if len(at) > 1]


def _module(path: str) -> str:
    name = "spack." + path[: -len(".py")].replace("/", ".")
    return name[: -len(".__init__")] if name.endswith(".__init__") else name


def _top_level(nodes: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run, or are type-checked, at import: not those of functions."""
    for node in nodes:
        yield node
        for field in ("body", "orelse", "finalbody", "handlers"):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _top_level(getattr(node, field, ()))


def imports(trees: Tree) -> dict[str, set[str]]:
    """Return the modules that each module imports at its top, for type checking included."""
    return _imports(trees, lambda tree: _top_level(tree.body))


def all_imports(trees: Tree) -> dict[str, set[str]]:
    """Return the modules that each module imports, at its top or within functions."""
    return _imports(trees, ast.walk)


def _imports(
    trees: Tree, statements: Callable[[ast.Module], Iterable[ast.AST]]
) -> dict[str, set[str]]:
    names = {_module(path) for path in trees}
    found: dict[str, set[str]] = {}
    for path, tree in trees.items():
        own = _module(path)
        package = own if path.endswith("__init__.py") else own.rpartition(".")[0]
        targets: set[str] = set()
        for node in statements(tree):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    above = package.split(".")[: len(package.split(".")) - node.level + 1]
                    base = ".".join((*above, base)).rstrip(".")
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    targets.add(inner if inner in names else base)
        found[own] = (targets & names) - {own}
    return found


def cycles(trees: Tree) -> list[str]:
    """Return the strongly connected components of the imports, but :data:`RECURSIVE_TYPES`.

    A package's ``__init__`` that re-exports its modules is not counted as their user.
    """
    packages = {_module(path) for path in trees if path.endswith("__init__.py")}
    graph = {name: used - packages for name, used in imports(trees).items() if name not in packages}
    return [
        " <-> ".join(sorted(part))
        for part in _components(graph)
        if len(part) > 1 and part not in RECURSIVE_TYPES
    ]


def _components(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Yield the strongly connected components (Kosaraju's algorithm, without recursion)."""
    order: list[str] = []
    _visit(graph, sorted(graph), order.append)
    reverse: dict[str, set[str]] = {name: set() for name in graph}
    for name, used in graph.items():
        for other in used & set(graph):
            reverse[other].add(name)
    seen: set[str] = set()
    for name in reversed(order):
        if name not in seen:
            part: list[str] = []
            _visit(reverse, [name], part.append, seen)
            yield set(part)


def _visit(
    graph: dict[str, set[str]],
    starts: Iterable[str],
    leave: Callable[[str], object],
    seen: set[str] | None = None,
) -> None:
    """Walk depth first from *starts* and call *leave* on each node after all below it."""
    seen = set() if seen is None else seen
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(sorted(graph[start] & set(graph))))]
        while stack:
            name, below = stack[-1]
            following = next((item for item in below if item not in seen), None)
            if following is None:
                leave(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(sorted(graph[following] & set(graph)))))


def any_uses(root: Path = language.ROOT) -> list[str]:
    """Return the uses of ``Any``, imports in a backup."""
    found = []
    for path in sorted((root / "lib" / "spack").rglob("*.py")):
        text = path.read_text("utf-8")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            is_use = token.type == tokenize.NAME and token.string == "Any"
            if is_use and "import" not in token.line:
                found.append(f"{path.relative_to(root / 'lib' / 'spack')}:{token.start[0]}")
    return found


def positional_calls(trees: Tree) -> list[str]:
    """Return the calls with :data:`POSITIONAL` or more positional arguments."""
    found = []
    for path, node in _walk(trees, ast.Call):
        assert isinstance(node, ast.Call)
        plain = [item for item in node.args if not isinstance(item, ast.Starred)]
        name = ast.unparse(node.func).rpartition(".")[2]
        if len(plain) >= POSITIONAL and name not in VARIADIC:
            found.append(f"{path}:{node.lineno}")
    return found


def long_functions(trees: Tree) -> list[str]:
    """Return the functions of more than :data:`FUNCTION_LINES` lines, docstrings not counted."""
    found = []
    for path, node in _walk(trees, (ast.FunctionDef, ast.AsyncFunctionDef)):
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
        if lines > FUNCTION_LINES:
            found.append(f"{path}:{node.lineno}: {node.name}: {lines}")
    return found


def long_classes(trees: Tree) -> list[str]:
    """Return the classes of more than :data:`CLASS_LINES` lines."""
    found = []
    for path, node in _walk(trees, ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        lines = (node.end_lineno or 0) - node.lineno + 1
        if lines > CLASS_LINES:
            found.append(f"{path}:{node.lineno}: {node.name}: {lines}")
    return found


def long_files(root: Path = language.ROOT) -> list[str]:
    """Return the files of more than :data:`FILE_LINES` lines."""
    lib = root / "lib" / "spack"
    sizes = ((path, len(path.read_text("utf-8").splitlines())) for path in lib.rglob("*.py"))
    return [f"{path.relative_to(lib)}: {size}" for path, size in sorted(sizes) if size > FILE_LINES]


def undocumented(trees: Tree) -> list[str]:
    """Return the public functions without a docstring, or with ``:raises`` alone.

    Functions within functions, overloads, overriding methods of private classes and the bodies of
    protocols that are one line of code are not public functions; those that each command has are
    described where commands are found (``cli/main.py``).
    """
    return [entry for path, tree in trees.items() for entry in _undocumented(path, tree, "")]


def _undocumented(path: str, node: ast.Module | ast.ClassDef, owner: str) -> Iterator[str]:
    protocol = isinstance(node, ast.ClassDef) and "Protocol" in {
        base.id for base in node.bases if isinstance(base, ast.Name)
    }
    for child in node.body:
        name = getattr(child, "name", "_")
        if isinstance(child, ast.ClassDef) and not name.startswith("_"):
            yield from _undocumented(path, child, f"{owner}{name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if name.startswith("_") or protocol or _is_trivial(child):
                continue
            if path.startswith(NAMED_FROM_WITHOUT) and not owner and name in COMMAND_PROTOCOL:
                continue
            text = ast.get_docstring(child)
            if text is None or text.lstrip().startswith(":raises"):
                yield f"{path}:{child.lineno}: {owner}{name}"


def _is_trivial(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether *node* is an overload, or a property or method that one line defines."""
    decorators = {ast.unparse(item).rpartition(".")[2] for item in node.decorator_list}
    if decorators & {"overload", "setter", "override"}:
        return True
    return len(node.body) == 1 and isinstance(node.body[0], (ast.Return, ast.Pass))

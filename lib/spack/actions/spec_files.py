"""Files with concrete specs on the command line: ``./spec.json``, ``hdf5 ^./zlib.json``.

The form is that of Spack's spec files, which ``spack spec --json`` and ``--yaml`` write, and which
prefixes hold (:mod:`spack.spec.stored`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from spack.errors import SpackError, SpecError
from spack.spec import from_specfile
from spack.spec.stored import verify
from spack.util.json_input import parse_json

if TYPE_CHECKING:
    from spack.spec import ConcreteSpec, Spec

__all__ = ["read_spec_file", "without_files"]


def without_files(specs: Iterable[Spec]) -> tuple[list[Spec], list[ConcreteSpec]]:
    """Return *specs* with the name and hash in place of each file, and what the files hold.

    Relative paths refer to the process's current directory.

    :raises SpecError: a file cannot be read or holds no concrete spec.
    """
    found: dict[str, ConcreteSpec] = {}
    return [_without_files(spec, found) for spec in specs], list(found.values())


def _without_files(spec: Spec, found: dict[str, ConcreteSpec]) -> Spec:
    dependencies = tuple(
        edge.replace(spec=_without_files(edge.spec, found)) for edge in spec.dependencies
    )
    if dependencies != spec.dependencies:
        spec = spec.replace(dependencies=dependencies)
    if spec.file is None:
        return spec
    if spec.file not in found:
        found[spec.file] = read_spec_file(spec.file)
    node = found[spec.file]
    return spec.replace(file=None, name=node.name, hash_prefix=node.dag_hash())


def read_spec_file(path: str) -> ConcreteSpec:
    """Return the one root in the file at *path*.

    :raises SpecError: it cannot be read, or does not hold one root with all its nodes.
    """
    try:
        root, nodes = from_specfile(_content(path))
        verify(nodes)
    except OSError as error:
        raise _unusable(path, f"cannot read the spec file {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _unusable(path, f"{path} holds no concrete spec: {error!r}") from error
    except SpackError as error:
        raise _unusable(path, f"{path} holds no concrete spec: {error.message}") from error
    return nodes[root]


def _content(path: str) -> Any:
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    if path.endswith(".json"):
        return parse_json(text)
    from spack.util import yaml  # start-up: files of this kind are rare

    return yaml.load(path, text).data


def _unusable(path: str, message: str) -> SpecError:
    return SpecError(
        message,
        hint="`spack spec --json SPEC` writes such a file; a package's name holds no '/'",
        facts={"file": path},
        ref="spec-file",
    )

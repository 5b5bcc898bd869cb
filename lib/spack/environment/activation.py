"""Activating environments and loading packages: changes of the shell, as text for it.

``spack env activate`` prints what ``bin/activate`` of the view does, with the path written in and
``SPACK_ENV`` on top; the shell keeps the old values, so ``deactivate`` gives everything back byte
for byte.

``spack load`` has no function in the shell to lean on: loading twice, unloading one of two, and
unloading in a child shell must all work. What was there before is therefore kept in one variable,
``SPACK_LOAD_STATE``, with what was set::

    {"hashes": ["…"], "view": "/store/.views/…", "values": {"PATH": [old or null, new], …}}

Nothing here sets PYTHONPATH, PYTHONHOME or LD_LIBRARY_PATH.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from spack.util.json_input import parse_json
from spack.util.shell import set_statement, shell_named, unset_statement
from spack.util.shells.shell_text import Shell
from spack.view.activate import ROOT, EnvStep, render
from spack.view.view_manifest import Activation

__all__ = [
    "ACTIVE",
    "AWAITS_VIEW",
    "LOAD_STATE",
    "LoadState",
    "activation_text",
    "deactivation_text",
    "delta_text",
    "load_delta",
    "load_state",
    "steps_from_settings",
]

#: Names the directory of the active environment.
ACTIVE = "SPACK_ENV"

#: Set while an environment is active whose view is not made yet: the shell functions of
#: ``share/setup-env.*`` activate it again after the command that makes it.
AWAITS_VIEW = "SPACK_ENV_AWAITS_VIEW"

LOAD_STATE = "SPACK_LOAD_STATE"
LOADED_HASHES = "SPACK_LOADED_HASHES"

#: Steps of a virtual environment that loading a package leaves out: it is not an environment.
_VENV_ONLY = frozenset({"VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"})

Delta = Mapping[str, Optional[str]]


def steps_from_settings(env_vars: Mapping[str, Any]) -> tuple[EnvStep, ...]:
    """Return the section ``env_vars`` of the configuration as steps."""
    steps: list[EnvStep] = []
    for name in env_vars.get("unset", ()):
        steps.append(EnvStep("unset", str(name)))
    for key, action in (("set", "set"), ("prepend_path", "prepend"), ("append_path", "append")):
        for name, value in env_vars.get(key, {}).items():
            steps.append(EnvStep(action, str(name), str(value)))
    return tuple(steps)


def activation_text(  # noqa: PLR0913 - keywords of independent settings
    shell: str,
    templates: Mapping[str, str],
    *,
    environment: str,
    name: str,
    view: str = "",
    activation: Activation | None = None,
    extra: Sequence[EnvStep] = (),
    prompt: bool | None = None,
) -> str:
    """Return text for ``eval`` that activates an environment.

    What was active before is deactivated.

    :param templates: ``share/activate`` by file name.
    :param environment: its directory. :param name: for the prompt.
    :param view: absolute path of its view, with what :func:`load_activation` says of it; without
        one only ``SPACK_ENV`` is set.
    :param extra: further steps, such as :func:`steps_from_settings`; they come last.
    :param prompt: show the name in the prompt, or do not; None leaves it to the variable
        ``VIRTUAL_ENV_DISABLE_PROMPT``.
    :raises UsageError: there is no text for that shell.
    """
    row = shell_named(shell)
    steps = [EnvStep("set", ACTIVE, environment)]
    if activation is not None:
        steps.extend(activation.steps)
    steps.extend(extra)
    template = templates[row.activation.template]
    text = render(row.name, template, steps, root=view or environment, name=name)
    return text if prompt is None else _with_prompt(row, text, prompt)


def _with_prompt(shell: Shell, text: str, shown: bool) -> str:
    """Switch the prompt on or off while *text* runs, whatever the user's own setting is."""
    on, off = shell.prompt
    return on.replace("{}", "" if shown else "1") + f"\n{text}{off}\n"


def deactivation_text(
    shell: str,
    environ: Mapping[str, str],
    *,
    view: str = "",
    activation: Activation | None = None,
) -> str:
    """Return text for ``eval`` that takes an activation back.

    The function ``deactivate`` does it. A child shell inherits the variables and not the function:
    there the entries of the view are taken out again, as far as they can be recognized.
    """
    steps = [EnvStep("set", ACTIVE), EnvStep("set", AWAITS_VIEW)]
    if activation is not None:
        steps.extend(activation.steps)
    undone = _undone(steps, view, environ)
    return shell_named(shell).deactivate(delta_text(shell, undone, environ), ACTIVE)


def delta_text(shell: str, delta: Delta, environ: Mapping[str, str]) -> str:
    """Return statements that apply *delta*; what is already so is left out."""
    lines: list[str] = []
    for name, value in delta.items():
        if value is None:
            if name in environ:
                lines.append(unset_statement(shell, name))
        elif environ.get(name) != value:
            lines.append(set_statement(shell, name, value))
    return "".join(lines)


def _filled(step: EnvStep, root: str) -> str:
    return step.value.replace(ROOT, root)


def _applied(steps: Sequence[EnvStep], root: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* after *steps*."""
    result = dict(environ)
    for step in steps:
        old, value = result.get(step.name, ""), _filled(step, root)
        if step.action == "unset":
            result.pop(step.name, None)
        elif step.action == "set":
            result[step.name] = value
        elif step.action == "prepend":
            result[step.name] = value + step.separator + old if old else value + step.tail
        else:
            result[step.name] = old + step.separator + value if old else value
    return result


def _undone(
    steps: Sequence[EnvStep], root: str, environ: Mapping[str, str]
) -> dict[str, str | None]:
    """Return *environ* without *steps*, without the knowledge of what was there before."""
    result: dict[str, str | None] = {}
    for step in steps:
        current = result.get(step.name, environ.get(step.name))
        if current is None or step.action == "unset":
            continue
        if step.action == "set" or current == _filled(step, root) + step.tail:
            result[step.name] = None
        else:
            entries = current.split(step.separator)
            if _filled(step, root) in entries:
                entries.remove(_filled(step, root))
            result[step.name] = step.separator.join(entries) if any(entries) else None
    return result


# -- load --------------------------------------------------------------------------------------


class LoadState(NamedTuple):
    """What ``spack load`` has done so far.

    :ivar hashes: of the packages that are loaded, in order.
    :ivar view: the run view that shows them.
    :ivar values: variable -> (text before or None, text now).
    """

    hashes: tuple[str, ...] = ()
    view: str = ""
    values: Mapping[str, tuple[str | None, str | None]] = {}  # never changed


def load_state(environ: Mapping[str, str]) -> LoadState:
    """Return what is loaded in the shell with *environ*; nothing, if the record is damaged."""
    try:
        data = parse_json(environ.get(LOAD_STATE) or "{}")
        values = {name: (old, new) for name, (old, new) in data.get("values", {}).items()}
        return LoadState(tuple(data.get("hashes", ())), data.get("view", ""), values)
    except (ValueError, TypeError, AttributeError):
        return LoadState()


def load_delta(
    environ: Mapping[str, str],
    hashes: Sequence[str],
    view: str = "",
    activation: Activation | None = None,
) -> Delta:
    """Return the changes after which exactly *hashes* are loaded, whatever was loaded before.

    :param view: the run view of these packages; ``""`` when *hashes* is empty.
    :returns: variables and their new texts, None for unset.
    """
    before = _unloaded(environ)
    if not hashes:
        return _difference(environ, before)
    steps = [
        step
        for step in (activation.steps if activation is not None else ())
        if step.name not in _VENV_ONLY
    ]
    after = _applied(steps, view, before)
    touched = dict.fromkeys(step.name for step in steps)
    values = {name: [before.get(name), after.get(name)] for name in touched}
    state = {"hashes": list(hashes), "view": view, "values": values}
    after[LOAD_STATE] = json.dumps(state, separators=(",", ":"))
    after[LOADED_HASHES] = ":".join(hashes)
    return _difference(environ, after)


def _unloaded(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* without what was loaded.

    A variable that was changed since keeps its changes and loses the entries of the view.
    """
    state = load_state(environ)
    result = dict(environ)
    for name, (old, new) in state.values.items():
        current = result.get(name)
        if current == new:
            value = old
        elif current is None:
            continue
        else:
            value = _without_view(current, state.view)
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    result.pop(LOAD_STATE, None)
    result.pop(LOADED_HASHES, None)
    return result


def _without_view(text: str, view: str) -> str:
    entries = text.split(":")
    return ":".join(x for x in entries if x != view and not x.startswith(view + "/"))


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> Delta:
    names = dict.fromkeys([*before, *after])
    return {name: after.get(name) for name in names if before.get(name) != after.get(name)}

"""Recipes of container images for an environment: a Dockerfile, or a definition of Singularity.

The environment is built inside of the image, by this tool in a stage of its own; the last stage has
only what was installed. Configured by ``container:`` in ``spack.yaml``, with Spack's keys.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from spack.config.schema import Tree, strip
from spack.errors import UsageError
from spack.util import yaml

__all__ = ["CONTAINER_OS", "ContainerRecipe", "container_recipe", "container_text"]

#: Where things are in an image; the same as in Spack's.
ENVIRONMENT, STORE, VIEWS, TOOL = (
    "/opt/spack-environment",
    "/opt/software",
    "/opt/views",
    "/opt/spack",
)
VIEW = f"{VIEWS}/view"

LastStage = Literal["bootstrap", "build", "final"]


class PackageManager(NamedTuple):
    """How packages of a distribution are installed.

    :ivar build: what this tool and its builds need. :ivar final: what built programs and views of
        the distribution's Python need.
    """

    update: str
    install: str
    clean: str
    build: str
    final: str


_RPM_BUILD = (
    "ca-certificates file findutils gcc gcc-c++ gcc-gfortran git gzip make patch python3 "
    "python3-devel tar unzip xz"
)

#: By the names that Spack's ``container:os_packages:command`` has.
MANAGERS: Mapping[str, PackageManager] = {
    "apt": PackageManager(
        "apt-get -yqq update",
        "DEBIAN_FRONTEND=noninteractive apt-get -yqq install --no-install-recommends",
        "rm -rf /var/lib/apt/lists/*",
        "build-essential ca-certificates file gfortran git patch python3 python3-dev "
        "python3-venv unzip xz-utils",
        "ca-certificates libgfortran5 libgomp1 python3",
    ),
    "yum": PackageManager(
        "yum update -y",
        "yum install -y",
        "rm -rf /var/cache/yum && yum clean all",
        _RPM_BUILD,
        "ca-certificates libgfortran libgomp python3",
    ),
    "zypper": PackageManager(
        "zypper update -y",
        "zypper install -y",
        "rm -rf /var/cache/zypp && zypper clean -a",
        _RPM_BUILD.replace("gcc-gfortran", "gcc-fortran"),
        "ca-certificates libgfortran5 libgomp1 python3",
    ),
    "apk": PackageManager(
        "apk update",
        "apk add --no-cache",
        "true",
        "bash build-base ca-certificates file findutils gfortran git patch python3 python3-dev "
        "tar unzip xz",
        "ca-certificates libgfortran libgomp python3",
    ),
}
MANAGERS = {**MANAGERS, "yum_amazon": MANAGERS["yum"]}

#: Images of operating systems that this tool is put into, and their package managers.
CONTAINER_OS: Mapping[str, str] = {
    "almalinux:8": "yum",
    "almalinux:9": "yum",
    "alpine:3": "apk",
    "debian:12": "apt",
    "debian:13": "apt",
    "fedora:41": "yum",
    "fedora:42": "yum",
    "opensuse/leap:15": "zypper",
    "rockylinux:8": "yum",
    "rockylinux:9": "yum",
    "ubuntu:22.04": "apt",
    "ubuntu:24.04": "apt",
}


class ContainerRecipe(NamedTuple):
    """What a recipe is made of.

    :ivar build: image of the stage that builds. :ivar final: of the last one.
    :ivar has_tool: the image *build* has this tool already.
    :ivar tool_url: repository that the tool is cloned from; ``""``: it is copied from *clone*.
    :ivar update: update the system's packages first.
    """

    format: str
    build: str
    final: str
    has_tool: bool
    tool_url: str
    tool_ref: str
    clone: str
    manager: PackageManager
    update: bool
    build_packages: Sequence[str]
    final_packages: Sequence[str]
    strip: bool
    depfile: bool
    labels: Mapping[str, str]
    sections: Mapping[str, str]
    manifest: str


def container_recipe(tree: Mapping[str, Tree], host_os: str, clone: str) -> ContainerRecipe:
    """Return the recipe for an environment.

    :param tree: the sections of its ``spack.yaml``.
    :param host_os: of this machine, which is taken where no image is named.
    :param clone: directory of this tool.
    :raises UsageError: it needs files of this machine, or an operating system that is not known.
    """
    sections = {key.rstrip(":+-"): value for key, value in tree.items()}
    _refuse_files(sections)
    data = {name: strip(value) for name, value in sections.items()}
    given = data.pop("container", None) or {}
    images = given.get("images") or {"os": _own_os(host_os)}
    tool = images.get("spack")
    tool = tool if isinstance(tool, Mapping) else {}
    packages = given.get("os_packages") or {}
    name = str(images.get("os", ""))
    if name and name not in CONTAINER_OS:
        raise UsageError(
            f"cannot containerize for {name}: the operating system is not known",
            hint="`spack containerize --list-os` lists those that are; or name two images: "
            "`images: {build: IMAGE, final: IMAGE}`, the first with this tool",
            ref="containerize-os",
        )
    command = packages.get("command") or CONTAINER_OS.get(name, "apt")
    manager = MANAGERS[command]
    own = bool(name)
    return ContainerRecipe(
        format=given.get("format", "docker"),
        build=str(images.get("build") or name),
        final=str(images.get("final") or name),
        has_tool=not own,
        tool_url=str(tool.get("url", "")),
        tool_ref=str(tool.get("ref", "")),
        clone=clone,
        manager=manager,
        update=bool(packages.get("update", True)),
        build_packages=(*(manager.build.split() if own else ()), *packages.get("build", ())),
        final_packages=(*(manager.final.split() if own else ()), *packages.get("final", ())),
        strip=bool(given.get("strip", True)),
        depfile=bool(given.get("depfile", False)),
        labels={str(x): str(y) for x, y in (given.get("labels") or {}).items()},
        sections={str(x): str(y) for x, y in (given.get("singularity") or {}).items()},
        manifest=_manifest(data),
    )


def _refuse_files(sections: Mapping[str, Tree]) -> None:
    """Refuse an environment that needs files of this machine.

    :raises UsageError: it does.
    """
    for name in ("include", "include_concrete", "develop"):
        if name in sections and strip(sections[name]):
            raise UsageError(
                f"{sections[name].origin}: cannot containerize an environment with `{name}`: it "
                "needs files of this machine",
                hint="write what they say into spack.yaml",
                ref="containerize-files",
            )


def _own_os(host_os: str) -> str:
    """Return the image of this machine's operating system, or of Debian's."""
    squeezed = {name.replace("/", "").replace(":", ""): name for name in CONTAINER_OS}
    return squeezed.get(host_os, "debian:12")


def _manifest(data: Mapping[str, Any]) -> str:
    """Return the text of the ``spack.yaml`` in the image."""
    view = data.get("view")
    chosen = view.get("default", {}) if isinstance(view, Mapping) else {}
    descriptor = {"root": VIEW, **{x: y for x, y in dict(chosen).items() if x != "root"}}
    config = {**(data.get("config") or {}), "install_tree": {"root": STORE}}
    every = {**data, "config": config, "view": {"default": descriptor}}
    return yaml.dump({"spack": every})


def container_text(recipe: ContainerRecipe, last: LastStage) -> str:
    """Return the recipe up to the stage *last*."""
    writer = _singularity if recipe.format == "singularity" else _dockerfile
    return writer(recipe, last)


def _packages(recipe: ContainerRecipe, names: Sequence[str]) -> list[str]:
    """Return the commands that install packages of the system."""
    if not names:
        return []
    manager = recipe.manager
    update = [manager.update] if recipe.update else []
    return [*update, f"{manager.install} {' '.join(names)}", manager.clean]


def _install(recipe: ContainerRecipe) -> list[str]:
    """Return the commands that build the environment."""
    spack = f"spack -e {ENVIRONMENT}"
    commands = [f"{spack} install --fail-fast"]
    if recipe.depfile:
        makefile = f"{ENVIRONMENT}/Makefile"
        commands = [
            f"{spack} concretize",
            f"{spack} env depfile -o {makefile}",
            f'make -f {makefile} -j "$(nproc)"',
            f"{spack} install",
        ]
    activation = f"spack env activate --sh -d {ENVIRONMENT} > {ENVIRONMENT}/activate.sh"
    return [*commands, f"{spack} gc -y", activation]


_STRIP = (
    f"find {STORE} -type f -exec sh -c 'for file; do "
    'if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then strip --strip-unneeded "$file"; fi; '
    "done' sh {} +"
)


def _clone(recipe: ContainerRecipe) -> list[str]:
    """Return the commands that fetch this tool."""
    commands = [f"git clone -q {shlex.quote(recipe.tool_url)} {TOOL}"]
    if recipe.tool_ref:
        commands.append(f"git -C {TOOL} checkout -q {shlex.quote(recipe.tool_ref)}")
    return commands


def _written(recipe: ContainerRecipe) -> list[str]:
    """Return the commands that write ``spack.yaml``, a word of the shell for each line of it."""
    break_ = " \\\n      "
    words = break_.join(shlex.quote(line) for line in recipe.manifest.splitlines())
    return [
        f"mkdir -p {ENVIRONMENT} {VIEWS}",
        f"printf '%s\\n'{break_}{words}{break_}> {ENVIRONMENT}/spack.yaml",
    ]


# -- Dockerfile --------------------------------------------------------------------------------


def _run(commands: Sequence[str]) -> list[str]:
    return ["RUN " + " \\\n && ".join(commands)] if commands else []


def _dockerfile(recipe: ContainerRecipe, last: LastStage) -> str:
    stages = ["bootstrap", "build", "final"]
    shown = stages[: stages.index(last) + 1]
    blocks = {
        "bootstrap": _docker_bootstrap(recipe),
        "build": _docker_build(recipe),
        "final": _docker_final(recipe),
    }
    return "\n".join("\n".join(blocks[stage]) + "\n" for stage in shown if blocks[stage])


def _docker_bootstrap(recipe: ContainerRecipe) -> list[str]:
    if recipe.has_tool:
        return []
    lines = ["# What builds need, and this tool", f"FROM {recipe.build} AS bootstrap"]
    lines += _run(_packages(recipe, recipe.build_packages))
    if recipe.tool_url:
        lines += _run(_clone(recipe))
    else:
        lines += [
            f"# docker build --build-context spack={recipe.clone} .",
            f"COPY --from=spack . {TOOL}",
        ]
    return [*lines, f"ENV PATH={TOOL}/bin:$PATH"]


def _docker_build(recipe: ContainerRecipe) -> list[str]:
    lines = ["# The environment"]
    if recipe.has_tool:
        lines.append(f"FROM {recipe.build} AS builder")
        lines += _run(_packages(recipe, recipe.build_packages))
    else:
        lines.append("FROM bootstrap AS builder")
    lines += [*_run(_written(recipe)), *_run(_install(recipe))]
    return [*lines, *_run([_STRIP] if recipe.strip else [])]


def _docker_final(recipe: ContainerRecipe) -> list[str]:
    entry = (
        f"printf '%s\\n' '#!/bin/sh' '. {ENVIRONMENT}/activate.sh' 'exec \"$@\"' > /entrypoint.sh"
    )
    lines = ["# What was installed, and what it needs of the system", f"FROM {recipe.final}"]
    lines += [f"COPY --from=builder {path} {path}" for path in (ENVIRONMENT, STORE, VIEWS)]
    lines += _run(_packages(recipe, recipe.final_packages))
    lines += _run([entry, "chmod a+x /entrypoint.sh", f"ln -s {VIEW} /opt/view"])
    lines += [f"LABEL {_quoted(name)}={_quoted(text)}" for name, text in recipe.labels.items()]
    return [*lines, 'ENTRYPOINT ["/entrypoint.sh"]', 'CMD ["/bin/sh"]']


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


# -- Singularity -------------------------------------------------------------------------------

#: Sections of a definition that ``container:singularity`` has the texts of.
_SECTIONS = ("runscript", "startscript", "test", "help")


def _section(name: str, lines: Sequence[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"%{name}\n{body}\n" if lines else ""


def _singularity(recipe: ContainerRecipe, last: LastStage) -> str:
    text = f"Bootstrap: docker\nFrom: {recipe.build}\nStage: build\n\n"
    copied = not (recipe.has_tool or recipe.tool_url)
    text += _section("files", [f"{recipe.clone} {TOOL}"] if copied else [])
    post = _packages(recipe, recipe.build_packages)
    if not recipe.has_tool:
        post += _clone(recipe) if recipe.tool_url else []
        post.append(f"export PATH={TOOL}/bin:$PATH")
    if last != "bootstrap":
        post += [
            *_written(recipe),
            *_install(recipe),
            *([_STRIP] if recipe.strip else []),
        ]
    text += _section("post", post)
    if last != "final":
        return text
    text += f"Bootstrap: docker\nFrom: {recipe.final}\nStage: final\n\n"
    text += _section("files from build", [f"{x} {x}" for x in (ENVIRONMENT, STORE, VIEWS)])
    post = [
        *_packages(recipe, recipe.final_packages),
        f"ln -s {VIEW} /opt/view",
        f'cat {ENVIRONMENT}/activate.sh >> "$SINGULARITY_ENVIRONMENT"',
    ]
    text += _section("post", post)
    for name in _SECTIONS:
        text += _section(name, recipe.sections.get(name, "").splitlines())
    return text + _section("labels", [f"{name} {x}" for name, x in recipe.labels.items()])

"""Scripts and other texts that name the store's Python."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from spack.util.record_file import RecordedFile, corrected_record
from spack.view import relocate
from spack.view.relocate import Interpreters, relocated_script, shebang

from .conftest import Make, Store, record_row, run

OWN_LINES = Interpreters(
    (b"/store/venv-1.0-x", b"/store/pkg-1.0-y"), (b"/usr/bin/python3.11",), "3.11.2"
)


def rewritten(text: str, path: str = "bin/tool", env_too: bool = True) -> str:
    new = relocated_script(path, text.encode(), OWN_LINES, env_too)
    return text if new is None else new.decode()


LINE = shebang("bin/tool").decode()


def test_the_line_is_the_one_of_the_design() -> None:
    assert LINE == (
        '#!/usr/bin/env -S sh -c \'p=$0;[ -L "$p" ]&&p=$(realpath "$p");'
        'exec "${p%/*}/python3" "$0" "$@"\'\n'
    )
    assert len(LINE) <= 127
    assert '"${p%/*}/../bin/python3"' in shebang("libexec/tool").decode()
    assert '"${p%/*}/../../bin/python3"' in shebang("libexec/a/tool").decode()
    assert '"${p%/*}/../python3"' in shebang("bin/sub/tool").decode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("#!/store/venv-1.0-x/bin/python3\nx\n", LINE + "x\n"),
        ("#! /store/venv-1.0-x/bin/python3.11 \r\nx\n", LINE + "x\n"),
        ("#!/store/pkg-1.0-y/bin/python\nx\n", LINE + "x\n"),
        ("#!/usr/bin/python3.11\nx\n", LINE + "x\n"),
        ("#!/usr/bin/env python3\nx\n", LINE + "x\n"),
        ("#!/usr/bin/env python3.11\nx\n", LINE + "x\n"),
        ("#!/bin/env python\nx\n", LINE + "x\n"),
        ("#!/usr/bin/python3\nx\n", LINE + "x\n"),
        ("#!/usr/bin/env -S python3\nx\n", LINE + "x\n"),
        ("#!/usr/bin/env -vS python3\nx\n", LINE + "x\n"),
        ("#!/usr/bin/env --split-string=python3\nx\n", LINE + "x\n"),
        ("#!/usr/bin/env /store/venv-1.0-x/bin/python3\nx\n", LINE + "x\n"),
        ("#!/usr/bin/env -S /store/venv-1.0-x/bin/python3\nx\n", LINE + "x\n"),
        (
            '#!/bin/sh\n"exec" "/store/venv-1.0-x/bin/python3" "$0" "$@"\nx\n',
            LINE + '"exec" "/store/venv-1.0-x/bin/python3" "$0" "$@"\nx\n',
        ),
        (
            "#!/bin/bash\n'''':\nexec python3 \"$0\" \"$@\"\n'''\nx\n",
            LINE + "'''':\nexec python3 \"$0\" \"$@\"\n'''\nx\n",
        ),
        (LINE + "x\n", LINE + "x\n"),
        (
            "#!/bin/sh\n'''exec' \"/store/venv-1.0-x/bin/python3\" \"$0\" \"$@\"\n' '''\nx\n",
            LINE + "x\n",
        ),
        (
            "#!/bin/sh\n'''exec' /store/venv-1.0-x/bin/python3 \"$0\" \"$@\"\n' '''\nx\n",
            LINE + "x\n",
        ),
        (
            '#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python3\' "$0" "$@"\n'
            "' '''\nx\n",
            LINE + "x\n",
        ),
    ],
)
def test_headers_that_are_replaced(old: str, new: str) -> None:
    assert rewritten(old) == new


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\necho /store/venv-1.0-x/bin/python3\n",
        "#!/usr/bin/python3.9\nx\n",
        "#!/usr/bin/env python2\nx\n",
        "#!/usr/bin/env -S python3.9 -s\nx\n",
        "#!/usr/bin/env -S 'python3\nx\n",
        "#!/usr/bin/env -S A=$B python3\nx\n",
        "#!/usr/bin/env -S\nx\n",
        '#!/bin/sh\nexec python3 "$0" "$@"\n',
        "#!/store/venv-1.0-x2/bin/python3\nx\n",
        "#!/store/venv-1.0-x/bin/pythonic\x00\n",
        "#!/store/pkg-1.0-y/bin/perl\nx\n",
        "#!/usr/bin/env perl\nx\n",
        "no shebang /store/venv-1.0-x/bin/python3\n",
        "",
        "#!",
    ],
)
def test_texts_that_stay(text: str) -> None:
    assert rewritten(text) == text


def test_other_packages_may_ask_for_any_python() -> None:
    text = "#!/usr/bin/env python3\nx\n"
    assert rewritten(text, env_too=False) == text


def test_arguments_of_the_interpreter_stay() -> None:
    assert '/python3" -E "$0"' in rewritten("#!/store/venv-1.0-x/bin/python3 -E\nx\n")
    old = rewritten("#!/store/venv-1.0-x/bin/python3 -sP\nx\n")
    assert rewritten(old, "libexec/x").count(" -sP ") == 1
    set_before = rewritten("#!/usr/bin/env -iS -u B A=1 python3 -s\nx\n")
    assert 'exec env -i -u B A=1 "${p%/*}/python3" -s "$0"' in set_before
    hostile = rewritten("#!/store/venv-1.0-x/bin/python3 '; rm -rf /\nx\n")
    assert hostile == LINE + "x\n"


def test_bytes_of_any_encoding_survive() -> None:
    body = b"# -*- coding: latin-1 -*-\nprint('\xe9')\n"
    new = relocated_script("bin/x", b"#!/store/venv-1.0-x/bin/python3\n" + body, OWN_LINES, True)
    assert new == LINE.encode() + body


def test_candidates() -> None:
    yes = ["bin/a", "sbin/b", "libexec/x/y"]
    no = ["lib/x.py", "bin/x.so", "share/kernel.json", "share/doc/x"]
    assert all(relocate.is_candidate(path, 0o644) for path in yes)
    assert not any(relocate.is_candidate(path, 0o644) for path in no)
    assert relocate.is_candidate("lib/x/tool", 0o755)
    assert not relocate.is_candidate("lib/x.so.1", 0o755)


def test_record() -> None:
    record = "a.py,sha256=x,1\r\n../../../bin/tool,sha256=old,9\r\nx.dist-info/RECORD,,\r\n"
    new = corrected_record(
        record.encode(),
        "lib/python3.11/site-packages",
        {"bin/tool": RecordedFile.of(b"new")},
    )
    assert new.decode().splitlines() == [
        "a.py,sha256=x,1",
        record_row("../../../bin/tool", "new"),
        "x.dist-info/RECORD,,",
    ]


# -- in views ----------------------------------------------------------------------------------


def sources(store: Store) -> list[object]:
    docstring = '"""Doc."""\nfrom __future__ import annotations\nprint(__doc__)\n'
    coded = "# -*- coding: latin-1 -*-\nprint(len('\xe9'))\n"
    deep = "#!/usr/bin/env python3\nimport sys, mod\nprint(sys.prefix)\n"
    kernel = json.dumps({"argv": [f"{store.venv}/bin/python3", "-m", "k"], "language": "python"})
    assert store.python is not None
    site = store.python.purelib
    package = store.extension(
        "py-tools",
        {"mod.py": "X = 1\n"},
        scripts={
            "doc": store.shebang + docstring,
            "isolated": store.shebang.strip() + " -I\nimport sys; print(sys.flags.isolated)\n",
            "shell": "#!/bin/sh\necho shell\n",
        },
        extra={
            "bin/coded": ((store.shebang + coded).encode("latin-1"), 0o755),
            "bin/binary": (b"\x7fELF\0" + store.shebang.encode(), 0o755),
            "libexec/deep/er": (deep, 0o755),
            f"{site}/mod_cli.py": (deep, 0o755),
            "share/jupyter/kernels/k/kernel.json": kernel,
        },
        links={"bin/alias": "doc"},
    )
    return [store.venv_source(), package]


ENV_SPLITS = pytest.mark.parametrize("splits_env", [True, False], ids=["env -S", "no env -S"])


@ENV_SPLITS
@pytest.mark.parametrize("link_type", ["symlink", "hardlink", "copy"])
def test_scripts_run_the_views_python(
    tmp_path: Path, store: Store, make: Make, link_type: str, splits_env: bool
) -> None:
    view = tmp_path / "view"
    packages = sources(store)
    before = store.snapshot()
    make(view, packages, link_type=link_type, splits_env=splits_env)
    assert store.python is not None
    assert run(view / "bin/doc") == "Doc." == run(view / "bin/alias")
    assert run(view / "bin/coded") == "1"
    assert run(view / "bin/isolated") == "1"
    assert run(view / "bin/shell") == "shell"
    module = f"{store.python.purelib}/mod_cli.py"
    for name in ("libexec/deep/er", module):
        prefix = run(view / name, env={"PATH": f"{view}/bin:/usr/bin:/bin"})
        assert os.path.realpath(prefix) == str(view)
    assert os.path.realpath(run(view / "bin/python3", "-c", "import mod_cli")) == str(view)
    scripts = [view / "bin" / name for name in ("doc", "coded", "isolated")] + [view / module]
    assert all((b"env -S" in path.read_bytes()) is splits_env for path in scripts)
    assert not (view / "bin/doc").is_symlink()
    assert (view / "bin/shell").is_symlink() is (link_type == "symlink")
    kernel = json.loads((view / "share/jupyter/kernels/k/kernel.json").read_text())
    assert kernel["argv"][0] == "python3"
    assert store.snapshot() == before
    check_records(view, view / store.python.purelib)


def check_records(view: Path, site: Path) -> None:
    """Every row of every RECORD is true."""
    rows: dict[str, str] = {}
    for record in site.glob("*.dist-info/RECORD"):
        for row in record.read_text().splitlines():
            path, digest, _ = row.rsplit(",", 2)
            if digest:
                rows[path] = row
    assert rows
    for path, row in rows.items():
        assert row == record_row(path, (site / path).read_bytes()), path


@ENV_SPLITS
def test_a_script_reached_from_elsewhere(
    tmp_path: Path, store: Store, make: Make, splits_env: bool
) -> None:
    make(tmp_path / "made", sources(store), splits_env=splits_env)
    view = tmp_path / 'it\'s a "view" $x'
    (tmp_path / "made").rename(view)
    assert run(view / "bin/coded") == "1" and run(view / "bin/isolated") == "1"
    (tmp_path / "home").mkdir()
    link = tmp_path / "home/tool"
    link.symlink_to(view / "bin/doc")
    assert run(link) == "Doc."
    (tmp_path / "other").symlink_to(view)
    assert run(tmp_path / "other/bin/doc") == "Doc."
    assert run("sh", "-c", "./doc", cwd=view / "bin") == "Doc."
    assert run("sh", "-c", "doc", env={"PATH": f"{view}/bin:/usr/bin:/bin"}) == "Doc."
    assert run("bin/doc", cwd=view) == "Doc."


def test_links_keep_pointing_inside(tmp_path: Path, store: Store, make: Make) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    prefix = tmp_path / "store"
    package = store.package(
        "linked",
        {"lib/liba.so.1.2": "a", "share/data/file": "d"},
        links={
            "lib/liba.so.1": "liba.so.1.2",
            "lib/liba.so": "liba.so.1",
            "share/same": "data",
            "share/up": "../lib/liba.so",
            "share/outside": str(outside),
            "share/other": "../../neighbour/file",
        },
    )
    absolute = store.package("absolute", {"etc/file": "e"}, links={"etc/link": f"{prefix}/nothing"})
    (Path(absolute.prefix) / "etc/self").symlink_to(Path(absolute.prefix) / "etc/file")
    files = dict(absolute.load_files())
    files["etc/self"] = ("link", 0o777, f"{absolute.prefix}/etc/file", 1)
    object.__setattr__(absolute, "load_files", lambda: files)
    view = tmp_path / "view"
    make(view, [package, absolute], link_type="copy", python=None)
    assert os.readlink(view / "lib/liba.so") == "liba.so.1"
    assert os.readlink(view / "share/same") == "data"
    assert os.readlink(view / "share/up") == "../lib/liba.so"
    assert os.readlink(view / "share/outside") == str(outside)
    assert os.readlink(view / "share/other") == f"{prefix}/neighbour/file"
    assert os.readlink(view / "etc/self") == "file"
    assert not (view / "bin").exists() and not (view / "pyvenv.cfg").exists()


def test_hashes_agree_with_the_stores() -> None:
    assert relocate.digest(b"x") == hashlib.sha256(b"x").hexdigest()


@ENV_SPLITS
def test_a_long_path(tmp_path: Path, store: Store, make: Make, splits_env: bool) -> None:
    view = tmp_path / ("d" * 150) / ("e" * 150) / "view"
    make(view, sources(store), splits_env=splits_env)
    assert len(str(view)) > 300
    assert run(view / "bin/doc") == "Doc."
    done = subprocess.run([view / "bin/isolated"], capture_output=True, text=True)
    assert done.stdout == "1\n"


def test_headers_where_env_cannot_split() -> None:
    """The trampoline of pip for what it does no harm; a launcher for the rest."""
    plain = LINE + "import sys\n"
    ((path, text),) = relocate.without_env_split("bin/tool", plain.encode()).items()
    assert path == "bin/tool" and text.startswith(b"#!/bin/sh\n'''exec' /bin/sh -c ")
    assert text.endswith(b"\n' '''\nimport sys\n")
    own = (LINE + "# coding: latin-1\n").encode()
    files = relocate.without_env_split("bin/tool", own)
    assert list(files) == ["bin/tool", "libexec/spack-view/bin/tool"]
    assert files["libexec/spack-view/bin/tool"] == b"#!/usr/bin/env python3\n# coding: latin-1\n"
    assert relocate.without_env_split("bin/x", b"#!/bin/sh\n") == {"bin/x": b"#!/bin/sh\n"}
    compatible = (LINE + "# -*- coding: utf-8 -*-\nimport re\n").encode()
    assert list(relocate.without_env_split("bin/tool", compatible)) == ["bin/tool"]

"""A package index in a directory: distributions made by tests, served as ``file://`` urls."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kits.recipe_repository import BACKEND, PYPROJECT


class LocalIndex:
    """An index by the Simple API (PEP 503): a directory of pages, each with links and digests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)

    @property
    def url(self) -> str:
        return self.root.as_uri()

    def environ(self) -> Mapping[str, str]:
        """Return the variables that make this the only index."""
        return {"PIP_INDEX_URL": self.url, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}

    def sdist(
        self,
        name: str,
        version: str,
        metadata: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
        *,
        metadata_version: str = "2.4",
    ) -> Path:
        """Add a source archive whose build backend is in its tree: it installs module *name*.

        :param metadata: further lines of PKG-INFO.
        :param files: further files, over the usual ones.
        """
        module = name.replace("-", "_")
        head = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
        # What the archive says and what the wheel says are the same text.
        text = "\n".join([*head, *metadata, ""])
        backend = BACKEND.format(name=module, first="    pass")
        backend = backend.replace("-1.0", f"-{version}").replace(
            f'"Metadata-Version: 2.1\\nName: {module}\\nVersion: 1.0\\n"', "open('PKG-INFO').read()"
        )
        every = {
            "PKG-INFO": text,
            "pyproject.toml": PYPROJECT,
            "backend.py": backend,
            f"{module}.py": f"VERSION = {version!r}\n",
            **(files or {}),
        }
        stem = f"{module}-{version}"
        path = self._directory(name) / f"{stem}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for file, content in every.items():
                member = tarfile.TarInfo(f"{stem}/{file}")
                data = content.encode()
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        self._page(name)
        return path

    def wheel(
        self, name: str, version: str, metadata: Sequence[str] = (), *, tag: str = "py3-none-any"
    ) -> Path:
        """Add a wheel with one module."""
        module = name.replace("-", "_")
        path = self._directory(name) / f"{module}-{version}-{tag}.whl"
        info = f"{module}-{version}.dist-info"
        head = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{info}/METADATA", "\n".join([*head, *metadata, ""]))
            archive.writestr(
                f"{info}/WHEEL",
                f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
            )
            archive.writestr(f"{module}.py", f"VERSION = {version!r}\n")
            names = [f"{info}/METADATA", f"{info}/WHEEL", f"{module}.py", f"{info}/RECORD"]
            archive.writestr(f"{info}/RECORD", "".join(f"{x},,\n" for x in names))
        self._page(name)
        return path

    def require_python(self, name: str, versions: Mapping[str, str]) -> None:
        """Let the page of a project have ``data-requires-python`` for these versions."""
        page = self.root / name / "index.html"
        lines = page.read_text().splitlines()
        for version, specifier in versions.items():
            attribute = f'<a data-requires-python="{specifier.replace(">", "&gt;")}" '
            lines = [
                line.replace("<a ", attribute) if f"-{version}." in line else line for line in lines
            ]
        page.write_text("\n".join(lines))

    def _directory(self, name: str) -> Path:
        path = self.root / name
        path.mkdir(exist_ok=True)
        return path

    def _page(self, name: str) -> None:
        directory = self.root / name
        rows = [
            f'<a href="{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">x</a>\n'
            for path in sorted(directory.iterdir())
            if path.name != "index.html"
        ]
        (directory / "index.html").write_text("".join(rows))

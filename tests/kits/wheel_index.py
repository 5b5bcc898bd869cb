"""A package index of small wheels, in a directory and over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple


class Offer(NamedTuple):
    """What the index says of one file, true or not."""

    filename: str
    sha256: str | None
    size: int | None
    requires_python: str | None = None
    yanked: bool = False


@dataclass
class WheelIndex:
    """The files are in ``files``, the pages for ``file://`` in ``simple``.

    :ivar requests: paths that the server was asked for, with the status of each answer.
    :ivar metadata: by file, what the server says its metadata are (:pep:`658`).
    :ivar metadata_digests: by file, the sha256 that it says of them, true or not.
    :ivar broken_off: files whose connection ends in the middle.
    """

    root: Path
    projects: dict[str, list[Offer]] = field(default_factory=dict)
    requests: list[tuple[str, int]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    metadata_digests: dict[str, str] = field(default_factory=dict)
    broken_off: set[str] = field(default_factory=set)

    @property
    def environ(self) -> dict[str, str]:
        """Variables that make this the only package index."""
        return only_index((self.root / "simple").as_uri())

    def file(self, filename: str) -> Path:
        """Return the path of a file of the index."""
        return self.root / "files" / filename

    def add(  # noqa: PLR0913 - keywords of independent settings
        self,
        project: str,
        version: str = "1.0",
        modules: Mapping[str, str] | None = None,
        *,
        tag: str = "py3-none-any",
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
        requires_python: str | None = None,
        name: str | None = None,
        record: bool = True,
        scripts: Mapping[str, str] | None = None,
    ) -> Path:
        """Make a wheel, by default with one module of the project's name, and offer it.

        :param name: of the project in the metadata. :param record: False leaves a module out of it.
        :param scripts: console scripts by name.
        """
        path = self.file(f"{project}-{version}-{tag}.whl")
        path.parent.mkdir(parents=True, exist_ok=True)
        info = f"{project}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name or project}\nVersion: {version}\n"
        metadata += "".join(f"Requires-Dist: {text}\n" for text in requires)
        metadata += "".join(f"Provides-Extra: {text}\n" for text in extras)
        metadata += f"Requires-Python: {requires_python}\n" if requires_python else ""
        pure = "true" if tag.endswith("-any") else "false"
        files = dict(modules or {f"{project}.py": f"VERSION = {version!r}\n"})
        hidden = set() if record else set(files)
        if scripts:
            rows = "".join(f"{key} = {value}\n" for key, value in scripts.items())
            files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{rows}"
        files[f"{info}/METADATA"] = metadata
        files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
        recorded = "".join(
            f"{name},sha256={_record_digest(text)},{len(text.encode())}\n"
            for name, text in files.items()
            if name not in hidden
        )
        files[f"{info}/RECORD"] = f"{recorded}{info}/RECORD,,\n"
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in files.items():
                archive.writestr(zipfile.ZipInfo(member), text)
        content = path.read_bytes()
        self.offer(
            project,
            Offer(path.name, hashlib.sha256(content).hexdigest(), len(content), requires_python),
        )
        return path

    def offer(self, project: str, offer: Offer) -> None:
        """Say that there is a file, in the place of what was said of it."""
        rows = self.projects.setdefault(project.replace("_", "-").lower(), [])
        rows[:] = [row for row in rows if row.filename != offer.filename] + [offer]
        self._write()

    def change(self, filename: str, **changes: Any) -> None:
        """Say something else of a file."""
        for project, rows in self.projects.items():
            for row in rows:
                if row.filename == filename:
                    self.offer(project, row._replace(**changes))
                    return
        raise KeyError(filename)

    def _write(self) -> None:
        for project, rows in self.projects.items():
            page = self.root / "simple" / project / "index.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text("".join(self._link(row) for row in rows))

    def _link(self, row: Offer) -> str:
        fragment = f"#sha256={row.sha256}" if row.sha256 else ""
        python = (row.requires_python or "").replace("<", "&lt;").replace(">", "&gt;")
        attributes = f' data-requires-python="{python}"' if python else ""
        attributes += " data-yanked" if row.yanked else ""
        url = self.file(row.filename).as_uri()
        return f'<a href="{url}{fragment}"{attributes}>{row.filename}</a>\n'

    @contextmanager
    def served(self, headers: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
        """Serve the index over HTTP (PEP 691), and give the variables that make it the only one.

        :param headers: of the pages; ``ETag`` answers conditional requests.
        """
        index, page_headers = self, dict(headers or {})

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = index._answer(self.path, f"http://{self.headers['Host']}")
                tag = page_headers.get("ETag") if kind.endswith("json") else None
                if tag and self.headers.get("If-None-Match") == tag:
                    status, body = 304, b""
                index.requests.append((self.path, status))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for key, value in page_headers.items() if kind.endswith("json") else ():
                    self.send_header(key, value)
                self.end_headers()
                name = self.path.rpartition("/")[2]
                sent = len(body) // 2 if name in index.broken_off else len(body)
                self.wfile.write(body[: sent if self.command == "GET" else 0])

            do_HEAD = do_GET  # noqa: N815 - as http.server calls it

            def log_message(self, *args: object) -> None:
                """Write nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield only_index(f"http://127.0.0.1:{server.server_address[1]}/simple")
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _answer(self, path: str, host: str) -> tuple[int, str, bytes]:
        parts = path.strip("/").split("/")
        if parts[-1].endswith(".whl.metadata"):
            return 200, "text/plain", self.metadata[parts[-1][: -len(".metadata")]].encode()
        if parts[0] == "files" and self.file(parts[-1]).is_file():
            return 200, "application/octet-stream", self.file(parts[-1]).read_bytes()
        rows = self.projects.get(parts[-1]) if parts[0] == "simple" else None
        if rows is None:
            return 404, "text/plain", b"no"
        files = [
            {
                "filename": row.filename,
                "url": f"{host}/files/{row.filename}",
                "hashes": {"sha256": row.sha256} if row.sha256 else {},
                "requires-python": row.requires_python,
                "yanked": row.yanked,
                **({"size": row.size} if row.size is not None else {}),
                **self._core_metadata(row.filename),
            }
            for row in rows
        ]
        page = {"meta": {"api-version": "1.1"}, "name": parts[-1], "files": files}
        return 200, "application/vnd.pypi.simple.v1+json", json.dumps(page).encode()

    def _core_metadata(self, filename: str) -> dict[str, Any]:
        if filename not in self.metadata:
            return {}
        digest = self.metadata_digests.get(filename)
        return {"core-metadata": {"sha256": digest} if digest else True}


def only_index(url: str) -> dict[str, str]:
    """Return the variables that make *url* the only package index, without proxies."""
    return {
        "PIP_INDEX_URL": url,
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "http_proxy": "",
        "https_proxy": "",
    }


def _record_digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

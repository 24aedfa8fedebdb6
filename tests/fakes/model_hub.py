"""A strict model hub of one repository on the loopback, as the hub's own client wants it.

with ModelHub("qdrant/all-MiniLM-L6-v2-onnx", folder) as hub:
    env["HF_ENDPOINT"] = hub.url
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.fakes.http_thread import HttpThread, QuietHandler

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class ModelHub(HttpThread):
    """Serves the files of `folder`; `requests` are method and path, anything else than one file or the list is a 404."""

    repository: str
    folder: Path
    requests: list[tuple[str, str]] = field(default_factory=list)

    def handler(self) -> type[QuietHandler]:
        hub = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                self._reply(send=True)

            def do_HEAD(self) -> None:
                self._reply(send=False)

            def _reply(self, *, send: bool) -> None:
                path = urlsplit(self.path).path
                hub.requests.append((self.command, path))
                body = hub.body(path)
                self.send_response(404 if body is None else 200)
                data = body or b"{}"
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Content-Type", "application/json" if path.startswith("/api/") else "application/octet-stream")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
                self.end_headers()
                if send:
                    self.wfile.write(data)

        return Handler

    def body(self, path: str) -> bytes | None:
        names = sorted(entry.name for entry in self.folder.iterdir() if entry.is_file())
        if path.lower() == f"/api/models/{self.repository}/revision/main".lower():
            listed = {
                "id": self.repository,
                "sha": COMMIT,
                "private": False,
                "siblings": [{"rfilename": name} for name in names],
            }
            return json.dumps({**listed, "tags": [], "downloads": 0}).encode()
        if path.lower() == f"/api/models/{self.repository}/tree/{COMMIT}".lower():
            sizes = {name: (self.folder / name).stat().st_size for name in names}
            rows = [{"type": "file", "path": name, "size": size, "oid": COMMIT} for name, size in sizes.items()]
            return json.dumps(rows).encode()
        head, _, name = path.rpartition("/")
        if head.lower() == f"/{self.repository}/resolve/{COMMIT}".lower() and name in names:
            return (self.folder / name).read_bytes()
        return None

"""The packages OpenClaw publishes, installed once beside the tests and never committed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

CLIENT_VERSION = "2026.9.1"
"""Newest `@openclaw/gateway-client` and `@openclaw/gateway-protocol` (protocol page, "Sources")."""

CLI_VERSION = "2026.9.6"
"""The product version the reference frames were captured from."""

NODE_MAJOR = "24"
"""The client asks for Node 22.19 or newer, the CLI for 24.16 or newer; npm's `node` package brings its own."""


@dataclass(frozen=True, slots=True)
class Published:
    """An installed set: its folder and the Node that runs it."""

    folder: Path

    @property
    def node(self) -> str:
        return str(self.folder / "node_modules" / ".bin" / "node")

    def package(self, name: str) -> Path:
        return self.folder / "node_modules" / name


def gateway_client() -> Published:
    """The reference client and the machine-readable contract."""
    packages = {"@openclaw/gateway-client": CLIENT_VERSION, "@openclaw/gateway-protocol": CLIENT_VERSION}
    return _install(HERE / ".npm", packages, timeout_s=300)


def official_cli() -> Published:
    """The whole product, some 700 MB."""
    return _install(HERE / ".npm-cli", {"openclaw": CLI_VERSION}, timeout_s=1200)


def _install(folder: Path, packages: dict[str, str], *, timeout_s: float) -> Published:
    """Install `packages` with a Node into `folder` unless they are there; raises RuntimeError with npm's words."""
    wanted = {"private": True, "dependencies": {**packages, "node": NODE_MAJOR}}
    published = Published(folder)
    manifest = folder / "package.json"
    present = manifest.exists() and json.loads(manifest.read_text()) == wanted
    if present and all(published.package(name).exists() for name in packages) and Path(published.node).exists():
        return published
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not on PATH; it is needed to install the published OpenClaw packages")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    if not Path(published.node).exists():
        manifest.write_text(json.dumps({"private": True, "dependencies": {"node": NODE_MAJOR}}))
        _npm_install(npm, folder, timeout_s)
    manifest.write_text(json.dumps(wanted))
    _npm_install(npm, folder, timeout_s)
    return published


def _npm_install(npm: str, folder: Path, timeout_s: float) -> None:
    """`npm install` under the Node of `folder`, once it has one: the product's install script checks the version."""
    environment = {**os.environ, "PATH": os.pathsep.join([str(folder / "node_modules" / ".bin"), os.environ.get("PATH", "")])}
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    if done.returncode != 0:
        (folder / "package.json").unlink()
        raise RuntimeError(f"npm install in {folder.name} failed: {done.stderr[-2000:]}")

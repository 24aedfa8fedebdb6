"""The gateway: everything of the assistant that faces the outside, as a Jupyter server extension.

Imports nothing heavy: the Jupyter server imports this at start.
"""

from openclaw_kernel._version import __version__

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-openclaw"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from openclaw_gateway.extension import OpenClawApp  # the server asks only when it loads us

    return [{"module": "openclaw_gateway", "app": OpenClawApp}]

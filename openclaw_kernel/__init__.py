"""The assistant itself: it opens no listening socket and knows no chat platform.

Importing this package loads nothing heavy and prints nothing; the Jupyter server imports it to read the version.

    from openclaw_kernel import Assistant      the assistant from Python
    %load_ext openclaw_kernel                  %claw and %%claw in any Python kernel
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openclaw_kernel._version import __version__

if TYPE_CHECKING:
    from openclaw_kernel.notebook.assistant import Answer, Assistant

__all__ = ["Answer", "Assistant", "__version__", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    if name in ("Answer", "Assistant"):
        from openclaw_kernel.notebook import assistant

        return getattr(assistant, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext openclaw_kernel`."""
    from openclaw_kernel.notebook import magics

    magics.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext openclaw_kernel`."""
    from openclaw_kernel.notebook import magics

    magics.unload(shell)

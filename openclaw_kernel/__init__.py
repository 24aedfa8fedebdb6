"""The assistant itself: it opens no listening socket and knows no chat platform.

Importing this package loads nothing heavy; the Jupyter server imports it to read the version.
"""

from openclaw_kernel._version import __version__

__all__ = ["__version__"]

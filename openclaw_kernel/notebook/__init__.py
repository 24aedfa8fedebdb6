"""The Jupyter door: kernel, magics, node."""

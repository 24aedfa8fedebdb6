"""The Jupyter door: the kernel, the magics and `Assistant`, and the node through which the assistant acts in a notebook."""

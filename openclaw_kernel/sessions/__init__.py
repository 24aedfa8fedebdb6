"""What was said: transcript tree, index, keys resolved to files."""

"""The adapters under their import paths of 1.x; each needs the extra of its name."""

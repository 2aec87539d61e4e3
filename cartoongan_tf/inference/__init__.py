"""A photo becomes a cartoon, in any runtime; pictures, folders and films."""

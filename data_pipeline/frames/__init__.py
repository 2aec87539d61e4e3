"""A film becomes key frames."""

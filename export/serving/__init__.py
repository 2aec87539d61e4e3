"""The SavedModel, and all that a server needs."""

"""The SavedModel, and everything else that a server needs."""

"""Programs that measure one aspect of this project against a peer, in one run, and print a table."""

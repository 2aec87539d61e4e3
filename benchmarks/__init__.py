"""Programs that measure one thing of ours against a peer in one run, and print a table."""

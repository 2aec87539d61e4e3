"""Methods that the paper compares itself with, built from the same networks as ours, to be run by the same loop."""

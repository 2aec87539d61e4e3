"""The files that put a folder of served models onto machines: an image, a cluster's manifest, metrics."""

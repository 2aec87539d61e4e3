"""Cartoons of photos, folders and films, from a generator in any runtime."""

"""Training records become generator.keras."""

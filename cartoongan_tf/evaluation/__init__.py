"""How good is a style? Distances, crops, tables and reports."""

"""Evaluation of styles: distances, crops, tables and reports."""

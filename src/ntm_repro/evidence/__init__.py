"""Recorded runs as evidence: reading, collecting, windows, convergence, tables."""

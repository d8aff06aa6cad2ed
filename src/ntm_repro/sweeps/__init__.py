"""Sweeps over settings: what a run is judged by, and what a folder of runs says when they are compared. Torch-free."""

"""Sweeps over settings: what a run is judged by, what a folder of runs says, and the study of a search. Torch-free."""

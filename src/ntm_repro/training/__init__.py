"""Training: the loop, its checkpoints, a run's folder and record, and where metrics are logged."""

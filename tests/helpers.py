"""What several test modules share."""

# Short sequences and a small memory: a run of hundreds of sequences in seconds.
TINY = (
    "task.max_length=2",
    "model.controller.size=12",
    "model.memory.locations=10",
    "model.memory.width=6",
    "train.learning_rate=1e-3",
)

"""What trained models do: on longer sequences, step by step, head by head."""

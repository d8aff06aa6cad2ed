"""How fast training is: against the eager reference, against torch's own tools, against the machine's arithmetic."""

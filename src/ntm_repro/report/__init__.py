"""The page that shows the reproduction, and in it the memory at work."""

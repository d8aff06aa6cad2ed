"""The commands. Each reads its settings, builds objects and calls the library; only here is Hydra known."""

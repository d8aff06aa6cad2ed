"""Compiled code: how it is compiled (`cache`, `worker`, `isolation`) and kept (`store`), and how its work is shared."""

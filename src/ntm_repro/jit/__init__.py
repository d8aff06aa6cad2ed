"""Compiled code: how it is compiled and kept (`cache`, `worker`), and how its work is shared (`threads`)."""

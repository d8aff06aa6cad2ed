"""Compiled code: how it is made (`cache`, `worker`, `isolation`, `vectors`) and kept (`store`); sharing of work."""

"""What the channels of each task are called, from channel 0 on, each name with how many channels it covers."""

from typing import NamedTuple


class Channels(NamedTuple):
    """`outputs`: the scored ones only."""

    inputs: dict[str, int]
    outputs: dict[str, int]


CHANNELS = {
    "copy": Channels({"bits": 8, "start": 1, "end": 1}, {"bits": 8}),
    "repeat_copy": Channels({"bits": 6, "start": 1, "count": 1}, {"bits": 6, "end": 1}),
    "associative_recall": Channels({"bits": 6, "item": 1, "query": 1}, {"bits": 6}),
    "dynamic_ngrams": Channels({"bit": 1}, {"bit": 1}),
    "priority_sort": Channels({"bits": 8, "priority": 1, "end": 1}, {"bits": 8}),
}

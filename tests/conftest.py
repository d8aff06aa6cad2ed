"""How properties are tested: the same examples everywhere and every time, however slow the machine is."""

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

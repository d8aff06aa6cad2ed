"""What the tests of the kernels share."""

import pytest

from ntm_repro import models
from ntm_repro.models import lstm, ntm


@pytest.fixture(scope="session")
def built():
    """A function that builds a small model of the given name: 4 inputs, 2 outputs."""

    def build(name, start=ntm.Start.shared, **more):
        if name == "lstm":
            settings = lstm.Settings(size=5)
        else:
            memory = ntm.MemorySettings(locations=7, width=3, start=start)
            settings = models.settings_type(name)(controller=ntm.ControllerSettings(size=4), memory=memory, **more)
        return models.build(settings, 4, 2, 1)

    return build

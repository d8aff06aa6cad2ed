"""Names and colours of models: each module's own, and for others a default."""

import pytest
from support.plugged_in import OWN_MODEL, installed

from ntm_repro import paper
from ntm_repro.errors import InvalidSetting
from ntm_repro.figures import style


def test_the_papers_models_differ_in_both():
    assert len({style.label(model) for model in paper.MODELS}) == len(paper.MODELS)
    assert len({style.colour(model) for model in paper.MODELS} | {style.OTHER}) == len(paper.MODELS) + 1


def test_a_model_that_says_neither_has_its_name_and_the_colour_of_others():
    with installed(models_found={"own_ntm": OWN_MODEL}):
        assert (style.label("own_ntm"), style.colour("own_ntm")) == ("own_ntm", style.OTHER)
    with pytest.raises(InvalidSetting, match="name=own: unknown"):
        style.label("own")

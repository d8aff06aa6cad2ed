"""Which of the settings that a sweep varied mattered: Optuna's PED-ANOVA, where Optuna is installed (extra `tune`)."""

import importlib.util
import math

from ntm_repro.sweeps.comparison import Comparison, shown

FEWEST = 8  # settings with a median, without which shares say nothing


def of(compared: Comparison) -> list[tuple[str, float]]:
    """(key, share) of what was varied, the largest first; empty where it cannot be told.

    A setting that diverged counts as one bit worse than the worst that did not: no share can be told from infinity.
    """
    medians = [(setting.values, setting.median) for setting in compared.settings if setting.known]
    finite = [median for _, median in medians if math.isfinite(median)]
    if len(compared.varied) < 2 or len(finite) < FEWEST or importlib.util.find_spec("optuna") is None:
        return []
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    spaces: dict[str, BaseDistribution] = {}
    for column, key in enumerate(compared.varied):
        taken = [values[column] for values, _ in medians]
        if compared.is_number(key):
            low, high = float(min(taken)), float(max(taken))
            spaces[shown(key)] = FloatDistribution(low, high, log=low > 0 and high > 10 * low)
        else:
            spaces[shown(key)] = CategoricalDistribution(sorted(set(map(str, taken))))
    study = optuna.create_study()
    for values, median in medians:
        params = {
            name: float(value) if isinstance(space, FloatDistribution) else str(value)
            for (name, space), value in zip(spaces.items(), values, strict=True)
        }
        worth = median if math.isfinite(median) else max(finite) + 1.0
        study.add_trial(optuna.create_trial(params=params, distributions=spaces, value=worth))
    shares = optuna.importance.get_param_importances(study)
    return [(key, share) for key, share in shares.items() if math.isfinite(share)]

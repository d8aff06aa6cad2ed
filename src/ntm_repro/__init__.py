"""Neural Turing Machines (Graves, Wayne & Danihelka, 2014), reproduced: tasks, models, training, figures."""

__version__ = "0.1.0"

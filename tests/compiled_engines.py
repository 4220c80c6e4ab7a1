"""Compile what is kept on disk, before processes that test would each do so for themselves.

python tests/compiled_engines.py
"""

import warnings

import socgrad as sg
from region_tables import simulated_with_regions, with_regions
from socgrad.errors import SocgradWarning
from tables import areas_of, simulated
from years_tables import small, walking


def main() -> None:
    """Fit a small table by each engine that compiles."""
    table = simulated_with_regions(authorities=20, areas=400, seed=12)
    counts = areas_of(simulated(authorities=12, areas=240, seed=11), "counts")
    models = [
        (sg.GradientModel(with_regions(table), regions=True), "laplace"),
        (sg.GradientModel(counts, family="negative_binomial"), "nuts"),
        (sg.GradientModel(counts, family="negative_binomial"), "laplace"),
        (walking(small()[1]), "laplace"),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SocgradWarning)
        for model, method in models:
            sg.fit(model, method=method, draws=100, random_seed=1, progress=False)


if __name__ == "__main__":
    main()

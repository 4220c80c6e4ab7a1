"""The same model sampled by NumPyro (JAX) instead of nutpie, and the same answers.

    pip install "socgrad[numpyro]"
    python examples/numpyro_sampler.py

NumPyro runs on a GPU too. The likelihood is the compressed one: nothing changes but the sampler.
"""

import argparse
import sys

import pandas as pd
import pymc as pm

import socgrad as sg

__all__ = ["compared", "main"]


def compared(model: sg.GradientModel, *, draws: int = 1000, random_seed: int = 1) -> pd.DataFrame:
    """Gradient and contextual ratio by NumPyro and by socgrad's own sampler, row by row."""
    with sg.pymc_model(model):
        other = pm.sample(
            draws=draws,
            tune=draws,
            chains=4,
            nuts_sampler="numpyro",
            nuts={"target_accept": 0.95, "chain_method": "vectorized"},
            random_seed=random_seed,
            progressbar=False,
        )
    own = sg.fit(
        model, method="nuts", draws=draws, tune=draws, random_seed=random_seed, progress=False
    )
    tables = {
        name: sg.summarise(
            sg.gradient(fit),
            sg.inverse_intervention(fit, deprivation=[0.1, 0.2]),
            sg.steepening(fit),
        )
        for name, fit in (("numpyro", other), ("socgrad", own))
    }
    columns = ["estimate", "lower", "upper", "mcse"]
    return pd.concat({name: table[columns] for name, table in tables.items()}, axis=1)


def main(arguments: list[str]) -> None:
    """Simulate a small England, sample it both ways, and print the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authorities", type=int, default=30)
    parser.add_argument("--areas", type=int, default=900)
    options = parser.parse_args(arguments)
    frame = sg.simulate(authorities=options.authorities, areas=options.areas, random_seed=1).frame
    areas = sg.Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="child_protection_plan",
        children="children",
        deprivation="deprivation",
        complete=True,
    )
    print(compared(sg.GradientModel(areas)).round(3).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])

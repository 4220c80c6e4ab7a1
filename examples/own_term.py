"""A term of one's own in the PyMC model: neighbouring authorities are alike.

The model that `socgrad.pymc_model` builds is a plain PyMC model. Here its authority levels get a
term that socgrad does not have: they vary smoothly over a map, as an intrinsic autoregression does,
with a strength that the counts decide. Sampled with `pymc.sample`, every summary reads the result.

    python examples/own_term.py
"""

import argparse
import sys

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

import socgrad as sg

__all__ = ["add_neighbours", "main", "ring", "simulated_frame"]


def ring(authorities: int) -> np.ndarray:
    """Pairs of neighbours where authorities stand in a ring; bring your own map's pairs."""
    here = np.arange(authorities)
    return np.column_stack([here, (here + 1) % authorities])


def add_neighbours(graph: pm.Model, pairs: np.ndarray) -> None:
    """Make the levels of neighbouring authorities alike, inside a model of socgrad.

    The effects' density is multiplied by exp(-likeness / 2 * sum over pairs (u_i - u_j)**2), and by
    what keeps it normalised: prod over k (1 + likeness * level_sd**2 * lambda_k)**(1/2), with
    lambda the eigenvalues of the map's Laplacian. Without this factor `likeness` and `level_sd`
    would be wrong, however well the sampler ran. It holds with correlated slopes too, because the
    term touches the levels alone.
    """
    authorities = len(graph.coords["authority"])
    laplacian = np.zeros((authorities, authorities))
    for i, j in pairs:
        laplacian[[i, j], [i, j]] += 1.0
        laplacian[[i, j], [j, i]] -= 1.0
    eigenvalues = np.maximum(np.linalg.eigvalsh(laplacian), 0.0)
    first, second = pairs.T
    with graph:
        likeness = pm.HalfNormal("likeness", 20.0)
        level, sd = graph["level_effect"], graph["level_sd"]
        apart = ((level[first] - level[second]) ** 2).sum()
        log_factor = 0.5 * pt.log1p(likeness * sd**2 * eigenvalues).sum()
        pm.Potential("neighbours", log_factor - 0.5 * likeness * apart)


def simulated_frame(authorities: int, *, areas: int = 15, random_seed: int = 1) -> pd.DataFrame:
    """Counts of authorities in a ring, whose levels rise and fall once around it."""
    rng = np.random.default_rng(random_seed)
    home = np.repeat(np.arange(authorities), areas)
    level = 0.4 * np.sin(2 * np.pi * np.arange(authorities) / authorities)
    level += 0.05 * rng.standard_normal(authorities)
    mean = rng.uniform(0.10, 0.25, authorities)
    deprivation = np.clip(mean[home] + 0.08 * rng.standard_normal(home.size), 0.01, 0.6)
    children = rng.integers(200, 500, home.size)
    rate = np.exp(-4.5 + level[home] + 5.0 * (deprivation - 0.17))
    return pd.DataFrame(
        {
            "area": [f"L{i:05d}" for i in range(home.size)],
            "authority": [f"A{j:03d}" for j in home],
            "plans": rng.poisson(children * rate),
            "children": children,
            "deprivation": deprivation,
        }
    )


def main(arguments: list[str]) -> xr.DataTree:
    """Fit with and without the term, and print both; return the fit with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authorities", type=int, default=40)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args(arguments)

    frame = simulated_frame(options.authorities)
    areas = sg.Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events="plans",
        children="children",
        deprivation="deprivation",
        complete=True,
    )
    model = sg.GradientModel(areas)
    with sg.pymc_model(model) as graph:
        add_neighbours(graph, ring(options.authorities))
        fit: xr.DataTree = pm.sample(
            draws=options.draws,
            tune=options.draws,
            chains=4,
            target_accept=0.95,
            nuts_sampler="nutpie",
            random_seed=1,
            progressbar=False,
        )
    plain = sg.fit(model, method="laplace", random_seed=1)

    print(sg.check_sampling(fit).statement)
    likeness = fit["posterior"]["likeness"]
    print(f"likeness of neighbours: {np.median(likeness):.1f} (0: they have nothing in common)")
    table = sg.summarise(
        sg.gradient(fit),
        sg.gradient(plain),
        sg.inverse_intervention(fit, deprivation=0.2),
        sg.inverse_intervention(plain, deprivation=0.2),
        names=["gradient, own term", "gradient", "contextual, own term", "contextual"],
    )
    print(table[["estimate", "lower", "upper", "pr_above"]].round(3).to_string())
    # `leave_out` integrates over authorities as if independent: not for a model with this term.
    print(sg.check_fit(fit).statement)
    return fit


if __name__ == "__main__":
    main(sys.argv[1:])

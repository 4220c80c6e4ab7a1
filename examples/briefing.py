"""A briefing on child protection and deprivation, from a table of neighbourhoods to findings.

England is simulated here, with gradients as published, so that every estimate can stand beside the
truth. Put your own table in the place of `sg.simulate` and leave `briefing_truth` out. Run it with

    python examples/briefing.py                                        # England, about a minute
    python examples/briefing.py --authorities 20 --areas 600           # a small one

It prints one table for each of five findings, and writes tables (.csv), figures (.png) and fits
(.nc) to the folder out/:

F1  rates rise with the deprivation of the neighbourhood
F2  the gradient is steeper at later stages of intervention
F3  more deprived authorities have higher rates
F4  at equal neighbourhood deprivation, more deprived authorities have LOWER rates
F5  the gradient is steeper in affluent authorities
"""

import argparse
import sys
import textwrap
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

import briefing_truth as true
import socgrad as sg
from socgrad.ranks import weighted_quantile
from socgrad.simulation.england import Simulation

STARTED: Final = time.perf_counter()

# Columns of counts, from the first stage of intervention to the last, and their names in print.
STAGES: Final = {
    "referral": "Referrals",
    "child_in_need_plan": "Child in need plans",
    "section_47": "Section 47 enquiries",
    "child_protection_plan": "Child protection plans",
}
# What deprivation measures, on the axes of the figures.
DEPRIVATION: Final = "Children in low-income families"


def main() -> int:
    """Simulate, fit each stage, report; 0 if the sampler converged in every fit."""
    options = read_options()
    options.out.mkdir(parents=True, exist_ok=True)
    say(f"Simulating {options.areas:,} neighbourhoods in {options.authorities} authorities")
    simulation = sg.simulate(
        authorities=options.authorities, areas=options.areas, random_seed=options.seed
    )
    fits = {}
    for number, stage in enumerate(STAGES, start=1):
        # Each fit has a seed of its own: draws of different fits are combined as independent.
        seed = options.seed + number
        fits[stage] = fit_stage(simulation.frame, stage, draws=options.draws, seed=seed)
        sg.save(fits[stage], options.out / f"{stage}.nc")

    say("Computing the findings")
    for name, heading, table, decimals in findings(fits, simulation):
        print_finding(f"{name}  {heading}", table, decimals=decimals)
        table.to_csv(options.out / f"{name}.csv", index=False)
    own = own_gradients(fits, simulation)
    print_own_gradients(own)
    own.to_csv(options.out / "authority_gradients.csv", index=False)

    for stage, fit in fits.items():
        say(f"Drawing the figures: {STAGES[stage].lower()}")
        draw_figures(fit, stage, options.out)
    say(f"Tables, figures and fits are in {options.out}/")
    return conclude(fits)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--authorities", type=int, default=150, help="number of authorities")
    parser.add_argument("--areas", type=int, default=32_844, help="number of neighbourhoods")
    parser.add_argument("--draws", type=int, default=1000, help="draws in each of four chains")
    parser.add_argument("--seed", type=int, default=2019, help="seed of everything random")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to write to")
    return parser.parse_args()


def say(text: str) -> None:
    """Print what happens now, and when."""
    print(f"[{time.perf_counter() - STARTED:5.1f} s] {text}", flush=True)


def fit_stage(frame: pd.DataFrame, stage: str, *, draws: int, seed: int) -> xr.DataTree:
    """Fit the gradient model to one column of counts."""
    areas = sg.Areas.from_frame(
        frame,
        area="area",
        authority="authority",
        events=stage,
        children="children",
        deprivation="deprivation",
        complete=True,  # every neighbourhood of every authority is in the table
    )
    compiling = " (the first fit also compiles the model)" if stage == next(iter(STAGES)) else ""
    say(f"Fitting {STAGES[stage].lower()}: {frame[stage].sum():,} events{compiling}")
    return sg.fit(sg.GradientModel(areas), draws=draws, random_seed=seed)


type Finding = tuple[str, str, pd.DataFrame, int]
type Fits = dict[str, xr.DataTree]


def findings(fits: Fits, simulation: Simulation) -> list[Finding]:
    """Make the five tables: name, heading, rows, and decimals to print."""
    return [
        (
            "F1",
            "Rates rise with the deprivation of the neighbourhood.\n"
            "    Expected events per 10,000 children, by tenths of England's children.",
            pd.concat(rates_by_decile(fits[s], s, simulation) for s in STAGES),
            1,
        ),
        (
            "F2",
            "The gradient is steeper at later stages.\n"
            "    Rate ratio per 10 points of neighbourhood deprivation, within an average\n"
            "    authority. The stages are fitted apart although they count the same children\n"
            "    again, so the intervals of the ratios are conservative (too wide).",
            pd.concat(
                [*(gradients(fits[s], s, simulation) for s in STAGES), ratios(fits, simulation)]
            ),
            2,
        ),
        (
            "F3",
            "More deprived authorities have higher rates.\n"
            "    Rate ratio per 10 points of authority deprivation.",
            pd.concat(between(fits[s], s, simulation) for s in STAGES),
            2,
        ),
        (
            "F4",
            "At equal neighbourhood deprivation, more deprived authorities have lower rates.\n"
            "    Rate ratio of the more over the less deprived authority; below 1 is the inverse\n"
            "    intervention effect. At the national 10th, 50th and 90th percentile of\n"
            "    neighbourhoods, and between the 90th and 10th percentile of authorities.",
            pd.concat(inverse_intervention(fits[s], s, simulation) for s in STAGES),
            2,
        ),
        (
            "F5",
            "The gradient is steeper in affluent authorities.\n"
            "    Rate ratio per 10 points of neighbourhood deprivation, at the 10th, 50th and\n"
            "    90th percentile of authorities, and how much authorities differ.",
            pd.concat(steepening(fits[s], s, simulation) for s in STAGES),
            2,
        ),
    ]


def rows(
    stage: str, labels: Sequence[str], draws: xr.DataArray, truth: Sequence[float]
) -> pd.DataFrame:
    """Summarise draws as rows of a finding: estimate, 95% interval, truth."""
    summary = sg.summarise(draws, prob=0.95)
    return pd.DataFrame(
        {
            "stage": STAGES.get(stage, stage),
            "quantity": labels,
            "estimate": summary["estimate"].to_numpy(),
            "lower_95": summary["lower"].to_numpy(),
            "upper_95": summary["upper"].to_numpy(),
            "truth": truth,
        }
    )


def rates_by_decile(fit: xr.DataTree, stage: str, simulation: Simulation) -> pd.DataFrame:
    """F1: expected rates by tenth of neighbourhoods, with every authority's own effects."""
    labels = [f"Tenth {n}" for n in range(1, 11)]
    labels[0], labels[-1] = "Tenth 1 (least deprived)", "Tenth 10 (most deprived)"
    return rows(stage, labels, sg.rate_by_group(fit), true.rate_by_decile(simulation, stage))


def gradients(fit: xr.DataTree, stage: str, simulation: Simulation) -> pd.DataFrame:
    """F2: the gradient in an average authority."""
    truth = true.gradient_at(simulation, stage, simulation.national_mean)
    return rows(stage, ["Gradient in an average authority"], sg.gradient(fit), [truth])


def ratios(fits: Fits, simulation: Simulation) -> pd.DataFrame:
    """F2: how much steeper the gradient is at a stage than at an earlier one."""
    names = list(STAGES)
    pairs = [*zip(names[1:], names, strict=False), (names[-1], names[0])]
    tables = []
    for later, earlier in pairs:
        label = f"{STAGES[later]} over {STAGES[earlier].lower()}"
        ratio = sg.label_draws(
            sg.gradient(fits[later]) / sg.gradient(fits[earlier]),
            estimand="ratio_of_gradients",
            units="ratio of rate ratios per 10 points of neighbourhood deprivation",
            reference=label,
            null=1.0,
        )
        average = simulation.national_mean
        truth = true.gradient_at(simulation, later, average) / true.gradient_at(
            simulation, earlier, average
        )
        tables.append(rows("Ratio of gradients", [label], ratio, [truth]))
    return pd.concat(tables)


def between(fit: xr.DataTree, stage: str, simulation: Simulation) -> pd.DataFrame:
    """F3: the between-authority rate ratio, on both of its scales."""
    return pd.concat(
        [
            rows(
                stage,
                ["Neighbourhoods as deprived as their authority"],
                sg.between(fit),
                [true.between(simulation, stage)],
            ),
            rows(
                stage,
                ["Whole authorities, as published rates compare them"],
                sg.between(fit, scale="rates"),
                [true.between_rates(simulation, stage)],
            ),
        ]
    )


def inverse_intervention(fit: xr.DataTree, stage: str, simulation: Simulation) -> pd.DataFrame:
    """F4: the contrast per 10 points, and between a deprived and an affluent authority."""
    half, average = simulation.per / 2, simulation.national_mean
    affluent, _, deprived = authority_means(simulation.frame)
    tables = []
    for label, means, ratio in (
        (
            "authorities 10 points apart",
            (average - half, average + half),
            sg.inverse_intervention(fit),
        ),
        (
            f"authorities of {100 * deprived:.0f}% over {100 * affluent:.0f}%",
            (affluent, deprived),
            sg.inverse_intervention(fit, authority_quantiles=(0.1, 0.9)),
        ),
    ):
        places = ratio["deprivation"].to_numpy()
        labels = [f"Neighbourhoods of {100 * x:.0f}%, {label}" for x in places]
        truth = [
            true.inverse_intervention(simulation, stage, deprivation=x, authority_means=means)
            for x in places
        ]
        tables.append(rows(stage, labels, ratio, truth))
    return pd.concat(tables)


def steepening(fit: xr.DataTree, stage: str, simulation: Simulation) -> pd.DataFrame:
    """F5: how the gradient changes with authority deprivation, and how much authorities differ."""
    means = authority_means(simulation.frame)
    own, true_own = sg.gradient(fit, target="each"), true.own_gradients(simulation, stage)
    tables = [
        rows(
            stage,
            ["Ratio of gradients, authorities 10 points apart"],
            sg.steepening(fit),
            [true.steepening(simulation, stage)],
        ),
        rows(
            stage,
            [f"Gradient in an authority of {100 * mean:.0f}%" for mean in means],
            sg.gradient(fit, authority_mean=means),
            [true.gradient_at(simulation, stage, mean) for mean in means],
        ),
    ]
    for share, words in ((0.1, "flatter"), (0.9, "steeper")):
        label = f"A tenth of the authorities are {words} than"
        limit = sg.label_draws(
            own.quantile(share, "authority").drop_vars("quantile"),
            estimand=f"gradient_{words}",
            units=own.attrs["units"],
            reference=label,
            null=1.0,
        )
        tables.append(rows(stage, [label], limit, [float(true_own.quantile(share))]))
    return pd.concat(tables)


def authority_means(frame: pd.DataFrame) -> list[float]:
    """Deprivation of the authorities in which the 10th, 50th and 90th child of 100 lives."""
    by_authority = frame["authority"]
    children = frame["children"].groupby(by_authority).sum()
    means = (frame["deprivation"] * frame["children"]).groupby(by_authority).sum() / children
    return [float(mean) for mean in weighted_quantile(means, children, (0.1, 0.5, 0.9))]


def own_gradients(fits: Fits, simulation: Simulation) -> pd.DataFrame:
    """Each authority's own gradient at each stage, with the truth."""
    tables = []
    for stage, fit in fits.items():
        own = sg.gradient(fit, target="each")
        labels = own["authority"].to_numpy().tolist()
        truth = true.own_gradients(simulation, stage).loc[labels].to_numpy().tolist()
        tables.append(rows(stage, labels, own, truth).rename(columns={"quantity": "authority"}))
    return pd.concat(tables)


def print_finding(heading: str, table: pd.DataFrame, *, decimals: int) -> None:
    """Print a finding within 100 columns, a block of rows for each stage."""
    print(f"\n{heading}\n")
    print(f"{'':56}{'Estimate':>8}{'95% interval':^22}{'Truth':>6}")
    outside = ~covers(table)
    for stage, block in table.groupby("stage", sort=False):
        print(stage)
        for row, missed in zip(block.itertuples(), outside[table["stage"] == stage], strict=True):
            interval = f"{row.lower_95:>9.{decimals}f} to {row.upper_95:<8.{decimals}f}"
            print(
                f"  {row.quantity:<54}{row.estimate:>8.{decimals}f}{interval:^22}"
                f"{row.truth:>6.{decimals}f}{' *' if missed else ''}"
            )
    print(f"\n  {len(table) - outside.sum()} of {len(table)} intervals hold the truth", end="")
    print("; * marks those that do not." if outside.any() else ".", flush=True)


def print_own_gradients(own: pd.DataFrame) -> None:
    """Say how often the authorities' own intervals hold the truth."""
    print("\n    Each authority's own gradient is in authority_gradients.csv.\n")
    for stage, block in own.groupby("stage", sort=False):
        print(f"  {stage}: {covers(block).sum()} of {len(block)} intervals hold the truth")
    print(flush=True)


def covers(table: pd.DataFrame) -> pd.Series:
    """Whether each interval holds the truth."""
    return table["truth"].between(table["lower_95"], table["upper_95"])


def draw_figures(fit: xr.DataTree, stage: str, out: Path) -> None:
    """Draw rates by group of authorities, and gradients by authority deprivation."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    ax = sg.plots.inverse_intervention_lines(
        fit,
        deprivation=DEPRIVATION,
        events=STAGES[stage],
        exposure="children",
        ax=figure.subplots(),
    )
    ax.set_title(f"{STAGES[stage]}, simulated England: rates", loc="left")
    figure.savefig(out / f"inverse_intervention_{stage}.png", dpi=150)

    figure = Figure(figsize=(7, 4.6), layout="constrained")
    ax = sg.plots.gradients_by_deprivation(fit, deprivation=DEPRIVATION, ax=figure.subplots())
    ax.set_title(f"{STAGES[stage]}, simulated England: gradients", loc="left")
    figure.savefig(out / f"gradients_{stage}.png", dpi=150)


def conclude(fits: Fits) -> int:
    """Say whether the sampler converged in every fit; the exit status, 0 if it did."""
    say("Checking the sampler")
    converged = True
    for stage, fit in fits.items():
        with warnings.catch_warnings():
            # The statement is printed here, whichever way it goes.
            warnings.simplefilter("ignore", sg.errors.ConvergenceWarning)
            check = sg.check_sampling(fit)
        statement = f"{STAGES[stage]}: {check.statement}"
        print(textwrap.fill(statement, 98, initial_indent="  ", subsequent_indent="    "))
        converged = converged and check.converged
    if converged:
        say("Done: the sampler converged in every fit, so the tables can be read.")
        return 0
    say("NOT DONE: the sampler did not converge in every fit. Do not use these tables.")
    return 1


if __name__ == "__main__":
    sys.exit(main())

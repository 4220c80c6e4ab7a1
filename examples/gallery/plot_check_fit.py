"""
Do the counts look like the model's?
====================================

Neighbourhoods of equal deprivation differ by more than chance. A Poisson model does not know that
and takes it for differences between authorities; `check_fit` draws counts from the fitted model and
says so. Compare it with the negative binomial.
"""

import textwrap
import warnings

import matplotlib.pyplot as plt

import socgrad as sg
from socgrad.simulation.england import calibrated

plain = sg.simulate(authorities=30, areas=1500, random_seed=6)
truth = calibrated(
    sg.Truth(
        intercept=0.0, within=0.5, between=0.3, level_sd=0.25, slope_sd=0.1, overdispersion=0.5
    ),
    plain.frame,
    rate=500,
)
frame = sg.simulate(authorities=30, areas=1500, stages={"referrals": truth}, random_seed=6).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="referrals",
    children="children",
    deprivation="deprivation",
    complete=True,
)
models = {
    "Poisson": sg.GradientModel(areas),
    "Negative binomial": sg.GradientModel(areas, family="negative_binomial"),
}
fits = {name: sg.fit(model, method="laplace", random_seed=6) for name, model in models.items()}

# %%
# A misfit is also a warning; here it is expected, and the statement is printed instead.

with warnings.catch_warnings():
    warnings.simplefilter("ignore", sg.errors.MisfitWarning)
    checks = {name: sg.check_fit(fit) for name, fit in fits.items()}
for name, check in checks.items():
    print(textwrap.fill(f"{name}: {check.statement}", 90), end="\n\n")

# %%
# Points are what was counted, bars the central 99% of what the model expects, both relative to the
# middle of these. Under the Poisson model there is too much spread, and there are too many quiet
# and too many busy neighbourhoods; under the negative binomial everything is as expected.

words = {
    "dispersion": "Spread about the line",
    "zeros": "Neighbourhoods without events",
    "busiest_tenth": "Events in the busiest tenth",
    "largest": "Largest count",
    "log_linearity": "Departure from a straight line",
    "outlying_authority": "Most outlying authority",
}
rows = list(words)
figure, panels = plt.subplots(
    1, 2, figsize=(9, 3.4), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, check) in zip(panels, checks.items(), strict=True):
    ratios = check.statistics.loc[rows, ["observed", "lower", "upper"]].div(
        check.statistics.loc[rows, "expected"], axis=0
    )
    ax.hlines(rows, ratios["lower"], ratios["upper"], color="#BFD3E2", linewidth=9)
    fine = check.statistics.loc[rows, "as_expected"]
    ax.scatter(ratios["observed"], rows, c=fine.map({True: "#0072B2", False: "#D55E00"}), zorder=2)
    ax.axvline(1, color="#8A8A8A", linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xticks([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])
    ax.minorticks_off()
    ax.set_xlim(0.17, 9)
    ax.set_xlabel("Relative to what the model expects")
    ax.set_title(name, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
panels[0].set_yticks(rows, list(words.values()))
panels[0].invert_yaxis()
plt.show()

# %%
# What is at stake: the Poisson model takes the unlikeness of neighbourhoods for that of
# authorities. It finds gradients to vary more between authorities than they do (a standard
# deviation of 0.10 was simulated), and calls more of them steeper or flatter than the average.

for name, fit in fits.items():
    spread = sg.summarise(sg.variation.gradient_sd(fit), prob=0.95).iloc[0, :3].round(2).tolist()
    sure = sg.variation.authority_ranks(fit)["steeper_than_average"].mean(("chain", "draw"))
    apart = int(((sure > 0.975) | (sure < 0.025)).sum())
    print(f"{name}: sd of log gradients {spread}, {apart} of 30 authorities called different")

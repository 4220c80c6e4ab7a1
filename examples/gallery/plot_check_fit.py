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

# About 500 events per 10,000 children, in neighbourhoods that differ beyond their deprivation.
truth = sg.Truth(
    intercept=-3.23, within=0.5, between=0.3, level_sd=0.25, slope_sd=0.1, overdispersion=0.5
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
# Left, events in tenths of neighbourhoods; right, each statistic within the range that the model
# expects. Under the Poisson model there is too much spread, and there are too many quiet and too
# many busy neighbourhoods; under the negative binomial everything is as expected.

figure, panels = plt.subplots(2, 2, figsize=(9.6, 8), layout="constrained")
for row, (name, check) in zip(panels, checks.items(), strict=True):
    left, _ = sg.plots.checked_counts(check, ax=row)
    left.set_title(name, loc="left")
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

"""
What do authority totals add to the prior?
==========================================

Public data hold one total per authority, which says almost nothing about gradients within it. Draw
each parameter's prior beside its posterior, from totals and from neighbourhood counts of the same
England, and see which numbers are data.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=40, areas=2000, random_seed=9).frame
counted = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    deprivation="deprivation",
    children="children",
    events="child_in_need_plan",
    complete=True,
)
totals = sg.Areas.from_frame(
    frame.drop(columns="child_in_need_plan"),
    area="area",
    authority="authority",
    deprivation="deprivation",
    children="children",
    totals=frame.groupby("authority")["child_in_need_plan"].sum(),
    complete=True,
)

# %%
# Totals need priors from the literature of whatever they do not inform: the gradient, 1.80 (1.65 to
# 1.96) per ten points, how it changes with an authority's deprivation, and how far gradients vary.

priors = sg.Priors(
    within=sg.rate_ratio(1.80, interval=(1.65, 1.96)),
    cross_level=sg.Normal(-0.05, 0.05),
    slope_sd=sg.PositiveNormal(0.12, 0.03),
)
fits = {
    "Authority totals": sg.fit(
        sg.GradientModel(totals, priors=priors), method="laplace", random_seed=9
    ),
    "Neighbourhood counts": sg.fit(
        sg.GradientModel(counted, priors=priors), method="laplace", random_seed=9
    ),
}
tables = {name: sg.prior_checks.compare_prior(fit, prob=0.95) for name, fit in fits.items()}
for name, table in tables.items():
    print(name, table["learned"].round(2).to_dict())

# %%
# Grey bars are priors, blue lines posteriors. From totals, `between` is learned, while `within` and
# the cross-level term stay about where their priors put them: what a report from totals says about
# gradients is what its authors believed before. From counts all three are data.

rows = ["within", "between", "cross_level"]
for name, table in tables.items():
    top, *_ = sg.plots.prior_and_posterior(table.loc[rows])
    top.figure.suptitle(name, x=0.01, ha="left")
plt.show()

"""
What makes a gradient steep?
============================

A covariate of authorities may go with the level of their rates, with their gradients, or with both.
Here income inequality (a Gini coefficient) is made to steepen gradients and to leave levels alone;
the model is asked which it was.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import socgrad as sg

# %%
# Simulated counts know nothing of a Gini coefficient, so events are drawn again at rates that do:
# per standard deviation of it the gradient is 10% steeper.

simulation = sg.simulate(authorities=40, areas=2000, random_seed=11)
frame = simulation.frame
rng = np.random.default_rng(11)
own = simulation.effects.query("stage == 'child_in_need_plan'").set_index("authority")
gini = pd.Series(rng.normal(0.33, 0.03, len(own)), index=own.index, name="gini")
line = own.loc[frame["authority"]].reset_index()
standard = (gini.loc[frame["authority"]].to_numpy() - 0.33) / 0.03
within = (frame["deprivation"] - line["authority_mean"]) / simulation.per
rate = np.exp(line["level"] + (line["slope"] + np.log(1.10) * standard) * within)
frame["plans"] = rng.poisson(frame["children"] * rate)

areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="plans",
    children="children",
    deprivation="deprivation",
    authority_covariates=gini.to_frame(),
    complete=True,
)
model = sg.GradientModel(areas, authority_covariates="~ scale(gini)", moderators="~ scale(gini)")
fit = sg.fit(model, method="laplace", random_seed=11)

# %%
# Per standard deviation: the ratio of levels holds 1, the ratio of gradients does not.

ratios = sg.summarise(
    sg.covariates.covariate_ratio(fit),
    sg.covariates.covariate_ratio(fit, effect="gradient"),
    prob=0.95,
)
print(ratios.iloc[:, :4].round(2).to_string())

# %%
# Points are authorities, which keep what is their own; the line is the gradient that the model
# expects at a Gini coefficient. Where incomes are more unequal, rates rise more steeply with
# deprivation. It compares places: that lowering a Gini coefficient would flatten a gradient does
# not follow.

values = np.linspace(gini.min(), gini.max(), 30)
expected = sg.summarise(sg.covariates.moderated_gradient(fit, {"gini": values.tolist()}), prob=0.95)
each = sg.summarise(sg.gradient(fit, target="each"), prob=0.95)
at = gini.sort_index()

figure, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
ax.fill_between(values, expected["lower"], expected["upper"], color="#0072B2", alpha=0.18)
ax.plot(values, expected["estimate"], color="#0072B2", label="Average authority (95% interval)")
ax.vlines(at, each["lower"], each["upper"], color="#B5B5B5", linewidth=1, zorder=0)
ax.plot(at, each["estimate"], "o", color="#666666", markersize=5, label="Each authority")
ax.set_xlabel("Gini coefficient of incomes in the authority")
ax.set_ylabel("Gradient: rate ratio per 10 points")
ax.legend(frameon=False, loc="upper left")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

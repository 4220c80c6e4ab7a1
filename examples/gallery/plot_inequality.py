"""
Absolute or relative: which authorities are unequal?
====================================================

The slope index of inequality (SII) counts how many more events the most deprived child's
neighbourhood has; the relative index (RII) how many times as many. They answer different questions,
and order authorities differently.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=30, areas=1800, random_seed=8).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_in_need_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=8)
print(
    sg.summarise(sg.inequality.sii(fit), sg.inequality.rii(fit), prob=0.95)
    .iloc[:, :3]
    .round(1)
    .to_string()
)

# %%
# Both indices of every authority, each over the ranks of its own children.

absolute = sg.summarise(sg.inequality.sii(fit, by="authority"), prob=0.95)
relative = sg.summarise(sg.inequality.rii(fit, by="authority"), prob=0.95)
rate = sg.rates.authority_rate(fit).median(("chain", "draw"))
apart = relative["estimate"].rank().to_numpy() - absolute["estimate"].rank().to_numpy()

# %%
# Colour is the authority's rate. Of the two that are named, one is the more unequal by the ratio
# and the other by the difference: where events are common, a small ratio is many children. Report
# both, and the rate.

figure, ax = plt.subplots(figsize=(7.5, 5), layout="constrained")
x, y = relative["estimate"], absolute["estimate"]
ax.hlines(y, relative["lower"], relative["upper"], color="#CCCCCC", linewidth=0.8, zorder=1)
ax.vlines(x, absolute["lower"], absolute["upper"], color="#CCCCCC", linewidth=0.8, zorder=1)
points = ax.scatter(x, y, c=rate, cmap="viridis_r", s=40, zorder=2)
for place in (apart.argmin(), apart.argmax()):
    ax.annotate(
        rate["authority"].values[place],
        (x.iloc[place], y.iloc[place]),
        xytext=(7, 7),
        textcoords="offset points",
        weight="bold",
    )
figure.colorbar(points, label="Rate of the authority, per 10,000")
ax.set_xlabel("Relative index of inequality (ratio)")
ax.set_ylabel("Slope index of inequality (more per 10,000)")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

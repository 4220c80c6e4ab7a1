"""
Where rates leave the straight line
===================================

A gradient of "so much more per ten points" takes log rates for a straight line along deprivation.
A model with ``shape="spline"`` or ``shape="tenths"`` lets them depart from it, in the same way in
every authority. The rates here rise with the square root of deprivation: steeply among affluent
neighbourhoods, and ever less.
"""

import matplotlib.pyplot as plt
import numpy as np

import socgrad as sg

frame = sg.simulate(authorities=30, areas=1500, random_seed=13).frame
rng = np.random.default_rng(13)
authority, row = np.unique(frame["authority"], return_inverse=True)
level = np.exp(rng.normal(0, 0.2, len(authority)))[row]
rate = 0.15 * level * np.sqrt(frame["deprivation"])
frame["referrals"] = rng.poisson(frame["children"] * rate)
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="referrals",
    children="children",
    deprivation="deprivation",
    complete=True,
)
curve, steps = (
    sg.fit(sg.GradientModel(areas, shape=shape), random_seed=13) for shape in ("spline", "tenths")
)

# %%
# The gradient of the line that is nearest to the curve, and the curve's own at three deprivations:
# steep where deprivation is low.

print(
    sg.summarise(
        sg.gradient(curve),
        sg.gradient(curve, deprivation=[0.1, 0.2, 0.3]),
        names=["trend", "gradient"],
        prob=0.95,
    )
    .iloc[:, :3]
    .round(2)
    .to_string()
)

# %%
# Below 1 at both ends and above it in between: rates rise fast, then flatten. Steps tell the same
# without smoothness, one for each tenth of children.

figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained", sharey=True)
for ax, fit, title in zip(axes, (curve, steps), ("A spline", "Tenths"), strict=True):
    sg.plots.departure_curve(fit, ax=ax)
    ax.set_title(title, loc="left")
plt.show()

"""
Where rates leave the straight line
===================================

A gradient of "so much more per ten points" takes log rates for a straight line along deprivation.
A model with ``shape="spline"`` or ``shape="tenths"`` lets them depart from it, in the same way in
every authority. The fit here is a stored one of six invented authorities; on a table of one's own:
``sg.fit(sg.GradientModel(areas, shape="spline"))``.
"""

import matplotlib.pyplot as plt

import socgrad as sg
from socgrad.reading.departure_example import bent_example_fit

curve, steps = bent_example_fit("spline"), bent_example_fit("tenths")

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

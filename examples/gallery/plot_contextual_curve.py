"""
The contextual effect along deprivation, where it can be seen
=============================================================

The ratio of rates of a deprived over an affluent authority, at equal neighbourhood deprivation, is
not one number: it changes with the neighbourhood. And at both ends one of the two authorities has
no such neighbourhoods.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=40, areas=2000, random_seed=3).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_protection_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=3)

# %%
# The level version at three deprivations, and the slope version: two numbers that are both called
# "the inverse intervention effect".

print(
    sg.summarise(
        sg.inverse_intervention(fit, deprivation=[0.1, 0.2, 0.3]), sg.steepening(fit), prob=0.95
    )
    .iloc[:, :4]
    .round(2)
    .to_string()
)

# %%
# Below 1, equally deprived neighbourhoods have lower rates in the deprived authority. Read the
# shaded part, where both kinds of authority have neighbourhoods: outside it the curve is the
# model's line drawn on.

ax = sg.plots.inverse_intervention_curve(fit)
ax.set_title("Deprived over affluent authority (90th over 10th percentile)", loc="left")
plt.show()

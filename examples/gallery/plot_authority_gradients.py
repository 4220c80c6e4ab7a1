"""
How steep is each authority?
============================

A caterpillar of gradients: the ratio of rates per ten points of deprivation within each authority,
with its 95% interval, against the gradient of an average authority.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=40, areas=2000, random_seed=2).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_in_need_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=2)

# %%
# The average, and how far authorities spread around it.

print(sg.summarise(sg.gradient(fit), sg.variation.gradient_sd(fit), prob=0.95).iloc[:, :4].round(2))

# %%
# Coloured authorities are steeper or flatter than the average with a probability above 97.5%,
# counted draw by draw, so that what is not known of the average is allowed for. Most are grey:
# their order in the figure is mostly chance.

figure = sg.plots.caterpillar(
    sg.gradient(fit, target="each"),
    reference=sg.gradient(fit),
    reference_name="an average authority",
    label="Gradient: rate ratio per 10 points of deprivation",
)
plt.show()

# %%
# A rank without its interval is a league table. With it, the same uncertainty shows.

ranks = sg.summarise(sg.variation.authority_ranks(fit)["gradient_rank"], prob=0.95)
print(ranks.sort_values("estimate").iloc[:5, :3].round(0).astype(int))

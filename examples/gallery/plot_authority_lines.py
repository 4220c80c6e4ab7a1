"""
Every authority's own line
==========================

A rate for a whole authority hides who in it meets intervention. Draw each authority's line over the
neighbourhoods it really has, and set the steepest one beside an average authority that is as
deprived.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=30, areas=1800, random_seed=5).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_in_need_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=5)

# %%
# Lines end where the authority's own neighbourhoods end (5th to 95th percentile of its children),
# so nothing is drawn that is not there. Where blue lines lie above vermilion ones, neighbourhoods
# of that deprivation meet more intervention in affluent authorities.

ax = sg.plots.authority_lines(fit, events="Child in need plans", exposure="children")
ax.set_title("30 authorities", loc="left")
plt.show()

# %%
# Which authority is most surely steeper than the average? A probability is asked for, not the
# largest estimate, since that is often a small authority's.

steeper = sg.variation.authority_ranks(fit)["steeper_than_average"].mean(("chain", "draw"))
steepest = steeper.idxmax("authority").item()
print(f"{steepest}: Pr(steeper than the average) = {steeper.max().item():.3f}")

# %%
# Points are observed rates of its neighbourhoods in each national tenth: they should lie along its
# own line, not along that of an average authority as deprived. Its most deprived neighbourhoods
# have more events than theirs would have there, its affluent ones about as many.

ax = sg.plots.authority_curve(
    fit, authority=steepest, observed=10, events="Child in need plans", exposure="children"
)
ax.set_title(f"{steepest}, most surely steep", loc="left")
plt.show()

"""
Rates by tenth of deprivation, counted and fitted
=================================================

The figure that everyone draws first: events per 10,000 children from the least to the most deprived
tenth of neighbourhoods. Bars are counted; points are what the model expects, and show where its
straight line does not hold.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=40, areas=2000, random_seed=7).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_protection_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=7)

# %%
# The gap between the two ends, as a difference and as a ratio.

gaps = sg.summarise(sg.inequality.absolute_gap(fit), sg.inequality.relative_gap(fit), prob=0.95)
print(gaps.iloc[:, :3].round(1).to_string())

# %%
# A point within its bar's interval is a tenth that the model gets right; one that leaves it, such
# as the third here, wants a look (in one of twenty it is chance, as in these simulated counts).
# Fitted intervals are narrower than counted ones, because the line learns from all tenths.

ax = sg.plots.rate_bars(fit, events="Protection plans", exposure="children")
gap = gaps["estimate"].droplevel("at")
ax.set_title(
    f"{gap['relative_gap']:.0f} times the rate, {gap['absolute_gap']:.0f} per 10,000 more,\n"
    "in the most deprived tenth",
    loc="left",
)
plt.show()

# %%
# The same numbers as a table for a paper.

print(sg.tables.to_markdown(sg.tables.journal_rates(sg.tables.rate_table(fit))))

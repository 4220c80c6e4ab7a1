"""
What if an authority had the average gradient?
==============================================

A director asks two things of the model: what the rates here would be with the gradient of an
average authority, and how many fewer events there would be if every neighbourhood were a fifth less
deprived. A scenario is a fit in which one authority is altered, so any estimand reads it.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=40, areas=2000, random_seed=12).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_in_need_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=12)
steeper = sg.variation.authority_ranks(fit)["steeper_than_average"].mean(("chain", "draw"))
authority = steeper.idxmax("authority").item()
own = frame[frame["authority"] == authority]

# %%
# Events of the authority's children as it is, and as it would be.

children = own["children"].sum()
answers = {
    "A fifth less deprived": sg.predictions.what_if(fit, authority, exposure=children, times=0.8),
    "The average gradient": sg.predictions.what_if(
        fit, authority, exposure=children, average_slope=True
    ),
    "Both": sg.predictions.what_if(
        fit, authority, exposure=children, times=0.8, average_slope=True
    ),
}
tables = {name: sg.summarise(draws, prob=0.95).droplevel("at") for name, draws in answers.items()}
for name, table in tables.items():
    print(f"{name}:\n{table.iloc[:, :3].round(2).to_string()}\n")

# %%
# Left, why: its line is steeper than that of an average authority as deprived as it is. The two
# meet among affluent neighbourhoods and part among deprived ones. Right, what scenarios come to.
# They compare places; they do not forecast what a change of policy would do.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(10.5, 4.4), width_ratios=[3, 2], layout="constrained"
)
sg.plots.authority_curve(
    fit,
    authority=authority,
    observed=10,
    events="Child in need plans",
    exposure="children",
    ax=left,
)

as_is = next(iter(tables.values())).loc["as_is"]
rows = {"As it is": as_is} | {name: table.loc["as_if"] for name, table in tables.items()}
for row, one in enumerate(rows.values()):
    colour = "#0072B2" if row else "#D55E00"
    right.plot([one["lower"], one["upper"]], [row, row], color=colour)
    right.plot(one["estimate"], row, "o", color=colour)
right.axvline(as_is["estimate"], color="#8A8A8A", linewidth=0.8, zorder=0)
right.set_yticks(range(len(rows)), list(rows))
right.set_ylim(len(rows) - 0.5, -0.5)
right.set_xlabel("Child in need plans a year")
right.spines[["top", "right"]].set_visible(False)
plt.show()

"""
Where along the stages does inequality arise?
=============================================

Fit three stages of child protection on children, and again as a chain, each stage on the events of
the one before. The ladder says how steep each stage is; the chain, which step made it so.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.stages.simulate_flow(authorities=40, areas=2000, random_seed=4).frame
stages = {
    "Referral": "referral",
    "Child in need": "child_in_need",
    "Section 47": "section_47",
    "Protection plan": "child_protection_plan",
}
on_children = sg.Strata.from_stages(
    frame,
    area="area",
    authority="authority",
    deprivation="deprivation",
    children="children",
    stages=stages,
    complete=True,
)
chained = sg.Strata.from_stages(
    frame,
    area="area",
    authority="authority",
    deprivation="deprivation",
    children="children",
    stages=stages,
    exposure="previous stage",
    complete=True,
)
fit = sg.fit(sg.StratifiedModel(on_children), method="laplace", random_seed=4)
chain = sg.fit(sg.StratifiedModel(chained), method="laplace", random_seed=4)

# %%
# Each step multiplies the gradient; shares of its logarithm add up to one.

steps = sg.stages.gradient_by_step(chain)
table = sg.summarise(steps, prob=0.95)
print(table.iloc[:, :4].round(2).to_string())

# %%
# Left: gradients steepen towards plans. Right: most of the gradient of plans is there at referral,
# in who comes to attention, and plans add more to it than the steps between. Neither says that a
# decision is wrong: need known only to the professionals may differ between neighbourhoods. The
# intervals on the left overlap, and those on the right are narrow, because the chain knows that the
# same children are counted again.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), layout="constrained")
sg.plots.gradient_ladder(fit, ax=left)
left.set_title("Gradient among all children", loc="left")
shares = table.loc["share_of_gradient"]
names = list(stages)
right.bar(names, shares["estimate"], color="#0072B2", width=0.6)
right.errorbar(
    names,
    shares["estimate"],
    yerr=[shares["estimate"] - shares["lower"], shares["upper"] - shares["estimate"]],
    fmt="none",
    ecolor="#222222",
    capsize=3,
)
right.yaxis.set_major_formatter("{x:.0%}")
right.set_ylabel("Share of the log gradient of plans")
right.set_title("Added at each step", loc="left")
right.axhline(0, color="#222222", linewidth=0.8)
right.spines[["top", "right"]].set_visible(False)
plt.show()

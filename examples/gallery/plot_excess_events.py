"""
How many events, in which region?
=================================

Ratios are for papers; numbers of children are for budgets. Excess events against three references
add up from authorities to regions to the nation, with their intervals.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=40, areas=2000, random_seed=10).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_in_need_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=10)
region_of = frame.groupby("authority")["region"].first().to_dict()

# %%
# Against the least deprived tenth the excess is what goes with deprivation; against authorities of
# an average level, what goes with the authority, after its neighbourhoods are taken into account.

deprivation = sg.inequality.excess_events(
    fit, against="least_deprived", by="region", regions=region_of
)
practice = sg.inequality.excess_events(fit, against="average_level", by="region", regions=region_of)
print(sg.summarise(sg.inequality.excess_events(fit), prob=0.95).iloc[:, :3].round(-1).to_string())

# %%
# Left, every region has more events than if all its children had the rate of the least deprived
# tenth; large regions have many. Right, in the same order, some have more than average authorities
# with their neighbourhoods would have, and others fewer: a reason to ask why, not a verdict, for
# the average need not be right.

order = deprivation.median(("chain", "draw")).to_series().sort_values(ascending=False).index
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for draws, label, ax in (
    (deprivation, "Events more than at the rate of the least deprived tenth", left),
    (practice, "Events more than in average authorities", right),
):
    sg.plots.caterpillar(draws.sel(region=order), order="given", label=label, ax=ax)
plt.show()

"""
At equal deprivation, who intervenes more?
==========================================

Simulate neighbourhoods in authorities, fit the model without a compiler, and draw the rates of an
affluent and of a deprived kind of authority over neighbourhood deprivation. Where the affluent line
lies above, rates are higher in affluent authorities for equally deprived neighbourhoods.
"""

import matplotlib.pyplot as plt

import socgrad as sg

frame = sg.simulate(authorities=40, areas=2000, random_seed=1).frame
areas = sg.Areas.from_frame(
    frame,
    area="area",
    authority="authority",
    events="child_protection_plan",
    children="children",
    deprivation="deprivation",
    complete=True,
)
fit = sg.fit(sg.GradientModel(areas), method="laplace", random_seed=1)
print(sg.check_sampling(fit).statement)

# %%
# The picture, and the ratio at three deprivations behind it.

ax = sg.plots.inverse_intervention_lines(fit, events="Plans", exposure="children")
inverse = sg.inverse_intervention(fit, deprivation=[0.1, 0.2, 0.3])
print(sg.summarise(inverse, prob=0.95).iloc[:, :4].round(2).to_string())
plt.show()

"""The block engine: authorities with any number of effects, integrated out by Laplace's method.

Given the parameters that authorities share, each authority has a level and a slope in every stratum
(a block of effects), and rows of any law (`segments`). `authorities` holds the compiled arithmetic,
`data` the rows of a model, `covariance`, `coordinates` and `marginal` the posterior of the shared
parameters with its gradient. Its mode is climbed (`mode`), draws about it are weighted
(`sampling`), and where weights are uneven NUTS samples the marginal (`marginal_nuts`); effects are
drawn given the shared parameters, with weights that correct Laplace's method (`effects`).
"""

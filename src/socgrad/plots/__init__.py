"""Views of a fit: figures that a reader of policy understands, drawn from draws, never sampling.

Every function takes a fit, draws on the axes given (or on new ones) and returns them, so that
titles and files are the caller's: ``ax.set_title(...)``, ``ax.figure.savefig(...)``. They need
matplotlib, the optional extra ``plots``.
"""

from socgrad.plots.gradients import gradients_by_deprivation
from socgrad.plots.rates import authority_lines, inverse_intervention_lines

__all__ = ["authority_lines", "gradients_by_deprivation", "inverse_intervention_lines"]

"""Other labels for the strata of a fit: once, for every table and figure that is made of it."""

import json
from collections.abc import Hashable, Mapping
from typing import Final

import numpy as np
import xarray as xr

from socgrad.errors import EstimandError
from socgrad.reading.by_stratum import along, stratum_labels

__all__ = ["relabel"]

#: Along the second, in a joint fit, run the strata that a correlation is with.
_DIMS: Final = ("stratum", "stratum_bis")


def relabel(fit: xr.DataTree, labels: Mapping[Hashable, str]) -> xr.DataTree:
    """Give strata of a fit other labels, which all tables and figures of it then show.

    Parameters
    ----------
    fit
        From `socgrad.fit` on a `StratifiedModel` of stages or groups, or `socgrad.load`.
    labels
        New labels by old ones, such as ``{"cpp": "Child protection plans"}``; strata that are not
        named keep theirs.

    Returns
    -------
    xarray.DataTree
        The same fit under other labels; `fit` itself keeps its own. Draws are not copied.

    Raises
    ------
    EstimandError
        If the fit has no strata, or they are years; if a label is not in the fit; if a new one is
        no text, is blank, or two strata would have the same.
    SchemaError
        If `fit` is not a socgrad fit.

    Examples
    --------
    >>> import socgrad as sg
    >>> from socgrad.reading.example import example_fit_of_stages
    >>> fit = sg.stages.relabel(example_fit_of_stages(), {"plan": "Protection plans"})
    >>> sg.gradient(fit)["stratum"].values.tolist()
    ['referral', 'assessment', 'Protection plans']
    """
    old = stratum_labels(fit)
    if not old or along(fit) == "year":
        raise EstimandError(
            f"relabel gives strata other labels, and this fit has {'years' if old else 'none'}. "
            "Expected a fit of several stages or groups."
        )
    strange = [label for label in labels if label not in old]
    if strange:
        raise EstimandError(
            f"labels names {len(strange)} strata that this fit has not (first: {strange[0]!r}); it "
            f"has {', '.join(map(repr, old))}."
        )
    new = [labels.get(label, label) for label in old]
    blank = [word for word in labels.values() if not isinstance(word, str) or not word.strip()]
    if blank:
        raise EstimandError(f"A new label is {blank[0]!r}; expected text.")
    if len(set(map(str, new))) < len(new):
        twice = next(word for word in new if new.count(word) > 1)
        raise EstimandError(f"Two strata would be called {twice!r}. Give each a label of its own.")
    words = dict(zip(map(str, old), map(str, new), strict=True))
    values = np.array(new, dtype=object)
    made = xr.DataTree.from_dict(
        {
            node.path: dataset.assign_coords(
                {name: values for name in _DIMS if name in dataset.indexes}
            )
            for node in fit.subtree
            for dataset in [node.to_dataset(inherit=False)]
        }
    )
    made.attrs = dict(fit.attrs)
    differ = json.loads(fit.attrs.get("per_stratum", "[]"))
    for name in [*differ, "stratum_seeds"]:
        if name in fit.attrs:
            held = json.loads(fit.attrs[name])
            made.attrs[name] = json.dumps({words[label]: value for label, value in held.items()})
    return made

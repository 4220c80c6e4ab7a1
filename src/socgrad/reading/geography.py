"""The geography behind a fit: areas, authorities, and the reference values of deprivation.

Units and reference values come from the group `constant_data`, never from attrs, which
`pymc.sample` does not write.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from socgrad.departures import Departures
from socgrad.errors import EstimandError, SchemaError
from socgrad.reading.posterior import Coefficients, check_single

__all__ = ["Geography", "geography"]


@dataclass(frozen=True, eq=False)
class Geography:
    """Where the children live: areas, authorities and the reference values of a fit.

    `authority_mean`, `between_part` and `origin` have dim authority and its labels; `origin` is the
    deprivation from which the within part of the authority's areas is measured (its own mean, or
    the national mean in a pooled model). The area arrays are NumPy arrays in the order of the fit;
    `held_deprivation` is 0 throughout where the table had none, and `deprivation` then refuses;
    `has_data` marks the areas whose events are known, by themselves or in their authority's total.
    `covariate_design` and `area_moderator_design` have shape (areas, columns). `departures` gives
    the columns of departures from a log-linear gradient at any deprivation; None where it is a
    line. `locality_of_area` and `locality`, its labels, are empty where the table named no
    localities; `authority_name` where it gave no names.
    """

    authority_mean: xr.DataArray
    between_part: xr.DataArray
    origin: xr.DataArray
    national_mean: float
    per: float
    authority_of_area: npt.NDArray[np.int64]
    held_deprivation: npt.NDArray[np.float64]
    children: npt.NDArray[np.float64]
    exposure: npt.NDArray[np.float64]
    within_part: npt.NDArray[np.float64]
    has_data: npt.NDArray[np.bool_]
    covariate_design: npt.NDArray[np.float64]
    area_moderator_design: npt.NDArray[np.float64]
    departures: Departures | None
    locality_of_area: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    locality: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, object))
    authority_name: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, object))

    @property
    def has_deprivation(self) -> bool:
        """Whether the table had deprivation: else it is held as 0 throughout."""
        return bool(self.held_deprivation.any())

    @property
    def deprivation(self) -> npt.NDArray[np.float64]:
        """Deprivation of areas, proportion.

        Raises
        ------
        EstimandError
            If the table had none.
        """
        self.require_deprivation()
        return self.held_deprivation

    def require_deprivation(self) -> None:
        """Refuse what goes by deprivation for areas of a table without it.

        Raises
        ------
        EstimandError
            If the table had none.
        """
        if not self.has_deprivation:
            raise EstimandError(
                "This goes by the deprivation of areas or authorities, and the table of this fit "
                "has no such column. Name it, Areas.from_frame(..., deprivation=...), and fit "
                "again: a null model, too, can be summed up along it."
            )

    @property
    def authority_words(self) -> list[str]:
        """What a reader calls each authority: its name, else its label."""
        found = self.authority_name
        return list(map(str, found if found.size else self.authority_mean["authority"].to_numpy()))

    def level_design(
        self, terms: Coefficients, areas: npt.NDArray[np.int64] | slice
    ) -> npt.NDArray[np.float64]:
        """Columns of all that moves the levels of areas, (areas, columns) of `terms.of_levels`."""
        covariates = self.covariate_design[areas][:, : terms.covariate.shape[1]]
        if self.departures is None or not terms.has_departures:
            return covariates
        return np.hstack([covariates, self.departures.at(self.deprivation[areas])])

    @property
    def labels(self) -> list[Hashable]:
        """Labels of authorities, in the order of the fit."""
        labels: list[Hashable] = self.authority_mean["authority"].to_numpy().tolist()
        return labels

    @property
    def whole(self) -> str:
        """Words for all neighbourhoods of the fit together."""
        return "the nation" if self.authority_mean.size > 1 else "the authority"

    @property
    def authority_children(self) -> npt.NDArray[np.float64]:
        """Children of each authority, in the order of the fit."""
        return np.bincount(
            self.authority_of_area, weights=self.children, minlength=self.authority_mean.size
        )

    @property
    def authority_has_data(self) -> npt.NDArray[np.bool_]:
        """Which authorities have events that are known, in the order of the fit."""
        known = np.bincount(
            self.authority_of_area, weights=self.has_data, minlength=self.authority_mean.size
        )
        has: npt.NDArray[np.bool_] = known > 0
        return has

    @property
    def authority_exposure(self) -> npt.NDArray[np.float64]:
        """Exposure of each authority, in the order of the fit."""
        return np.bincount(
            self.authority_of_area, weights=self.exposure, minlength=self.authority_mean.size
        )

    def position(self, authority: Hashable) -> int:
        """Find where a named authority stands along dim authority.

        Raises
        ------
        EstimandError
            If no authority has this label.
        """
        labels = self.labels
        if authority not in labels:
            if authority in self.authority_name:
                label = labels[self.authority_name.tolist().index(authority)]
                raise EstimandError(
                    f"{authority!r} is the name of an authority whose label is {label!r}. Numbers "
                    "are asked for by label, which no other authority shares."
                )
            raise EstimandError(
                f"No authority {authority!r} in this fit, which has {len(labels)} (first: "
                f"{', '.join(repr(label) for label in labels[:3])}). Use a label of the coordinate "
                "fit['constant_data'].authority, spelt and typed as there."
            )
        return labels.index(authority)


def geography(fit: xr.DataTree) -> Geography:
    """Read areas, authorities and reference values from a fit.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.

    Returns
    -------
    Geography
        Deprivation as proportions 0-1.

    Raises
    ------
    SchemaError
        If `fit` is not a socgrad fit of a schema that this version reads, or has several strata.

    Examples
    --------
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.reading.geography import geography
    >>> land = geography(example_fit())
    >>> land.per, land.deprivation.size, land.authority_mean.size
    (0.1, 600, 6)
    """
    check_single(fit)
    data = fit["constant_data"].to_dataset()
    mean = data["authority_mean"]
    national = float(data["national_mean"])
    is_pooled = "pooled" in fit["posterior"].data_vars
    return Geography(
        authority_mean=mean,
        between_part=data["between_part"],
        origin=xr.full_like(mean, national) if is_pooled else mean,
        national_mean=national,
        per=float(data["per"]),
        authority_of_area=data["authority_of_area"].to_numpy().astype(np.int64),
        held_deprivation=data["deprivation"].to_numpy().astype(np.float64),
        children=data["children"].to_numpy().astype(np.float64),
        exposure=data["exposure"].to_numpy().astype(np.float64),
        within_part=data["within_part"].to_numpy().astype(np.float64),
        has_data=data["has_data"].to_numpy().astype(bool),
        covariate_design=_columns(data, "covariate"),
        area_moderator_design=_columns(data, "area_moderator"),
        departures=_departures(data),
        **_localities(data),
        **_names(data),
    )


def _names(data: xr.Dataset) -> dict[str, Any]:
    """Names of authorities; nothing where there are none."""
    held = data.get("authority_name")
    return {} if held is None else {"authority_name": held.to_numpy()}


def _localities(data: xr.Dataset) -> dict[str, Any]:
    """Each area's locality, and the labels of localities; nothing where there are none."""
    if "locality_of_area" not in data:
        return {}
    if "locality" not in data.coords:
        raise SchemaError(
            "Group 'constant_data' has locality_of_area, but no labels along dim locality. Use the "
            "tree as it was returned or saved."
        )
    return {
        "locality_of_area": data["locality_of_area"].to_numpy().astype(np.int64),
        "locality": data["locality"].to_numpy(),
    }


def _columns(data: xr.Dataset, name: str) -> npt.NDArray[np.float64]:
    """Design matrix of one kind of area covariates, (areas, columns)."""
    if f"{name}_design" not in data:
        return np.zeros((data.sizes["area"], 0))
    return data[f"{name}_design"].transpose("area", name).to_numpy().astype(np.float64)


def _departures(data: xr.Dataset) -> Departures | None:
    """What gives the columns of departures at any deprivation; None of a line."""
    if "departure_weights" not in data:
        return None
    is_spline = "departure_knots" in data
    return Departures(
        data["departure_knots" if is_spline else "departure_edges"].to_numpy().astype(np.float64),
        data["departure_weights"].transpose("departure_part", "departure").to_numpy(),
        is_spline=is_spline,
    )

"""Fits as NetCDF files: everything a summary needs, with the counts or without them."""

import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasMultiIndex

from socgrad.errors import SchemaError
from socgrad.reading.arguments import check_is_tree
from socgrad.reading.checksum import check_checksum, with_checksum
from socgrad.reading.disclosure import (
    refuse_restricted_covariates,
    refuse_restricted_exposure,
    refuse_small_totals,
    without_events,
)
from socgrad.reading.file_structure import check_structure
from socgrad.reading.file_writing import write_whole
from socgrad.reading.fitted_designs import stored_formulas
from socgrad.reading.stored_form import check_form
from socgrad.reading.stored_values import check_data_hash, check_values
from socgrad.schema import COVARIATE_GROUP, check_tree

__all__ = ["load", "save"]


def save(
    fit: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    include_events: bool = True,
    exposure_is_public: bool = False,
    covariates_are_public: bool = False,
    totals_are_public: bool = False,
) -> Path:
    """Save a fit as one NetCDF file.

    Parameters
    ----------
    fit
        From `socgrad.fit`, `socgrad.load`, or `pymc.sample` on `socgrad.pymc_model(model)`.
    path
        Where to, conventionally ending in .nc. A file there is replaced, once the new one is whole,
        and keeps its mode, owner, group and access list; of a symbolic link, the file that it
        points to. A new file gets the mode that the umask leaves.
    include_events
        Whether to keep the counts. False leaves out the observed counts and all that is computed
        from them area by area or authority by authority (also the log density of each draw,
        predictions, terms that an extended model has of its own, and attributes and coordinates
        that are not known to be harmless, such as the hash of the data): what is left are the
        draws of the schema's terms, deprivation, children, exposure, and which areas had data.
        Every summary gives the same numbers from either file.
    exposure_is_public
        For `include_events=False` alone, and only where the exposure is not the children: True
        says that it may be in the file. Another stage's events and closed cases are counts as
        restricted as the events themselves.
    covariates_are_public
        The same for covariates, where the model has any.
    totals_are_public
        For `include_events=False` alone, and only where an authority's total is below 10: True says
        that all totals may be known. The file gives them back exactly, whatever their size.

    Returns
    -------
    pathlib.Path
        Where the fit was saved.

    Raises
    ------
    SchemaError
        If `fit` is not a socgrad fit; with `include_events=False`, if its exposure is not the
        children and `exposure_is_public` does not say that it may go along, or if it has covariates
        and `covariates_are_public` does not, or if a total of an authority is below 10 and
        `totals_are_public` does not say that it may be known.
    FileNotFoundError
        If the folder to save into does not exist.
    IsADirectoryError
        If `path` is a folder.
    StorageError
        If the file cannot be written, as on a full disk: the file of before stays whole. It is an
        `OSError`, too.

    Notes
    -----
    **A file without events gives every authority's total back exactly.** The posterior mean of the
    score is zero, so that a total is the mean, over draws, of the authority's expected events, plus
    what its prior pulls; all of it is in the file. And someone who knows all counts but one can fit
    them with one count after another, and hold the draws against the file's: the more easily where
    the seed can be guessed, so leave `random_seed` out of a fit that is to be shared. To take
    results out use `socgrad.release.coefficients`, or tables. Whether a file may leave a secure
    setting is for the data's owner to say.

    Examples
    --------
    >>> import tempfile
    >>> from socgrad.reading.example import example_fit
    >>> from socgrad.reading.storage import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(example_fit(), f"{folder}/example.nc"))
    >>> again.identical(example_fit())
    True
    """
    check_is_tree(fit)
    check_tree(fit)
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(
            f"{target} is a folder. Name a file in it: {str(target / 'fit.nc')!r}."
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"No folder {target.parent} to save {target.name} into. Make it first: "
            f"pathlib.Path({str(target.parent)!r}).mkdir(parents=True)."
        )
    if not include_events and not exposure_is_public:
        refuse_restricted_exposure(fit)
    if not include_events and not covariates_are_public:
        refuse_restricted_covariates(fit)
    if not include_events and not totals_are_public:
        refuse_small_totals(fit)
    tree = _storable(fit if include_events else without_events(fit))
    check_form(tree)
    check_values(tree)
    check_data_hash(tree)
    # In memory first: the HDF5 library ends the process where it finds the disk full. And nothing
    # is written that `load` would refuse.
    with _without_cluster():
        content = bytes(with_checksum(tree).to_netcdf(engine="h5netcdf"))
    check_structure(content)
    write_whole(target, content)
    return target


def _without_cluster() -> AbstractContextManager[Any]:
    """Where there is a Dask client, as in its workers, xarray asks its scheduler for a lock.

    Of what is written in memory the scheduler knows nothing, and no other process could touch it.
    """
    dask = sys.modules.get("dask")
    return nullcontext() if dask is None else dask.config.set(scheduler="synchronous")


def load(path: str | os.PathLike[str]) -> xr.DataTree:
    """Load a fit from a NetCDF file.

    Parameters
    ----------
    path
        A file that `socgrad.save` has written.

    Returns
    -------
    xarray.DataTree
        The fit, in memory; the file is closed.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SchemaError
        If the file is no fit, one of a schema that this version cannot read, damaged, or made of
        what no fit has (links, data elsewhere, absurd sizes, numbers scaled as they are read); if
        its values are out of range or at odds with one another, or its formulas say what none may.

    Notes
    -----
    Most of this is checked before anything is read. The checksum finds damage, not forgery.

    Examples
    --------
    See `socgrad.save`.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"No file {source}. Expected one that socgrad.save has written.")
    # Read once: what is checked is what is used, whatever becomes of the file.
    content = source.read_bytes()
    try:
        check_structure(content)
        tree = _read(content)
        if COVARIATE_GROUP in tree.children:
            stored_formulas(tree)
        check_data_hash(tree)
    except SchemaError as error:
        raise SchemaError(f"{source}: {error}") from error
    return tree


def _read(content: bytes) -> xr.DataTree:
    """Read a file whose structure is that of a fit, checking each time before reading more."""
    try:
        with xr.open_datatree(
            BytesIO(content),
            engine="h5netcdf",
            decode_times=False,
            mask_and_scale=False,
            phony_dims="access",
        ) as opened:
            check_tree(opened)
            check_form(opened)
            tree = opened.load()
    except SchemaError:
        raise
    except Exception as error:
        raise SchemaError(
            f"It cannot be read as NetCDF ({str(error) or type(error).__name__}). Expected a file "
            "that socgrad.save has written, whole."
        ) from error
    for node in tree.subtree:
        for name in node.variables:
            node.variables[name].attrs.pop("_FillValue", None)
    check_values(tree)
    return check_checksum(tree)


def _storable(fit: xr.DataTree) -> xr.DataTree:
    """Turn what NetCDF cannot hold into what it can: None, booleans, mappings, MultiIndex."""
    groups = {node.path: _storable_dataset(node.to_dataset(inherit=False)) for node in fit.subtree}
    return xr.DataTree.from_dict(groups)


def _storable_dataset(dataset: xr.Dataset) -> xr.Dataset:
    several = {
        str(index.dim) for index in dataset.xindexes.values() if isinstance(index, PandasMultiIndex)
    }
    plain = dataset.reset_index(sorted(several)) if several else dataset.copy()
    # A MultiIndex leaves its dim without labels and its levels as coordinates of their own.
    plain = plain.assign(
        {name: _storable_variable(plain[name]) for name in plain.data_vars}
    ).assign_coords({name: _storable_variable(plain[name]) for name in plain.coords})
    plain.attrs = _storable_attrs(plain.attrs)
    # How a file was compressed or chunked says nothing about the fit.
    return plain.drop_encoding()


def _storable_variable(variable: xr.DataArray) -> xr.DataArray:
    if variable.dtype == object:
        # nutpie's messages are None where nothing was said, which xarray may turn into NaN.
        values = variable.to_numpy().ravel()
        said = zip(values, pd.isna(values), strict=True)
        words = ["" if nothing else str(value) for value, nothing in said]
        text = np.array(words, dtype=object).reshape(variable.shape)
        variable = variable.copy(data=text)
    elif isinstance(variable.dtype, pd.StringDtype):
        variable = variable.astype(object)
    elif variable.dtype.kind in "mMS":
        # Dates and bytes as texts: a file has neither, and numbers for dates need a reader's help.
        variable = variable.astype(str).astype(object)
    variable.attrs = _storable_attrs(variable.attrs)
    return variable


def _storable_attrs(attrs: dict[str, object]) -> dict[str, object]:
    """Booleans become 0 and 1, mappings and mixed lists JSON; None is left out."""
    stored: dict[str, object] = {}
    for name, value in attrs.items():
        if isinstance(value, bool | np.bool_):
            stored[name] = int(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind not in "iuf":
            stored[name] = json.dumps(value.tolist(), default=str)
        elif isinstance(value, str | int | float | np.number | np.ndarray):
            stored[name] = value
        elif value is not None:
            stored[name] = json.dumps(value, default=str)
    return stored

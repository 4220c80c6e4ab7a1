"""Independent strata of one fit, each kept in a folder as it ends."""

import os
from collections.abc import Callable
from typing import Any

import xarray as xr

from socgrad.fit_options import FitOptions
from socgrad.many.folder import FitFolder, check_keys
from socgrad.many.keeping import keep_fit
from socgrad.many.records import FitRecord
from socgrad.model.gradient_model import GradientModel
from socgrad.model.stratified_model import StratifiedModel

__all__ = ["StrataFolder"]


class StrataFolder:
    """A folder of fits, named by the strata of one model.

    Parameters
    ----------
    path
        Made if it is not there.
    model : StratifiedModel
    options : FitOptions

    Raises
    ------
    SpecificationError
        If two strata would name one file.
    StorageError, FileNotFoundError, NotADirectoryError
        As `socgrad.many.folder.FitFolder` does.
    """

    def __init__(
        self, path: str | os.PathLike[str], model: StratifiedModel, options: FitOptions
    ) -> None:
        check_keys([str(label) for label in model.strata.labels])
        self._folder = FitFolder(path, create=True)
        self._options = options
        self.seed = self._folder.default_seed()

    def kept(
        self, label: Any, model: GradientModel, random_seed: int, fit: Callable[[], xr.DataTree]
    ) -> xr.DataTree:
        """The fit of one stratum, from the folder or made now.

        It is read from its file in either case, so that a run that was taken up again gives what
        one that ran through would have given.
        """
        asked = FitRecord(
            key=str(label), state="failed", random_seed=random_seed, about={"stratum": label}
        )
        keep_fit(self._folder, asked, model, self._options, fit)
        return self._folder.load(asked.key)

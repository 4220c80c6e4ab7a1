import numpy as np
import xarray as xr

from socgrad.reading.example import example_fit
from socgrad.schema import CONSTANTS, EFFECTS, PARAMETERS, check_tree


def test_example_is_a_fit():
    """The example has the form of the seam: names and dims, nothing else."""
    fit = example_fit()
    check_tree(fit)
    constants, posterior = fit["constant_data"], fit["posterior"]
    assert {name: constants[name].dims for name in constants.data_vars} == {
        name: dims for name, (dims, _) in CONSTANTS.items()
    }
    assert set(posterior.data_vars) <= PARAMETERS.keys() | EFFECTS.keys()
    assert all(posterior[name].dims == ("chain", "draw", "authority") for name in EFFECTS)


def test_example_does_not_change():
    """Two calls give the same draws, and none of them is another's object."""
    first, second = example_fit(), example_fit()
    xr.testing.assert_identical(first, second)
    first["posterior"]["within"][:] = 0
    assert float(second["posterior"]["within"].min()) > 0


def test_example_parts_are_centred():
    """Within parts average zero in each authority, between parts nationally, by children."""
    data = example_fit()["constant_data"].to_dataset()
    children, authority = data["children"].to_numpy(), data["authority_of_area"].to_numpy()
    sums = np.bincount(authority, weights=children * data["within_part"].to_numpy())
    np.testing.assert_allclose(sums, 0, atol=1e-8)
    between = data["between_part"].to_numpy()[authority]
    np.testing.assert_allclose(np.average(between, weights=children), 0, atol=1e-12)

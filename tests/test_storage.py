import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from socgrad.errors import SchemaError
from socgrad.estimands.contextual import inverse_intervention
from socgrad.estimands.gradients import gradient
from socgrad.estimands.group_rates import rate_by_group
from socgrad.reading.storage import load, save
from socgrad.reading.stored_values import hash_of_data
from socgrad.schema import CONSTANTS, PARAMETERS
from socgrad.tables.summaries import summarise

FITS = ["split_fit", "curved_fit", "no_slopes_fit", "pooled_fit", "null_fit", "fit_with_events"]


@pytest.mark.parametrize("name", FITS)
def test_round_trip_is_exact(request, tmp_path, name):
    """What is loaded is what was saved: values to the last bit, dtypes, labels, attrs."""
    fit = request.getfixturevalue(name)
    again = load(save(fit, tmp_path / "fit.nc"))
    xr.testing.assert_identical(again, fit)
    for node in fit.subtree:
        for variable in node.data_vars:
            assert again[node.path][variable].dtype == fit[node.path][variable].dtype


def test_summaries_do_not_know_the_difference(fit_with_events, tmp_path):
    """Every number from a file, with or without events, equals that of the fresh fit."""
    files = [
        save(fit_with_events, tmp_path / f"{keep}.nc", include_events=keep)
        for keep in (True, False)
    ]

    def table(fit):
        return summarise(
            gradient(fit, target="each"), inverse_intervention(fit), rate_by_group(fit)
        )

    fresh = table(fit_with_events)
    for file in files:
        pd.testing.assert_frame_equal(table(load(file)), fresh, check_exact=True)


def restricted_fit(fit_with_events):
    """Hide counts wherever a tree has a place for them."""
    fit = fit_with_events.copy(deep=True)
    events = fit_with_events["observed_data"]["events"]
    for group in ("posterior_predictive", "log_likelihood", "warmup_posterior", "predictions"):
        fit[group] = xr.DataTree(xr.Dataset({"events": events}))
    posterior = fit["posterior"].to_dataset()
    imputed = events.expand_dims(chain=[0, 1], draw=np.arange(50))
    raw = {"imputed": imputed, "level_raw": posterior["level_effect"]}
    # Coordinates and attributes are places too.
    posterior = posterior.assign(raw).assign_coords(first_count=float(events[0]))
    posterior["within"].attrs["note"] = events.to_numpy()
    posterior.attrs["counts"] = events.to_numpy()
    fit["posterior"] = xr.DataTree(posterior)
    every = np.resize(events.to_numpy(), 600)
    constants = fit["constant_data"].to_dataset().assign_coords(plans=("area", every))
    constants["area"].attrs["plans"] = events.to_numpy()
    fit["constant_data"] = xr.DataTree(constants)
    held, counts = fit["constant_data"].to_dataset(), fit["observed_data"].to_dataset()
    fit.attrs |= {
        "data_sha256": hash_of_data(held, counts),
        "rows": "[3 areas without count]",
        "plans": 7_000_003,
    }
    return fit


def test_no_count_is_left(fit_with_events, tmp_path):
    """A file without events holds none of their bytes, names or groups, however it is read."""
    import h5py

    fit = restricted_fit(fit_with_events)
    # Fixed-length data without compression: the counts' bytes are in the one file, not the other.
    observed, constants = fit_with_events["observed_data"], fit_with_events["constant_data"]
    counts = [observed["events"].to_numpy(), constants["count_events"].to_numpy()]
    patterns = [array[:2].astype(kind).tobytes() for array in counts for kind in ("<i8", "<f8")]
    total = observed["total_events"].to_numpy()
    patterns += [total.astype(kind).tobytes() for kind in ("<i8", "<f8")]
    full = save(fit, tmp_path / "full.nc").read_bytes()
    bare_path = save(fit, tmp_path / "bare.nc", include_events=False)
    bare = bare_path.read_bytes()
    assert sum(pattern in full for pattern in patterns) == 4  # int and float as they were stored
    # One count alone is in the full file too, as coordinate and as attribute.
    patterns += [np.array(7_000_003).astype(kind).tobytes() for kind in ("<i8", "<f8")]
    assert all(pattern in full for pattern in patterns[-2:])
    assert not any(pattern in bare for pattern in patterns)

    names = []
    with h5py.File(bare_path) as raw:
        assert sorted(raw) == ["constant_data", "posterior", "sample_stats"]
        raw.visititems(lambda name, _: names.append(name))
        assert set(raw["constant_data"]) == set(CONSTANTS) | {"area", "authority"}
        assert set(raw["sample_stats"]) == {"chain", "draw", "diverging"}
    assert not any(part in name for name in names for part in ("event", "imputed", "_raw", "plans"))


def test_attributes_without_events_are_those_known_to_be_harmless(fit_with_events, tmp_path):
    """The hash of the data, which counts can be tried against, the seed and others stay out."""
    fit = restricted_fit(fit_with_events)
    fit.attrs |= {"columns": '{"events": "plans"}', "importance_ess": 812.0}
    bare = load(save(fit, tmp_path / "bare.nc", include_events=False))
    assert bare.attrs == {
        "socgrad_schema": 1,
        "socgrad_version": "0.1.0",
        "columns": '{"events": "plans"}',
        "importance_ess": 812.0,
    }
    assert bare["posterior"].attrs == {}
    assert bare["posterior"]["within"].attrs == {"long_name": PARAMETERS["within"]}
    assert set(bare["posterior"].coords) == {"chain", "draw", "authority"}
    assert set(bare["constant_data"].coords) == {"area", "authority"}
    assert bare["constant_data"]["area"].attrs == {}
    whole = load(save(fit, tmp_path / "whole.nc"))
    assert whole.attrs["data_sha256"] == fit.attrs["data_sha256"]


def test_an_exposure_that_is_a_count_stays_unless_it_is_public(
    fit_with_events, change_fit, tmp_path
):
    """Another stage's events as exposure are refused, without a file, until they are public."""
    referrals = 5_000_011.0 + 10 * np.arange(600)
    fit = change_fit(fit_with_events, constants=lambda c: c.assign(exposure=("area", referrals)))
    pattern = referrals[:2].astype("<f8").tobytes()
    with pytest.raises(SchemaError, match=r"from the children in 600 of 600 areas .*_is_public=Tr"):
        save(fit, tmp_path / "bare.nc", include_events=False)
    assert not list(tmp_path.iterdir())
    path = save(fit, tmp_path / "bare.nc", include_events=False, exposure_is_public=True)
    assert pattern in path.read_bytes()
    assert pattern in save(fit, tmp_path / "full.nc").read_bytes()
    one = fit_with_events["constant_data"]["children"].to_numpy().copy()
    one[3] -= 1
    nearly = change_fit(fit_with_events, constants=lambda c: c.assign(exposure=("area", one)))
    with pytest.raises(SchemaError, match="in 1 of 600 areas"):
        save(nearly, tmp_path / "nearly.nc", include_events=False)


def test_a_missing_folder_is_named(split_fit, tmp_path):
    """The message says which folder to make, and makes none itself."""
    with pytest.raises(
        FileNotFoundError, match=r"No folder .*out to save fit\.nc into\. Make it fi"
    ):
        save(split_fit, tmp_path / "out" / "fit.nc")
    assert not (tmp_path / "out").exists()


def test_events_are_kept_unless_left_out(fit_with_events, tmp_path):
    """By default the file is the whole fit, counts included."""
    again = load(save(fit_with_events, tmp_path / "fit.nc"))
    events = again["observed_data"]["events"]
    assert events.dtype == np.int64
    assert events["counted_area"].to_numpy().tolist()[:2] == ["A000", "A001"]
    xr.testing.assert_identical(events, fit_with_events["observed_data"]["events"])


def test_the_fit_itself_is_left_alone(fit_with_events, tmp_path):
    """Saving changes nothing in memory."""
    before = fit_with_events.copy(deep=True)
    save(fit_with_events, tmp_path / "fit.nc", include_events=False)
    xr.testing.assert_identical(fit_with_events, before)


def test_what_netcdf_cannot_hold_is_converted(split_fit, tmp_path):
    """Messages with None, booleans, None and mappings in attrs, and a MultiIndex are stored."""
    fit = split_fit.copy()
    messages = np.full((2, 50), None, dtype=object)
    messages[1, 3] = "energy error"
    fit["sample_stats"] = xr.DataTree(
        xr.Dataset(
            {"divergence_message": (("chain", "draw"), messages)},
            coords={"chain": [0, 1], "draw": np.arange(50)},
        )
    )
    fit["posterior"]["within"].attrs = {"centred": True, "note": None, "options": {"tune": 5}}
    fit.attrs |= {"converged": np.True_, "seeds": [1, 2], "range": np.array([0.5, 1.5])}
    pairs = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", "number"])
    pairs = xr.Coordinates.from_pandas_multiindex(pairs, "pair")
    words = pd.array(["p", "q", "r", "s"], dtype="string")
    other = xr.Dataset({"value": ("pair", np.arange(4.0)), "word": ("pair", words)}, coords=pairs)
    other["day"] = ("pair", np.array(["2019-04-01"] * 4, dtype="datetime64[s]"))
    other.attrs["names"] = np.array(list("abcdefgh"))
    fit["other"] = xr.DataTree(other)

    before = fit.copy(deep=True)
    again = load(save(fit, tmp_path / "fit.nc"))
    assert fit["posterior"]["within"].attrs == before["posterior"]["within"].attrs
    stored = again["sample_stats"]["divergence_message"].to_numpy()
    assert stored[1, 3] == "energy error"
    assert (stored == "").sum() == 99
    assert again["posterior"]["within"].attrs == {"centred": 1, "options": '{"tune": 5}'}
    assert again.attrs["converged"] == 1
    assert again.attrs["seeds"] == "[1, 2]"
    np.testing.assert_array_equal(again.attrs["range"], [0.5, 1.5])
    assert again["other"]["letter"].to_numpy().tolist() == ["a", "a", "b", "b"]
    assert again["other"]["word"].to_numpy().tolist() == ["p", "q", "r", "s"]
    assert again["other"]["value"].to_numpy().tolist() == [0, 1, 2, 3]
    assert again["other"]["day"].to_numpy()[0].startswith("2019-04-01")
    assert json.loads(again["other"].attrs["names"]) == list("abcdefgh")


@pytest.mark.parametrize(
    "labels",
    [
        pd.array([f"E0600000{k}" for k in range(6)], dtype="str"),
        pd.array([f"E0600000{k}" for k in range(6)], dtype="string"),
        np.array(["Ynys Môn", "Gŵyr", "b", "c", "d", "e"], dtype=object),
        np.array([f"E{k}" for k in range(6)]),
        np.arange(6) + 101,
    ],
    ids=["str", "string", "object", "numpy", "integer"],
)
def test_labels_of_any_kind_survive(split_fit, change_fit, tmp_path, labels):
    """Authority labels load as they were, whatever held them."""

    def relabel(data):
        return data.assign_coords(authority=pd.Index(labels))

    fit = change_fit(split_fit, posterior=relabel, constants=relabel)
    again = load(save(fit, tmp_path / "fit.nc"))
    assert again["posterior"]["authority"].to_numpy().tolist() == list(labels)
    loaded, fresh = gradient(again, target="each"), gradient(fit, target="each")
    # pandas 2.3 has an index type of its own for "string", which a file does not keep.
    np.testing.assert_array_equal(loaded, fresh)
    assert loaded.attrs == fresh.attrs


def test_a_loaded_fit_can_be_saved_again(fit_with_events, tmp_path):
    """Saving what was loaded, over the file it came from, changes nothing."""
    path = save(fit_with_events, tmp_path / "fit.nc")
    first = load(path)
    save(first, path)
    xr.testing.assert_identical(load(path), first)
    assert [file.name for file in tmp_path.iterdir()] == ["fit.nc"]


def test_how_a_fit_was_stored_does_not_round_it(split_fit, tmp_path):
    """An encoding that came along from elsewhere is not applied to the draws."""
    fit = split_fit.copy()
    fit["posterior"]["within"].encoding = {"dtype": "float32"}
    xr.testing.assert_identical(load(save(fit, tmp_path / "fit.nc")), split_fit)


def test_threads_may_save_fits_to_one_path(split_fit, fit_with_events, tmp_path):
    """Four at once: the file is one of the fits, whole, and nothing else is left."""
    path = tmp_path / "fit.nc"
    fits = [split_fit, fit_with_events] * 2
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda fit: save(fit, path), fits)) == [path] * 4
    assert set(load(path).children) in (set(split_fit.children), set(fit_with_events.children))
    assert [file.name for file in tmp_path.iterdir()] == ["fit.nc"]


def test_a_string_path_will_do(split_fit, tmp_path):
    """Paths may be strings; the path that comes back is a Path."""
    path = save(split_fit, str(tmp_path / "fit.nc"))
    assert path == tmp_path / "fit.nc"
    assert load(str(path)).attrs["socgrad_schema"] == 1


def test_only_fits_are_saved(tmp_path):
    """Another tree is refused before a file is made."""
    with pytest.raises(SchemaError, match="no group 'posterior'"):
        save(xr.DataTree(), tmp_path / "fit.nc")
    assert not list(tmp_path.iterdir())


def test_missing_file(tmp_path):
    """A file that is not there says so."""
    with pytest.raises(FileNotFoundError, match=r"No file .*none\.nc\. Expected one that socgrad"):
        load(tmp_path / "none.nc")


def test_other_files_are_refused(tmp_path):
    """A text file and a NetCDF file of something else are told from a fit."""
    text = tmp_path / "text.nc"
    text.write_text("area,events\n")
    with pytest.raises(SchemaError, match=r"text\.nc: It cannot be read as NetCDF"):
        load(text)
    other = tmp_path / "other.nc"
    xr.Dataset({"x": 1.0}).to_netcdf(other, engine="h5netcdf")
    with pytest.raises(SchemaError, match=r"other\.nc: This tree has no group 'posterior'"):
        load(other)


def test_other_schemas_are_refused(split_fit, tmp_path):
    """A file of a later schema names the version that wrote it."""
    later = split_fit.copy()
    path = save(later, tmp_path / "fit.nc")
    later.attrs |= {"socgrad_schema": 9, "socgrad_version": "9.0"}
    with pytest.raises(SchemaError, match="socgrad schema 9; this version"):
        save(later, path)
    later.to_netcdf(path, engine="h5netcdf")
    with pytest.raises(SchemaError, match=r"fit\.nc: This fit has socgrad schema 9.*9\.0"):
        load(path)


def test_saving_needs_a_file_name(split_fit, tmp_path):
    """A folder alone is no place to write to."""
    with pytest.raises(IsADirectoryError, match=r"is a folder\. Name a file in it: .*fit\.nc"):
        save(split_fit, tmp_path)

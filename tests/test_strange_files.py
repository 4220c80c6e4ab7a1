"""Files that others made: each is refused with our own error, which names what and where.

The crafted files are made by h5py from a saved fit; the damaged ones have bits turned over, or end
too early. Files whose values are wrong have a checksum that fits: it finds damage, not forgery.
"""

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr

from socgrad.errors import SchemaError
from socgrad.reading.checksum import with_checksum
from socgrad.reading.covariate_example import covariate_example_fit
from socgrad.reading.example import example_fit, example_fit_of_stages
from socgrad.reading.storage import load, save
from socgrad.reading.stored_form import check_form
from socgrad.reading.stored_values import check_data_hash, check_values, hash_of_data
from socgrad.schema import check_tree


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A saved fit with counts, as bytes."""
    return save(example_fit(events=True), tmp_path_factory.mktemp("fit") / "fit.nc").read_bytes()


@pytest.fixture
def path(content, tmp_path):
    """The same as a file, beside one with a secret."""
    (tmp_path / "secret").write_bytes(np.arange(600.0).tobytes())
    made = tmp_path / "fit.nc"
    made.write_bytes(content)
    return made


def replaced(file, name, **options):
    """Make a variable anew, with its labels."""
    labels = dict(file[name].attrs)
    scale = file["constant_data/area"]
    del file[name]
    made = file.create_dataset(name, **options)
    made.dims[0].attach_scale(scale)
    made.attrs.update({k: v for k, v in labels.items() if k.startswith("_Netcdf4")})


def external_data(file, folder):
    """Numbers that lie in a file beside it."""
    replaced(
        file,
        "constant_data/children",
        shape=(600,),
        dtype="<f8",
        external=[(str(folder / "secret"), 0, 4800)],
    )


def virtual_data(file, folder):
    """Numbers that are made of those of a file beside it."""
    with h5py.File(folder / "other.h5", "w") as other:
        other["numbers"] = np.arange(600.0)
    layout = h5py.VirtualLayout((600,), "<f8")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "numbers", (600,))
    del file["constant_data/children"]
    file.create_virtual_dataset("constant_data/children", layout)


def external_link(file, folder):
    """A variable of a file beside it."""
    with h5py.File(folder / "other.h5", "w") as other:
        other["numbers"] = np.arange(600.0)
    del file["constant_data/children"]
    file["constant_data/children"] = h5py.ExternalLink(str(folder / "other.h5"), "numbers")


def soft_link(file, _):
    """A variable by another path."""
    del file["constant_data/children"]
    file["constant_data/children"] = h5py.SoftLink("/constant_data/exposure")


def texts_that_are_one(file, _):
    """50,000 texts, each of which is the same long one."""
    words = file.create_dataset("other/words", (50_000,), h5py.string_dtype())
    words[:] = ["x" * 1_000_000, *[""] * 49_999]
    at = words.id.get_offset()
    return lambda raw: raw[:at] + raw[at : at + 16] * 50_000 + raw[at + 16 * 50_000 :]


STRUCTURES = {
    "a link to another file": (external_link, r"constant_data/children is a link to another file"),
    "a soft link": (soft_link, r"constant_data/children is a soft link"),
    "data in another file": (external_data, r"constant_data/children has its data in another file"),
    "data made of others": (virtual_data, r"constant_data/children is made of other data"),
    "a group in itself": (
        lambda file, _: file["posterior"].__setitem__("more", file["posterior"]),
        r"posterior/more is posterior by another name",
    ),
    "the root in a group": (
        lambda file, _: file["posterior"].__setitem__("more", file["/"]),
        r"posterior/more is the root by another name",
    ),
    "two groups in each other": (
        lambda file, _: (
            file["posterior"].__setitem__("c", file["constant_data"]),
            file["constant_data"].__setitem__("p", file["posterior"]),
        ),
        r"by another name",
    ),
    "a variable twice": (
        lambda file, _: (
            file["posterior"].__setitem__("between", file["posterior/within"])
            if file["posterior"].pop("between")
            else None
        ),
        r"posterior/within is posterior/between by another name",
    ),
    "groups in groups": (
        lambda file, _: file.create_group("a/b/c/d/e/f"),
        r"a/b/c/d/e lies more than 4 groups deep",
    ),
    "many groups": (
        lambda file, _: [file.create_group(f"other/g{k}") for k in range(60)],
        r"other has more than 50 groups",
    ),
    "many variables": (
        lambda file, _: [file.__setitem__(f"other/v{k}", 1.0) for k in range(1_000)],
        r"other has more than 1,000 variables",
    ),
    "many attributes": (
        lambda file, _: [file["posterior"].attrs.__setitem__(f"a{k}", k) for k in range(201)],
        r"posterior has 201 attributes",
    ),
    "a numpy type of its own": (
        lambda file, _: file.__setitem__("other", np.dtype("<f8")),
        r"other is neither a group nor a variable",
    ),
    "an absurd size": (
        lambda file, _: file.create_dataset("other/x", (10**6, 10**6), "<f8"),
        r"other/x has shape 1000000 x 1000000, so that the contents would take 8,000,00\d MB",
    ),
    "an absurd size, packed": (
        lambda file, _: file.create_dataset(
            "other/x", (4 * 10**6,), "<f8", compression="gzip", data=np.zeros(4 * 10**6)
        ),
        r"other/x has shape 4000000, so that the contents would take 32 MB of memory or more",
    ),
    "texts that are one": (
        texts_that_are_one,
        r"other/words has shape 50000, so that the contents would take 50,\d* MB of memory",
    ),
    "another filter": (
        lambda file, _: file.create_dataset("other/x", (9,), "<f8", compression="lzf"),
        r"other/x is packed by the filter 'lzf'",
    ),
    "nothing": (
        lambda file, _: file.__setitem__("other/x", h5py.Empty("<f8")),
        r"other/x is empty",
    ),
    "seven dims": (
        lambda file, _: file.create_dataset("other/x", (1,) * 7, "<f8"),
        r"other/x has 7 dimensions",
    ),
    "records": (
        lambda file, _: file.create_dataset("other/x", (2,), [("a", "<f8"), ("b", "<i4")]),
        r"other/x holds neither numbers nor texts",
    ),
    "references": (
        lambda file, _: file.create_dataset("other/x", (2,), h5py.ref_dtype),
        r"other/x holds neither numbers nor texts",
    ),
    "lists": (
        lambda file, _: file.create_dataset("other/x", (2,), h5py.vlen_dtype("<f8")),
        r"other/x holds neither numbers nor texts",
    ),
    "complex numbers": (
        lambda file, _: file.create_dataset("other/x", (2,), "<c16"),
        r"other/x holds neither numbers nor texts",
    ),
    "texts of one length": (
        lambda file, _: file.create_dataset("other/x", (2,), "S20"),
        r"other/x holds texts that are stored in an unusual way",
    ),
    "texts in an attribute": (
        lambda file, _: file["posterior"].attrs.__setitem__("x", ["word"] * 100),
        r"Attribute 'x' of posterior holds 100 texts",
    ),
    **{
        name: (
            lambda file, _, name=name: file["constant_data/per"].attrs.__setitem__(name, -1.0),
            rf"Attribute '{name}' of constant_data/per would change numbers as they are read",
        )
        for name in ("scale_factor", "add_offset", "missing_value", "_Unsigned")
    },
}


@pytest.mark.parametrize("case", list(STRUCTURES))
def test_files_of_another_structure_are_refused(path, tmp_path, case):
    """Before anything is read: what, and where."""
    craft, words = STRUCTURES[case]
    with h5py.File(path, "r+") as file:
        patch = craft(file, tmp_path)
    if callable(patch):
        path.write_bytes(patch(path.read_bytes()))
    with pytest.raises(SchemaError, match=rf"fit\.nc: .*{words}"):
        load(path)


def test_what_stands_before_a_file_is_refused(content, path):
    """A block of a user's own, which HDF5 skips."""
    path.write_bytes(bytes(512) + content)
    with pytest.raises(SchemaError, match=r"fit\.nc: It (begins with 512 bytes|cannot be read)"):
        load(path)


def forged(tree, path):
    """Write a tree with a checksum that fits, whatever it holds."""
    from socgrad.reading.storage import _storable

    path.write_bytes(with_checksum(_storable(tree)).to_netcdf(engine="h5netcdf"))
    return path


def draws(change):
    """Change the posterior."""
    return lambda groups: groups | {"posterior": change(groups["posterior"])}


def constants(change):
    """Change the constants."""
    return lambda groups: groups | {"constant_data": change(groups["constant_data"])}


def counts(change):
    """Change the counts."""
    return lambda groups: groups | {"observed_data": change(groups["observed_data"])}


def with_value(name, value, place=0):
    """Change one value of a variable."""

    def change(data):
        numbers = data[name].to_numpy().astype(float).copy()
        numbers.ravel()[place] = value
        return data.assign({name: (data[name].dims, numbers)})

    return change


def relabelled(dim, change):
    """Change labels along a dim."""
    return lambda data: data.assign_coords({dim: change(data[dim].to_numpy())})


VALUES = {
    "a negative SD": (
        draws(with_value("level_sd", -0.2)),
        r"posterior/level_sd is -0\.2 in 1 of 1",
    ),
    "a correlation of 3": (
        draws(with_value("correlation", 3)),
        r"correlation is 3 .* from -1 to 1",
    ),
    "an infinite draw": (draws(with_value("within", np.inf)), r"posterior/within is inf in 1 of"),
    "a draw that is none": (draws(with_value("level_effect", np.nan)), r"level_effect is nan in 1"),
    "no within": (
        draws(lambda p: p.drop_vars("within")),
        r"posterior/between is there without posterior/within",
    ),
    "within and pooled": (
        draws(lambda p: p.assign(pooled=p["within"])),
        r"posterior has both within and pooled",
    ),
    "no slope_sd": (
        draws(lambda p: p.drop_vars("slope_sd")),
        r"posterior/slope_effect is there without posterior/slope_sd",
    ),
    "draws of other dims": (
        draws(lambda p: p.assign(within=p["level_effect"])),
        r"posterior/within has dims \(chain, draw, authority\); expected \(chain, draw\)",
    ),
    "texts for draws": (
        draws(lambda p: p.assign(within=p["within"].astype(str).astype(object))),
        r"posterior/within holds .*; expected numbers",
    ),
    "no draws": (draws(lambda p: p.isel(draw=[])), r"has no value: dim 'draw' has no places"),
    "fewer authorities": (
        draws(lambda p: p.isel(authority=slice(0, 5))),
        r"Dim 'authority' has 5 places in group 'posterior' and 6 in group 'constant_data'",
    ),
    "other authorities": (
        draws(relabelled("authority", lambda a: np.array([*a[:5], "Greenham"], dtype=object))),
        r"Labels of dim 'authority' differ .* \(2; first: 'Farleigh'\)",
    ),
    "authorities twice": (
        draws(relabelled("authority", lambda a: np.array([*a[:5], a[0]], dtype=object))),
        r"Labels along posterior/authority are missing or there twice \(1 of 6; first: 'Ashby'\)",
    ),
    "areas twice": (
        constants(relabelled("area", lambda a: np.array([*a[:-1], a[0]], dtype=object))),
        r"Labels along constant_data/area are missing or there twice",
    ),
    "areas without labels": (
        constants(lambda c: c.drop_vars("area")),
        r"Dim 'area' of constant_data/\w+ has no labels",
    ),
    "per below 0": (constants(lambda c: c.assign(per=-0.1)), r"per is -0\.1 .* from 1e-06 to 1"),
    "per of 0": (constants(lambda c: c.assign(per=0.0)), r"constant_data/per is 0 in 1 of 1"),
    "another per": (
        constants(lambda c: c.assign(per=0.2)),
        r"within_part, times per \(0\.2\), is no",
    ),
    "per along areas": (
        constants(lambda c: c.assign(per=c["children"])),
        r"constant_data/per has dims \(area\); expected \(none\)",
    ),
    "homes by stratum": (
        constants(
            lambda c: c.assign(
                authority_of_area=c["authority_of_area"].expand_dims(stratum=["a", "b"])
            )
        ),
        r"authority_of_area has dims \(stratum, area\); expected \(area\)",
    ),
    "deprivation of 1.5": (
        constants(with_value("deprivation", 1.5)),
        r"constant_data/deprivation is 1\.5 in 1 of 600 .* from 0 to 1",
    ),
    "deprivation that is none": (
        constants(with_value("deprivation", np.nan)),
        r"constant_data/deprivation is nan",
    ),
    "children below 0": (constants(with_value("children", -5)), r"children is -5 in 1 of 600"),
    "an authority that is not there": (
        constants(with_value("authority_of_area", 6)),
        r"authority_of_area is 6 in 1 of 600 .* positions along dim 'authority', 0 to 5",
    ),
    "half an authority": (
        constants(with_value("authority_of_area", 0.5)),
        r"authority_of_area is 0\.5 in 1 of 600",
    ),
    "another home": (
        constants(with_value("authority_of_area", 5)),
        r"within_part, times per \(0\.1\), is not deprivation less its authority mean",
    ),
    "another within part": (constants(with_value("within_part", 0.0)), r"within_part, times per"),
    "another national mean": (
        constants(lambda c: c.assign(national_mean=c["national_mean"] + 0.01)),
        r"between_part, times per \(0\.1\), is not authority_mean less national_mean: .* 0\.01",
    ),
    "no children": (
        constants(lambda c: c.assign(children=c["children"] * (c["authority_of_area"] != 2))),
        r"constant_data has 1 authorities without children \(first: 'Corham'\)",
    ),
    "half known": (constants(with_value("has_data", 0.5)), r"has_data is 0\.5 in .* whole numbers"),
    "counts below 0": (counts(with_value("events", -1)), r"observed_data/events is -1 in 1 of 600"),
    "half a count": (counts(with_value("events", 1.5)), r"observed_data/events is 1\.5 in 1 of"),
}

ATTRIBUTES = {
    "another schema": ({"socgrad_schema": 9}, r"socgrad schema 9; this version"),
    "a schema in words": ({"socgrad_schema": "one"}, r"socgrad_schema is 'one'"),
    "several schemas": ({"socgrad_schema": np.array([1, 2])}, r"socgrad_schema is array\(\[1, 2"),
    "a term with a prior and no draws": (
        {"priors": json.dumps({"within": [0.5, 0.2], "overdispersion": [0.0, 0.5]})},
        r"posterior has no overdispersion, of which the fit records a prior",
    ),
    "no JSON": ({"priors": "{"}, r"Attribute 'priors' is no JSON text"),
    "JSON of another form": ({"priors": "[1]"}, r"'priors' is a JSON list; expected a dict"),
    "priors that are no numbers": ({"priors": '{"within": "a"}'}, r"'within' is no numbers"),
    "strata that say nothing": ({"strata": '{"relation": 1}'}, r"'strata' does not say authority_"),
    "other data": ({"data_sha256": "0" * 64}, r"The data have another hash than the fit records"),
}


def changed_fit(change):
    """The example fit with some of its groups changed."""
    fit = example_fit(events=True)
    groups = change({name: node.to_dataset() for name, node in fit.children.items()})
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(fit.attrs)
    return tree


@pytest.mark.parametrize("case", list(VALUES))
def test_values_that_no_fit_has_are_refused(case):
    """Names, dims, types, ranges and what follows from one another."""
    change, words = VALUES[case]
    tree = changed_fit(change)
    check_tree(tree)
    with pytest.raises(SchemaError, match=words):
        _ = check_form(tree), check_values(tree)


@pytest.mark.parametrize(
    "case", ["a negative SD", "a correlation of 3", "no within", "per below 0"]
)
def test_load_refuses_them_with_any_checksum(tmp_path, case):
    """The checksum is forged here: it finds damage alone, and the values are looked at."""
    change, words = VALUES[case]
    with pytest.raises(SchemaError, match=rf"fit\.nc: .*{words}"):
        load(forged(changed_fit(change), tmp_path / "fit.nc"))


@pytest.mark.parametrize("case", list(ATTRIBUTES))
def test_attributes_that_no_fit_has_are_refused(case):
    """Versions, priors without draws, texts that are no JSON, and the hash of other data."""
    attrs, words = ATTRIBUTES[case]
    tree = example_fit(events=True)
    tree.attrs |= attrs
    with pytest.raises(SchemaError, match=words):
        _ = check_tree(tree), check_form(tree), check_values(tree), check_data_hash(tree)


def test_the_hash_of_the_data_finds_permuted_labels():
    """Of authorities and of areas, whose numbers all stay in range."""
    tree = example_fit(events=True)
    held, seen = tree["constant_data"].to_dataset(), tree["observed_data"].to_dataset()
    tree.attrs["data_sha256"] = hash_of_data(held, seen)
    check_data_hash(tree)
    for dim in ("authority", "area"):
        turned = tree.copy()
        turned["constant_data"] = xr.DataTree(relabelled(dim, lambda a: a[::-1].copy())(held))
        check_values(turned)
        with pytest.raises(SchemaError, match="The data have another hash than the fit records"):
            check_data_hash(turned)


def test_a_schema_that_has_no_covariates_is_refused():
    """A fit says that any reader can read it, and holds what only some know."""
    tree = covariate_example_fit()
    tree.attrs["socgrad_schema"] = 1
    with pytest.raises(SchemaError, match=r"socgrad_schema is 1, and posterior/\w+ is of schema 3"):
        check_form(tree)
    held = tree["covariate_data"].to_dataset()
    tree.attrs["socgrad_schema"] = 3
    for change, words in (
        (held.assign(region=held["region"] + 5), r"covariate_data/region is 5 in .* 0 to 1"),
        (held.assign(gini=held["gini"] * np.nan), r"covariate_data/gini is nan in 6 of 6"),
    ):
        change["region"].attrs = held["region"].attrs
        tree["covariate_data"] = xr.DataTree(change)
        with pytest.raises(SchemaError, match=words):
            check_values(tree)


def test_fits_of_strata_are_checked_too(tmp_path):
    """They load as they were; a correlation of strata out of range does not."""
    fit = example_fit_of_stages()
    xr.testing.assert_identical(load(save(fit, tmp_path / "fit.nc")), fit)
    wrong = fit.copy()
    wrong["posterior"] = xr.DataTree(
        with_value("level_correlation", -2, 1)(fit["posterior"].to_dataset())
    )
    with pytest.raises(SchemaError, match=r"level_correlation is -2 in 1 of .* from -1 to 1"):
        check_values(wrong)


def test_what_load_refuses_save_does_not_write(tmp_path):
    """A fit changed by hand is refused while it is still in memory."""
    fit = example_fit()
    fit["posterior"]["level_sd"] = -fit["posterior"]["level_sd"]
    with pytest.raises(SchemaError, match="posterior/level_sd is -0"):
        save(fit, tmp_path / "fit.nc")
    assert not list(tmp_path.iterdir())


def test_overwritten_draws_are_found(path):
    """By the checksum, whatever the draws are now; and so is a file without one."""
    with h5py.File(path, "r+") as file:
        file["posterior/within"][...] = file["posterior/within"][...] + 0.01
    with pytest.raises(SchemaError, match=r"fit\.nc: Its contents do not have the checksum"):
        load(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["socgrad_checksum"]
    with pytest.raises(SchemaError, match=r"fit\.nc: It has no checksum"):
        load(path)


def test_packing_a_file_anew_changes_nothing(path):
    """Compression and chunks are no part of a fit, as long as they hide no size."""
    with h5py.File(path, "r+") as file:
        values = file["constant_data/deprivation"][...]
        replaced(file, "constant_data/deprivation", data=values, compression="gzip", shuffle=True)
    xr.testing.assert_identical(load(path), example_fit(events=True))


BOMBS = """
import io, resource, sys, time
from pathlib import Path
import h5py, numpy as np
from socgrad import load
from socgrad.errors import SocgradError
from socgrad.reading.example import example_fit

folder, content = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()

def numbers(file):
    noise = np.random.default_rng(1).integers(0, 255, 9_000_000, dtype=np.uint8)
    file.create_dataset("other/noise", data=noise)
    # As many zeros as a file of 10 MB may hold, packed into nothing.
    file.create_dataset("other/zeros", data=np.zeros(10_300_000), compression="gzip")

def texts(file):
    file.create_dataset("other/words", (300_000,), h5py.string_dtype())[:] = ""

def names(file):
    file.create_dataset("other/name", (300_000,), h5py.string_dtype())[:] = ""
    file["other/name"].make_scale("name")

def one_text(file):
    words = file.create_dataset("other/words", (100,), h5py.string_dtype())
    words[:] = ["x" * 9_000_000, *[""] * 99]
    at = words.id.get_offset()
    return lambda raw: raw[:at] + raw[at : at + 16] * 100 + raw[at + 1600 :]

def attributes(file):
    for k in range(19):
        group = file.create_group(f"other{k}")
        for j in range(190):
            group.attrs[f"a{j}"] = "x" * 2_500

def hollow(file):
    file.create_dataset("other/zeros", (10**9, 10**9), "<f8", chunks=(100, 100))

for craft in (numbers, texts, names, one_text, attributes, hollow):
    path = folder / "bomb.nc"
    path.write_bytes(content)
    with h5py.File(path, "r+") as file:
        patch = craft(file)
    if patch:
        path.write_bytes(patch(path.read_bytes()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    try:
        load(path)
        said = "loaded"
    except SocgradError as error:
        said = str(error)
    took = time.process_time() - started
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
    size = path.stat().st_size / 1e6
    print(f"{craft.__name__}|{size:.1f}|{took:.2f}|{more:.0f}|{said[:150]}")
"""


def test_no_file_of_10_mb_takes_500_mb_or_10_seconds(path, tmp_path):
    """Each is refused, or read, within these bounds: packed zeros, texts, attributes, hollow data.

    Seconds are the processor's own; memory is what the process holds at most beyond what it held.
    """
    done = subprocess.run(
        [sys.executable, "-c", BOMBS, str(tmp_path), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert len(rows) == 6, done.stdout
    for _, size, seconds, megabytes, said in rows:
        assert float(size) < 12, rows
        assert float(seconds) < 10, rows
        assert float(megabytes) < 500, rows
        assert "bomb.nc: " in said, rows


def test_one_bit_that_is_turned_over_is_found(content, path):
    """Wherever it is: the fit is as it was saved, or it is not read; no other error comes."""
    rng, whole = np.random.default_rng(7), example_fit(events=True)
    refused = 0
    for place, bit in zip(rng.integers(0, len(content), 12), rng.integers(0, 8, 12), strict=True):
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            again = load(path)
        except SchemaError:
            refused += 1
        else:
            xr.testing.assert_identical(again, whole)
    assert refused > 2


def test_a_file_that_ends_early_is_refused(content, path):
    """As after a copy that was broken off."""
    for size in np.linspace(0, len(content) - 1, 6).astype(int):
        path.write_bytes(content[:size])
        with pytest.raises(SchemaError, match=r"fit\.nc: .*It cannot be read as NetCDF"):
            load(path)

"""Many fits into one folder: what is kept, what is made anew, and what is refused."""

import functools
import gc
import json
import stat
import threading
import weakref
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import socgrad as sg
from many_plans import QUICK, Converged, model_of, plan_of, quick_fit
from socgrad.errors import (
    ConvergenceWarning,
    EstimandError,
    SchemaError,
    SocgradWarning,
    SpecificationError,
    StorageError,
)
from socgrad.fit_options import FitOptions
from socgrad.many import fit_many, fits, read_many, running, summaries, summarise_many, work
from socgrad.many.fingerprints import _feed, fingerprint
from socgrad.many.folder import FitFolder, check_keys, file_stem
from socgrad.many.plan import seed_of
from socgrad.model.priors import Normal, Priors
from socgrad.reading.example import example_fit
from tables import areas_of, simulated


@pytest.fixture
def calls(monkeypatch):
    """Seeds of the fits that are asked for, each answered by the example fit at once."""
    seeds = []

    def instead(_, **options):
        seeds.append(options["random_seed"])
        return quick_fit()

    monkeypatch.setattr(work, "fit", instead)
    monkeypatch.setattr("socgrad.many.keeping.check_sampling", lambda _: Converged)
    return seeds


def run(folder, *keys, **options):
    """Fit a plan of these names into a folder."""
    return fit_many(plan_of(*keys), model_of=model_of, into=folder, random_seed=1, **options)


def test_draws_are_those_of_a_fit_by_itself(tmp_path):
    """Neither order nor company nor threads change a fit: it is `fit` with the seed of its name."""
    some = run(tmp_path / "some", "a", "b", options=QUICK)
    pool = ThreadPoolExecutor(2)
    with pool:
        turned = plan_of("a", "b").iloc[::-1]
        fit_many(
            turned,
            model_of=model_of,
            into=tmp_path / "turned",
            random_seed=1,
            options=QUICK,
            executor=pool,
        )
    alone = sg.fit(model_of(2), random_seed=seed_of(1, "b"), **QUICK)
    for folder in ("some", "turned"):
        (_, kept), *_ = read_many(tmp_path / folder, keys=["b"])
        np.testing.assert_array_equal(kept["posterior"]["within"], alone["posterior"]["within"])
    assert some.loc["b", "random_seed"] == seed_of(1, "b")
    assert seed_of(1, "a") != seed_of(1, "b") != seed_of(2, "b")


def test_what_is_there_is_kept(tmp_path, calls):
    """A second run fits nothing, a third only what is new."""
    first = run(tmp_path, "a", "b")
    files = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    again = run(tmp_path, "a", "b")
    assert (first["state"].tolist(), again["state"].tolist()) == (["fitted"] * 2, ["kept"] * 2)
    assert files == {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert run(tmp_path, "a", "b", "c")["state"].tolist() == ["kept", "kept", "fitted"]
    assert len(calls) == 3


def changed_models():
    """Models that differ from `model_of(1)` in one thing each."""
    table = simulated(authorities=6, areas=120, seed=1)
    areas = areas_of(table, "counts")
    frame = table.frame.copy()
    frame.loc[7, "events"] += 1
    one_more = areas_of(type(table)(frame, *list(vars(table).values())[1:]), "counts")
    yield "a count", sg.GradientModel(one_more)
    yield "the family", sg.GradientModel(areas, family="negative_binomial")
    yield "a prior", sg.GradientModel(areas, priors=Priors(within=Normal(0.5, 0.21)))
    yield "a term", sg.GradientModel(areas, curvature=True)


def test_what_has_changed_is_fitted_anew(tmp_path, calls):
    """A count, a prior, the family, a term, an option, the seed: each makes another fit."""
    given = {"into": tmp_path, "random_seed": 1}
    fit_many({"a": model_of(1)}, **given)
    for what, model in changed_models():
        assert fit_many({"a": model}, **given).loc["a", "state"] == "fitted", what
        assert fit_many({"a": model}, **given).loc["a", "state"] == "kept", what
    fit_many({"a": model_of(1)}, **given)
    assert fit_many({"a": model_of(1)}, **given, options={"draws": 7})["state"].item() == "fitted"
    assert fit_many({"a": model_of(1)}, into=tmp_path, random_seed=2)["state"].item() == "fitted"
    before = len(calls)
    fit_many({"a": model_of(1)}, into=tmp_path, random_seed=2, options={"cores": 1})
    assert len(calls) == before  # no draw depends on it


def test_another_version_fits_anew(monkeypatch):
    """So does another release of socgrad, whose draws may be others."""
    given = (b"key", model_of(1), FitOptions(), 1)
    before = fingerprint(*given)
    monkeypatch.setattr("socgrad.many.fingerprints.version", lambda _: "99.0")
    assert fingerprint(*given) != before


def test_fingerprints_of_every_kind_of_model():
    """Models of strata and of outcomes have one, which an outcome's value changes."""
    from strata_tables import stage_strata

    areas = model_of(1).areas
    outcome = dict(zip(areas.authority, [3.0, 1, 4, 1, 5, 9], strict=True))

    def of(model):
        return fingerprint(b"key", model, FitOptions(), 1)

    def with_outcome(values):
        return sg.OutcomeModel(model_of(1), outcome=values, name="absence, %",
                               adjust_for_deprivation=False)  # fmt: skip

    one = with_outcome(outcome)
    assert of(one) == of(with_outcome(pd.Series(outcome)))
    assert of(one) != of(with_outcome(outcome | {areas.authority[0]: 3.1}))
    assert of(one) != of(model_of(1))
    strata = stage_strata()
    turned = sg.Strata(tables=dict(reversed(list(strata.items()))), relation="groups")
    assert of(sg.StratifiedModel(strata)) != of(sg.StratifiedModel(turned))


def test_labels_that_join_to_the_same_text_differ():
    """Where one label ends and the next begins is part of the data."""
    fed = []
    for labels in (["ab", "c"], ["a", "bc"]):
        parts = []
        _feed(lambda *part, parts=parts: parts.append(part), np.array(labels, dtype=object))
        fed.append(parts)
    assert fed[0] != fed[1]


@pytest.mark.usefixtures("calls")
def test_a_fingerprint_cannot_be_had_without_the_secret(tmp_path):
    """Of the same fit in two folders it differs: who knows all counts but one can try none."""
    marks = []
    for name in ("one", "other"):
        run(tmp_path / name, "a")
        marks.append(json.loads((tmp_path / name / "a.json").read_text())["fingerprint"])
    assert marks[0] != marks[1]


@pytest.mark.usefixtures("calls")
def test_the_folder_is_its_owner_s(tmp_path):
    """It is closed to others, as is its secret; one that is not is refused, as is a damaged one."""
    folder = tmp_path / "fits"
    run(folder, "a")
    secret = folder / ".socgrad-secret"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    secret.chmod(0o640)
    with pytest.raises(StorageError, match=r"has mode 640: others .*chmod 600"):
        run(folder, "a")
    secret.chmod(0o600)
    secret.write_bytes(b"short")
    with pytest.raises(StorageError, match="has 5 bytes, not 32: it is damaged"):
        run(folder, "a")


def test_of_several_who_make_a_folder_one_makes_its_secret(tmp_path):
    """Twelve threads at once read the same."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(FitFolder(tmp_path, create=True).secret))
        for _ in range(12)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 12
    assert len(set(found)) == 1
    assert [file.name for file in tmp_path.iterdir()] == [".socgrad-secret"]


def test_a_seed_of_the_folder(tmp_path, calls):
    """Without a seed the folder has one: a second run keeps all, another folder has another."""
    for folder in ("one", "one", "other"):
        fit_many({"a": model_of(1)}, into=tmp_path / folder)
    assert len(calls) == 2
    assert calls[0] != calls[1]


@pytest.mark.parametrize("ending", [".nc", ".json"])
@pytest.mark.usefixtures("calls")
def test_a_damaged_file_is_made_anew(tmp_path, ending):
    """One byte of a fit or of its record: it is found, said, and the fit is made again."""
    run(tmp_path, "a", "b")
    file = tmp_path / f"a{ending}"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    if ending == ".nc":
        with pytest.raises(SchemaError, match=r"a\.nc is not as it was recorded.*fit_many again"):
            list(read_many(tmp_path))
        table = summarise_many(tmp_path, sg.gradient)
        assert "not as it was recorded" in table.loc["a", "error"].item()
        assert table.loc["b", "error"].item() == ""
    assert run(tmp_path, "a", "b")["state"].tolist() == ["fitted", "kept"]
    assert [name for name, _ in read_many(tmp_path)] == ["a", "b"]


@pytest.mark.usefixtures("calls")
def test_a_fit_without_its_record_is_none(tmp_path):
    """As where the process was killed between the two; and a record without its fit."""
    run(tmp_path, "a", "b")
    (tmp_path / "a.json").unlink()
    (tmp_path / "b.nc").unlink()
    with pytest.raises(SchemaError, match=r"b\.nc is not as it was recorded"):
        list(read_many(tmp_path))
    assert run(tmp_path, "a", "b")["state"].tolist() == ["fitted", "fitted"]


@pytest.mark.usefixtures("calls")
def test_a_failed_fit_is_a_row(tmp_path):
    """The others are fitted; it is tried again, and only it."""
    broken = {2}

    def sometimes(number):
        if number in broken:
            raise FileNotFoundError(f"no table {number}")
        return model_of(number)

    given = {"model_of": sometimes, "into": tmp_path, "random_seed": 1}
    with pytest.warns(SocgradWarning, match=r"1 of 3 fits have no result \(first 'b': FileNot"):
        table = fit_many(plan_of("a", "b", "c"), **given)
    assert table["state"].tolist() == ["fitted", "failed", "fitted"]
    assert table.loc["b", "error"] == "FileNotFoundError: no table 2"
    assert (table.loc["b", "file"], table.loc["b", "number"]) == ("", 2)
    summary = summarise_many(tmp_path, sg.gradient)
    assert summary.loc["b", "error"].item() == "FileNotFoundError: no table 2"
    assert np.isnan(summary.loc["b", "estimate"].item())
    assert summary.loc["b", "number"].item() == 2
    broken.clear()
    assert fit_many(plan_of("a", "b", "c"), **given)["state"].tolist() == ["kept", "fitted", "kept"]
    broken.add(3)  # its table is gone: the fit that is there stays a fit
    with pytest.warns(SocgradWarning, match="1 of 3 fits have no result"):
        fit_many(plan_of("a", "b", "c"), **given)
    assert summarise_many(tmp_path, sg.gradient)["estimate"].notna().all()


def test_what_is_no_exception_is_a_row_too(tmp_path, monkeypatch):
    """A panic of the sampler derives from BaseException; an interrupt ends the run."""

    class Panic(BaseException):
        pass

    def raising(error):
        def instead(*_, **__):
            raise error

        return instead

    monkeypatch.setattr(work, "fit", raising(Panic("no")))
    with pytest.warns(SocgradWarning, match="no result"):
        assert run(tmp_path, "a")["error"].item() == "Panic: no"
    monkeypatch.setattr(work, "fit", raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "a")


def test_doubted_fits_are_marked(tmp_path):
    """Fifty draws are too few: the row says so, also when it is kept, and in the summary."""
    for _ in range(2):
        with pytest.warns(ConvergenceWarning, match=r"1 of 1 fits are doubted \(first 'a'"):
            table = run(tmp_path, "a", options=QUICK | {"draws": 50})
        assert table["doubted"].item()
        assert "effective" in table["doubt"].item()
    assert table["state"].item() == "kept"
    assert summarise_many(tmp_path, sg.gradient)["doubted"].item()


@pytest.mark.usefixtures("calls")
def test_memory_does_not_grow_with_the_number_of_fits(tmp_path, monkeypatch):
    """No fit is held while the next is read; what comes back from a fit is words."""
    run(tmp_path, "a", "b", "c")
    alive, most = [], []
    load = FitFolder.load

    def watched(folder, key):
        gc.collect()
        most.append(sum(each() is not None for each in alive))
        tree = load(folder, key)
        alive.append(weakref.ref(tree))
        return tree

    monkeypatch.setattr(FitFolder, "load", watched)
    summarise_many(tmp_path, sg.gradient)
    assert most == [0, 0, 0]
    record = (tmp_path / "a.json").read_bytes()
    assert len(record) < 2000


@pytest.mark.usefixtures("calls")
def test_summaries_have_the_plan_s_columns(tmp_path):
    """One row for each fit and place, estimands that a fit lacks as errors, clashes renamed."""
    plan = plan_of("b", "a").rename(columns={"number": "deprivation"})
    fit_many(plan, model_of=lambda **row: model_of(row["deprivation"]), into=tmp_path)
    at = functools.partial(sg.inverse_intervention, deprivation=[0.1, 0.3])
    table = summarise_many(
        tmp_path, sg.gradient, at, sg.variation.locality_ratio, keys=["b", "none", "a"]
    )
    assert table.index.unique("fit").tolist() == ["b", "none", "a"]
    rows = table.xs("b").sort_index()
    assert rows["plan_deprivation"].eq(1).all()
    assert rows.loc["inverse_intervention", "deprivation"].tolist() == [0.1, 0.3]
    assert rows.loc["gradient", "estimate"].item() == pytest.approx(
        sg.summarise(sg.gradient(example_fit()))["estimate"].item()
    )
    assert "localities" in rows.loc["locality_ratio", "error"].item()
    assert "no fit of this name" in table.xs("none")["error"].item()


@pytest.mark.usefixtures("calls")
def test_what_estimands_warn_of_is_said_once(tmp_path):
    """By the names of the fits."""
    run(tmp_path, "a", "b")

    def doubtful(fit):
        import warnings

        warnings.warn("hardly backed", sg.errors.SupportWarning, stacklevel=1)
        return sg.gradient(fit)

    with pytest.warns(sg.errors.SupportWarning, match=r"In 2 of 2 fits: \[a\] hardly .* \[b\]"):
        summarise_many(tmp_path, doubtful)


@pytest.mark.parametrize(
    ("key", "stem"),
    [
        ("plans 2019, girls", "plans 2019, girls"),
        ("Asian/Asian British", "Asian%2FAsian British"),
        ("100%", "100%25"),
        (".hidden", "%2Ehidden"),
        ("../out", "%2E.%2Fout"),
        ("blank ", "blank%20"),
        ("a:b?", "a%3Ab%3F"),
    ],
)
def test_names_of_files_are_the_keys(key, stem):
    """With %XX for what a name may not hold, so that nothing is written elsewhere."""
    assert file_stem(key) == stem


def test_keys_that_cannot_name_a_file_are_refused():
    """What is no text, empty or too long; and two that are one on some disks."""
    for key in (7, "", "  "):
        with pytest.raises(SpecificationError, match="cannot name a file"):
            file_stem(key)
    with pytest.raises(SpecificationError, match="name of 300 bytes; expected at most 200"):
        file_stem("x" * 300)
    with pytest.raises(SpecificationError, match="'Plans' beside 'plans', which names the same"):
        check_keys(["plans", "Plans"])
    with pytest.raises(SpecificationError, match="'a' twice"):
        check_keys(["a", "b", "a"])


class Unused(Executor):
    """Fails the test that submits to it."""

    def submit(self, *_, **__):
        """Nothing is to get here."""
        raise AssertionError


@pytest.mark.parametrize(
    ("plan", "given", "words"),
    [
        ({}, {}, "The plan is empty"),
        ([1], {}, "The plan is a list; expected a mapping"),
        ({"a": "plans.csv"}, {}, "a str under 'a'; expected a GradientModel"),
        ({"a": model_of}, {"model_of": model_of}, "model_of is for a plan that is a table"),
        (plan_of("a"), {}, "neither a column 'model' and model_of="),
        (plan_of("a").assign(estimate=1), {"model_of": model_of}, "need: estimate. Rename"),
        (plan_of("a").assign(draws=-5), {"model_of": model_of}, "Fit 'a': draws must be at least"),
        ({"a": model_of}, {"options": {"drwas": 9}}, "options has .*drwas.*; expected some of"),
        ({"a": model_of}, {"options": {"random_seed": 9}}, "One random_seed is an argument"),
        ({"a": model_of}, {"threads": 0}, "threads must be a whole number of at least 1"),
        ({"a": model_of}, {"random_seed": -1}, "random_seed must be at least 0"),
        ({"a": model_of}, {"executor": 2}, "executor is a int; expected a concurrent.futures"),
    ],
)
def test_a_plan_is_checked_before_anything_is_fitted(tmp_path, plan, given, words):
    """What cannot be meant is refused with what is expected, and no file is made."""
    with pytest.raises(SpecificationError, match=words):
        fit_many(plan, into=tmp_path / "fits", **{"executor": Unused(), **given})
    assert not (tmp_path / "fits").exists()


def test_a_dask_client_is_told_its_executor(tmp_path):
    """It is no executor, and has one."""

    class Client:
        def get_executor(self):
            """As Dask's."""

    with pytest.raises(SpecificationError, match=r"Of a Dask client it is client\.get_executor\("):
        fit_many({"a": model_of(1)}, into=tmp_path, executor=Client())


def test_what_cannot_be_sent_is_refused_first(tmp_path):
    """A function that holds a lock: the message names the fit and what to do; none is begun."""
    lock = threading.Lock()

    def locked():
        with lock:
            return model_of(1)

    with pytest.raises(SpecificationError, match=r"Fit 'b' cannot be sent.*lock.*Nothing was fit"):
        fit_many({"a": model_of(1), "b": locked}, into=tmp_path, executor=Unused())
    assert list(tmp_path.glob("*.json")) == []


def test_folders_that_will_not_do(tmp_path):
    """A file, a folder in none, and one that holds no fits."""
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="Name a folder to keep the fits in"):
        run(tmp_path / "file", "a")
    with pytest.raises(FileNotFoundError, match=r"to make fits in\. Make it first"):
        run(tmp_path / "none" / "fits", "a")
    with pytest.raises(FileNotFoundError, match="is no folder of fits: it has no"):
        summarise_many(tmp_path, sg.gradient)
    with pytest.raises(EstimandError, match="Expected functions that take a fit"):
        summarise_many(tmp_path)


def test_options_are_those_of_the_row(tmp_path, monkeypatch):
    """A column of the table, where not blank, goes before the options of all."""
    asked = []

    def instead(_, **options):
        asked.append((options["draws"], options["method"]))
        return quick_fit()

    monkeypatch.setattr(work, "fit", instead)
    plan = plan_of("a", "b").assign(draws=[500, np.nan])
    with pytest.warns(ConvergenceWarning, match="2 of 2 fits are doubted"):
        fit_many(plan, model_of=model_of, into=tmp_path, options={"draws": 70, "method": "nuts"})
    assert asked == [(500, "nuts"), (70, "nuts")]


@pytest.mark.usefixtures("calls")
def test_few_bytes_are_under_way_at_a_time(tmp_path, monkeypatch):
    """However long the plan, what waits for workers is bounded."""
    monkeypatch.setattr(running, "_MOST_BYTES", 1)
    most, open_now = [], set()

    class Watched(ThreadPoolExecutor):
        def submit(self, *given):
            future = super().submit(*given)
            open_now.add(future)
            future.add_done_callback(open_now.discard)
            most.append(len(open_now))
            return future

    with Watched(2) as pool:
        assert len(run(tmp_path, "a", "b", "c", "d", executor=pool)) == 4
    assert max(most) == 1


def test_a_pool_that_is_shut_loses_rows(tmp_path):
    """What could not be submitted is a row with the pool's own words."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.warns(SocgradWarning, match="2 of 2 fits have no result"):
        table = run(tmp_path, "a", "b", executor=pool)
    assert table["state"].tolist() == ["lost", "lost"]
    assert "after shutdown" in table["error"].iloc[0]


@pytest.mark.usefixtures("calls")
def test_how_far_it_is(tmp_path, monkeypatch, capsys):
    """Words for the lines of logs and notebooks, also where asked for; a bar on a terminal."""
    said = []
    stage = fits.stage

    def heard(words, **given):
        said.append(words)
        return stage(words, **given)

    monkeypatch.setattr(fits, "stage", heard)
    run(tmp_path, "a", "b", progress=False)
    assert said[0]() == "2 of 2 fits"
    run(tmp_path, "a", "b", progress=True)
    assert said[1]() == "2 of 2 fits"
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run(tmp_path, "a", "b")
    assert "2/2" in capsys.readouterr().err


def test_messages_are_withheld_in_workers_too(tmp_path, monkeypatch):
    """Where details of the data are withheld, records and tables have none."""
    monkeypatch.setattr("socgrad.errors._withheld", True)

    def refused(number):
        raise SpecificationError(f"area 'E01{number}' has 3 children")

    with pytest.warns(SocgradWarning, match="have no result"):
        table = fit_many(plan_of("a"), model_of=refused, into=tmp_path)
    assert table["error"].item() == "SpecificationError: area … has … children"


@pytest.mark.usefixtures("calls")
def test_read_many_refuses_what_is_not_there(tmp_path):
    """A key of no fit is named; the fits are trees."""
    run(tmp_path, "a")
    with pytest.raises(SpecificationError, match="There is no fit 'z' in"):
        list(read_many(tmp_path, keys=["z"]))
    ((_, tree),) = read_many(tmp_path)
    assert isinstance(tree, xr.DataTree)
    assert summaries._name(functools.partial(sg.gradient)) == "gradient"

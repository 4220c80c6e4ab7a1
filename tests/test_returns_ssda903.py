"""Periods of being looked after from episodes."""

import os
from pathlib import Path

import pandas as pd
import pytest

import socgrad as sg
from returns_tables import counted, homes, totals
from socgrad.errors import TableError

HEADER = pd.DataFrame({"CHILD": ["1", "2"], "DOB": ["01/01/2015"] * 2, "ETHNIC": ["WBRI", "BAFR"]})
HOMES = homes(("1", "A"), ("2", "B"))
STAGES = ("looked_after", "looked_after_ended", "looked_after_at_31_march")


def episodes(*rows):
    """Child, DECOM, RNE, LS, DEC, REC."""
    return pd.DataFrame(rows, columns=["CHILD", "DECOM", "RNE", "LS", "DEC", "REC"])


def found(table, header=HEADER, **options):
    """Counts of starts, ends and who is open."""
    records = sg.returns.read_ssda903(table, header, year=2023, **options)
    return list(totals(counted(records, HOMES, *STAGES)).values())


def test_episodes_that_follow_are_one_period():
    """Of two placements: one start, one end."""
    table = episodes(
        ("1", "01/09/2022", "P", "C2", "01/02/2023", "E4A"),
        ("1", "15/05/2022", "S", "C2", "01/09/2022", "X1"),
    )
    assert found(table) == [1, 1, 0]
    records = sg.returns.read_ssda903(table, HEADER, year=2023)
    assert len(records.tables["looked_after"]) == 1


def test_back_within_the_year_is_a_second_start():
    """Ended, and looked after again."""
    table = episodes(
        ("1", "15/05/2022", "S", "C2", "01/09/2022", "E4A"),
        ("1", "01/12/2022", "S", "C2", None, None),
    )
    assert found(table) == [2, 1, 1]


def test_a_period_whose_start_is_in_an_earlier_return_is_no_start():
    """The first episode of the return is a change of placement."""
    assert found(episodes(("1", "02/05/2022", "P", "C2", None, None))) == [0, 0, 1]


def test_short_breaks_are_left_out():
    """V3 and V4, as in the department's figures."""
    table = episodes(
        ("1", "02/05/2022", "S", "V4", None, None), ("2", "02/05/2022", "S", "V2", None, None)
    )
    assert found(table) == [1, 0, 1]


def test_tables_that_are_none_are_refused(tmp_path):
    """A missing column, dates of Excel, a file of Windows, no file."""
    good = episodes(("1", "15/05/2022", "S", "C2", None, None))
    with pytest.raises(TableError, match=r"Episodes has no column REC among its 5 columns"):
        found(good.drop(columns="REC"))
    with pytest.raises(TableError, match=r"DECOM of Episodes .* has 1 dates of 1.*Excel"):
        found(good.assign(DECOM="44696"))
    assert found(good.assign(DECOM="44696"), unreadable="leave out") == [0, 0, 0]
    with pytest.raises(TableError, match=r"DOB of Header .* has 1 dates of 2"):
        found(good, HEADER.assign(DOB=["01/01/2015", "1/1/15"]))
    path = tmp_path / "episodes.csv"
    path.write_bytes("CHILD,Bezeichnung\n1,Straße\n".encode("cp1252"))
    with pytest.raises(TableError, match=r"episodes.csv \(Episodes\) is not UTF-8"):
        found(path)
    with pytest.raises(TableError, match=r"none.csv \(Episodes\) cannot be read"):
        found(tmp_path / "none.csv")


def test_columns_are_found_whatever_their_case(tmp_path):
    """And a byte order mark is no part of the first."""
    path = tmp_path / "episodes.csv"
    good = episodes(("1", "15/05/2022", "S", "C2", None, None))
    good.rename(columns=str.lower).to_csv(path, index=False, encoding="utf-8-sig")
    assert found(path) == [1, 0, 1]


@pytest.mark.skipif("SOCGRAD_DATA" not in os.environ, reason="SOCGRAD_DATA is unset")
def test_the_fake_return_is_read():
    """5,050 episodes of 2,123 children of Data to Insight's fake return."""
    folder = Path(os.environ["SOCGRAD_DATA"]) / "cin_returns"
    records = sg.returns.read_ssda903(
        folder / "fake_903_episodes.csv.gz", folder / "fake_903_header.csv.gz", year=2017
    )
    table = records.tables["looked_after"]
    assert table["child"].nunique() <= 2123
    raw = pd.read_csv(folder / "fake_903_episodes.csv.gz", dtype=str)
    starts = (raw["RNE"] == "S") & ~raw["LS"].isin(["V3", "V4"])
    assert table["started"].sum() == starts.sum()

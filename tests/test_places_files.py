"""Public files by their own column names: look-alikes by published headers, and the real ones."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import socgrad as sg
from socgrad import places
from socgrad.errors import SpecificationError, TableError

DATA = os.environ.get("SOCGRAD_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="SOCGRAD_DATA is unset")
IDACI = "Income Deprivation Affecting Children Index (IDACI)"
#: Domains and indices in the order of File 7 of 2019, and whether their scores are rates; titles as
#: programs that read the published file state them (File 5 has the scores alone).
DOMAINS = {
    "Index of Multiple Deprivation (IMD)": False,
    "Income": True,
    "Employment": True,
    "Education, Skills and Training": False,
    "Health Deprivation and Disability": False,
    "Crime": False,
    "Barriers to Housing and Services": False,
    "Living Environment": False,
    IDACI: True,
    "Income Deprivation Affecting Older People (IDAOPI)": True,
    "Children and Young People Sub-domain": False,
    "Adult Skills Sub-domain": False,
    "Geographical Barriers Sub-domain": False,
    "Wider Barriers Sub-domain": False,
    "Indoors Sub-domain": False,
    "Outdoors Sub-domain": False,
}
PEOPLE = {
    2019: [
        "Total population: mid 2015 (excluding prisoners)",
        "Dependent Children aged 0-15: mid 2015 (excluding prisoners)",
        "Population aged 16-59: mid 2015 (excluding prisoners)",
        "Older population aged 60 and over: mid 2015 (excluding prisoners)",
        "Working age population 18-59/64: for use with Employment Deprivation Domain (excluding "
        "prisoners) ",
    ],
    2025: [
        "Total population: mid 2022",
        "Dependent Children aged 0-15: mid 2022",
        "Older population aged 60 and over: mid 2022",
        "Working age population 18-66 (for use with Employment Deprivation Domain): mid 2022",
    ],
}


def file_7(folder, edition=2019, *, name="File_7_All_IoD_Scores.csv", scores_only=False):
    """One neighbourhood of a file with all its columns, of which each has a number of its own."""
    census, districts = {2019: (2011, 2019), 2025: (2021, 2024)}[edition]
    values = {
        f"LSOA code ({census})": "E01000001",
        f"LSOA name ({census})": "City of London 001A",
        f"Local Authority District code ({districts})": "E09000001",
        f"Local Authority District name ({districts})": "City of London",
    }
    for number, (domain, is_rate) in enumerate(DOMAINS.items(), start=1):
        values[f"{domain} Score{' (rate)' * is_rate}"] = number / 1000
        if not scores_only:
            values[f"{domain} Rank (where 1 is most deprived)"] = f"{100 + number}.00"
            values[f"{domain} Decile (where 1 is most deprived 10% of LSOAs)"] = number % 10 + 1
    if not scores_only:
        values |= {title: 1000 + place for place, title in enumerate(PEOPLE[edition])}
    path = folder / name
    pd.DataFrame([values]).to_csv(path, index=False, encoding="utf-8-sig")
    return path


RAW = "dfe_cin/raw_ees_2022"


def written(folder, text, name="file.csv", encoding="utf-8-sig"):
    """A file of these lines, with a byte order mark as the offices write it."""
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("edition", [2019, 2025])
def test_file_7_gives_score_rank_and_children(tmp_path, edition):
    """Scores, ranks as 109.00 and children come from the long titles, codes from theirs."""
    path = file_7(tmp_path, edition)
    frame = places.read_deprivation(path)
    row = frame.iloc[0]
    assert row["deprivation"] == 0.009
    assert row["rank"] == 109
    assert row["children"] == 1001
    assert row["district"] == "E09000001"
    assert frame.attrs["sources"][0]["year"] == str(edition)
    income = places.read_deprivation(path, index="income")
    assert income["deprivation"].tolist() == [0.002]


def test_file_5_has_scores_alone(tmp_path):
    """Neither ranks nor children, and the edition told by the year of its districts."""
    frame = places.read_deprivation(file_7(tmp_path, 2025, name="File_5.csv", scores_only=True))
    assert frame["deprivation"].tolist() == [0.009]
    assert "rank" not in frame
    assert "children" not in frame
    assert frame.attrs["sources"][0]["year"] == "2025"


def test_a_workbook_with_titles_above_its_header_is_read(tmp_path):
    """Titles stand above the header of a workbook, and a sheet of notes before the table."""
    path = tmp_path / "File_5.xlsx"
    rows = [["Indices", None], ["LSOA code (2011)", f"{IDACI} Score (rate)"], ["E01000001", 0.25]]
    with pd.ExcelWriter(path) as book:
        pd.DataFrame([["notes"]]).to_excel(book, sheet_name="Notes", header=False, index=False)
        pd.DataFrame(rows).to_excel(book, sheet_name="IoD2019", header=False, index=False)
    assert places.read_deprivation(path)["deprivation"].tolist() == [0.25]


def test_the_imd_is_no_index_of_proportions():
    """The overall score has no unit, and the message says which indices have."""
    with pytest.raises(SpecificationError, match="'idaci' or 'income'"):
        places.read_deprivation("any.csv", index="imd")


def test_a_percentage_score_is_refused(tmp_path):
    """Scores beyond 1 are percentages or standardised."""
    text = f"LSOA code (2011),{IDACI} Score (rate)\nE01000001,25.0\n"
    with pytest.raises(TableError, match=r"runs from 25 to 25\. Expected a rate"):
        places.read_deprivation(written(tmp_path, text))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1000001", "leading zeros are lost"),
        ("E1000001", "leading zeros are lost"),
        ("City of London 001A", "look like names"),
        ("Hartlepool", "look like names"),
        ("01/03/2015", "a spreadsheet made them of codes"),
        ("Mar-15", "a spreadsheet made them of codes"),
    ],
)
def test_damaged_codes_say_what_happened(tmp_path, code, words):
    """Names, numbers and dates in a column of codes are told apart."""
    text = f"LSOA code (2011),{IDACI} Score (rate)\nE01000002,0.2\n{code},0.1\n"
    with pytest.raises(TableError, match=words) as caught:
        places.read_deprivation(written(tmp_path, text))
    assert "1 of 2 rows" in str(caught.value)


def test_marks_keep_their_meaning(tmp_path):
    """Each mark is missing, none is zero, and the mark stays beside the number."""
    head = "time_period,geographic_level,new_la_code,la_name,plans,plans_rate"
    marks = ["c", "x", "z", "..", ":", "low", "k", "[c]"]
    lines = [f"202122,Local authority,E060000{i:02d},Place,{m},1.0" for i, m in enumerate(marks)]
    path = written(tmp_path, "\n".join([head, *lines, "202122,Regional,,,9,1.0"]))
    frame = places.read_education(path, year=2022)
    assert frame["plans"].isna().all()
    assert frame["plans_mark"].tolist() == [*marks[:-1], "c"]
    assert "plans_rate_mark" not in frame
    assert set(marks[:-1]) <= set(frame.attrs["marks"])
    total = places.authority_totals(frame, "plans")
    # Suppressed ones stay so; x, z, .. and : are unknown, of any size.
    assert [str(value) for value in total] == ["c", "nan", "nan", "nan", "nan", "c", "c", "c"]


def test_an_unknown_mark_is_not_a_number(tmp_path):
    """A column with other words divides the file; it is no count."""
    text = "time_period,geographic_level,new_la_code,plans\n2022,Local authority,E06000001,many\n"
    frame = places.read_education(written(tmp_path, text), year=2022)
    assert "plans" not in frame


def test_several_rows_of_an_authority_ask_for_a_part(tmp_path):
    """The message names the column that divides the file, and where= takes a part."""
    head = "time_period,geographic_level,new_la_code,age_group,number"
    rows = [
        f"2022,Local authority,E06000001,{age},{n}" for age, n in (("0 to 4", 3), ("5 to 9", 4))
    ]
    path = written(tmp_path, "\n".join([head, *rows]))
    with pytest.raises(TableError, match="age_group: 0 to 4, 5 to 9"):
        places.read_education(path, year=2022)
    part = places.read_education(path, year=2022, where={"age_group": "5 to 9"})
    assert part["number"].tolist() == [4.0]
    with pytest.raises(TableError, match="no year 2021: its periods are 2022"):
        places.read_education(path, year=2021)


def test_populations_add_sexes_and_ages(tmp_path):
    """Females and males of every age are added; an absent age is named."""
    ages = [f"{sex}{age}" for sex in "FM" for age in range(3)]
    text = f"LSOA 2021 Code,Total,{','.join(ages)}\nE01000001,99,1,2,3,10,20,30\n"
    path = written(tmp_path, text)
    assert places.read_populations(path, year=2022, ages=(0, 1))["children"].tolist() == [33.0]
    assert places.read_populations(path, year=2022, ages=(2, 2))["children"].tolist() == [33.0]
    with pytest.raises(TableError, match=r"no column for 1 of 4 years of age \(3\)"):
        places.read_populations(path, year=2022, ages=(0, 3))


def test_older_populations_in_windows_text(tmp_path):
    """Ages as bare numbers, and a pound sign in another encoding."""
    path = written(tmp_path, "LSOA11CD,Name,0,1\nE01000001,£,5,6\n", encoding="cp1252")
    assert places.read_populations(path, year=2015, ages=(0, 1))["children"].tolist() == [11.0]


def test_a_lookup_of_two_years_asks_which(tmp_path):
    """Authorities of two years are never chosen silently."""
    text = "LSOA11CD,UTLA19CD,UTLA21CD\nE01000001,E10000021,E06000061\n"
    path = written(tmp_path, text)
    with pytest.raises(TableError, match="UTLA19CD, UTLA21CD"):
        places.read_lookup(path)
    assert places.read_lookup(path, authorities=2021)["authority"].tolist() == ["E06000061"]
    assert places.read_lookup(path, authorities=2019)["authority"].tolist() == ["E10000021"]


def test_files_that_are_not_there_or_not_tables(tmp_path):
    """No foreign exception comes out for a wrong file."""
    with pytest.raises(TableError, match="There is no file"):
        places.read_lookup(tmp_path / "absent.csv")
    with pytest.raises(TableError, match="cannot be read as a table"):
        places.read_lookup(written(tmp_path, ""))
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"no workbook")
    with pytest.raises(TableError, match="cannot be read as a workbook"):
        places.read_deprivation(broken)
    with pytest.raises(TableError, match=r"has no column such as 'LSOA code \(2011\)' or"):
        places.read_deprivation(written(tmp_path, "code,score\n1,2\n"))


@pytest.mark.parametrize("steps", [32844, 100, 10])
@pytest.mark.parametrize("least_first", [True, False])
def test_a_percentile_or_decile_is_no_deprivation(steps, least_first):
    """Ranks written as shares lie between 0 and 1, and say nothing of how much."""
    rank = np.arange(1, 1001)
    share = np.ceil(rank / len(rank) * steps) / steps
    frame = pd.DataFrame({"area": rank, "authority": rank // 201, "children": 100})
    frame["plans"] = rank % 3
    frame["share"] = share if least_first else 1 - share
    with pytest.raises(TableError, match="ranks, percentiles or deciles"):
        sg.Areas.from_frame(
            frame, area="area", authority="authority", children="children",
            deprivation="share", events="plans", complete=True,
        )  # fmt: skip
    frame["share"] = share**2 / 2  # as skewed as deprivation is: passes
    areas = sg.Areas.from_frame(
        frame, area="area", authority="authority", children="children",
        deprivation="share", events="plans", complete=True,
    )  # fmt: skip
    assert len(areas.area) == 1000


def test_ranks_of_england_are_told_in_a_part_of_it():
    """Of some authorities the shares are not even: each is still a whole number of 32,844ths."""
    rng = np.random.default_rng(1)
    rank = rng.choice(np.arange(1, 8000), 300, replace=False)
    frame = pd.DataFrame({"area": rank, "authority": np.arange(300) // 100, "children": 100})
    frame["plans"] = rank % 3
    roles = {"area": "area", "authority": "authority", "children": "children", "events": "plans"}
    words = r"ranks as shares: .* whole number of 3\d,\d{3}ths"
    for share in (rank / 32844, 1 - rank / 32844, (rank - 0.5) / 33755):
        with pytest.raises(TableError, match=words):
            sg.Areas.from_frame(
                frame.assign(share=share), **roles, deprivation="share", complete=True
            )
    # Scores to three decimals pass.
    areas = sg.Areas.from_frame(
        frame.assign(share=np.round(rank / 9000, 3)), **roles, deprivation="share", complete=True
    )
    assert len(areas.area) == 300


def test_join_refuses_places_of_one_table_only():
    """Every place is in both, or the message says how many are not and which way to go."""
    one = pd.DataFrame({"area": ["E01000001", "E01000002"], "children": [1, 2]})
    other = pd.DataFrame({"area": ["E01000001", "E01033000"], "deprivation": [0.1, 0.2]})
    with pytest.raises(TableError, match=r"1 of 2 codes .*read_crosswalk"):
        places.join(one, other)
    with pytest.raises(TableError, match="more than once"):
        places.join(one, pd.concat([one, one]))


def test_notes_travel_into_the_manifest(tmp_path):
    """Sources of table and totals are in the fit, also in the file without events."""
    frame = sg.simulate(authorities=8, areas=80, random_seed=1).frame
    note = {"title": "Plans", "publisher": "DfE", "year": "2022", "licence": "OGL", "file": "d1"}
    frame.attrs["sources"] = [note, note]
    areas = sg.Areas.from_frame(
        frame, area="area", authority="authority", children="children",
        deprivation="deprivation", events="child_protection_plan", complete=True,
    )  # fmt: skip
    assert areas.sources == (note,)
    fit = sg.fit(sg.GradientModel(areas), method="laplace", draws=50, chains=2, random_seed=1)
    sg.save(fit, tmp_path / "fit.nc", include_events=False, totals_are_public=True)
    assert json.loads(sg.load(tmp_path / "fit.nc").attrs["sources"]) == [note]
    frame.attrs["sources"] = "DfE"
    with pytest.raises(TableError, match="not a list of notes"):
        sg.Areas.from_frame(
            frame, area="area", authority="authority", children="children",
            deprivation="deprivation", events="child_protection_plan", complete=True,
        )  # fmt: skip


@needs_data
def test_real_files_of_the_department():
    """England's plan starts of 2022 by authority, with the three that are hidden."""
    file = Path(DATA) / RAW / "d1_child_protection_plans_2013_to_2022.csv.gz"
    frame = places.read_education(file, year=2022)
    assert len(frame) == 152
    assert frame["CPP_start"].isna().sum() == 3
    assert frame.set_index("authority")["CPP_start"]["E06000047"] == 666
    tidy = pd.read_csv(Path(DATA) / "dfe_cin/cin_la_year_stage_2013_2022.csv.gz")
    tidy = tidy[tidy["time_period"] == 2022].set_index("new_la_code")
    same = {"d1": ("CPP_start", "cpp_start"), "c1": ("Referrals", "referrals")}
    same |= {"c4": ("Section47", "section47"), "b1": ("At31_episodes", "at31_episodes")}
    for stem, (column, own) in same.items():
        (file,) = (Path(DATA) / RAW).glob(f"{stem}_*")
        read = places.read_education(file, year=2022).set_index("authority")[column]
        pd.testing.assert_series_equal(read, tidy[own].reindex(read.index), check_names=False)


@needs_data
def test_real_files_of_the_indices():
    """Ranks, children and means of authorities as published."""
    folder = Path(DATA) / "england" / "iod2019"
    ranks = places.read_deprivation(folder / "File_3_IoD2019_IDACI_IDAOPI_ranks.csv.gz")
    assert ranks["rank"].max() == 32844
    assert "deprivation" not in ranks
    children = places.read_deprivation(folder / "File_6_IoD2019_population_denominators.csv.gz")
    joined = places.join(ranks, children)
    assert len(joined) == 32844
    assert joined["children"].sum() == pytest.approx(children["children"].sum())
    means = places.read_deprivation(folder / "File_11_IoD2019_UTLA_summaries.xlsx")
    assert len(means) == 151
    assert means.set_index("authority_name")["deprivation_mean"]["Hartlepool"] == 0.283


@needs_data
def test_children_of_england_are_whole_after_reading():
    """The lookup has every area once, and names beside codes."""
    file = Path(DATA) / "england" / "england_lsoa.csv.gz"
    lookup = places.read_lookup(file, authorities=2021)
    assert len(lookup) == 32844
    assert lookup["authority"].nunique() == 152
    assert np.isin("Hartlepool", lookup["authority_name"])

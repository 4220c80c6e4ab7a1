"""Postcodes to areas by look-alikes of the NSPL and the ONSPD of several releases."""

import pandas as pd
import pytest

from socgrad import places
from socgrad.errors import TableError

#: Headers as published, whole: those of NSPL of May 2022 and of August 2020, 2025 and 2026, and of
#: ONSPD of November 2012 and February 2023, as programs that read these releases state them.
RELEASES = {
    "ONSPD 2012": "pcd,pcd2,pcds,dointr,doterm,oscty,oslaua,osward,usertype,oseast1m,"
    "osnrth1m,osgrdind,oshlthau,hro,ctry,gor,streg,pcon,eer,teclec,ttwa,pct,nuts,"
    "psed,cened,edind,oshaprev,lea,oldha,wardc91,wardo91,ward98,statsward,oa01,"
    "casward,park,lsoa01,msoa01,ur01ind,oac01,oldpct,oa11,lsoa11,msoa11",
    "NSPL 2020": "pcd,pcd2,pcds,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,oa11,"
    "cty,ced,laua,ward,hlthau,nhser,ctry,rgn,pcon,eer,teclec,ttwa,pct,nuts,park,"
    "lsoa11,msoa11,wz11,ccg,bua11,buasd11,ru11ind,oac11,lat,long,lep1,lep2,pfa,imd,"
    "calncv,stp",
    "NSPL 2022": "pcd,pcd2,pcds,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,oa11,"
    "cty,ced,laua,ward,hlthau,nhser,ctry,rgn,pcon,eer,teclec,ttwa,pct,itl,park,"
    "lsoa11,msoa11,wz11,ccg,bua11,buasd11,ru11ind,oac11,lat,long,lep1,lep2,pfa,imd,"
    "calncv,stp",
    "ONSPD 2023": "pcd,pcd2,pcds,dointr,doterm,oscty,ced,oslaua,osward,parish,usertype,"
    "oseast1m,osnrth1m,osgrdind,oshlthau,nhser,ctry,rgn,streg,pcon,eer,teclec,ttwa,"
    "pct,itl,statsward,oa01,casward,park,lsoa01,msoa01,ur01ind,oac01,oa11,lsoa11,"
    "msoa11,wz11,sicbl,bua11,buasd11,ru11ind,oac11,lat,long,lep1,lep2,pfa,imd,"
    "calncv,icb,oa21,lsoa21,msoa21",
    "NSPL 2025": "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,oa21cd,"
    "cty25cd,ced25cd,lad25cd,wd25cd,nhser24cd,ctry25cd,rgn25cd,pcon24cd,ttwa15cd,"
    "itl25cd,npark16cd,lsoa21cd,msoa21cd,wz11cd,sicbl24cd,bua24cd,ruc21ind,"
    "oac11ind,lat,long,lep21cd1,lep21cd2,pfa23cd,imd20ind,icb23cd",
    "NSPL 2026": "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,oa21cd,"
    "cty26cd,ced25cd,lad26cd,wd26cd,nhser24cd,ctry26cd,rgn26cd,pcon24cd,ttwa15cd,"
    "itl25cd,npark16cd,lsoa21cd,msoa21cd,wz11cd,sicbl26cd,bua24cd,ruc21ind,"
    "oac21ind,lat,long,lep21cd1,lep21cd2,pfa23cd,imd25ind,icb26cd",
}
ROWS = [
    ("AB1 2CD", "198001", "", "E01000001"),
    ("AB1 2CE", "198001", "201506", "E01000002"),
    ("AB1 2CF", "202001", "", "E01000003"),
    ("BT1 1AA", "198001", "", "N99999999"),
    ("EH1 1AA", "198001", "", "S01008677"),
]


def release(folder, header):
    """A file with this header, its areas the same in either census."""
    names = header.split(",")
    lines = [header]
    for postcode, start, end, area in ROWS:
        cell = {"dointr": start, "doterm": end}
        lines.append(
            ",".join(
                cell.get(name, area if "lsoa" in name else postcode if "pcd" in name else "9")
                for name in names
            )
        )
    path = folder / "NSPL.csv"
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("header", RELEASES.values(), ids=RELEASES.keys())
def test_every_release_is_read_by_its_columns(tmp_path, header):
    """The same areas from columns named in several ways."""
    census = 2021 if "lsoa21" in header else 2011
    postcodes = places.read_postcodes(release(tmp_path, header), census=census)
    found = postcodes.find(pd.Series(["ab12cd", " AB1  2CE "]))
    assert found["area"].tolist() == ["E01000001", "E01000002"]


def test_dates_are_honoured_and_every_record_has_a_status(tmp_path):
    """Months in use include the last; each record is found or says why not."""
    postcodes = places.read_postcodes(release(tmp_path, RELEASES["ONSPD 2023"]), census=2021)
    records = pd.Series(
        ["AB1 2CE", "AB1 2CE", "AB1 2CF", "BT1 1AA", "EH1 1AA", "ZZ9 9ZZ", "unknown", None],
        index=list("abcdefgh"),
    )
    dates = pd.Series(pd.to_datetime(["2015-06-30", "2015-07-01", *["2019-12-31"] * 6]))
    found = postcodes.find(records, dates=dates)
    assert found["status"].tolist() == [
        "found", "no longer in use", "not yet in use", "no area there", "no area there",
        "not in the file", "not a postcode", "missing",
    ]  # fmt: skip
    assert found["area"].notna().tolist() == [True] + [False] * 7
    assert found["status"].value_counts().sum() == len(records)
    assert found.index.tolist() == records.index.tolist()
    kept = postcodes.find(records, dates=dates, out_of_use="allow")
    assert kept["area"].notna().sum() == 3
    assert kept["status"].tolist() == found["status"].tolist()


def test_only_postcodes_asked_for_are_kept(tmp_path):
    """A file of millions shrinks to what is needed."""
    path = release(tmp_path, RELEASES["ONSPD 2023"])
    assert len(places.read_postcodes(path, census=2021, among=pd.Series(["ab1 2cd"])).table) == 1


def test_the_census_of_the_file_is_asked_for(tmp_path):
    """A file of areas of 2011 does not serve a table of 2021."""
    with pytest.raises(TableError, match="no column of LSOAs of 2021"):
        places.read_postcodes(release(tmp_path, RELEASES["NSPL 2022"]), census=2021)


def test_dates_of_spreadsheets_are_refused(tmp_path):
    """Serial days and dates in place of months are told."""
    postcodes = places.read_postcodes(release(tmp_path, RELEASES["ONSPD 2023"]), census=2021)
    with pytest.raises(TableError, match="counts from 1899-12-30") as caught:
        postcodes.find(pd.Series(["AB1 2CD"]), dates=pd.Series([43586]))
    assert "AB1" not in str(caught.value)
    path = release(tmp_path, RELEASES["ONSPD 2023"])
    path.write_text(path.read_text().replace("201506", "Jun-15"))
    with pytest.raises(TableError, match="no month in 1 of 5 rows"):
        places.read_postcodes(path, census=2021)
    path.write_text(path.read_text().replace("Jun-15", "201506.0"))
    assert places.read_postcodes(path, census=2021).table["terminated"].notna().sum() == 1

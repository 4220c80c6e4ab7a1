"""A census that is hostile, broken or none is refused, quickly and without quoting it."""

import gzip
import subprocess
import sys

import pytest

import socgrad as sg
from returns_tables import HEAD, case, child, counted, homes, totals, write
from socgrad.errors import TableError

BODY = HEAD.format(year=2023, lea="999") + child("SECRET01", case("2022-05-01"))
END = "</Children></Message>"


def read(folder, text):
    """Read a file of this text or these bytes."""
    path = folder / "file.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return sg.returns.read_cin_census(path)


LAUGHS = "<!DOCTYPE Message [" + '<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {chr(98 + k)} "{f"&{chr(97 + k)};" * 10}">' for k in range(9)
) + "]>"  # fmt: skip

HOSTILE = {
    "billion laughs": LAUGHS + BODY.replace("SECRET01", "&j;") + END,
    "laughs in an attribute": LAUGHS + BODY.replace("<Child>", '<Child a="&j;">') + END,
    "quadratic": f'<!DOCTYPE Message [<!ENTITY a "{"x" * 100_000}">]>'
    + BODY.replace("SECRET01", "&a;" * 10_000)
    + END,
    "external entity": '<!DOCTYPE Message [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + BODY.replace("SECRET01", "&x;")
    + END,
    "external type": '<!DOCTYPE Message SYSTEM "http://127.0.0.1:9/a.dtd">' + BODY + END,
    "parameter entity": '<!DOCTYPE Message [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>'
    + BODY
    + END,
    "bare type": "<!DOCTYPE Message>" + BODY + END,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_document_type_is_refused(tmp_path, text):
    """Whatever it declares: entities, files, addresses, or nothing."""
    with pytest.raises(TableError, match=r"DOCTYPE|not well-formed") as told:
        read(tmp_path, text)
    assert told.value.__cause__ is None
    for secret in ("SECRET01", "root:", "lollol"):
        assert secret not in str(told.value)


def test_bombs_take_no_memory(tmp_path):
    """A refused bomb leaves the process as small as it was: under 200 MB with pandas in it."""
    path = tmp_path / "bomb.xml"
    path.write_text(HOSTILE["billion laughs"])
    code = (
        "import resource, sys, socgrad as sg\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    sg.returns.read_cin_census(sys.argv[1])\n"
        "except ValueError:\n    print('refused')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    word, more = done.stdout.split()
    assert word == "refused"
    assert int(more) < 60_000


def test_a_deep_tree_is_refused(tmp_path):
    """The parser's own limit of depth holds."""
    deep = "<a>" * 5_000 + "</a>" * 5_000
    with pytest.raises(TableError, match="not well-formed"):
        read(tmp_path, BODY + f"<Child>{deep}</Child>" + END)


def test_a_cut_or_edited_file_is_refused_whole(tmp_path):
    """With the line, and without its content."""
    for text in (BODY, BODY + "\n</Childs>" + END, BODY + "\n&nbsp;" + END):
        with pytest.raises(TableError, match="not well-formed XML, at line") as told:
            read(tmp_path, text)
        assert "SECRET01" not in str(told.value)


def test_encodings_are_those_that_the_file_says(tmp_path):
    """Latin letters with the right first line, UTF-16; without one they are refused by line."""
    accented = BODY.replace("SECRET01", "Zoë") + END
    first = '<?xml version="1.0" encoding="windows-1252"?>'
    good = read(tmp_path, (first + accented).encode("cp1252"))
    assert totals(counted(good, homes(("Zoë", "A")), "referral")) == {"referral": 1}
    wide = '<?xml version="1.0" encoding="UTF-16"?>' + accented
    assert len(read(tmp_path, wide.encode("utf-16")).identifiers) == 1
    with pytest.raises(TableError, match="not in the encoding that its first line says") as told:
        read(tmp_path, accented.encode("cp1252"))
    assert "Zo" not in str(told.value)
    with pytest.raises(TableError, match="encoding"):
        read(tmp_path, '<?xml version="1.0" encoding="klingon"?>' + accented)


def test_gzipped_files_and_namespaces_are_read(tmp_path):
    """As some systems write them."""
    path = tmp_path / "cin.xml.gz"
    named = BODY.replace("<Message>", '<Message xmlns="http://example.org/cin">') + END
    path.write_bytes(gzip.compress(named.encode()))
    assert len(sg.returns.read_cin_census(path).identifiers) == 1
    path.write_bytes(gzip.compress(named.encode())[:-20])
    with pytest.raises(TableError, match=r"cin\.xml\.gz cannot be read as a file: EOFError"):
        sg.returns.read_cin_census(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not well-formed"),
        ("<html><body/></html>", "neither Message, Header nor Child"),
        ("<Message><Children/></Message>", "no Header before the first Child"),
        (BODY.replace(">CIN<", ">SSDA903<") + END, "Collection 'SSDA903'"),
        (HEAD.format(year=2023, lea="999") + END, "holds no Child"),
        (BODY.replace("<Year>2023", "<Year>2022") + END, "says Year 2022 and ReferenceDate 2023"),
        (BODY + "<Child><ChildIdentifiers/></Child>" + END, "1 of 2 rows of children have no id"),
    ],
)
def test_what_is_no_census_is_refused(tmp_path, text, words):
    """With what was expected."""
    with pytest.raises(TableError, match=words):
        read(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path):
    """By its name."""
    with pytest.raises(TableError, match=r"none\.xml cannot be read as a file: FileNotFoundError"):
        sg.returns.read_cin_census(tmp_path / "none.xml")


def test_stray_text_and_empty_blocks_are_passed_over(tmp_path):
    """Real returns have both."""
    path = write(tmp_path, child("1", case("2022-05-01", inside="stray<Section47/>")), "<!-- -->")
    records = sg.returns.read_cin_census(path)
    assert len(records.tables["referral"]) == 1
    assert len(records.tables["section_47"]) == 0

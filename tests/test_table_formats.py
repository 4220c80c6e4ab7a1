"""Formats of tables: each cell comes out as it went in, whatever characters it holds."""

import csv
import io
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from socgrad.errors import EstimandError, SocgradError
from socgrad.estimands.gradients import gradient
from socgrad.estimands.rates import expected_rate
from socgrad.tables.comma_separated import to_csv
from socgrad.tables.html import to_great_table, to_html
from socgrad.tables.journal import JournalTable, journal_table
from socgrad.tables.latex import to_latex
from socgrad.tables.markdown import to_markdown
from socgrad.tables.summaries import summarise

AWKWARD = (
    "Bath & NE Somerset",
    "100% | of_all *bold* `code`",
    r"back\slash {braces} [link](x) ~ ^ # $x$",
    "<script>alert('1 < 2 > 0')</script> &amp;",
    'said "so", and\nbroke the line',
    "[bracket] first",
    "* starred",
    "\u22121.20 (\u22122.00 to \u22120.40) \u00d7 \u2013 Ynys Môn",
    "a\\|b",
)


@pytest.fixture
def awkward():
    """Make a table of cells that each format could take for markup."""
    return JournalTable(
        header=("Quantity <&>", "Estimate (95% interval)"),
        rows=tuple((text, "1.00") for text in AWKWARD),
        words=1,
        caption="Caption & 5% <of> it_all",
        notes=("Note | with $ and # and <b>", "Second"),
    )


def plain(text):
    """A cell on one line, as every format has it."""
    return " ".join(text.split())


def test_markdown_cells_come_out_as_they_went_in(awkward):
    """A reader of pipe tables finds each cell again, and no markup in it."""
    lines = to_markdown(awkward).splitlines()
    assert lines[0] == r"**Caption \& 5% \<of\> it\_all**"
    assert (
        lines[3]
        == f"|:{lines[3].count('-', 0, lines[3].index('|', 1)) * '-'}|{lines[3].split('|')[2]}|"
    )
    assert lines[-1] == "Second"
    for text, line in zip(AWKWARD, lines[4:], strict=False):
        cells = re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]
        assert len(cells) == 2
        bare = re.sub(r"\\.", "", cells[0])
        assert not set(bare) & set("*_`[]<>#|~$^&{}\\")
        assert re.sub(r"\\(.)", r"\1", cells[0]).strip() == plain(text)


def test_markdown_is_aligned(split_fit):
    """Lines of the source have one length; words stand to the left, numbers to the right."""
    lines = to_markdown(journal_table(summarise(gradient(split_fit, target="each")))).splitlines()
    table = lines[: lines.index("")]
    assert len({len(line) for line in table}) == 1
    assert table[1].split("|")[1].startswith(":-")
    assert table[1].split("|")[-2].endswith("-:")
    assert len(table) == 2 + 6


def unescaped(latex):
    """What LaTeX prints for escaped text."""
    words = {
        r"\textbackslash{}": "\\",
        r"\textasciitilde{}": "~",
        r"\textasciicircum{}": "^",
        r"\textbar{}": "|",
        r"\textquotedbl{}": '"',
        "$<$": "<",
        "$>$": ">",
        "$-$": "\u2212",
        r"$\times$": "\u00d7",
        "{[}": "[",
        "{*}": "*",
        "--": "\u2013",
    }
    pattern = "|".join(map(re.escape, words)) + r"|\\([{}$&#%_])"
    return re.sub(pattern, lambda m: m.group(1) or words[m.group(0)], latex)


@pytest.mark.parametrize("long", [False, True])
def test_latex_cells_come_out_as_they_went_in(awkward, long):
    """Nothing that LaTeX acts on is left bare, and what it prints is what was given."""
    latex = to_latex(awkward, label="tab:a_b.c-1", long=long)
    start = r"\endfoot" if long else r"\midrule"
    body = latex.split(start)[1].split(r"\end{longtable}" if long else r"\bottomrule")[0]
    rows = [line for line in body.splitlines() if line]
    assert len(rows) == len(AWKWARD)
    for text, row in zip(AWKWARD, rows, strict=True):
        cell, number = row.removesuffix(r" \\").split(" & ")
        assert number == "1.00"
        assert not row.startswith(("[", "*"))
        # The marks that LaTeX acts on are left as commands, groups and pairs of dollars alone.
        bare = re.sub(r"\\[{}$&#%_]|\\text[a-z]+\{\}|\$[<>-]\$|\$\\times\$|\{[*\[]\}", "", cell)
        assert not set(bare) & set("\\{}$&#%_~^<>")
        assert unescaped(cell) == plain(text)
    assert r"\caption{Caption \& 5\% $<$of$>$ it\_all}" in latex
    assert r"\label{tab:a_b.c-1}" in latex
    assert r"Note \textbar{} with \$ and \# and $<$b$>$" in latex
    assert latex.count(r"\begin{") == latex.count(r"\end{")
    assert ("longtable" in latex) == long


def test_latex_labels_hold_no_markup(awkward):
    """A label with a brace or blank would end the command."""
    with pytest.raises(EstimandError, match=r"label 'tab}x y' holds ' }', .*letters, digits"):
        to_latex(awkward, label="tab}x y")
    assert r"\label" not in to_latex(awkward)


class Cells(HTMLParser):
    """Reads the text of table cells, and every tag."""

    def __init__(self):
        super().__init__()
        self.cells, self.tags, self.depth = [], set(), 0

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 the parser's own signature
        """Note a tag, and begin a cell."""
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")
            self.depth += 1

    def handle_endtag(self, tag):
        """End a cell."""
        self.depth -= tag in ("td", "th")

    def handle_data(self, data):
        """Keep the text of a cell."""
        if self.depth:
            self.cells[-1] += data


def test_html_cells_come_out_as_they_went_in(awkward):
    """A browser shows the text that was given, and runs none of it."""
    read = Cells()
    read.feed(to_html(awkward))
    assert {"script", "b"} & read.tags == set()
    found = [plain(cell) for cell in read.cells]
    expected = [awkward.caption, *awkward.header]
    expected += [cell for row in awkward.rows for cell in row] + list(awkward.notes)
    assert found == [plain(text) for text in expected]


def test_html_is_the_same_each_time(split_fit):
    """No random names in it, and a page only where one was asked for."""
    table = journal_table(summarise(gradient(split_fit)))
    assert to_html(table) == to_html(table)
    assert "<html" not in to_html(table)
    assert "<html" in to_html(table, page=True)
    assert type(to_great_table(table)).__name__ == "GT"


def test_missing_great_tables_names_the_extra(awkward, monkeypatch):
    """Without great-tables the message says what to install and what works without."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "great_tables"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "great_tables", None)
    with pytest.raises(SocgradError, match=r"extra 'tables': pip install 'socgrad\[tables\]'"):
        to_html(awkward)


def test_csv_holds_every_number_in_full(split_fit):
    """Below the line of units pandas reads the summary again, to the last digit."""
    rates = expected_rate(split_fit, deprivation=[0.2, 0.25])
    summary = summarise(gradient(split_fit), rates, prob=0.9)
    text = to_csv(summary)
    assert text.splitlines()[0] == (
        '"units: gradient, rate ratio per 10 points of neighbourhood deprivation; expected_rate, '
        'events per 10,000 of exposure; 90% intervals"'
    )
    again = pd.read_csv(
        io.StringIO(text),
        skiprows=1,
        index_col=["estimand", "at"],
        keep_default_na=False,
        na_values={name: [""] for name in summary.columns},
        # pandas 2 reads numbers to the last digit only if asked, pandas 3 always.
        **({"float_precision": "round_trip"} if pd.__version__ < "3" else {}),
    )
    assert again.columns.tolist() == summary.columns.tolist()
    numbers = [*summary.columns[:-2]]
    np.testing.assert_array_equal(again[numbers], summary[numbers].astype(float))
    assert again["reference"].tolist() == summary["reference"].tolist()


def test_csv_cells_come_out_as_they_went_in(split_fit, change_fit):
    """Commas, quotes and line breaks in labels are quoted."""
    labels = np.array([*AWKWARD[:5], "f"], dtype=object)

    def renamed(data):
        return data.assign_coords(authority=labels)

    fit = change_fit(split_fit, posterior=renamed, constants=renamed)
    rows = list(csv.reader(io.StringIO(to_csv(summarise(gradient(fit, target="each"))))))
    place = rows[1].index("authority")
    assert [row[place] for row in rows[2:]] == labels.tolist()
    with pytest.raises(EstimandError, match="is no summary"):
        to_csv(pd.DataFrame())

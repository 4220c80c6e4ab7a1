"""A page as a reader sees it: on a telephone, on a screen, on paper."""

import re

import pytest

import socgrad as sg
from browser import measured, printed
from socgrad.reading.example import example_fit_of_stages

LONG = "Child protection conferences of unborn children and children under five years of age"

#: Measured in the page: its width, and the least contrast of any text with what is behind it.
MEASURE = """
<script>
document.querySelectorAll("details").forEach((one) => { one.open = true; });
const luminance = (rgb) => rgb.map((v) => v / 255)
  .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
let least = 21;
for (const one of document.querySelectorAll("body *")) {
  if (![...one.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  let behind = one;
  while (behind && (parse(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0)
    behind = behind.parentElement;
  const pair = [getComputedStyle(one).color, behind
    ? getComputedStyle(behind).backgroundColor : "rgb(255, 255, 255)"]
    .map((colour) => luminance(parse(colour).slice(0, 3))).sort((a, b) => b - a);
  least = Math.min(least, (pair[0] + 0.05) / (pair[1] + 0.05));
}
document.body.dataset.contrast = least;
document.body.dataset.width = document.documentElement.scrollWidth;
document.body.dataset.window = innerWidth;
document.body.dataset.figures = [...document.images].filter((i) => i.naturalWidth > 0).length;
</script>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of three stages with figures, one of them with a long name."""
    made = sg.report(
        example_fit_of_stages(),
        title="Stages of intervention",
        names={"referral": "Referrals", "assessment": "Assessments", "plan": LONG},
        deprivation="children in low-income families",
    )
    return made, made.save(tmp_path_factory.mktemp("page") / "page.html")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page, width):
    """With every table unfolded the page fits, its figures load, and all text can be read."""
    made, path = page
    whole = made.html.replace("</body>", f"{MEASURE}</body>")
    seen = measured(whole, width=width, folder=path.parent)
    assert seen["window"] == width
    assert seen["width"] <= width
    assert seen["contrast"] >= 4.5  # WCAG 2.2, level AA
    assert seen["figures"] == made.html.count("<img ") > 4


def test_tables_are_printed_though_they_are_folded(page):
    """Every row of every table is on paper."""
    made, path = page
    words = re.sub(r"\s+", " ", printed(path))
    assert words.count("Tenth") == 3 * 10
    for row in made.tables["own_gradients"].itertuples():
        assert f"{row.lower:.2f} to {row.upper:.2f}" in words

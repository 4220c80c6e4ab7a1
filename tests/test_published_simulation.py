"""Simulated tables as an agency publishes them, with the counts behind them."""

import numpy as np
import pytest

import socgrad as sg
from socgrad.coarsening import Bounds, Rounded, Suppressed
from socgrad.errors import SpecificationError, TableError

SIZE = {"authorities": 6, "areas": 120, "random_seed": 5}
PLAN = "child_protection_plan"


def test_counts_are_kept_behind_what_is_published():
    """The counts are those of a table that nobody coarsened, and each cell shows its own."""
    plain = sg.simulate(**SIZE)
    hidden = sg.simulate(**SIZE, publish=Suppressed({"c": (1, 5)}, others=Rounded(5)))
    stages = list(plain.counted)
    assert plain.counted.equals(plain.frame[stages])
    assert hidden.counted.equals(plain.counted)
    counts, shown = hidden.counted[PLAN], hidden.frame[PLAN]
    assert ((shown == "c") == counts.between(1, 5)).all()
    rest = shown[shown != "c"].astype(int)
    assert (np.abs(rest - counts[rest.index]) <= 2).all()
    assert (rest % 5 == 0).all()


def test_one_stage_may_be_published_otherwise():
    """By its name; random rounding follows the seed, and leaves other stages as they were."""
    rule = {PLAN: Rounded(3, how="random")}
    one, again = sg.simulate(**SIZE, publish=rule), sg.simulate(**SIZE, publish=rule)
    assert one.frame.equals(again.frame)
    assert (one.frame[PLAN] % 3 == 0).all()
    assert one.frame["referral"].equals(one.counted["referral"])


def test_a_published_table_goes_through_the_door():
    """With the rule that made it, every count lies within its bounds."""
    rule = Suppressed({"c": (1, 5)}, others=Rounded(10))
    table = sg.simulate(**SIZE, publish=rule)
    areas = sg.Areas.from_frame(
        table.frame, area="area", authority="authority", deprivation="deprivation",
        children="children", events=PLAN, coarsening=rule, complete=True,
    )  # fmt: skip
    counts = table.frame.assign(n=table.counted[PLAN]).set_index("area")["n"].loc[areas.area]
    low, high = areas.event_bounds
    assert ((low <= counts) & (counts <= high)).all()


def test_what_is_no_rule_of_a_stage():
    """Stages that there are not, and bounds, which are no rule."""
    with pytest.raises(SpecificationError, match=r"publish names plans, which is no stage"):
        sg.simulate(**SIZE, publish={"plans": Rounded(5)})
    with pytest.raises(TableError, match=r"publish\['referral'\] is Bounds.*no columns of bounds"):
        sg.simulate(**SIZE, publish={"referral": Bounds("a", "b")})

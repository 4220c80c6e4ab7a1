"""Questions on authorities: how much they differ, and one of them looked at closely."""

from typing import Final

import pandas as pd
import xarray as xr

from socgrad.estimands.gradients import gradient
from socgrad.estimands.region_ratios import region_ratio
from socgrad.estimands.variance_partition import vpc
from socgrad.estimands.variation import median_rate_ratio
from socgrad.pages.answers import Answer, Picture, Question, block, in_parts, row_of, rows
from socgrad.pages.caveats import by_totals_alone, no_comparison
from socgrad.pages.rate_questions import no_deprivation, no_effects
from socgrad.pages.subject import Part, Subject
from socgrad.pages.words import change, in_a_list, upper_first, with_interval
from socgrad.plots.lines import authority_curve
from socgrad.reading.labels import label_draws
from socgrad.reading.official_names import in_words

__all__ = ["LOCALITIES", "ONE_AUTHORITY", "OWN_GRADIENTS", "REGIONS", "VARIATION"]


def _not_several(subject: Subject) -> str:
    """Why authorities cannot be told apart."""
    if subject.first.terms.is_alone:
        return "There is one authority, and nothing to compare it with."
    return ""


def _alike(subject: Subject) -> str:
    """Whose differences are told: of equally deprived places, where the model has deprivation."""
    return "equally deprived " if subject.first.terms.has_deprivation else ""


def _equally(subject: Subject) -> str:
    """The same of a comparison."""
    return " at equal deprivation" if subject.first.terms.has_deprivation else ""


def _levels(subject: Subject) -> Answer:
    terms = subject.first.terms
    draws = _single(median_rate_ratio(subject.fit, deprivation=subject.middle))
    tables = [rows(subject, draws, ["Higher over lower rate of two authorities (median)"])]
    shares = {"authority": "Share of differences between counts: which authority"}
    if terms.has_regions:
        shares["region"] = "Share of differences between counts: which region"
    for level, label in shares.items():
        tables.append(rows(subject, _share(subject, level), [label]))
    table = in_parts(subject, pd.concat(tables))
    apart = [
        with_interval(row_of(table, part)) + (f" for {part.events}" if part.name else "")
        for part in subject.spoken
    ]
    found = [
        (
            "Take two equally deprived authorities at random, and a neighbourhood of each, equally "
            "deprived too."
            if terms.has_deprivation
            else "Take two authorities at random, as deprived as they happen to be."
        )
        + f" The higher rate over the lower is typically {in_a_list(apart)}."
    ]
    alike = _alike(subject)
    return Answer(
        found,
        table,
        f"Median, over pairs of {alike}authorities, of the higher rate over the lower"
        + (", in neighbourhoods of the national middle" if alike else "")
        + f"; and how much of what makes the counts of {alike}neighbourhoods differ (1: all of it) "
        "is where they lie, and not chance or what is their own",
    )


def _single(draws: xr.DataArray) -> xr.DataArray:
    """Draws at one deprivation, without that dim."""
    return draws.isel(deprivation=0, drop=True) if "deprivation" in draws.dims else draws


def _share(subject: Subject, level: str) -> xr.DataArray:
    """The share of the variance of counts that is a level's."""
    found = vpc(subject.fit, deprivation=subject.middle, level=level)  # type: ignore[arg-type]
    return _single(found)


VARIATION: Final = Question(
    "authorities",
    lambda subject: (
        "How much do authorities differ that are equally deprived?"
        if subject.first.terms.has_deprivation
        else "How much do authorities differ?"
    ),
    _not_several,
    _levels,
    rests_on=("level_sd",),
)


def _localities(subject: Subject) -> Answer:
    table = rows(
        subject,
        _share(subject, "locality"),
        ["Share of differences between counts: which locality"],
    )
    found = []
    for part in subject.spoken:
        row = 100 * row_of(table, part)[["estimate", "lower", "upper"]]
        found.append(
            f"Of what makes counts of {_alike(subject)}neighbourhoods differ, "
            f"{row['estimate']:.0f}% ({row['lower']:.0f}% to {row['upper']:.0f}%) is which "
            "locality of their authority they lie in"
            + (f", for {part.events}." if part.name else ".")
        )
    return Answer(
        found,
        table,
        f"Share of the variance of counts of {_alike(subject)}neighbourhoods (1: all of it); the "
        "rest is their authority, what is their own, and chance",
    )


LOCALITIES: Final = Question(
    "localities",
    lambda _: "Are neighbourhoods of one locality alike?",
    lambda subject: "" if subject.first.terms.has_localities else "The model has no localities.",
    _localities,
    rests_on=("locality_sd",),
    silent=lambda _: True,
)


def _own(subject: Subject) -> Answer:
    own = gradient(subject.fit, target="each")
    labels = in_words(own, "authority")
    whole = _tenths(subject, own)
    ends = [
        label_draws(
            draws,
            estimand="gradient_of_a_tenth",
            units=str(own.attrs["units"]),
            reference="gradients of all authorities",
            null=1.0,
        )
        for draws in whole
    ]
    words = ("A tenth of the authorities are flatter than", "A tenth are steeper than")
    summary = in_parts(
        subject,
        pd.concat([rows(subject, draws, [w]) for draws, w in zip(ends, words, strict=True)]),
    )
    found = [
        f"A tenth of the authorities have gradients of {part.events} below "
        f"{with_interval(row_of(summary, part))}, and a tenth above "
        f"{with_interval(row_of(summary, part, 1))}."
        for part in subject.spoken
    ]
    each = [_each(subject, part, own, labels) for part in subject.parts]
    return Answer(
        found,
        pd.concat([summary, *each], ignore_index=True),
        f"Gradient: ratio of rates per {subject.step} of neighbourhood deprivation, of every "
        "authority by itself",
        (),
        [
            "An authority's own gradient is drawn towards that of authorities like it, the more so "
            "the fewer its events. Ranks of single authorities are less certain than they look.",
            *_assumed(subject),
        ],
    )


def _assumed(subject: Subject) -> list[str]:
    """Whose gradient no count speaks of, where it is told of others."""
    alone = by_totals_alone(subject.parts)
    if not alone:
        return []
    return [
        f"Of {len(alone):,} of these {len(subject.first.land.labels):,} authorities only totals "
        "are known, which hold no comparison of their neighbourhoods: their gradients are what "
        "the model expects of authorities like them."
    ]


def _tenths(subject: Subject, own: xr.DataArray) -> list[xr.DataArray]:
    """The gradients below which a tenth of the authorities lie, and nine tenths, in every draw."""
    by_part = [own]
    if subject.dim in own.dims:
        by_part = [own.sel({subject.dim: [part.label]}) for part in subject.parts]
    # Of those that a part has: to look for what is missing draw by draw takes ten times as long.
    held = [
        draws.isel(authority=draws.notnull().all([d for d in draws.dims if d != "authority"]))  # noqa: PD004 xarray
        for draws in by_part
    ]
    found = [
        [draws.quantile(share, "authority", skipna=False).drop_vars("quantile") for draws in held]
        for share in (0.1, 0.9)
    ]
    return [parts[0] if len(parts) == 1 else xr.concat(parts, subject.dim) for parts in found]


def _each(subject: Subject, part: Part, own: xr.DataArray, labels: list[str]) -> pd.DataFrame:
    """Every authority's own gradient; of a part, those that it has."""
    draws = own
    if subject.dim in own.dims:
        draws = own.sel({subject.dim: part.label}).drop_vars(subject.dim)
    known = draws.notnull().all(("chain", "draw")).to_numpy()  # noqa: PD004 xarray
    said = [label for label, is_known in zip(labels, known, strict=True) if is_known]
    return block(
        f"{part.name}: each authority" if part.name else "Each authority",
        said,
        draws,
        prob=subject.prob,
    )


def _no_own(subject: Subject) -> str:
    if reason := _not_several(subject) or no_deprivation(subject) or no_comparison(subject):
        return reason
    if reason := no_effects(subject):
        return reason
    if not subject.first.terms.has_slopes:
        return (
            f"The model gives all {_alike(subject)}authorities the same gradient. With gradients "
            "of their own (random_slopes=True) it would answer this."
        )
    return ""


OWN_GRADIENTS: Final = Question(
    "own_gradients",
    lambda _: "How much do gradients differ between authorities?",
    _no_own,
    _own,
    rests_on=("slope_sd",),
)


def _one(subject: Subject) -> Answer:
    label = subject.authority
    own = gradient(subject.fit, target="each").sel(authority=label)
    name = in_words(own.expand_dims("authority"), "authority")[0]
    own = own.drop_vars(["authority", "authority_name"], errors="ignore")
    land = subject.first.land
    mean = float(land.authority_mean[land.position(label)])
    like = gradient(subject.fit, authority_mean=mean).isel(authority_mean=0, drop=True)
    table = in_parts(
        subject,
        pd.concat(
            [
                rows(subject, own, [f"Gradient in {name}"]),
                rows(subject, like, ["Gradient in an average authority as deprived as it is"]),
            ]
        ),
    )
    found = []
    for part in subject.spoken:
        mine, others = row_of(table, part), row_of(table, part, 1)
        found.append(
            f"In {name}, a neighbourhood with {subject.step} more {subject.deprivation} than "
            f"another has {change(mine, 'more', 'fewer')} {part.events}; in an average authority "
            f"as deprived as it is, {change(others, 'more', 'fewer')}."
        )
    return Answer(
        found,
        table,
        f"Ratio of rates per {subject.step} of neighbourhood deprivation",
        [
            Picture(
                lambda ax, part=part: authority_curve(  # type: ignore[misc]
                    part.fit,
                    authority=label,
                    name=name,
                    prob=subject.prob,
                    deprivation=upper_first(subject.deprivation),
                    events=upper_first(part.noun),
                    exposure=part.exposure,
                    ax=ax,
                ),
                f"{name}: its own rates over neighbourhood deprivation, beside an average "
                f"authority as deprived as it is{part.after_colon}.",
            )
            for part in subject.ends
        ],
    )


def _no_one(subject: Subject) -> str:
    if subject.authority is None:
        return "No authority was named for a closer look (authority=...)."
    if reason := (
        _not_several(subject)
        or no_deprivation(subject)
        or no_comparison(subject)
        or no_effects(subject)
    ):
        return reason
    if subject.authority in by_totals_alone(subject.parts):
        return (
            f"Of {subject.authority_name} only totals are known, which hold no comparison of its "
            "neighbourhoods. Counts of them would answer this."
        )
    return ""


ONE_AUTHORITY: Final = Question(
    "one_authority",
    lambda subject: f"What of {subject.authority_name}?",
    _no_one,
    _one,
    silent=lambda subject: subject.authority is None,
)


def _regions(subject: Subject) -> Answer:
    draws = region_ratio(subject.fit)
    labels = [str(label) for label in draws["region"].to_numpy()]
    table = rows(subject, draws, labels)
    found = []
    for part in subject.spoken:
        own = table[table["of"] == part.name]
        apart = own[(own["lower"] > 1) | (own["upper"] < 1)]
        said = [
            f"{row['quantity']} {change(row, 'higher', 'lower')}" for _, row in apart.iterrows()
        ]
        found.append(
            f"Compared with the average region{_equally(subject)}, rates of {part.events} "
            f"certainly differ in {len(said)} of {len(own)} regions: {'; '.join(said)}."
            if said
            else f"For none of {len(own)} regions is it certain that rates of {part.events} differ"
            f"{_equally(subject)} from the average region's."
        )
    return Answer(
        found,
        table,
        f"Ratio of rates to the average region's{_equally(subject)}",
        (),
        [
            "A region's rates are drawn towards those of the others, the more so the fewer its "
            "authorities. Each interval is of one region by itself."
        ],
    )


REGIONS: Final = Question(
    "regions",
    lambda subject: f"Do regions differ{_equally(subject)}?",
    lambda subject: "" if subject.first.terms.has_regions else "The model has no regions.",
    _regions,
    rests_on=("region_sd",),
    silent=lambda _: True,
)

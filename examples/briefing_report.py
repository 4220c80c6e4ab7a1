"""The page that a policy reader is given: every finding, its figures and numbers, in one file."""

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from briefing_figures import Picture
from briefing_tables import Finding, blocks, covers
from socgrad.simulation.flow import Flow

__all__ = ["write_page"]

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The social gradient in children's social care: a simulated England</title>
<style>
:root { --ink: #222; --quiet: #666; --line: #ddd; --blue: #0072b2; --red: #d55e00; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); margin: 0 auto; max-width: 54rem;
  padding: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin-bottom: .3rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .4rem; }
p.found { font-size: 1.08rem; border-left: 4px solid var(--blue); padding-left: .8rem; }
p.small, figcaption, summary, footer, td.note { color: var(--quiet); font-size: .88rem; }
.notice { background: #fff4ec; border-left: 4px solid var(--red); padding: .6rem .9rem; }
figure { margin: 1rem 0; } img { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: .88rem; margin: .6rem 0; width: 100%; }
th, td { text-align: right; padding: .16rem .5rem; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
tr.block td { font-weight: 600; padding-top: .7rem; }
tr.missed td { color: var(--red); }
nav ol { list-style: none; padding: 0; } nav b { margin-right: .6rem; } a { color: var(--blue); }
@media print { details > * { display: block; } nav { display: none; } }
</style>
</head>
<body>
<h1>The social gradient in children's social care</h1>
<p class="small">What eight findings look like when the answer is known: a simulated England of
$areas neighbourhoods in $authorities local authorities, $referrals referrals.</p>
<div class="notice">These are <strong>not data about England</strong>. Children were simulated to
flow through the stages as published totals and gradients say, so that each estimate can be held
against the truth. $verdict</div>
<p>A <em>gradient</em> is the ratio of rates between two neighbourhoods of one authority, one of
which has 10 percentage points more children in low-income families: 1.80 is 80% more. An
<em>averagely deprived authority</em> has the national mean. Every number comes with the interval
that holds it with 95% probability, and with the truth; $held of $all such intervals hold it. (More
than 95 of 100 may: the intervals allow for other authorities than these, while the truth is
that of these.)</p>
<nav><ol>$links</ol></nav>
$findings
<h2 id="method">How it was done</h2>
<p>A Bayesian multilevel Poisson model of the counts of neighbourhoods within authorities: each
authority has a level and a gradient of its own, both may change with the authority's deprivation,
and the deprivation of a neighbourhood is split into its authority's mean and its distance from it.
Stages, groups and returns are strata of one table, fitted by <code>socgrad</code> with
<code>sg.fit(sg.StratifiedModel(...))</code>. Neighbourhoods speak of places, not of families.</p>
<p>Whether the sampling can be trusted:</p>
<ul>$statements</ul>
<footer>Tables beside this page: $files. Made by <code>examples/briefing.py</code>, seed $seed.
</footer>
</body>
</html>
""")

SECTION = Template("""<section id="$name">
<h2>$name&ensp;$claim</h2>
<p class="found">$found</p>
$figures
<details><summary>All numbers: $question ($held of $rows intervals hold the truth)</summary>
<table><thead><tr><th></th><th>Estimate</th><th>95% interval</th><th>Truth</th></tr></thead>
<tbody>
$body
</tbody></table></details>
</section>
""")


def write_page(
    path: Path,
    found: Sequence[Finding],
    figures: Mapping[str, Sequence[Picture]],
    statements: Sequence[str],
    flow: Flow,
    *,
    converged: bool,
) -> Path:
    """Write the page, with its pictures inside; return its path."""
    held = sum(int(covers(finding.table).sum()) for finding in found)
    names = [*(finding.name for finding in found), "authority_gradients"]
    verdict = (
        "The sampler converged in every fit."
        if converged
        else "<strong>The sampler did not converge in every fit: do not use these numbers.</strong>"
    )
    page = PAGE.substitute(
        areas=f"{len(flow.frame):,}",
        authorities=f"{flow.frame['authority'].nunique():,}",
        referrals=f"{flow.frame['referral'].sum():,}",
        verdict=verdict,
        held=held,
        all=sum(len(finding.table) for finding in found),
        links="".join(
            f'<li><b>{one.name}</b><a href="#{one.name}">{html.escape(one.claim)}</a></li>'
            for one in found
        ),
        findings="\n".join(section(finding, figures.get(finding.name, [])) for finding in found),
        statements="".join(f"<li>{html.escape(words)}</li>" for words in statements),
        files=", ".join(f'<a href="{name}.csv">{name}.csv</a>' for name in names),
        seed=flow.random_seed,
    )
    path.write_text(page, encoding="utf-8")
    return path


def section(finding: Finding, pictures: Sequence[Picture]) -> str:
    """One finding: what was found, what it looks like, all its numbers."""
    return SECTION.substitute(
        name=finding.name,
        claim=html.escape(finding.claim),
        found=html.escape(finding.found),
        question=html.escape(" ".join(finding.question.split())),
        figures="\n".join(picture(*one) for one in pictures),
        held=int(covers(finding.table).sum()),
        rows=len(finding.table),
        body=body(finding),
    )


def picture(path: Path, words: str) -> str:
    """A figure, carried by the page itself."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    words = html.escape(words)
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{words}">'
        f"<figcaption>{words}</figcaption></figure>"
    )


def body(finding: Finding) -> str:
    """Rows of the table; those whose interval misses the truth are marked."""
    lines = []
    places = finding.decimals
    for stage, block in blocks(finding.table):
        lines.append(f'<tr class="block"><td colspan="4">{html.escape(stage)}</td></tr>')
        for row in block:
            kind, mark = ("", "") if row.held else (' class="missed"', " *")
            lines.append(
                f"<tr{kind}><td>{html.escape(row.quantity)}</td><td>{row.estimate:.{places}f}</td>"
                f"<td>{row.lower:.{places}f} to {row.upper:.{places}f}</td>"
                f"<td>{row.truth:.{places}f}{mark}</td></tr>"
            )
    return "\n".join(lines)

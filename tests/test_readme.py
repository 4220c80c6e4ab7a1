"""The README's code runs as printed, on a table with the columns it names."""

import re
import subprocess
import sys
from pathlib import Path

import socgrad as sg

README = Path(__file__).parents[1] / "README.md"


def test_readme_code_runs_as_printed(tmp_path):
    """The first code block reads a CSV, fits, prints a table of every estimand, and saves."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names = {
        "area": "lsoa11cd",
        "authority": "utla19cd",
        "children": "children_0_17",
        "deprivation": "idaci",
        "child_protection_plan": "plans",
    }
    table = sg.simulate(authorities=40, areas=4000, random_seed=5).frame.rename(columns=names)
    table[list(names.values())].to_csv(tmp_path / "child_protection_plans_2019.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The sampler converged")
    for estimand in ("gradient", "between", "inverse_intervention", "steepening"):
        # Each row stands whole on one line of a terminal, its four numbers first.
        row = rf"^{estimand}\b.*( +[\d.]+){{4}}$"
        assert re.search(row, done.stdout, re.MULTILINE), done.stdout
    header = next(line for line in done.stdout.splitlines() if "estimate" in line)
    assert header.split() == ["estimate", "lower", "upper", "pr_above"]
    assert len(header) <= 80
    assert (tmp_path / "plans_2019.png").stat().st_size > 10_000
    assert sg.load(tmp_path / "plans_2019.nc")["posterior"].sizes["authority"] == 40
    assert "authority" not in sg.load(tmp_path / "plans_2019_coefficients.nc")["posterior"].dims

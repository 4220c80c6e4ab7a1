"""The README's code runs as printed, on a table with the columns it names."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import socgrad as sg

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.mcmc
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
        assert re.search(rf"^{estimand}\b", done.stdout, re.MULTILINE), done.stdout
    assert sg.load(tmp_path / "plans_2019.nc")["posterior"].sizes["authority"] == 40

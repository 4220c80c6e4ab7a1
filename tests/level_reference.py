"""What lme4 says of stored tables with a third level (tests/golden/levels.R wrote it)."""

import json
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
REFERENCE = json.loads((GOLDEN / "levels.json").read_text())["fits"]


def apart(draws, reference):
    """Posterior means less estimates, in posterior SDs."""
    return {
        name: float((draws[name].mean() - estimate) / draws[name].std())
        for name, estimate in reference["estimates"].items()
    }


def ratios(draws, reference, names):
    """Posterior medians of spreads over maximum likelihood estimates."""
    return {name: float(draws[name].median()) / reference[name] for name in names}

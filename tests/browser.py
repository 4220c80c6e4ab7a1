"""The distribution's Chromium, without a window: pages as a reader sees and prints them."""

import os
import re
import shutil
import subprocess
import tempfile
from html import escape
from pathlib import Path

import pytest

__all__ = ["measured", "printed"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def _run(page: Path, *options: str) -> str:
    """Open a page; skip where there is no browser, unless SOCGRAD_BROWSER says there must be."""
    browser = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if browser is None:
        words = "no Chromium here; .ci/run installs the distribution's"
        if os.environ.get("SOCGRAD_BROWSER") == "required":
            pytest.fail(words)
        pytest.skip(words)
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-background-networking", f"--user-data-dir={profile}", *options,
                page.resolve().as_uri(),
            ],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
    return done.stdout


#: Headless windows are 500 pixels wide at least, frames as wide as they are told to be.
_FRAME = """<!doctype html><body><iframe id="frame" srcdoc="{page}"
style="width: {width}px; height: 900px; border: 0"></iframe><script>
frame.addEventListener("load", () => {{
  Object.assign(document.body.dataset, frame.contentDocument.body.dataset); }});
</script></body>"""


def measured(page: str, *, width: int, folder: Path) -> dict[str, float]:
    """What scripts of a page wrote into its body's data attributes, at a width in pixels."""
    path = folder / f"frame-{width}.html"
    path.write_text(_FRAME.format(page=escape(page, quote=True), width=width), encoding="utf-8")
    dom = _run(path, "--virtual-time-budget=10000", "--dump-dom")
    body = dom[dom.index("<body") : dom.index("<iframe")]
    return {name: float(value) for name, value in re.findall(r'data-(\w+)="([\d.]+)"', body)}


def printed(page: Path) -> str:
    """The words of the page as it is printed."""
    pypdf = pytest.importorskip("pypdf")
    target = page.with_suffix(".pdf")
    _run(page, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    return "\n".join(one.extract_text() for one in pypdf.PdfReader(target).pages)

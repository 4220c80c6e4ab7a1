"""The site: `make docs` builds it into docs/_build/html, warnings as errors."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "_extensions"))

project = "socgrad"
author = "The socgrad developers"
project_copyright = "2026, The socgrad developers"
version = release = version_of("socgrad")

extensions = [
    "mathml",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
]
exclude_patterns = [
    "_build",
    "results",
    "jupyter_execute",
    *(f"gallery/*.{suffix}" for suffix in ("ipynb", "py", "json", "zip", "md5")),
]
templates_path = ["_templates"]
root_doc = "index"
language = "en-GB"

# Pages and docstrings
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "substitution"]
html_math_renderer = "mathml"
myst_heading_anchors = 3
autosummary_generate = True
autosummary_imported_members = False
napoleon_google_docstring = False
napoleon_custom_sections = ["Interpretation", "Warns"]
napoleon_use_rtype = False
autodoc_typehints = "none"  # the docstrings have them, in words
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
default_role = "code"

# Every code cell runs, and a cell that fails fails the build.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

sphinx_gallery_conf = {
    "examples_dirs": ["../examples/gallery"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "write_computation_times": False,
    "show_signature": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
}

# A link that leads nowhere within the site is a warning, and warnings are errors.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!socgrad\b).*"), ("py:class", r"socgrad\..*\..*")]
suppress_warnings = ["config.cache"]

html_theme = "pydata_sphinx_theme"
html_title = "socgrad"
html_static_path = ["_static"]
html_show_sourcelink = False
html_css_files = ["site.css"]
# Pages with nothing below them need no navigation beside them.
html_sidebars = {
    page: []
    for page in (
        *("index", "why", "quickstart", "model", "estimands", "checking"),
        *("from-other-tools", "glossary", "references", "simulated_england"),
        *("tutorial", "troubleshooting", "questions", "notebooks/index"),
    )
}
html_theme_options = {
    "show_nav_level": 2,
    "header_links_before_dropdown": 4,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}

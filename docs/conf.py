"""Sphinx's settings. The site is built with `sphinx-build -W -b html docs docs/_build`."""

import html
import os
import re
import sys
from pathlib import Path

import scalargrad

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from site_files import MATHJAX, write_mathjax, write_notebooks, write_playground  # noqa: E402 (beside this file)

# The site shows the notebooks with the outputs that they were committed with. A forge sets these two: see workflow.yml.
write_notebooks(HERE / "notebooks", os.environ.get("GITHUB_REPOSITORY", ""))
html_baseurl = os.environ.get("SITE_URL", "")

project = "scalargrad"
author = "the scalargrad contributors"
project_copyright = author
version = release = scalargrad.__version__

DESCRIPTION = "Exact derivatives of ordinary Python code on numbers, of any order, and pictures of how they come about."
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton"]
copybutton_prompt_text, copybutton_prompt_is_regexp = r">>> |\.\.\. ", True
exclude_patterns = ["_build", "jupyter_execute", "playground"]
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
default_role = "code"  # docstrings write names in single backticks

if MATHJAX.exists():  # shipped with the site, so that formulas need no other one
    mathjax_path = "mathjax/tex-mml-chtml.js"

html_theme = "furo"
html_title = f"scalargrad {version}"
html_show_copyright = False
html_logo = html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css", "playground/playground.css"]
html_js_files = [("playground/cells.js", {"type": "module"}), ("landmarks.js", {"defer": "defer"})]
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say what is taken


def keep_signs(app, what, name, obj, options, lines):
    """Formulas in docstrings are text: |x| is no substitution and * no emphasis."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = re.split(r"(`[^`]*`)", line)
            lines[i] = "".join(
                p if p.startswith("`") else re.sub(r"([|*\\]|(?<=\w)_(?!\w))", r"\\\1", p) for p in parts
            )


def make_accessible(app, pagename, templatename, context, doctree):
    """Give captions a level as headings, and let a key scroll wide code and tables: axe's rules ask for both."""
    for part in ("body", "furo_navigation_tree"):
        if context.get(part):
            text = context[part].replace('role="heading"', 'role="heading" aria-level="2"')
            wide = r'<pre(?=>)|<div(?= class="(?:table-wrapper|wide-picture))'
            context[part] = re.sub(wide, r'\g<0> tabindex="0"', text)


def describe(app, pagename, templatename, context, doctree):
    """Add what a search engine and a link's preview show. The page for lost links is served from any folder."""
    base = html_baseurl.rstrip("/")
    title = html.escape(re.sub(r"<[^>]*>", "", context.get("title", project)))
    tags = {"og:title": title, "og:description": DESCRIPTION, "og:type": "website", "og:site_name": project}
    tags |= {"og:image": f"{base}/_static/card.png", "twitter:card": "summary_large_image"} if base else {}
    context["metatags"] = (context.get("metatags") or "") + f'<meta name="description" content="{DESCRIPTION}">'
    context["metatags"] += "".join(f'<meta property="{name}" content="{text}">' for name, text in tags.items())
    if pagename == "404" and base:
        context["metatags"] += f'<base href="{base}/">'


def add_files(app, error):
    """Add the playground and MathJax; what npm fetches is there after `npm install --prefix docs/playground`."""
    if error is None and app.builder.format == "html":
        write_playground(Path(app.outdir) / "_static" / "playground")
        write_mathjax(Path(app.outdir) / "_static" / "mathjax")


def setup(app):
    app.connect("autodoc-process-docstring", keep_signs)
    app.connect("html-page-context", make_accessible, priority=900)
    app.connect("html-page-context", describe)
    app.connect("build-finished", add_files)

"""Page of an inspection: one HTML file that needs nothing else, with every text escaped.

Knows nothing of how a corpus is inspected.
"""

from html import escape

from training.inspection.corpus_inspection import Inspection
from training.inspection.inspection_lines import inspection_facts

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent) }
td { overflow-wrap: anywhere }
th { font-weight: 600; white-space: nowrap }
pre { font: 15px/1.5 Georgia, serif; white-space: pre-wrap; padding: 1rem 1.2rem;
  border-left: 3px solid color-mix(in srgb, currentColor 30%, transparent) }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark } }
"""


def inspection_page(found: Inspection, title: str) -> str:
    """Format an inspection as one HTML page. No script runs in it and nothing is fetched."""
    rows = "\n".join(
        f"<tr><th scope=row>{escape(name)}<td>{escape(value)}"
        for name, value in inspection_facts(found)
    )
    poems = "\n".join(f"<pre>{escape(poem)}</pre>" for poem in found.poems)
    return (
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
        "style-src 'unsafe-inline'\">\n"
        '<meta name=viewport content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n"
        f"<h1>{escape(title)}</h1>\n<table>\n{rows}\n</table>\n"
        f"<h2>Poems as they will be learned</h2>\n{poems}\n</html>\n"
    )

"""The memory viewer as HTML with all it needs inside: a fragment for a page, and a page of its own."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ntm_repro.report.recordings import Recording

HERE = Path(__file__).parent
SCRIPTS = ("arrays", "drawing", "viewer")  # one after the other they make the script


def fragment(recordings: Sequence[Recording], notes: Sequence[str] = ()) -> Markup:
    """A <section> that plays `recordings`, and under its menus `notes` on what there is none of.

    Style and script are inside, so a page takes it once; the address #<id>, or #<id>@<step>, opens a recording.
    """
    script = "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    css = _asset("viewer.css")
    return Markup(_render("viewer.html.j2", recordings=recordings, notes=notes, css=css, script=script))


def page(title: str, lines: Sequence[str], recordings: Sequence[Recording]) -> str:
    """A page with a heading, some lines of text, and the viewer: opens from a file, asks the network for nothing."""
    return _render("viewer_page.html.j2", title=title, lines=lines, viewer=fragment(recordings))


def _asset(name: str) -> str:
    return (HERE / "assets" / name).read_text(encoding="utf-8")


def _render(name: str, **values: object) -> str:
    # tojson, which writes the recordings, escapes what could end a <script>; everything else is escaped as HTML.
    loader = FileSystemLoader(HERE / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template(name).render(values)

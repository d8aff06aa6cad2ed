"""The memory viewer as HTML with all it needs inside: a fragment for a page, and a page of its own."""

from collections.abc import Sequence

from markupsafe import Markup

from ntm_repro.report.recordings import Recording
from ntm_repro.report.templating import asset, render


def fragment(recordings: Sequence[Recording], notes: Sequence[str] = ()) -> Markup:
    """A <section> that plays `recordings`, and under its menus `notes` on what there is none of.

    Style and script are inside, so a page takes it once; the address #<id>, or #<id>@<step>, opens a recording.
    """
    script = asset("arrays.js", "drawing.js", "viewer.js")
    css = asset("viewer.css")
    return Markup(render("viewer.html.j2", recordings=recordings, notes=notes, css=css, script=script))


def page(title: str, lines: Sequence[str], recordings: Sequence[Recording]) -> str:
    """A page with a heading, some lines of text, and the viewer: opens from a file, asks the network for nothing."""
    return render("viewer_page.html.j2", title=title, lines=lines, viewer=fragment(recordings))

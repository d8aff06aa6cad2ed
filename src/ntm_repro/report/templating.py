"""Templates and the scripts and styles that go into them as they are."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ntm_repro.evidence import rendering

HERE = Path(__file__).parent


def render(name: str, **values: object) -> str:
    """A template filled in. `tojson` escapes what could end a <script>; everything else is escaped as HTML."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["css_class"] = lambda verdict: verdict.replace(" ", "-")
    environment.filters["cell"] = rendering.printed
    return environment.get_template(name).render(values)


def asset(*names: str) -> Markup:
    """Files of `assets`, one after the other, to stand in a page as they are."""
    return Markup("\n".join((HERE / "assets" / name).read_text(encoding="utf-8") for name in names))

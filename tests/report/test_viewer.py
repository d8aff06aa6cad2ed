"""The viewer's HTML carries all it needs, and nothing in a recording can break out of it."""

import html
import json
import re

import pytest
from support.untrained import sources

from ntm_repro.report import recordings, viewer
from ntm_repro.report.templating import HERE

EVIL = "</script><script>alert(1)</script> <b>&amp;"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    evidence = sources(tmp_path_factory.mktemp("evidence"), ("copy", "ntm"))
    return recordings.record(evidence.trained("copy", "ntm"), 2)


def embedded(text):
    (found,) = re.findall(r'<script type="application/json" class="recordings">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_recordings_come_back_as_they_were(recording):
    assert embedded(viewer.fragment([recording])) == json.loads(json.dumps([recording]))


def test_text_cannot_end_the_script(recording):
    text = viewer.fragment([recording | {"provenance": EVIL}], notes=[EVIL])
    assert embedded(text)[0]["provenance"] == EVIL
    assert text.count("</script>") == viewer.fragment([recording]).count("</script>")
    assert "alert(1)" in html.unescape(text)
    assert "<script>alert" not in text


def test_a_page_of_its_own(recording):
    text = viewer.page(EVIL, [EVIL], [recording])
    assert f"<title>{html.escape(EVIL, quote=False)}</title>" in text
    assert f"<p>{html.escape(EVIL, quote=False)}</p>" in text
    assert viewer.fragment([recording]) in text


def test_it_asks_for_nothing_outside(recording):
    text = viewer.page("title", [], [recording])
    assert not re.search(r"https?:|@import|url\(|<link(?! rel=\"icon\" href=\"data:,\")|\bfetch\(|XMLHttp", text)
    assert not re.search(r"\bsrc=", text)


def test_the_scripts_write_text_and_never_markup():
    scripts, styles = (list((HERE / "assets").glob(pattern)) for pattern in ("*.js", "*.css"))
    assert len(scripts) == 4
    assert len(styles) == 3
    for path in scripts:
        unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|</script"
        assert not re.search(unsafe, path.read_text()), path
    for path in styles:
        assert "</style" not in path.read_text()


def test_with_nothing_to_play_it_says_what_is_missing():
    text = viewer.fragment([], ["copy: not run yet: make reproduce"])
    assert "Nothing is recorded" in text
    assert "make reproduce" in text
    assert "<script" not in text

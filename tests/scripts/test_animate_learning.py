"""scripts/animate_learning: a memory that learns to copy, as README shows it."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from support import processes

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/animate_learning.py"
SHOWN = ROOT / "docs/learning.gif"
LARGEST = 2_000_000  # bytes


def frames(path):
    with Image.open(path) as image:
        return image.n_frames


def test_the_one_that_is_shown_moves_and_is_small():
    assert SHOWN.stat().st_size <= LARGEST
    assert frames(SHOWN) > 30


@pytest.mark.slow
def test_the_script_makes_it_from_a_run(tmp_path):
    done = processes.run([sys.executable, SCRIPT, tmp_path / "mine.gif"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert frames(tmp_path / "mine.gif") == frames(SHOWN)
    # What the run has learned is seen: in the last frame but one no longer what was there in the first.
    with Image.open(tmp_path / "mine.gif") as image:
        first = image.convert("RGB").tobytes()
        image.seek(image.n_frames - 2)
        assert image.convert("RGB").tobytes() != first


def test_it_asks_for_a_file_to_write():
    done = processes.run([sys.executable, SCRIPT])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("animate_learning: name the .gif file to write")

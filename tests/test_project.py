"""The project as a whole: what the wheel carries, every pair has its config, YAML and code agree."""

import importlib
import inspect
import os
import pkgutil
import re
import sys
import tarfile
import venv
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FunctionType

import pytest
import yaml
from support import processes

import ntm_repro
from ntm_repro import models, paper, tasks
from ntm_repro.cli.compose import options

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"


def plain(settings) -> dict:
    """A settings dataclass as its YAML file should say it."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {
        key: plain(value) if is_dataclass(value) else getattr(value, "name", value) for key, value in values.items()
    }


@pytest.mark.parametrize("name", options("task"))
def test_a_tasks_yaml_says_what_its_code_says(name):
    assert yaml.safe_load((CONFIGS / f"task/{name}.yaml").read_text()) == plain(tasks.find(name)())


@pytest.mark.parametrize("name", options("model"))
def test_a_models_yaml_says_what_its_code_says(name):
    assert yaml.safe_load((CONFIGS / f"model/{name}.yaml").read_text()) == plain(models.settings_type(name)()) | {
        "name": name
    }


def test_every_pair_of_the_paper_has_its_config():
    assert set(options("paper")) == {f"{task}_{model}" for task in paper.TASKS for model in paper.MODELS}


def built(source: Path, folder: Path, *kinds: str) -> list[Path]:
    """What hatchling makes of the sources, an sdist or a wheel for each of `kinds`."""
    targets = [word for kind in kinds for word in ("-t", kind)]
    processes.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder), *targets], cwd=source, check=True)
    return [next(folder.glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[kind])) for kind in kinds]


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> list[Path]:
    """The wheel, and the sdist."""
    return built(ROOT, tmp_path_factory.mktemp("dist"), "wheel", "sdist")


@pytest.fixture(scope="module")
def wheel(packages) -> Path:
    return packages[0]


def test_the_sdist_builds_the_same_wheel(packages, tmp_path):
    wheel, sdist = packages
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert built(source, tmp_path / "dist", "wheel")[0].read_bytes() == wheel.read_bytes()


def test_one_version_everywhere(wheel):
    version = ntm_repro.__version__
    assert wheel.name == f"ntm_repro-{version}-py3-none-any.whl"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    newest = re.search(r"^## (\S+), (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest.groups() == (version, str(citation["date-released"]))


def test_the_wheel_holds_package_configs_and_curves_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    needed = (
        "py.typed",
        "configs/train.yaml",
        "kernels/fused/torch_interface.py",
        "paper_curves/fig3_LSTM.csv",
        "figures/ntm.mplstyle",
        "report/assets/viewer.js",
        "report/assets/viewer.css",
        "report/templates/viewer.html.j2",
    )
    assert {f"ntm_repro/{name}" for name in needed} <= set(names)
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ntm_repro"}
    source = {str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*.yaml")}
    assert {name.removeprefix("ntm_repro/configs/") for name in names if name.endswith(".yaml")} == source
    curves = {path.name for path in (ROOT / "paper_curves").glob("*.csv")}
    assert {name.removeprefix("ntm_repro/paper_curves/") for name in names if name.endswith(".csv")} == curves


def test_an_installed_wheel_finds_its_configs_and_curves_from_anywhere(wheel, tmp_path):
    """A second environment that sees this one's packages but has its own copy of ours."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=False, system_site_packages=False)
    site = next(home.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    # Behind the wheel's own copy on the path, so that an editable install here is not what is found.
    (site / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # Eager: the fused kernel would be compiled anew, for a copy of its sources that nobody will run again.
    short = ("debug=fast", "train.sequences=2", "task.max_length=2", "kernel=eager")
    done = processes.run([home / "bin/python", "-m", "ntm_repro", "train", *short], cwd=elsewhere, env=environment)
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "results/debug/copy/ntm").is_dir()
    script = (
        "from ntm_repro.cli import compose; from ntm_repro import paper; "
        "print(compose.config_dir(), paper.curves_dir(), len(paper.curve(11, 'lstm')))"
    )
    found = processes.run([home / "bin/python", "-c", script], cwd=elsewhere, env=environment, check=True)
    assert found.stdout.split() == [str(site / "ntm_repro/configs"), str(site / "ntm_repro/paper_curves"), "4"]


def test_the_log_has_a_summary_of_every_entry():
    """A row for each, in order: its date, a question, a verdict, a link to it."""
    text = (ROOT / "LOG.md").read_text()
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    rows = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| ([^|]+) \| ([^|]+) \| \[(.+)\]\(#(.+)\) \|$", text, re.MULTILINE)
    assert [f"{date} · {title}" for date, _, _, title, _ in rows] == titles
    assert [anchor for *_, anchor in rows] == [
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
    ]


def public_methods():
    """All methods and properties of all public classes, as (where, method)."""
    for info in pkgutil.walk_packages(ntm_repro.__path__, "ntm_repro."):
        module = importlib.import_module(info.name)
        for name, cls in vars(module).items():
            if inspect.isclass(cls) and cls.__module__ == info.name and not name.startswith("_"):
                for attribute, method in vars(cls).items():
                    if not attribute.startswith("_") and isinstance(method, FunctionType | property):
                        yield f"{info.name}.{name}.{attribute}", method


def test_public_methods_are_documented_by_themselves_or_by_what_they_override():
    assert [where for where, method in public_methods() if not inspect.getdoc(method)] == []

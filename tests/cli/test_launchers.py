"""Sweeps through launchers, for real: joblib, and submitit with a job that is put back into the queue and one killed.

They come with the extras `sweep`, `slurm` and, in an environment of its own, `ray`; the script for Slurm is checked
as a stand-in for sbatch receives it.
"""

import importlib.util
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from support import processes
from support.helpers import PATIENCE, TINY, arguments, environment
from support.run_results import rows, same_weights

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

LAUNCHERS = ("joblib", "submitit_local")
SWEEP = ("train", "-m", "seed=1,2", "train.sequences=20000", "train.log_every=500", *TINY)


def needs(package):
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The same runs one after the other, by no launcher."""
    place = tmp_path_factory.mktemp("straight")
    processes.run(arguments(*SWEEP), cwd=place, check=True)
    return place


def check_same(place, straight):
    for seed in (1, 2):
        one, other = (next((root / "results/runs/copy/ntm").glob(f"seed{seed}-*")) for root in (place, straight))
        assert rows(one) == rows(other)
        assert same_weights(one, other)


@needs("joblib")
def test_joblib_runs_two_at_a_time(straight, command, tmp_path):
    done = command(*SWEEP, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.partition("\nresults\n")[2].count("20,000 sequences") == 2
    check_same(tmp_path, straight)


@pytest.mark.parametrize("launcher", [pytest.param(name, marks=needs(name.partition("_")[0])) for name in LAUNCHERS])
def test_jobs_replace_characters_that_their_output_lacks(launcher, tmp_path):
    words = ("train", "-m", "seed=1,2", "train.sequences=3", "kernel=eager", f"hydra/launcher={launcher}", *TINY)
    env = environment() | {"PYTHONIOENCODING": "ascii"}
    done = processes.run(arguments(*words), cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.partition("\nresults\n")[2].count("3 sequences") == 2


def job_of(seed, place):
    """The process that trains this seed: the one that holds its metrics.csv open."""
    (record,) = (place / "results/runs/copy/ntm").glob(f"seed{seed}-*/metrics.csv")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(link.readlink() == record for link in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:  # it has ended, or is somebody else's
            continue
    raise AssertionError(f"nobody trains seed {seed}")


def wait_for_rows(seed, place, count):
    end = time.monotonic() + PATIENCE
    records = f"results/runs/copy/ntm/seed{seed}-*/metrics.csv"
    while not any(path.read_text().count("\n") > count for path in place.glob(records)):
        assert time.monotonic() < end
        time.sleep(0.02)


@needs("submitit")
def test_submitit_puts_a_preempted_job_back_where_it_was(straight, start, tmp_path):
    """SIGUSR2 is how a cluster announces a preemption or the end of a job's time; nothing since then is lost."""
    process = start(*SWEEP, "hydra/launcher=submitit_local", "hydra.launcher.timeout_min=30")
    wait_for_rows(1, tmp_path, 3)
    os.kill(job_of(1, tmp_path), signal.SIGUSR2)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (out, err)
    logs = "".join(path.read_text() for path in (tmp_path / "results/runs/.submitit").rglob("*_log.out"))
    assert "Requeued job" in logs
    # Not from a checkpoint of every 10,000: from where the signal met it.
    (resumed,) = re.findall(r"resumed at ([\d,]+) sequences", logs)
    assert int(resumed.replace(",", "")) % 10_000 > 0
    check_same(tmp_path, straight)


@needs("submitit")
def test_the_same_sweep_goes_on_with_a_job_that_was_killed(straight, start, command, tmp_path):
    words = (*SWEEP, "train.checkpoint_every=2000", "hydra/launcher=submitit_local", "hydra.launcher.timeout_min=30")
    process = start(*words)
    wait_for_rows(1, tmp_path, 5)
    os.kill(job_of(1, tmp_path), signal.SIGKILL)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, (out, err)
    assert "Traceback" not in err
    assert "1 of 2 runs did not finish; Job" in err.splitlines()[-1]
    assert err.splitlines()[-1].endswith("the same command goes on with them")
    again = command(*words)
    assert again.returncode == 0, again.stderr
    check_same(tmp_path, straight)


SCRIPT = """\
#!/bin/bash

# Parameters
#SBATCH --array=0-1%2
#SBATCH --cpus-per-task=1
#SBATCH --error={logs}/%A_%a/%A_%a_0_log.err
#SBATCH --job-name=train
#SBATCH --mem=2GB
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output={logs}/%A_%a/%A_%a_0_log.out
#SBATCH --partition=cpu
#SBATCH --signal=USR2@120
#SBATCH --time=1440
#SBATCH --wckey=submitit

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output {logs}/%A_%a/%A_%a_%t_log.out --error {logs}/%A_%a/%A_%a_%t_log.err \
{python} -u -m submitit.core._submit {logs}/%j
"""


@needs("submitit")
def test_what_slurm_is_given(start, tmp_path, monkeypatch):
    """Line by line: an array of the two jobs, the resources asked for, the signal two minutes before the end."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, body in {"sbatch": 'cp "$1" script; echo Submitted batch job 7', "srun": "", "sacct": ""}.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    resources = {"partition": "cpu", "cpus_per_task": 1, "mem_gb": 2, "timeout_min": 1440, "max_num_timeout": 20}
    settings = [f"hydra.launcher.{key}={value}" for key, value in resources.items()]
    process = start(*SWEEP, "hydra/launcher=submitit_slurm", *settings)
    end = time.monotonic() + PATIENCE
    while not (tmp_path / "script").exists() or not (tmp_path / "script").read_text().endswith("%j\n"):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)
    logs = tmp_path / "results/runs/.submitit"
    assert (tmp_path / "script").read_text() == SCRIPT.format(logs=logs, python=sys.executable)


@needs("submitit")
def test_slurm_is_refused_where_there_is_none(command, tmp_path):
    if shutil.which("sbatch"):
        pytest.skip("Slurm is here")
    done = command(*SWEEP, "hydra/launcher=submitit_slurm")
    assert done.returncode == 2
    assert "no sbatch here" in done.stderr
    assert list(tmp_path.iterdir()) == []


@needs("ray")
def test_ray_runs_the_jobs_of_a_lost_node_on_another(straight, start, tmp_path, monkeypatch):
    """Two nodes with a processor each; both train, one is gone, and the other takes its job from its checkpoint."""
    from ray.cluster_utils import Cluster

    monkeypatch.chdir(tmp_path)  # where a node is started is where its workers find their folders
    monkeypatch.setenv("RAY_worker_niceness", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        lost = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        where = f"hydra.launcher.ray.init.address='{cluster.address}'"
        process = start(*SWEEP, "train.checkpoint_every=2000", "hydra/launcher=ray", where)
        for seed in (1, 2):
            wait_for_rows(seed, tmp_path, 5)
        cluster.remove_node(lost, allow_graceful=False)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        cluster.shutdown()
    assert process.returncode == 0, (out, err)
    logs = "".join(path.read_text() for path in (tmp_path / "results/runs/copy/ntm").glob("*/train.log"))
    assert sum(int(begun) > 0 for begun in re.findall(r"begin at (\d+) sequences", logs)) == 1
    check_same(tmp_path, straight)

"""Two processes that start on one folder at the same instant: one trains, the other is told so."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from support.run_results import rows, summary
from support.surviving import WORDS, check_refused, check_same

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PAIRS = 5


@pytest.fixture
def both(forks, second_server):
    """A function that runs two command lines at once; what they came to."""

    def start(first, second, cwd):
        instant = Barrier(2)

        def one(server, words):
            instant.wait()
            return server(*words, cwd=cwd)

        with ThreadPoolExecutor() as pool:
            waiting = [pool.submit(one, server, words) for server, words in ((forks, first), (second_server, second))]
            try:
                return [each.result() for each in waiting]
            except BaseException:  # such as a timeout: end what the threads of the pool wait for
                forks.kill()
                second_server.kill()
                raise

    return start


def test_of_the_same_run_one_trains(both, straight, ledger, tmp_path):
    for turn in range(PAIRS):
        place = tmp_path / str(turn)
        place.mkdir()
        with ledger.fault("two processes at once, the same run"):
            done = both(WORDS, WORDS, place)
            trained = [each for each in done if each.returncode == 0 and " parameters · " in each.stdout]
            assert len(trained) == 1, done
            (other,) = [each for each in done if each is not trained[0]]
            if other.returncode == 0:  # it began when the first had ended
                assert other.stdout.startswith("finished: ")
            else:
                check_refused(other, "run_dir=out: another process is training there")
            check_same(place / "out", straight.folder)


def test_of_two_runs_one_gets_the_folder(both, straight, ledger, tmp_path):
    for turn in range(PAIRS):
        place = tmp_path / str(turn)
        place.mkdir()
        with ledger.fault("two processes at once, two runs for one folder"):
            done = both(WORDS, (*WORDS, "seed=2"), place)
            assert sorted(each.returncode for each in done) == [0, 2], done
            (loser,) = [each for each in done if each.returncode == 2]
            assert "another process is training there" in loser.stderr or "holds another run" in loser.stderr
            assert len(loser.stderr.splitlines()) == 1
            assert summary(place / "out")["status"] == "finished"
            if done[0].returncode == 0:
                check_same(place / "out", straight.folder)
            else:
                assert summary(place / "out")["seed"] == 2
                assert len(rows(place / "out")) == len(rows(straight.folder))

"""The first Ctrl-C, SIGTERM or SIGHUP is noted, the second one acts at once, and afterwards all is as before."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import processes

from ntm_repro.training.interruption import Interrupted, StopRequest

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
signals = pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)


class Called(Exception):
    """Raised by the handler that was there before."""


@pytest.fixture
def handled():
    """For the length of a test the signals raise `Called` unless somebody handles them."""

    def handler(number, frame):
        raise Called(number)

    before = {number: signal.signal(number, handler) for number in NUMBERS}
    yield handler
    for number, old in before.items():
        signal.signal(number, old)


def send(number):
    os.kill(os.getpid(), number)


@signals
def test_the_first_signal_is_noted(handled, number):
    with StopRequest() as stop:
        assert not stop.received
        send(number)
        assert stop.received


@pytest.mark.parametrize("first", NUMBERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_does_what_it_did_before(handled, first, number):
    with StopRequest() as stop:
        send(first)
        with pytest.raises(Called) as caught:
            send(number)
    assert caught.value.args == (number,)
    assert stop.received


@pytest.mark.parametrize("first", NUMBERS)
def test_a_terminal_that_hangs_up_never_ends_a_run_at_once(handled, first):
    """Shell and kernel may both send the signal, one just after the other; what is to be saved is saved."""
    with StopRequest() as stop:
        send(first)
        send(signal.SIGHUP)
        send(signal.SIGHUP)
        assert stop.received
    assert signal.getsignal(signal.SIGHUP) is handled


def test_under_nohup_a_terminal_that_hangs_up_is_nothing():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            send(signal.SIGHUP)
            assert not stop.received
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_no_signal_is_handled():
    """Python allows it in the main thread alone."""
    before = [signal.getsignal(number) for number in NUMBERS]

    def work():
        with StopRequest() as stop:
            return [signal.getsignal(number) for number in NUMBERS], stop.received

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == (before, False)


def test_the_second_ctrl_c_is_a_keyboard_interrupt():
    # pytest runs with Python's own handler of Ctrl-C.
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with StopRequest():
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


TWICE = """
import os, signal
from ntm_repro.training.interruption import StopRequest
with StopRequest() as stop:
    os.kill(os.getpid(), signal.SIGTERM)
    print("noted", stop.received, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    print("still here", flush=True)
"""


def test_the_second_sigterm_ends_the_process():
    ended = processes.run([sys.executable, "-c", TWICE])
    assert ended.stdout == "noted True\n"
    assert ended.returncode == -signal.SIGTERM


@signals
def test_without_a_signal_the_old_handlers_come_back(handled, number):
    with StopRequest() as stop:
        assert signal.getsignal(number) is not handled
    assert not stop.received
    assert signal.getsignal(number) is handled


@signals
def test_after_a_signal_the_old_handlers_come_back(handled, number):
    with StopRequest():
        send(number)
    for each in NUMBERS:
        assert signal.getsignal(each) is handled


@signals
def test_after_an_error_the_old_handlers_come_back(handled, number):
    with pytest.raises(RuntimeError), StopRequest():
        raise RuntimeError
    assert signal.getsignal(number) is handled


def test_a_stop_on_request_is_no_exception_like_others():
    """`except Exception` of a sweep must not swallow it."""
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert not issubclass(Interrupted, Exception)


def test_a_signal_of_the_queue_is_noted_and_passed_on_at_the_end():
    """What a launcher does with it, putting the job back, comes after everything is saved."""
    order = []

    def requeue(number, frame):
        order.append("requeued")

    before = signal.signal(signal.SIGUSR2, requeue)
    try:
        with StopRequest() as stop:
            send(signal.SIGUSR2)
            assert stop.received
            order.append("saved")
        assert order == ["saved", "requeued"]
        assert signal.getsignal(signal.SIGUSR2) is requeue
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_without_a_queue_its_signal_is_let_be():
    before = signal.getsignal(signal.SIGUSR2)
    assert not callable(before)
    with StopRequest():
        assert signal.getsignal(signal.SIGUSR2) is before

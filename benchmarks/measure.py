"""How the figures are taken: the CPU time of a server and all its processes, answers a second, connections that hang.

Knows nothing of Caseward or of the floor.
"""

import contextlib
import os
import socket
import statistics
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process and everything it started, as process ids."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int(_fields(entry.name)[1])
    found, size = {pid}, 0
    while len(found) != size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def cpu_seconds(pids):
    """User and system time that these processes have used so far."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = _fields(pid)
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def _fields(pid):
    """What follows the name in /proc/<pid>/stat: state, parent, …"""
    return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()


class Series:
    """Requests to one page: their times, and what they cost the server."""

    def __init__(self):
        self.seconds, self.cpu, self.bytes = [], 0.0, 0

    @property
    def cpu_ms(self):
        """CPU time of one answer in milliseconds."""
        return self.cpu / max(1, len(self.seconds)) * 1000

    def percentile(self, percent):
        """In milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000

    @property
    def median(self):
        return statistics.median(self.seconds) * 1000


def take(series, pids, browser, path, count):
    """`count` requests one after another on one connection, added to the series."""
    before = cpu_seconds(pids)
    for _ in range(count):
        start = time.perf_counter()
        answer = browser.get(path)
        series.seconds.append(time.perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
    series.cpu += cpu_seconds(pids) - before
    series.bytes = len(answer.body)


class Rate:
    """What several clients got done in a while."""

    def __init__(self, done, errors, seconds, cpu):
        self.done, self.errors, self.seconds = done, errors, seconds
        self.cpu_ms = cpu / max(1, done) * 1000

    @property
    def per_second(self):
        return self.done / self.seconds


def rate(steps, pids, seconds):
    """Call each of `steps` (one for each client) over and over, all at once, for so many seconds.

    A step that raises counts as an error. Returns the Rate.
    """
    done, errors = [0] * len(steps), []
    until = time.perf_counter() + seconds

    def work(place, step):
        while time.perf_counter() < until:
            try:
                step()
                done[place] += 1
            except Exception as problem:  # whatever goes wrong under load is a finding
                errors.append(repr(problem))

    threads = [threading.Thread(target=work, args=each) for each in enumerate(steps)]
    before, start = cpu_seconds(pids), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Rate(sum(done), errors, time.perf_counter() - start, cpu_seconds(pids) - before)


@contextlib.contextmanager
def hanging(address, count):
    """So many connections held open: half of them silent, half sending a header a letter at a time."""
    held, stop = [], threading.Event()
    for number in range(count):
        made = socket.create_connection(address, timeout=10)
        if number % 2:
            made.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        held.append(made)

    def dribble():
        while not stop.wait(1):
            for made in held[1::2]:
                with contextlib.suppress(OSError):
                    made.sendall(b"x")

    thread = threading.Thread(target=dribble, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        stop.set()
        thread.join()
        for made in held:
            made.close()

"""How the processes that answer requests share the connections."""

import http.client
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import app as application

WEB_PROCESSES = 2
ESTABLISHED = "01"  # as /proc/net/tcp has it


def test_whoever_has_more_connections_looks_later(monkeypatch):
    waited = []
    monkeypatch.setattr(application.time, "sleep", waited.append)
    server = SimpleNamespace(active_channels={}, accept=lambda: ("a connection", "an address"))
    application._leave_room(server)
    for many in (0, 1, 3, 8, 1000):
        server.active_channels = dict.fromkeys(range(many))
        assert server.accept() == ("a connection", "an address")
    assert waited[0] == 0 and waited == sorted(waited) and len(set(waited)) == 4
    assert waited[-1] < 0.01, "nobody waits longer however many there are"


@pytest.mark.alone
def test_connections_that_are_kept_are_spread_over_the_web_processes(live, cast):
    """Eight browsers, one after another; without leaving room all eight are often with the same process."""
    server = live()
    _wait_for_both(server)
    kept = [_browser(server) for _ in range(8)]
    shares = _shares(server)
    for one in kept:
        one.close()
    assert len(shares) == WEB_PROCESSES and sum(shares) == len(kept)
    assert shares[0] >= 2


def _browser(server):
    """A connection that was used once, and is kept."""
    made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    made.request("GET", "/health")
    made.getresponse().read()
    return made


def _wait_for_both(server):
    """The second process is there a little later than the first; then one of a few connections is with it."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        few = [_browser(server) for _ in range(4)]
        shares = _shares(server)
        for one in few:
            one.close()
        while sum(_shares(server)):
            time.sleep(0.02)
        if len(shares) == WEB_PROCESSES and shares[0]:
            return
    raise AssertionError("only one web process takes connections")


def _shares(server):
    """How many connections each of the web processes has, the fewest first."""
    return sorted(_connections(pid, server.port) for pid in _children(server.pid))


def _children(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _connections(pid, port):
    """How many connections to this port the process has open."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    there = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{port:04X}") and line[3] == ESTABLISHED}
    return sum(os.readlink(one) in there for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink())

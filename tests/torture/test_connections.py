"""Two hundred connections that are held open, idle or in the middle of a request, keep nobody else from an answer."""

import contextlib
import socket
import time
import urllib.request

import pytest

HALF = b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\na="
SLOW = b"GET /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


@pytest.fixture
def held():
    """Opens connections to a port and holds them."""
    with contextlib.ExitStack() as stack:

        def hold(port, count):
            lines = []
            for number in range(count):
                line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
                line.sendall([b"", HALF, SLOW, b"G"][number % 4])
                lines.append(line)
            return lines

        yield hold


def test_requests_are_answered_beside_200_idle_and_slow_connections(app, cast, live, held, full, figure):
    server = live(args=("app.py", "web"))
    lines = held(server.port, 200)
    answered, began = 0, time.monotonic()
    for number in range(200 if full else 40):
        if number % 10 == 0:
            for place, line in enumerate(lines):
                if place % 4 in (1, 2):
                    line.sendall(b"a")  # still sending, one byte at a time
        with urllib.request.urlopen(f"{server.url}/account/sign-in", timeout=30) as answer:
            assert answer.status == 200
            answered += 1
    took = time.monotonic() - began
    figure("slow connections", f"200 held open: {answered} of {answered} requests answered, {1000 * took / answered:.0f} ms each")

"""A browser that costs next to nothing: one keep-alive connection, cookies, forms. The clients share the machine with
the server they measure, so this speaks plain sockets and looks at no more of an answer than it must.
"""

import re
import socket
import time
from urllib.parse import urlencode, urlsplit


class Answer:
    """Status, headers (lower case) and body of one response."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def location(self):
        return urlsplit(self.headers.get("location", "")).path

    def hidden(self, name):
        """The value of the first hidden field with this name."""
        for tag in re.findall(r"<input\b[^>]*>", self.text):
            if f'name="{name}"' in tag:
                return re.search(r'value="([^"]*)"', tag)[1]
        raise LookupError(f"no field {name} on the page")


class Browser:
    """One person at one connection."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.cookies = {}
        self._socket = None

    def get(self, path):
        return self._ask("GET", path, b"")

    def post(self, path, fields):
        """Send a form; `fields` is a dict, or a list of pairs."""
        return self._ask("POST", path, urlencode(fields, doseq=True).encode())

    def close(self):
        if self._socket:
            self._socket.close()
        self._socket = None

    def sign_in(self, email, password):
        """Through the real page."""
        page = self.get("/account/sign-in")
        fields = {"csrf_token": page.hidden("csrf_token"), "email": email, "password": password}
        if 'name="once"' in page.text:
            fields["once"] = page.hidden("once")
        answer = self.post("/account/sign-in", fields)
        if answer.status not in (302, 303):
            raise RuntimeError(f"{email} could not sign in: {answer.status}")
        return self

    def another(self):
        """A second connection of the same signed-in person."""
        made = Browser("http://{}:{}".format(*self.address))
        made.cookies = dict(self.cookies)
        return made

    def _ask(self, method, path, body):
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\n"
        if self.cookies:
            head += "Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()) + "\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        for attempt in (1, 2):
            if self._socket is None:
                self._socket = socket.create_connection(self.address, timeout=120)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._socket.sendall(head.encode() + b"\r\n" + body)
                return self._read()
            except (ConnectionError, EOFError):
                self.close()  # an idle connection may be closed by the server; a fresh one may not
                if attempt == 2 or method == "POST":
                    raise
        return None

    def _read(self):
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        lines = data[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
            headers[name.lower()] = value
        length, body = int(headers.get("content-length", 0)), [data[end + 4 :]]
        missing = length - len(body[0])
        while missing > 0:
            body.append(self._more())
            missing -= len(body[-1])
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(lines[0].split()[1]), headers, b"".join(body))

    def _more(self):
        data = self._socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        return data


def timed(call):
    """(answer, seconds) of one request."""
    start = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - start

"""Thousands of broken forms, addresses, headers, uploads and CSV files, at every page: never a 500, never a stack trace,
and the answer of a page stays the answer of a page."""

import io
import logging
import socket
import urllib.parse
import zipfile

import pytest

from tests.access.routes import PERSONAS, expected, route_of, samples
from tests.access.visitor import undone
from tests.torture.support import dice
from tests.web import forms

NASTY = [
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "﻿", "​", "‮gnp.exe", "é" * 300, "💥" * 50, "𐍈", "İ", "ß" * 5,
    "x" * 70_000, "-1", "0", "00", "1", "+1", "1.5", "1e309", "NaN", "Infinity", "2147483648", "9" * 40, "-" + "9" * 25, "²", "٣",
    "①", "0x10", "1_000", "true", "None", "null", "undefined", "[]", "{}", "{{7*7}}", "{% raw %}", "%s%n", "%00", "../../etc/passwd",
    "..\\..\\x", "file:///etc/passwd", "http://169.254.169.254/", "//evil.example", "\\\\evil", "javascript:alert(1)",
    "' OR '1'='1", "'; DROP TABLE incident; --", "\" OR \"\"=\"", "1) OR (1=1", "a AND b NOT", "\"unclosed", "* NEAR(", "a:b:c", "^x", "-",
    "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "2026-13-01", "31/02/2026", "1/1/1", "2026-10-25T01:30",
    "2026-03-29T01:30", "9999-12-31T23:59", "0001-01-01T00:00", "2026-01-01T99:99", "2026-01-01T10:00+25:00", "T", "now",
    "I-ZZZZZZ", "i-zzzzzz", "I-", "a:", "g:", "a:x", "g:\0", ",", ";", "=1+1", "\r\nBcc: x@example.org", "x\r\ny", "\x1b[31m", "\x7f\x85\u2028",
    "<script>alert(1)</script>", "]]>", "<!--", "&#0;", "\\u0000", "\\N", "A" * 256, "a@b", "@", "a@" + "b" * 300,
]  # fmt: skip
GOOD_REFS = ["secret", "incident", "shared", "student", "ann", "report"]


class Generator:
    """Requests that no browser would send, made of what the pages really offer."""

    def __init__(self, app, school, visitors, chance):
        self.app, self.school, self.visitors, self.chance = app, school, visitors, chance
        self.samples = samples(app, school, every=True)
        self.posts = [each for each in self.samples if "POST" in each[1]]
        self.gets = [each for each in self.samples if "GET" in each[1] and each[0] != "static"]
        self.controls = self._controls()
        self.names = sorted({name for names in self.controls.values() for name in names} | {
            "page", "sort", "q", "list", "status", "from", "to", "only", "state", "history", "show", "year", "tutor", "role",
            "student", "student_ref", "next", "preview", "confirmed", "category", "text", "unassigned", "assigned_to"})  # fmt: skip

    def _controls(self):
        """{address: names of the fields that its form has}, read from the pages."""
        found = {}
        for endpoint, _, url in self.gets:
            with undone():
                answer = self.visitors[self.person(endpoint, "GET")].get(url)
            for form in forms(answer.text) if answer.is_html else ():
                found.setdefault(form.action.partition("?")[0] or url, set()).update(form.controls)
        return found

    def person(self, endpoint, method):
        route = route_of(endpoint, method)
        return next((who for who in PERSONAS if expected(route, who) == "in"), "ada")

    def value(self):
        if self.chance.random() < 0.15:
            return getattr(self.school, self.chance.choice(GOOD_REFS)).ref
        if self.chance.random() < 0.1:
            return "".join(chr(self.chance.randrange(1, 0x3000)) for _ in range(self.chance.randrange(40)))
        return self.chance.choice(NASTY)

    def make(self):
        """(what it is, person, method, address, arguments of the client)."""
        kind = self.chance.choice([self.form, self.form, self.multipart, self.query, self.path, self.headers, self.upload,
                                   self.csv, self.body])  # fmt: skip
        return kind.__name__, *kind()

    def fields(self, url):
        known = sorted(self.controls.get(url, ())) or self.names
        names = [name for name in known if self.chance.random() < 0.8] + self.chance.sample(self.names, 2)
        pairs = [(name, self.value()) for name in names if name not in ("csrf_token", "once")]
        return pairs * self.chance.choice([1, 1, 1, 2])

    def target(self):
        endpoint, _, url = self.chance.choice(self.posts)
        return self.person(endpoint, "POST"), url

    def form(self):
        person, url = self.target()
        pairs = [("csrf_token", self.visitors[person].token), *self.fields(url), ("once", self.value())]
        text = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
        return person, "POST", url, {"data": text, "content_type": "application/x-www-form-urlencoded"}

    def multipart(self):
        person, url = self.target()
        boundary = self.chance.choice(["b", "x" * 70, "a b", "ü"])
        parts = [f'name="csrf_token"\r\n\r\n{self.visitors[person].token}'] * (self.chance.random() < 0.9)
        for name, value in self.fields(url):
            file = self.chance.choice(["", "", '; filename="a.pdf"', '; filename=""', "; filename*=UTF-8''%ff", '; filename="../x"'])
            parts.append(f'name="{name}"{file}\r\n\r\n{value}')
        body = "".join(f"--{boundary}\r\nContent-Disposition: form-data; {part}\r\n" for part in parts) + f"--{boundary}--\r\n"
        body = body.encode("utf-8", "surrogatepass")
        if self.chance.random() < 0.4:
            body = body[: self.chance.randrange(len(body))]
        if self.chance.random() < 0.2:
            at = self.chance.randrange(len(body) or 1)
            body = body[:at] + self.chance.randbytes(20) + body[at:]
        return person, "POST", url, {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}

    def body(self):
        """Something that is no form at all, with the token in a header so that it is read."""
        person, url = self.target()
        content, kind = self.chance.choice([
            (b'{"text": 1', "application/json"), (b"[]", "application/json"), (b"\xff\xfe\x00", "text/plain; charset=utf-16"),
            (b"a=b", "application/x-www-form-urlencoded; charset=nonsense"), (b"%zz=%", "application/x-www-form-urlencoded"),
            (b"\xc3\x28=\xa0", "application/x-www-form-urlencoded"), (b"", "multipart/form-data"),
            (b"&" * 5000, "application/x-www-form-urlencoded"), (b"--b\r\n", "multipart/form-data; boundary=b"),
            (b"<x/>", "application/xml"), (b"\0" * 999, ";;;"), (b"x", "multipart/form-data; boundary=\"\""),
        ])  # fmt: skip
        return person, "POST", url, {"data": content, "content_type": kind, "headers": {"X-CSRFToken": self.visitors[person].token}}

    def query(self):
        endpoint, _, url = self.chance.choice(self.gets)
        names = self.chance.sample(self.names, self.chance.randrange(1, 6))
        text = "&".join(f"{quote(name)}={quote(self.value())}" for name in names)
        text += self.chance.choice(["", "&", "&&=", "&page=-1", "&page=99999999999999999999", "&%", "&from=%ff", "&q=%00", ";a=b"])
        return self.person(endpoint, "GET"), "GET", f"{url}?{text}", {}

    def path(self):
        endpoint, methods, url = self.chance.choice(self.samples)
        parts = url.split("/")
        at = self.chance.randrange(1, len(parts))
        value = self.value() if self.chance.random() < 0.7 else self.chance.choice(["%00", "%ff%fe", "%2e%2e", "%2f", "I-%00AAAA", "😀" * 20])
        parts[at] = value if value.startswith("%") else quote(value)
        method = self.chance.choice(sorted(methods))
        return self.person(endpoint, method), method, "/".join(parts), self.token(method, endpoint)

    def token(self, method, endpoint):
        person = self.person(endpoint, method)
        return {"data": {"csrf_token": self.visitors[person].token}} if method == "POST" else {}

    def headers(self):
        endpoint, methods, url = self.chance.choice(self.samples)
        method = self.chance.choice(sorted(methods))
        name, value = self.chance.choice([
            ("Cookie", "caseward=garbage"), ("Cookie", "caseward=" + "A" * 3900), ("Cookie", "=;;;\xff"), ("Cookie", "caseward=.eJw"),
            ("Host", "evil.example"), ("Host", ""), ("Host", "127.0.0.1:99999999"), ("Host", "[::1"), ("Host", "a b"),
            ("Range", "bytes=0-"), ("Range", "bytes=9-1,5"), ("If-None-Match", '"x", W/'), ("If-Modified-Since", "yesterday"),
            ("Accept-Language", "x" * 4000), ("User-Agent", "\xff" * 900), ("Referer", "http://[bad"), ("Content-Type", "\xff/\xff"),
            ("X-Forwarded-For", "1.2.3.4, \xff"), ("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Host", "evil.example"),
            ("Origin", "null"), ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"), ("Accept", "*/*;q=x"),
            ("Authorization", "Basic ====="), ("X-CSRFToken", "\xff"), ("Expect", "100-continue"), ("Content-Length", "abc"),
        ])  # fmt: skip
        return self.person(endpoint, method), method, url, self.token(method, endpoint) | {"headers": {name: value}}

    def upload(self):
        heads = {"a.pdf": b"%PDF-1.7\n", "a.png": b"\x89PNG\r\n\x1a\n", "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a.gif": b"GIF89a",
                 "a.webp": b"RIFF\x10\0\0\0WEBPVP8 ", "a.docx": b"PK\x03\x04", "a.xlsx": self.zipped("xl/workbook.xml"),
                 "a.odt": self.zipped("mimetype"), "a.txt": b"", "a.html": b"<html>", "a.svg": b"<svg>", "a.heic": b"\0\0\0\x18ftypheic",
                 "con": b"", ".png": b"\x89PNG", "a.png.exe": b"MZ", "a" * 300 + ".pdf": b"%PDF", "\u202egnp.pdf": b"%PDF", "a\r\nb.txt": b"x"}  # fmt: skip
        name = self.chance.choice(sorted(heads))
        content = heads[self.chance.choice([name, self.chance.choice(sorted(heads))])] + self.chance.randbytes(self.chance.randrange(300))
        person = "ada"
        url = self.chance.choice([f"/incidents/{self.school.secret.ref}/files", "/incidents/new", "/students/import", "/forms/import",
                                  f"/students/{self.school.student.ref}/files/new", f"/forms/{self.school.form.ref}/responses/new",
                                  f"/interventions/{self.school.intervention.ref}/students"])  # fmt: skip
        field = "answer_f2" if "/responses/" in url else "file" if "import" in url or "/interventions/" in url else "files"
        data = {"csrf_token": self.visitors[person].token, "once": "x", field: [(io.BytesIO(content), name)] * self.chance.choice([1, 1, 2, 12])}
        return person, "POST", url, {"data": data, "content_type": "multipart/form-data"}

    def zipped(self, name):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, "application/vnd.oasis.opendocument.text")
        return packed.getvalue()

    def csv(self):
        rows = [["First name", "Last name", "Email", "Date of birth", "Admission number"]]
        rows += [[self.value() for _ in range(self.chance.choice([5, 5, 5, 4, 9]))] for _ in range(self.chance.randrange(6))]
        mark = self.chance.choice([",", ";", "\t", "|"])
        text = self.chance.choice(["\n", "\r\n", "\r"]).join(
            mark.join(cell if self.chance.random() < 0.5 else '"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
        encoding = self.chance.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-32"])
        content = text.encode(encoding, "replace")
        if self.chance.random() < 0.3:
            content = content[: self.chance.randrange(len(content) + 1)] + self.chance.choice([b'"', b"\0", b"\xff", b'"a"b'])
        data = {"csrf_token": self.visitors["ada"].token, "once": "y", "file": (io.BytesIO(content), "class.csv")}
        return "ada", "POST", "/students/import", {"data": data, "content_type": "multipart/form-data"}


def quote(text):
    return urllib.parse.quote(text, errors="surrogatepass")


@pytest.fixture
def complaints():
    """What the application logged as unexpected."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Keep(logging.ERROR)
    logging.getLogger("caseward").addHandler(handler)
    yield lines
    logging.getLogger("caseward").removeHandler(handler)


def test_nothing_broken_makes_a_500(app, school, visitors, complaints, full, figure):
    chance = dice(full, "malformed input")
    generator = Generator(app, school, visitors, chance)
    count, wrong, statuses = (5000 if full else 400), [], {}
    complaints.clear()
    for _ in range(count):
        kind, person, method, url, given = generator.make()
        try:
            with undone():
                answer = visitors[person].send(method, url, **given)
        except Exception as problem:
            wrong.append(f"{kind}: {person} {method} {url[:200]} raised {type(problem).__name__}: {problem}")
            continue
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        if answer.status >= 500 or b"Traceback" in answer.body or complaints:
            why = complaints[0].strip().splitlines()[-1] if complaints else ""
            wrong.append(f"{kind}: {person} {method} {url[:200]} {str(given)[:300]} → {answer.reason} {why}")
        complaints.clear()
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:20])
    assert len(statuses) > 5, f"the requests were all alike: {statuses}"
    figure("malformed input", f"{count} forms, addresses, headers, uploads and CSV files: 0 answers of 500 ({statuses})")


RAW = [
    b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"\0\0\0\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"GET //evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 400_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"".join(b"X%d: a\r\n" % number for number in range(20_000)) + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX : y\r\n\r\n", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n X: folded\r\n\r\n",
    b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST /account/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 200-maybe\r\nContent-Length: 0\r\n\r\n",
    b"BREW /coffee HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]  # fmt: skip


def test_no_broken_http_stops_the_server(site, app):
    """Straight to the socket: what is no HTTP at all gets a 4xx or a closed line, and the server goes on."""
    wrong = []
    for raw in RAW:
        status = first_line(app.settings.port, raw)
        # 501 is HTTP's own word for a transfer coding that is not known; 431 and 414 are for what is too long
        if status.startswith("5") and status != "501":
            wrong.append(f"{raw[:80]!r} → {status}")
    assert not wrong, "\n".join(wrong)
    assert first_line(app.settings.port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n") == "200"


def first_line(port, raw):
    """The status code of the answer, or why there was none."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        try:
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(200)
        except OSError as problem:
            return f"closed ({type(problem).__name__})"
    parts = answer.split(b" ", 2)
    return parts[1].decode() if len(parts) > 1 else "closed"

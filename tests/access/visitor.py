"""A browser of one person, as the tests of access need it: every request starts from the same cookie, carries a CSRF
token that is valid, and can be taken back. Also what is looked at in an answer: all of it.

Must not know any page.
"""

import io
import json
import re
import secrets
import zipfile
import zlib
from contextlib import contextmanager
from html import unescape
from urllib.parse import unquote, urlsplit

from itsdangerous import URLSafeTimedSerializer, base64_decode

from extensions import db


@contextmanager
def undone():
    """Whatever happens to the database inside is taken back."""
    with db.atomic() as transaction:
        try:
            yield
        finally:
            transaction.rollback()


class Answer:
    """One answer: `status`, `location`, `headers`, `body` (bytes), and `words`: all that could tell something. `asked` is
    what whoever asked has said: the address, and whatever a test adds to it."""

    def __init__(self, method, url, response):
        self.method, self.url, self.asked = method, url, url
        self.status = response.status_code
        self.reason = response.status
        self.headers = list(response.headers)
        self.body = response.get_data()
        self.type = response.mimetype
        response.close()

    def __repr__(self):
        return f"{self.method} {self.url}: {self.reason}"

    @property
    def location(self):
        return dict(self.headers).get("Location", "")

    @property
    def is_html(self):
        return self.type == "text/html"

    @property
    def text(self):
        return self.body.decode("utf-8", errors="replace")

    @property
    def words(self):
        """Status line, headers, cookies decoded, body, and what is inside a packed body: one lower-case text."""
        parts = [self.reason, *(f"{name}: {unquote(value)}" for name, value in self.headers)]
        parts += [cookie_content(value) for name, value in self.headers if name == "Set-Cookie"]
        parts += [unescape(self.text) if "html" in self.type else self.text, *unpacked(self.body)]
        return "\n".join(parts).casefold()

    @property
    def links(self):
        """Addresses on this site that the page leads to with GET."""
        if not self.is_html:
            return set()
        found = {unescape(each) for each in re.findall(r'(?:href|src|data-url|data-refresh-url)="([^"]*)"', self.text)}
        if self.location:
            found.add(self.location)
        here = {each.partition("#")[0] for each in found if each.startswith(("/", "?"))}
        path = urlsplit(self.url).path
        return {path + each if each.startswith("?") else each for each in here if not each.startswith("/static/")}


def cookie_content(header):
    """What a session cookie carries, readable (flashed messages above all); empty for another cookie."""
    value = header.split(";")[0].partition("=")[2]
    packed = value.startswith(".")
    try:
        data = base64_decode(value.lstrip(".").split(".")[0])
        return (zlib.decompress(data) if packed else data).decode()
    except (ValueError, zlib.error, UnicodeDecodeError):
        return value


def unpacked(body, without=()):
    """The members of a zip (an XLSX file), as texts."""
    if not body.startswith(b"PK"):
        return []
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        names = [name for name in packed.namelist() if name not in without]
        return [unescape(packed.read(name).decode("utf-8", errors="replace")) for name in names]


class Visitor:
    """Somebody's browser. `cookie`: that of a signed-in session (see cookie_for), None: nobody is signed in."""

    def __init__(self, app, name, cookie=None):
        self.app, self.name = app, name
        self._serializer = app.session_interface.get_signing_serializer(app)
        self._client = app.test_client(use_cookies=False)
        self._session = self._serializer.loads(cookie) if cookie else {}
        self.raw = self._session["csrf_token"] = secrets.token_hex(20)
        self.token = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(self.raw)
        self.cookie = self._serializer.dumps(self._session)

    def __repr__(self):
        return self.name

    def get(self, url, **given):
        return self.send("GET", url, **given)

    def post(self, url, data=None, token=True, once=True, **given):
        """Posts `data` with what each form carries for safety; `token` and `once` may be other values, or False."""
        body = {}
        if token:
            body["csrf_token"] = self.token if token is True else token
        if once:
            body["once"] = secrets.token_urlsafe(12) if once is True else once
        return self.send("POST", url, data=body | (data or {}), **given)

    def send(self, method, url, headers=None, **given):
        headers = {"Cookie": f"{self.app.config['SESSION_COOKIE_NAME']}={self.cookie}"} | (headers or {})
        return Answer(method, url, self._client.open(url, method=method, headers=headers, **given))

    def with_session(self, **changes):
        """The same browser with other content in its session cookie (a value of None takes it out)."""
        session = {name: value for name, value in (self._session | changes).items() if value is not None}
        twin = Visitor(self.app, self.name)
        twin._session, twin.token = session, self.token
        twin.cookie = self._serializer.dumps(session)
        return twin


MASKED = (
    (re.compile(rb'(name="csrf_token"[^>]*value=")[^"]*'), rb"\1"),
    (re.compile(rb'(value=")[^"]*("[^>]*name="csrf_token")'), rb"\1\2"),
    (re.compile(rb'(name="once"[^>]*value=")[^"]*'), rb"\1"),
    (re.compile(rb'(value=")[^"]*("[^>]*name="once")'), rb"\1\2"),
    (re.compile(rb'(nonce=")[^"]*'), rb"\1"),
)


def masked(answer):
    """The bytes of an answer without the CSRF token, the one-time key, the nonce and Set-Cookie (ruling 10)."""
    body = answer.body
    for pattern, without in MASKED:
        body = pattern.sub(without, body)
    if body.startswith(b"PK"):
        # the library that writes XLSX files stamps them with the second in which it did, whatever our clock says
        body = json.dumps(unpacked(body, without=["docProps/core.xml"])).encode()
    # Date: by which second an answer left is no word about what is in it
    unlike = ("Set-Cookie", "Content-Length", "Date")
    headers = [f"{name}: {value}" for name, value in answer.headers if name not in unlike]
    return "\n".join([answer.reason, *headers]).encode() + b"\n\n" + body

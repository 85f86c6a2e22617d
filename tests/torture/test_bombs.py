"""Small requests that would unpack to something huge: refused soon, and in little memory."""

import io
import os
import re
import struct
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from tests import factories
from tests.torture.test_double_submit import Browser, packed
from tests.web import filled_in

MEGABYTE = 1024 * 1024
ROOM = 256 * MEGABYTE
# The figure to reach is 2 s; a test fails only on what can't be put down to a busy machine.
FAR_TOO_LONG = 10


def png(width, height, rows=300):
    """A picture of so many pixels in a few kilobytes; only the first rows are there."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    squeezed = zlib.compressobj(9)
    row = b"\0" * (3 * width + 1)
    data = b"".join(squeezed.compress(row) for _ in range(min(height, rows))) + squeezed.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def packed_zeros(name, size):
    """An office document with so many bytes of nothing in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(size // MEGABYTE):
                member.write(b"\0" * MEGABYTE)
    return target.getvalue()


def nested_gif():
    """A picture that says it is 65,535 pixels each way."""
    return b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\0\0" + b"\0\0\0\xff\xff\xff" + b"," + struct.pack(
        "<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x44\x01\x00;"  # fmt: skip


def columns(count):
    return b",".join([b"a"] * count) + b"\n" + b",".join([b"b"] * count) + b"\n"


# name: (page, field, file name, content, statuses that refuse it)
FILES = {
    "10^6 columns": ("/students/import", "file", "class.csv", lambda: columns(1_000_000), {422}),
    "10^6 columns in a row": ("/students/import", "file", "class.csv", lambda: b"First name,Last name\n" + columns(1_000_000), {422}),
    "a quote that never ends": ("/students/import", "file", "class.csv", lambda: b'First name,Last name\n"' + b"a,\n" * 6_000_000, {422}),
    "10^7 empty lines": ("/students/import", "file", "class.csv", lambda: b"First name,Last name" + b"\n" * 10_000_000, {422, 303}),
    "3.6 gigapixels": ("{incident}/files", "files", "a.png", lambda: png(60_000, 60_000), {422}),
    "a wide picture": ("{incident}/files", "files", "a.png", lambda: png(2_000_000_000, 1, 0), {422}),
    "a huge GIF": ("{incident}/files", "files", "a.gif", nested_gif, {422}),
    # kept as it is and never unpacked: what counts is that it costs nothing
    "a zip of 100 MB": ("{incident}/files", "files", "a.docx", lambda: packed_zeros("word/document.xml", 100 * MEGABYTE), {422, 303}),
    "a file of 60 MB": ("{incident}/files", "files", "a.pdf", lambda: b"%PDF-1.7\n" + b"\0" * 60 * MEGABYTE, {422, 413}),
}  # fmt: skip


@pytest.fixture
def server(app, cast, live):
    """One web process, so that its memory is all there is."""
    return live(args=("app.py", "web"), CASEWARD_WEB_PROCESSES="1")


def peak(server):
    """The most memory the process ever had since forget(), in bytes."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def now_used(server):
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())[1]) * 1024


def forget(server):
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")


@pytest.fixture
def measured(server, figure):
    """measured(name, work) does it, and fails when it took too much memory; returns (what it returned, seconds)."""
    if not os.path.exists(f"/proc/{server.pid}/clear_refs"):
        pytest.fail("the memory of a process can only be read on Linux")

    def measure(name, work):
        forget(server)
        before, began = now_used(server), time.monotonic()
        done = work()
        took = time.monotonic() - began
        more = max(0, peak(server) - before)
        assert more < ROOM, f"{name} took {more // MEGABYTE} MB"
        assert took < FAR_TOO_LONG, f"{name} took {took:.1f} s"
        figure(f"bomb, {name}", f"refused in {took:.1f} s and {more // MEGABYTE} MB more memory")
        return done, took

    return measure


@pytest.fixture
def ada(app, server, cookie_for):
    return Browser(server.url, app.config["SESSION_COOKIE_NAME"], cookie_for("ada"))


def test_files_that_unpack_to_too_much_are_refused(app, cast, ada, measured):
    incident = f"/incidents/{factories.incident(cast.sam, [cast.student]).ref}"
    wrong = []
    for name, (page, field, filename, content, refused) in FILES.items():
        page = page.format(incident=incident)
        status, _, html = ada.open(page)
        assert status == 200
        body, kind = packed(filled_in(html, page, {field: (filename, content())}))
        (status, _, _), _ = measured(name, lambda body=body, kind=kind, page=page: ada.open(page, body, kind))
        if status not in refused:
            wrong.append(f"{name}: answered {status}")
    assert not wrong, "\n".join(wrong)
    assert ada.open("/health")[0] == 200


def form_of(count):
    return b"&".join(b"a%d=1" % number for number in range(count))


def parts_of(count, boundary=b"b"):
    part = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    return part * count + b"--" + boundary + b"--\r\n"


def files_of(count, boundary=b"b"):
    part = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nx\r\n'
    return part * count + b"--" + boundary + b"--\r\n"


MULTIPART = "multipart/form-data; boundary=b"
FORM = "application/x-www-form-urlencoded"
BODIES = {
    "100,000 parts": (lambda: parts_of(100_000), MULTIPART, {413, 400}),
    "100,000 files": (lambda: files_of(100_000), MULTIPART, {413, 400}),
    "100,000 fields": (lambda: form_of(100_000), FORM, {413, 400}),
    "one field of 100 MB": (lambda: b"text=" + b"a" * 100 * MEGABYTE, FORM, {413, 400}),
    "one part of 100 MB": (lambda: b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"a" * 100 * MEGABYTE + b"\r\n--b--\r\n",
                           MULTIPART, {413, 400}),
    "a header of a part that never ends": (lambda: b'--b\r\nContent-Disposition: form-data; name="' + b"a" * 50 * MEGABYTE, MULTIPART, {413, 400}),
    "percent signs": (lambda: b"text=" + b"%41" * 10 * MEGABYTE, FORM, {413, 400}),
}  # fmt: skip


@pytest.mark.parametrize("page", ["/account/sign-in", "/incidents/new"])
def test_forms_with_too_much_in_them_are_refused(ada, measured, page):
    """On a page anybody can send to, and on one that takes long texts and files."""
    wrong = []
    for name, (content, kind, refused) in BODIES.items():
        body = content()
        (status, _, _), _ = measured(name, lambda body=body, kind=kind: ada.open(page, body, kind))
        if status not in refused:
            wrong.append(f"{name} to {page}: answered {status}")
    assert not wrong, "\n".join(wrong)
    assert ada.open("/health")[0] == 200

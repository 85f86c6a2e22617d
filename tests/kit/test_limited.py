"""Requests that are too large: what must still reach the form, and what must cost nothing."""

import io
import resource
import time
from urllib.parse import urlencode

import pytest
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import create_environ

from blueprints.kit.limited import MAX_BODY, MAX_FILE, CappedFile, LimitedRequest

BOUNDARY = b"----boundary7f3a"
MULTIPART = "multipart/form-data; boundary=" + BOUNDARY.decode()
MEGABYTE = 1024**2


def field(name, value, filename=None):
    named = f'; filename="{filename}"'.encode() if filename is not None else b""
    return (
        b"--"
        + BOUNDARY
        + b'\r\nContent-Disposition: form-data; name="'
        + name.encode()
        + b'"'
        + named
        + b"\r\n\r\n"
        + value
        + b"\r\n"
    )


class Lazy(io.RawIOBase):
    """A body that is made while it is read."""

    def __init__(self, chunks):
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self):
        return True

    def readinto(self, room):
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        taken = len(self._rest[: len(room)])
        room[:taken], self._rest = self._rest[:taken], self._rest[taken:]
        return taken


def posted(chunks, content_type=MULTIPART):
    app = Flask("test")
    app.request_class = LimitedRequest
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    environ = create_environ("/", method="POST")
    environ |= {"CONTENT_TYPE": content_type, "wsgi.input": Lazy(chunks), "wsgi.input_terminated": True}
    return app.request_context(environ)


END = b"--" + BOUNDARY + b"--\r\n"


def test_a_form_is_read_as_ever():
    with posted(
        [
            field("a", "é".encode()),
            field("a", b"2"),
            field("empty", b"", ""),
            field("file", b"x\r\ny\r\n", "a.txt"),
            END,
        ]
    ):
        assert request.form.getlist("a") == ["é", "2"]
        assert request.files["file"].read() == b"x\r\ny\r\n"
        assert (request.files["file"].filename, request.files["file"].stream.too_large) == ("a.txt", False)
        assert request.files["empty"].filename == ""
        request.close()


@pytest.mark.parametrize(
    "filler",
    [b"x" * 65_536, b"\r\n" * 32_768, b"\n" * 65_536, b"\r" * 65_536, (b"\r\n--" + BOUNDARY + b"x") * 3000],
    ids=range(5),
)
def test_a_200_mb_file_is_counted_and_not_kept(filler):
    times = 200 * MEGABYTE // len(filler) + 1
    chunks = (
        part
        for parts in (
            [field("before", b"typed")],
            [field("file", b"", "holiday.mov")[:-2]],
            (filler for _ in range(times)),
            [b"\r\n"],
            [field("after", b"typed too"), END],
        )
        for part in parts
    )
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with posted(chunks):
        assert request.form["before"] == "typed" and request.form["after"] == "typed too"
        stream = request.files["file"].stream
        assert stream.too_large and stream.full_size == times * len(filler)
        assert stream.read() == b""
        request.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # kB
    assert time.process_time() - started < 10


def test_a_file_of_exactly_the_limit_is_kept():
    for extra in (0, 1):
        with CappedFile(MAX_FILE) as file:
            for _ in range(25):
                file.write(b"x" * MEGABYTE)
            file.write(b"x" * extra)
            assert (file.too_large, file.full_size) == (bool(extra), MAX_FILE + extra)
            assert file.seek(0, 2) == (0 if extra else MAX_FILE)


def test_surplus_files_are_not_kept():
    with posted([*(field("file", b"hello", f"{n}.txt") for n in range(12)), END]):
        assert [file.stream.too_large for file in request.files.getlist("file")] == [False] * 10 + [True] * 2
        request.close()


def test_a_megabyte_of_text_reaches_the_form():
    text = "é" * MEGABYTE
    with posted([field("text", text.encode()), END]):
        assert request.form["text"] == text
    body = urlencode({"text": text}).encode()
    with posted([body], "application/x-www-form-urlencoded"):
        assert request.form["text"] == text


@pytest.mark.parametrize(
    "chunks",
    [
        [field("text", b"x" * (2 * MEGABYTE + 1)), END],
        [field(f"text{n}", b"x" * MEGABYTE) for n in range(3)] + [END],
        [field(f"f{n}", b"") for n in range(1001)] + [END],
        [field("f", b"") * 100_000, END],
        [b"x" * 3 * MEGABYTE],
        [b"--" + BOUNDARY + b"\r\nX: " + b"y" * 3 * MEGABYTE],
    ],
    ids=range(6),
)
def test_far_too_much_is_refused(chunks):
    started = time.process_time()
    with posted(chunks), pytest.raises(RequestEntityTooLarge):
        request.form  # noqa: B018
    assert time.process_time() - started < 2


@pytest.mark.parametrize("body", [b"a=" + b"x" * 9 * MEGABYTE, b"&".join([b"a=1"] * 100_000)])
def test_far_too_much_urlencoded_is_refused(body):
    with posted([body], "application/x-www-form-urlencoded"), pytest.raises(RequestEntityTooLarge):
        request.form  # noqa: B018


@pytest.mark.parametrize(
    "chunks",
    [
        [b""],
        [END[:-4]],
        [field("a", b"1")],
        [field("file", b"1", "x.txt")],
        [b"--" + BOUNDARY + b"\r\n\r\n"],
        [b"\xff" * 100],
    ],
)
def test_a_broken_form_is_an_empty_one(chunks):
    with posted(chunks):
        assert not request.form and not request.files


def test_a_part_without_a_name_is_left_out():
    with posted([b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n", field("a", b"1"), END]):
        assert dict(request.form) == {"a": "1"}

"""Requests whose forms can fill neither memory nor disk. Never answers for the form: a file or a text that is too large
still gets there, so that the form can say its sentence. Only what is far out of bounds is refused here.
"""

import io
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

MEGABYTE = 1024 * 1024
MAX_FILE = 25 * MEGABYTE
MAX_FILES = 10
MAX_BODY = 512 * MEGABYTE  # what a request may be in all, so that a far too large file still gets its sentence
MAX_TEXT = 2 * MEGABYTE  # all text fields of a form together
MAX_PARTS = 1000

_CHUNK = 64 * 1024


class CappedFile(SpooledTemporaryFile):
    """A temporary file that keeps nothing once more than `limit` bytes came, and only counts them from then on."""

    def __init__(self, limit: int):
        super().__init__(max_size=256 * 1024)
        self._limit = limit
        self.full_size = 0

    @property
    def too_large(self) -> bool:
        return self.full_size > self._limit

    def write(self, data: bytes) -> int:
        already = self.too_large
        self.full_size += len(data)
        if not self.too_large:
            return super().write(data)
        if not already:
            self.seek(0)
            self.truncate(0)
        return len(data)


class _LimitedParser(FormDataParser):
    """Werkzeug's parser with one limit for all text; its own holds for each field alone, and for no urlencoded form."""

    def _parse_multipart(self, stream: IO[bytes], mimetype: str, content_length: int | None,
                         options: dict[str, str]) -> Any:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("missing boundary")
        decoder = MultipartDecoder(boundary, self.max_form_memory_size, max_parts=self.max_form_parts)
        parts = _Parts(self)
        try:
            chunk = None
            while chunk != b"":
                chunk = stream.read(_CHUNK)
                decoder.receive_data(chunk or None)
                while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
                    parts.take(event)
        except BaseException:
            parts.close()
            raise
        return stream, self.cls(parts.fields), self.cls(parts.files)

    def _parse_urlencoded(self, stream: IO[bytes], mimetype: str, content_length: int | None,
                          options: dict[str, str]) -> Any:
        most = 4 * MAX_TEXT  # percent signs make text up to three times as long
        body = bytearray()
        while chunk := stream.read(_CHUNK):
            body += chunk
            if len(body) > most:
                raise RequestEntityTooLarge()
        if body.count(b"&") >= MAX_PARTS:
            raise RequestEntityTooLarge()
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")
        return stream, self.cls(pairs), self.cls()


class _Parts:
    """Collects the fields and files of a multipart form while it is read."""

    def __init__(self, parser: _LimitedParser):
        self._parser = parser
        self._text_left = parser.max_form_memory_size
        self.fields: list[tuple[str, str]] = []
        self.files: list[tuple[str, FileStorage]] = []
        self._sink: IO[bytes] = io.BytesIO()

    def close(self) -> None:
        """Let go of the temporary files of a form that can't be used."""
        for sink in [self._sink, *(file for _, file in self.files)]:
            sink.close()

    def take(self, event: Any) -> None:
        if isinstance(event, Field | File):
            self._part = event
            self._sink = io.BytesIO() if isinstance(event, Field) else self._parser.stream_factory(
                None, event.headers.get("content-type"), event.filename)
        elif isinstance(event, Data):
            if isinstance(self._part, Field):
                self._text_left -= len(event.data)
                if self._text_left < 0:
                    raise RequestEntityTooLarge()
            self._sink.write(event.data)
            if not event.more_data:
                self._finish()

    def _finish(self) -> None:
        part, sink = self._part, self._sink
        if part.name is None:
            sink.close()
            return
        sink.seek(0)
        if isinstance(part, Field):
            self.fields.append((part.name, sink.read().decode("utf-8", "replace")))
        else:
            self.files.append((part.name, FileStorage(sink, part.filename, part.name, headers=part.headers)))


class LimitedRequest(Request):
    """A request with limits: for all its text together, for each file, and surplus files are counted but not kept."""

    form_data_parser_class = _LimitedParser
    max_form_memory_size = MAX_TEXT
    max_form_parts = MAX_PARTS
    _named_files = 0

    def _get_file_stream(self, total_content_length: int | None, content_type: str | None, filename: str | None = None,
                         content_length: int | None = None) -> CappedFile:
        self._named_files += bool(filename)
        return CappedFile(MAX_FILE if self._named_files <= MAX_FILES else 0)

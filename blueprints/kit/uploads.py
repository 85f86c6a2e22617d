"""Taking files in and giving them out again. Never decides who may send or read a file, and knows nothing of records.

Pictures are drawn anew, which drops where and when they were taken; an animated GIF or WebP keeps its first picture.
Everything else is kept byte for byte. Files are written before the caller's
transaction begins: `discard` them if it rolls back.
"""

import hashlib
import io
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from flask import Response, send_file
from PIL import Image, ImageOps
from werkzeug.datastructures import FileStorage

from blueprints.kit.filekinds import ACCEPT, ALLOWED, ENDINGS, KINDS, ending_of, reason, sniff
from blueprints.kit.limited import MAX_BODY, MAX_FILE, MAX_FILES, LimitedRequest
from blueprints.kit.text import human_size, safe_name

__all__ = ["ACCEPT", "ALLOWED", "KINDS", "MAX_BODY", "MAX_FILE", "MAX_FILES", "MAX_PIXELS", "LimitedRequest", "Stored",
           "PICTURES", "UploadProblem", "check", "chosen", "copy", "discard", "download_response", "open_stored",
           "portrait_response", "safe_name", "sniff", "store", "store_all", "store_portrait"]

MAX_PIXELS = 50_000_000
PORTRAIT = 320  # pixels a side

_REDRAWN = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}

PICTURES = ",".join(_REDRAWN)  # for <input accept>
_SAVING = {"image/jpeg": {"quality": 90}, "image/webp": {"quality": 90}}
# Faces are mostly above the middle of a picture that is higher than wide.
_FACE = (0.5, 0.35)

_HEAD = 4096
_CHUNK = 64 * 1024
_STORED = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{30}")
_decoding = threading.Lock()  # one picture at a time: a large one takes some 300 MB while it is drawn anew


class UploadProblem(Exception):
    """A file can't be taken; its text is the sentence for the person who sent it."""

    @property
    def sentence(self) -> str:
        return str(self)


class Stored(NamedTuple):
    """A file that was taken: `path_name` finds it again, `size` and `sha256` are those of what was written."""

    path_name: str
    size: int
    media_type: str
    sha256: str
    original_name: str


# --- Saying no -------------------------------------------------------------------------------------------------------


def chosen(files: Iterable[FileStorage], max_files: int = MAX_FILES) -> list[FileStorage]:
    """The files somebody really chose; raises UploadProblem when they are too many or one is too large."""
    found = [file for file in files if file and file.filename]
    if len(found) > max_files:
        raise UploadProblem(f"You chose {len(found)} files. At most {max_files} can be sent at once.")
    for file in found:
        _refuse_size(file.stream, safe_name(file.filename))
    return found


def check(file: FileStorage) -> str:
    """The media type of an uploaded file; raises UploadProblem when it can't be taken. Stores nothing."""
    return _checked(file.stream, safe_name(file.filename))


def _checked(stream: BinaryIO, name: str) -> str:
    _refuse_size(stream, name)
    stream.seek(0)
    head = stream.read(_HEAD)
    if not head:
        raise UploadProblem(f"{name} is empty.")
    media_type = sniff(head, name, stream)
    if media_type is None:
        raise UploadProblem(f"{name} {reason(head, name)} Send {KINDS}.")
    if media_type in _REDRAWN:
        _open_picture(stream, media_type, name)
    stream.seek(0)
    return media_type


def _refuse_size(stream: Any, name: str) -> None:
    size = getattr(stream, "full_size", None)
    if size is None:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
    if size > MAX_FILE:
        raise UploadProblem(f"{name} is {human_size(size)}. A file can be at most {human_size(MAX_FILE)}.")


# --- Pictures --------------------------------------------------------------------------------------------------------


def _open_picture(stream: BinaryIO, media_type: str, name: str) -> Image.Image:
    """The picture with its header read and nothing decoded; raises UploadProblem when it is too large or damaged."""
    stream.seek(0)
    if media_type == "image/webp":
        _refuse_pixels(_webp_size(stream.read(30)), name)  # Pillow would make room for all of it at once
        stream.seek(0)
    try:
        picture = Image.open(stream, formats=[_REDRAWN[media_type]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UploadProblem(_too_many_pixels(name)) from None
    except Exception:  # a hostile picture can make Pillow raise nearly anything
        raise UploadProblem(_damaged(name)) from None
    _refuse_pixels(picture.size, name)
    return picture


def _redrawn(stream: BinaryIO, media_type: str, name: str) -> BinaryIO:
    """The picture drawn anew: upright, its first frame, its colours, and nothing else that was in the file."""

    def save(picture, made):
        picture.info = {key: picture.info[key] for key in ("icc_profile", "transparency") if key in picture.info}
        picture.save(made, _REDRAWN[media_type], **_SAVING.get(media_type, {}))

    return _drawn(stream, media_type, name, save)


def _portrait(stream: BinaryIO, media_type: str, name: str) -> BinaryIO:
    """The picture as a small square JPEG on white, with nothing else that was in the file."""

    def save(picture, made):
        small = ImageOps.fit(picture.convert("RGBA"), (PORTRAIT, PORTRAIT), centering=_FACE)
        paper = Image.new("RGB", small.size, "white")
        paper.paste(small, mask=small)
        paper.save(made, "JPEG", quality=85)

    return _drawn(stream, media_type, name, save)


def _drawn(stream: BinaryIO, media_type: str, name: str, save: Callable[[Image.Image, BinaryIO], None]) -> BinaryIO:
    """What `save` makes of the first frame of the picture, turned upright."""
    made = io.BytesIO()
    with _decoding:
        picture = _open_picture(stream, media_type, name)
        try:
            picture.seek(0)
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            save(picture, made)
        except Exception:  # as above
            raise UploadProblem(_damaged(name)) from None
    made.seek(0)
    return made


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height from a WebP header, whichever of its three forms it has."""
    form, bits = head[12:16], head[20:30].ljust(10, b"\0")
    if form == b"VP8X":
        return int.from_bytes(bits[4:7], "little") + 1, int.from_bytes(bits[7:10], "little") + 1
    if form == b"VP8L":
        packed = int.from_bytes(bits[1:5], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return int.from_bytes(bits[6:8], "little") & 0x3FFF, int.from_bytes(bits[8:10], "little") & 0x3FFF


def _refuse_pixels(size: tuple[int, int], name: str) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise UploadProblem(_too_many_pixels(name))


def _too_many_pixels(name: str) -> str:
    return f"{name} has more than {MAX_PIXELS // 1_000_000} million pixels. Make the picture smaller and send it again."


def _damaged(name: str) -> str:
    return f"{name} is damaged and can't be read as a picture."


# --- Keeping and giving out ------------------------------------------------------------------------------------------


def store(folder: Path, stream: Any, filename: str | None, room: int | None = None) -> Stored:
    """Write an uploaded file (a stream that can seek, or a FileStorage) under a random name, for good.

    `room` is how many bytes the quota has left. Raises UploadProblem; then nothing was written.
    """
    stream, name = getattr(stream, "stream", stream), safe_name(filename)
    media_type = _checked(stream, name)
    source = _redrawn(stream, media_type, name) if media_type in _REDRAWN else stream
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    if room is not None and size > room:
        raise UploadProblem(f"{name} is {human_size(size)}, and there is room for {human_size(max(room, 0))} only. "
                            "Ask your Admin Key Holder.")
    path_name, sha256 = _write(Path(folder), source)
    return Stored(path_name, size, media_type, sha256, _with_ending(name, media_type))


def store_all(folder: Path, files: Iterable[FileStorage], room: int | None = None) -> list[Stored]:
    """Store several files or, when one can't be taken, none of them."""
    taken: list[Stored] = []
    try:
        for file in chosen(files):
            left = None if room is None else room - sum(stored.size for stored in taken)
            taken.append(store(folder, file, file.filename, left))
    except BaseException:
        for stored in taken:
            discard(folder, stored.path_name)
        raise
    return taken


def copy(folder: Path, path_name: str, media_type: str, original_name: str) -> Stored:
    """Write a stored file once more under a name of its own, so that either can be discarded; FileNotFoundError for a missing
    one. `media_type` and `original_name` are those it has been stored with."""
    with open_stored(folder, path_name) as source:
        size = os.fstat(source.fileno()).st_size
        copied, sha256 = _write(Path(folder), source)
    return Stored(copied, size, media_type, sha256, original_name)


def store_bytes(folder: Path, data: bytes) -> str:
    """Write bytes that were checked before, for good; returns their path_name."""
    return _write(folder, io.BytesIO(data))[0]


def store_portrait(folder: Path, file: FileStorage) -> str:
    """Write a picture of a person as a small square JPEG, for good; returns its path_name. Raises UploadProblem."""
    name = safe_name(file.filename)
    media_type = _checked(file.stream, name)
    if media_type not in _REDRAWN:
        raise UploadProblem(f"{name} is not a picture. Send a PNG, JPEG, GIF or WebP picture.")
    return _write(Path(folder), _portrait(file.stream, media_type, name))[0]


def discard(folder: Path, path_name: str) -> None:
    """Remove a stored file; it may be gone already."""
    _path(folder, path_name).unlink(missing_ok=True)


def open_stored(folder: Path, path_name: str) -> BinaryIO:
    """A stored file, open for reading; FileNotFoundError for a missing one and for any name `store` didn't make."""
    path = _path(folder, path_name)
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)), "rb")


def download_response(folder: Path, path_name: str, original_name: str, media_type: str) -> Response:
    """The file as something to save, never to show in place. The CSP is this answer's own: the app must leave it."""
    file = open_stored(folder, path_name)
    kind = media_type if media_type in ALLOWED else "application/octet-stream"
    response = send_file(file, kind, as_attachment=True, download_name=safe_name(original_name), conditional=False,
                         etag=False)
    response.content_length = os.fstat(file.fileno()).st_size
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def portrait_response(folder: Path, path_name: str) -> Response:
    """A portrait, to show on a page: the only kind of upload that is, because it was drawn here (FileNotFoundError as
    above)."""
    response = send_file(open_stored(folder, path_name), "image/jpeg", download_name="photo.jpg", conditional=False, etag=False)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def _path(folder: Path, path_name: str) -> Path:
    if not _STORED.fullmatch(path_name):
        raise FileNotFoundError("there is no such stored file")
    return Path(folder) / path_name


def _write(folder: Path, source: BinaryIO) -> tuple[str, str]:
    """Write to a temporary name, force to disk, then rename: a file under its name is always whole."""
    name = secrets.token_hex(16)
    place = folder / name[:2]
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary, digest = place / f"{name}.part", hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        temporary.rename(place / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(place)
    return f"{name[:2]}/{name}", digest.hexdigest()


def _sync_folder(place: Path) -> None:
    if os.name == "posix":  # elsewhere a folder can't be opened
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _with_ending(name: str, media_type: str) -> str:
    """The name with an ending that fits what the file is, so that a picture called setup.exe is saved as a picture."""
    endings = ENDINGS[media_type]
    return name if ending_of(name) in endings else safe_name(f"{name[:140]}.{endings[0]}")

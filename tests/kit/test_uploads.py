"""Files in and out: what they are, what is refused and with which sentence, and that nothing else can be reached."""

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from PIL import Image
from werkzeug.datastructures import FileStorage

from blueprints.kit import uploads
from blueprints.kit.filekinds import ENDINGS
from blueprints.kit.uploads import UploadProblem, discard, download_response, open_stored, sniff, store, store_all

OFFICE = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def picture(kind, size=(40, 20), mode="RGB", **saving):
    made = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 1).save(made, kind, **saving)
    return made.getvalue()


def archive(*names, first=None):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        if first:
            target.writestr(zipfile.ZipInfo("mimetype"), first)
        for name in names:
            target.writestr(name, "<x/>")
    return made.getvalue()


def workbook():
    made = io.BytesIO()
    Workbook().save(made)
    return made.getvalue()


TAKEN = {
    "letter.pdf": (b"%PDF-1.7\n...", "application/pdf"),
    "spaced.pdf": (b"\xef\xbb\xbf\n%PDF-1.4", "application/pdf"),
    "a.png": (picture("PNG"), "image/png"),
    "a.jpg": (picture("JPEG"), "image/jpeg"),
    "a.gif": (picture("GIF"), "image/gif"),
    "a.webp": (picture("WEBP"), "image/webp"),
    "a.docx": (archive("word/document.xml", "[Content_Types].xml"), OFFICE + "wordprocessingml.document"),
    "a.xlsx": (workbook(), OFFICE + "spreadsheetml.sheet"),
    "a.pptx": (archive("[Content_Types].xml", "ppt/presentation.xml"), OFFICE + "presentationml.presentation"),
    "a.odt": (archive("content.xml", first=ODF + "text"), ODF + "text"),
    "a.ods": (archive("content.xml", first=ODF + "spreadsheet"), ODF + "spreadsheet"),
    "a.rtf": (b"{\\rtf1\\ansi hello}", "application/rtf"),
    "a.txt": ("Größe: 3 <b>\n".encode("cp1252"), "text/plain"),
    "notes": ("She said “no”.".encode(), "text/plain"),
    "a.csv": (b"\xef\xbb\xbfA,B\r\n1,2\r\n", "text/csv"),
    "a.mp3": (b"ID3\x04\0\0", "audio/mpeg"),
    "b.mp3": (b"\xff\xfb\x90\x64\0\0\0", "audio/mpeg"),
    "a.m4a": (b"\0\0\0\x20ftypM4A \0\0", "audio/mp4"),
    "a.mp4": (b"\0\0\0\x20ftypisom\0\0", "video/mp4"),
    "a.mov": (b"\0\0\0\x14ftypqt  \0\0", "video/quicktime"),
    "a.wav": (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
    "a.ogg": (b"OggS\0\x02", "audio/ogg"),
    "a.eml": (b"Received: by x\r\nFrom: a@b.example\r\n\r\nHello", "message/rfc822"),
    "a.msg": (OLE + "__properties_version1.0".encode("utf-16-le"), "application/vnd.ms-outlook"),
}
REFUSED = {
    "a.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is a HEIC picture"),
    "setup.exe": (b"MZ\x90\0\x03\0", "is a program."),
    "tool": (b"\x7fELF\x02\x01\x01\0", "is a program."),
    "run.sh": (b"#!/bin/sh\nrm -rf /\n", "is a program."),
    "run.txt": (b"#!/bin/sh\nrm -rf /\n", "is a program."),
    "x.html": (b"<!doctype html><script>alert(1)</script>", "is a web page"),
    "x.txt": (b" \n<SCRIPT>alert(1)</SCRIPT>", "is a web page"),
    "y.txt": (b"<!-- --><html>", "is a web page"),
    "z.csv": (b"<?xml version='1.0'?><svg/>", "is a web page"),
    "x.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is a web page or a drawing"),
    "w.svg": (b"  plain", "is a web page or a drawing"),
    "x.zip": (archive("a.txt", "b.txt"), "is a ZIP archive"),
    "x.jar": (archive("META-INF/MANIFEST.MF"), "is a ZIP archive"),
    "x.docm": (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "or a document with macros"),
    "x.odt": (archive("Basic/Standard/Module1.xml", first=ODF + "text"), "or a document with macros"),
    "x.ott": (archive("content.xml", first=ODF + "text-template"), "is a ZIP archive"),
    "x.docx": (b"PK\x03\x04 cut off", "is a ZIP archive"),
    "x.doc": (OLE, "is in an old Office format."),
    "x.js": (b"alert(1)", "was not recognised"),
    "x.bat": (b"@echo off", "was not recognised"),
    "x.ps1": (b"Get-Process", "was not recognised"),
    "b.txt": (b"text with \0 in it", "was not recognised"),
    "c.txt": (b"\x81\x8d", "was not recognised"),
    "x.eml": (b"Just a letter", "was not recognised"),
    "x.avif": (b"\0\0\0\x1cftypavif\0\0", "was not recognised"),
    "x.bin": (os.urandom(2000), "was not recognised"),
    "x.avi": (b"RIFF\x24\0\0\0AVI LIST", "was not recognised"),
    "u.txt": ("Ada".encode("utf-16"), "was not recognised"),
    "blank.txt": (b" \n ", "was not recognised"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_kinds_are_known_by_content(name, tmp_path):
    data, media_type = TAKEN[name]
    assert sniff(data, name) == media_type
    stored = store(tmp_path, io.BytesIO(data), name)
    assert stored.media_type == media_type and uploads.ALLOWED[media_type]
    with open_stored(tmp_path, stored.path_name) as file:
        kept = file.read()
    assert (len(kept), hashlib.sha256(kept).hexdigest()) == (stored.size, stored.sha256)
    assert kept == data or media_type in ("image/png", "image/jpeg", "image/gif", "image/webp")


def test_every_kind_is_tried():
    assert {media_type for _, media_type in TAKEN.values()} == set(uploads.ALLOWED)


@pytest.mark.parametrize("name", REFUSED)
def test_what_isnt_taken_gets_a_sentence(name, tmp_path):
    data, words = REFUSED[name]
    with pytest.raises(UploadProblem) as problem:
        store(tmp_path, io.BytesIO(data), "C:\\temp\\" + name)
    assert problem.value.sentence.startswith(f"{name} ") and words in problem.value.sentence
    assert "Send a PDF, a picture" in problem.value.sentence
    assert not list(tmp_path.rglob("*"))


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", *(data[:12] for data, _ in TAKEN.values())]),
    st.sampled_from([*TAKEN, *REFUSED]),
)
def test_any_bytes_have_a_kind_or_none(data, magic, name):
    assert sniff(magic + data, name) in {None, *uploads.ALLOWED}


@pytest.mark.parametrize(
    ("name", "kept"),
    [("setup.exe", "setup.exe.png"), ("a.PNG", "a.PNG"), ("x" * 200 + ".hta", "x" * 140 + ".png"), ("a", "a.png")],
)
def test_a_name_gets_the_ending_of_what_it_is(name, kept, tmp_path):
    assert store(tmp_path, io.BytesIO(picture("PNG")), name).original_name == kept


def test_every_kind_has_an_ending():
    assert set(ENDINGS) == set(uploads.ALLOWED) and ".pdf,.png" in uploads.ACCEPT


# --- limits ---


class Huge(io.BytesIO):
    full_size = 212 * 1024**2


def test_sentences_about_size(tmp_path):
    with pytest.raises(UploadProblem, match=r"^holiday.mov is 212 MB. A file can be at most 25 MB.$"):
        store(tmp_path, Huge(), "holiday.mov")
    with pytest.raises(UploadProblem, match=r"^big.txt is 26 MB."):
        store(tmp_path, io.BytesIO(b"x" * (25 * 1024**2 + 1)), "big.txt")
    with pytest.raises(UploadProblem, match=r"^nothing.txt is empty.$"):
        store(tmp_path, io.BytesIO(b""), "nothing.txt")
    with pytest.raises(
        UploadProblem, match=r"^a.txt is 5 bytes, and there is room for 4 bytes only. Ask your Admin Key Holder.$"
    ):
        store(tmp_path, io.BytesIO(b"hello"), "a.txt", room=4)
    assert not list(tmp_path.rglob("*"))


def test_several_files_are_all_taken_or_none(tmp_path):
    def upload(data, name):
        return FileStorage(io.BytesIO(data), name)

    files = [upload(b"one", "1.txt"), upload(b"", ""), upload(b"two", "2.txt")]
    assert [stored.original_name for stored in store_all(tmp_path / "good", files, room=6)] == ["1.txt", "2.txt"]
    for last, room in ((upload(b"MZ", "x.exe"), None), (upload(b"three", "3.txt"), 7)):
        with pytest.raises(UploadProblem):
            store_all(tmp_path / "bad", [upload(b"one", "1.txt"), last], room)
    assert not [path for path in (tmp_path / "bad").rglob("*") if path.is_file()]
    with pytest.raises(UploadProblem, match="You chose 11 files. At most 10 can be sent at once."):
        uploads.chosen([upload(b"x", "x.txt")] * 11)


# --- pictures ---


def stored_picture(folder, data, name):
    stored = store(folder, io.BytesIO(data), name)
    with open_stored(folder, stored.path_name) as file:
        return file.read()


def exif(orientation=6):
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "CANARY-camera"
    tags.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    return tags


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "a.jpg"), ("PNG", "a.png"), ("WEBP", "a.webp")])
def test_pictures_lose_where_and_when_they_were_taken(kind, name, tmp_path):
    saving = {"exif": exif(), "xmp": b"<x:xmpmeta>CANARY</x:xmpmeta>"} if kind != "PNG" else {"exif": exif()}
    if kind == "JPEG":
        saving["comment"] = "CANARY"
    data = picture(kind, **saving)
    assert b"CANARY" in data
    kept = stored_picture(tmp_path, data + b"CANARY behind the end", name)
    assert b"CANARY" not in kept
    with Image.open(io.BytesIO(kept)) as made:
        assert made.format == kind and made.size == (20, 40)  # turned upright
        assert not dict(made.getexif()) and "xmp" not in made.info and "comment" not in made.info


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_portrait_is_a_small_square_on_white_and_nothing_else(kind, tmp_path):
    saving = {"exif": exif()} if kind != "GIF" else {"comment": b"CANARY"}
    data = picture(kind, mode="RGB" if kind == "JPEG" else "P" if kind == "GIF" else "RGBA", **saving) + b"CANARY"
    path_name = uploads.store_portrait(tmp_path, FileStorage(io.BytesIO(data), "me.bin"))
    with uploads.open_stored(tmp_path, path_name) as file:
        kept = file.read()
    assert b"CANARY" not in kept
    with Image.open(io.BytesIO(kept)) as made:
        assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (320, 320)) and not dict(made.getexif())
    before = sorted(tmp_path.rglob("*"))
    for wrong in (b"%PDF-1.7 x", b"", b"plain text", data[:40]):
        with pytest.raises(UploadProblem):
            uploads.store_portrait(tmp_path, FileStorage(io.BytesIO(wrong), "a.png"))
    assert sorted(tmp_path.rglob("*")) == before


def test_png_text_is_dropped_and_transparency_kept(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "CANARY")
    info.add_itxt("Note", "CANARY", zip=False)
    kept = stored_picture(tmp_path, picture("PNG", mode="RGBA", pnginfo=info), "a.png")
    assert b"CANARY" not in kept
    with Image.open(io.BytesIO(kept)) as made:
        assert made.mode == "RGBA"
    palette = stored_picture(tmp_path, picture("PNG", mode="P", transparency=1), "b.png")
    with Image.open(io.BytesIO(palette)) as made:
        assert made.mode == "P" and "transparency" in made.info


@pytest.mark.parametrize(("kind", "name"), [("GIF", "a.gif"), ("WEBP", "a.webp")])
def test_of_an_animation_the_first_picture_is_kept(kind, name, tmp_path):
    frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "green", "blue")]
    made = io.BytesIO()
    frames[0].save(
        made,
        kind,
        save_all=True,
        append_images=frames[1:],
        **({"comment": b"CANARY"} if kind == "GIF" else {"lossless": True}),
    )
    kept = stored_picture(tmp_path, made.getvalue(), name)
    assert b"CANARY" not in kept
    with Image.open(io.BytesIO(kept)) as picture_kept:
        assert getattr(picture_kept, "n_frames", 1) == 1
        red, green, _ = picture_kept.convert("RGB").getpixel((5, 5))
        assert red > 200 and green < 60


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_unusual_jpegs_are_taken(mode, tmp_path):
    made = io.BytesIO()
    Image.new(mode, (8, 8)).save(made, "JPEG")
    assert stored_picture(tmp_path, made.getvalue(), "a.jpg")[:3] == b"\xff\xd8\xff"


def png_bomb(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 100_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", png_bomb(8000, 8000)),
        ("b.png", png_bomb(65_000, 65_000)),
        ("a.gif", b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b"," * 50),
        ("a.webp", b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\0\xff\xff\0"),
        ("b.webp", b"RIFF\x1a\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 20),
        ("c.webp", b"RIFF\x1a\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + b"\0" * 20),
        (
            "a.jpg",
            b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xda\0\x0c"
            + b"\0" * 50,
        ),
    ],
)
def test_decompression_bombs_are_refused_by_their_header(name, data, tmp_path):
    with pytest.raises(UploadProblem, match=f"^{name} has more than 50 million pixels."):
        store(tmp_path, io.BytesIO(data), name)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_damaged_pictures_get_a_sentence(kind, tmp_path):
    data = picture(kind, (300, 300))
    for cut in (13, len(data) // 3, len(data) // 2):
        with pytest.raises(UploadProblem, match="is damaged and can't be read as a picture."):
            store(tmp_path, io.BytesIO(data[:cut]), "a.png")


# --- keeping and giving out ---


def test_files_are_kept_privately_under_random_names(tmp_path):
    stored = store(tmp_path / "files", io.BytesIO(b"hello"), "a.txt")
    path = tmp_path / "files" / stored.path_name
    assert len(stored.path_name) == 35 and stored.path_name[:2] == stored.path_name[3:5]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert store(tmp_path / "files", io.BytesIO(b"hello"), "a.txt").path_name != stored.path_name
    discard(tmp_path / "files", stored.path_name)
    discard(tmp_path / "files", stored.path_name)
    with pytest.raises(FileNotFoundError):
        open_stored(tmp_path / "files", stored.path_name)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        store(tmp_path, io.BytesIO(b"hello"), "a.txt")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.key",
        "/etc/passwd",
        "ab/../../secret.key",
        "",
        "ab",
        "ab/" + "a" * 32,
        "ab/ab" + "0" * 30 + "\n",
        "ab/ab" + "0" * 30,
        "ab\\ab" + "0" * 30,
        "AB/AB" + "0" * 30,
    ],
)
def test_no_other_file_can_be_reached(name, tmp_path):
    (tmp_path / "secret.key").write_text("secret")
    with pytest.raises(FileNotFoundError):
        open_stored(tmp_path / "files", name)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / ("ab" + "0" * 30)).symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic"):
        open_stored(tmp_path, "ab/ab" + "0" * 30)


@pytest.mark.parametrize(
    ("media_type", "sent"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html", "application/octet-stream"),
        ("application/pdf", "application/pdf"),
    ],
)
def test_a_download_is_saved_and_never_shown(media_type, sent, tmp_path):
    stored = store(tmp_path, io.BytesIO(b"hello"), "a.txt")
    with Flask("test").test_request_context(headers={"Range": "bytes=1-2"}):
        response = download_response(tmp_path, stored.path_name, "../Zoë\r\n\u202e.txt", media_type)
        response.direct_passthrough = False
        assert response.get_data() == b"hello"
        response.close()
    headers = response.headers
    assert headers["Content-Type"] == sent
    assert headers[
        "Content-Disposition"
    ] == "attachment; filename=Zoe.txt; filename*=UTF-8''Zo%C3%AB%20.txt" or headers["Content-Disposition"].startswith(
        "attachment; filename="
    )
    assert "\n" not in headers["Content-Disposition"] and "%E2%80%AE" not in headers["Content-Disposition"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cache-Control"] == "no-store" and headers["Content-Length"] == "5"

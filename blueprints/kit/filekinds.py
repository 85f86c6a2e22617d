"""What a file is, judged by its content and never by what the browser says of it. Unpacks, runs and keeps nothing."""

import io
import os
import re
import struct
from typing import BinaryIO

_OFFICE = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

# Media type: what people call it, and the endings it goes by.
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "application/pdf": ("PDF", ("pdf",)),
    "image/png": ("PNG picture", ("png",)),
    "image/jpeg": ("JPEG picture", ("jpg", "jpeg", "jpe", "jfif")),
    "image/gif": ("GIF picture", ("gif",)),
    "image/webp": ("WebP picture", ("webp",)),
    _OFFICE + "wordprocessingml.document": ("Word document", ("docx",)),
    _OFFICE + "spreadsheetml.sheet": ("Excel workbook", ("xlsx",)),
    _OFFICE + "presentationml.presentation": ("PowerPoint presentation", ("pptx",)),
    _ODF + "text": ("OpenDocument text", ("odt",)),
    _ODF + "spreadsheet": ("OpenDocument spreadsheet", ("ods",)),
    "application/rtf": ("RTF document", ("rtf",)),
    "text/plain": ("text", ("txt", "text", "md", "log")),
    "text/csv": ("CSV table", ("csv", "tsv")),
    "audio/mpeg": ("MP3 recording", ("mp3",)),
    "audio/mp4": ("M4A recording", ("m4a", "mp4")),
    "audio/wav": ("WAV recording", ("wav",)),
    "audio/ogg": ("OGG recording", ("ogg", "oga", "opus")),
    "video/mp4": ("MP4 video", ("mp4", "m4v", "3gp")),
    "video/quicktime": ("MOV video", ("mov", "qt")),
    "message/rfc822": ("email", ("eml",)),
    "application/vnd.ms-outlook": ("Outlook email", ("msg",)),
}
ALLOWED: dict[str, str] = {media_type: name for media_type, (name, _) in _KINDS.items()}
# The first is added when a name has none of them.
ENDINGS: dict[str, tuple[str, ...]] = {media_type: endings for media_type, (_, endings) in _KINDS.items()}
ACCEPT = ",".join(f".{ending}" for endings in ENDINGS.values() for ending in endings)
KINDS = ("a PDF, a picture (JPEG, PNG, GIF, WebP), a Word, Excel, PowerPoint or OpenDocument file, text or CSV, "
         "a recording (MP3, M4A, WAV, OGG, MP4, MOV) or a saved email")


def sniff(head: bytes, filename: str, whole: BinaryIO | None = None) -> str | None:
    """The media type of a file by its first bytes (all of them when `whole` isn't given); None for what isn't taken."""
    whole = whole or io.BytesIO(head)
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if _PDF.match(head):
        return "application/pdf"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _media_brand(head[8:12])
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(head, whole)
    if head.startswith(_OLE):
        return "application/vnd.ms-outlook" if _MSG in _all_of(whole) else None
    # MPEG layer III: the sync bits, the layer, a bit rate and a sampling rate that exist.
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and 0 < head[2] >> 4 < 15 and head[2] & 12 != 12:
        return "audio/mpeg"
    return _text_kind(head, ending_of(filename), whole)


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"{\\rtf", "application/rtf"),
    (b"OggS\0", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
)
_PDF = re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MSG = "__properties_version1.0".encode("utf-16-le")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_VIDEO_BRANDS = {b"isom", b"avc1", b"mp41", b"mp42", b"dash", b"MSNV", b"M4V ", b"mmp4"}


def _media_brand(brand: bytes) -> str | None:
    if brand in (b"M4A ", b"M4B "):
        return "audio/mp4"
    if brand == b"qt  ":
        return "video/quicktime"
    return "video/mp4" if brand in _VIDEO_BRANDS or brand[:3] in (b"iso", b"3gp") else None


def _zip_kind(head: bytes, whole: BinaryIO) -> str | None:
    """Which kind of office document a ZIP is; None for any other ZIP and for documents that carry programs."""
    names = _zip_names(whole)
    if any(name.endswith("vbaproject.bin") or name.startswith(("basic/", "scripts/")) for name in names):
        return None
    for kind in ("text", "spreadsheet"):
        declared = b"mimetype" + (_ODF + kind).encode()
        if head[30 : 30 + len(declared)] == declared and head[30 + len(declared) :][:1] not in (b"-", b""):
            return _ODF + kind
    if "[content_types].xml" not in names:
        return None
    for folder, kind in (("word/", "wordprocessingml.document"), ("xl/", "spreadsheetml.sheet"),
                         ("ppt/", "presentationml.presentation")):
        if any(name.startswith(folder) for name in names):
            return _OFFICE + kind
    return None


def _zip_names(whole: BinaryIO, most: int = 10_000) -> list[str]:
    """The names in a ZIP's directory, in lower case; none when it is damaged or has too many. Unpacks nothing."""
    end = whole.seek(0, os.SEEK_END)
    whole.seek(max(0, end - 65_557))
    tail = whole.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return []
    count, size, start = struct.unpack_from("<HII", tail, at + 10)
    if count > most or size > 2_000_000 or start + size > end:
        return []
    whole.seek(start)
    directory, names, at = whole.read(size), [], 0
    while directory[at : at + 4] == b"PK\x01\x02" and len(directory) >= at + 46 and len(names) < most:
        name, extra, comment = struct.unpack_from("<HHH", directory, at + 28)
        names.append(directory[at + 46 : at + 46 + name].decode("utf-8", "replace").lower())
        at += 46 + name + extra + comment
    return names


_TEXT_ENDINGS = {"": "text/plain", "eml": "message/rfc822"} | {
    ending: kind for kind in ("text/plain", "text/csv") for ending in ENDINGS[kind]}
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_MARKUP = re.compile(rb"\s*(?:#!|<(?:[!?%]|/?(?:html|head|body|script|style|svg|iframe|object|embed|title|table|div|img"
                     rb"|a|p|b|h1)\b))", re.IGNORECASE)
_MAIL_HEADER = re.compile(rb"^(?:from|received|return-path|mime-version|message-id|delivered-to):",
                          re.IGNORECASE | re.MULTILINE)


def _text_kind(head: bytes, ending: str, whole: BinaryIO) -> str | None:
    """Text only by a name that stands for text: nobody can list every ending that a system runs as a program."""
    kind = _TEXT_ENDINGS.get(ending)
    head = head.removeprefix(b"\xef\xbb\xbf")
    if kind is None or not head.strip() or _MARKUP.match(head):
        return None
    if kind == "message/rfc822" and not (re.match(rb"[A-Za-z-]+:", head) and _MAIL_HEADER.search(head)):
        return None
    data = _all_of(whole)
    if _NOT_TEXT.search(data):
        return None
    for encoding in ("utf-8", "cp1252"):
        try:
            data.decode(encoding)
            return kind
        except UnicodeDecodeError:
            continue
    return None


def _all_of(whole: BinaryIO) -> bytes:
    whole.seek(0)
    return whole.read()


def ending_of(filename: str) -> str:
    """`pdf` of `Letter.PDF`; empty when there is none."""
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def reason(head: bytes, name: str) -> str:
    """Why a file is not taken: the rest of a sentence that begins with its name."""
    if head.startswith((b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")):
        return "is a program."
    if head.startswith(b"PK\x03\x04"):
        return "is a ZIP archive or a document with macros. Send the files in it one by one, without macros."
    if head.startswith(_OLE):
        return "is in an old Office format. Save it as .docx, .xlsx or .pptx first."
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        # Pillow can't redraw these, and they carry where they were taken.
        return "is a HEIC picture, which can tell where it was taken. Save it as JPEG first."
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")) or ending_of(name) in ("html", "htm", "svg"):
        return "is a web page or a drawing that can carry programs."
    return "is of a kind that was not recognised."

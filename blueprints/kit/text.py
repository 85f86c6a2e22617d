"""Words, names and sizes as people write and read them. Knows nothing of requests, tables or HTML."""

import math
import re
import unicodedata

# Letters that Unicode doesn't take apart into a base letter and a mark, but that people type without.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h",
                          "ŧ": "t", "ŋ": "n", "ſ": "s"})
_APOSTROPHES = re.compile("['`´\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\uff07]")
_HYPHENS = re.compile("[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
# Postgres refuses NUL, and neither database nor browser can do anything with a lone surrogate.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# References are in Crockford's base 32 (models.REF_ALPHABET).
_REFERENCE = re.compile("[0-9A-HJKMNP-TV-Z]{6}")
_READ_AS = str.maketrans("OIL", "011")
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"|?*]')
_NAME_LENGTH = 150
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\.]+(\.[^\s@,;:<>()\[\]\"\\.]+)+")
_SIGN_IN = re.compile(r"[!-;=?A-Z\[-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
LONGEST_EMAIL = 254


def fold(text: str) -> str:
    """The key under which a name is searched: `Zoë O'Brien-Łoś` and `zoe obrien los` have the same."""
    text = _HYPHENS.sub(" ", _APOSTROPHES.sub("", text.casefold()))
    if text.isascii() and text.isprintable():
        return " ".join(text.split())  # most names, and nothing in them left to fold
    text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    kept = (c for c in text if c.isspace() or not (unicodedata.combining(c) or unicodedata.category(c) in ("Cf", "Cc")))
    # Taking a letter apart can bring a new hyphen or apostrophe to light (full-width forms do).
    return " ".join(_HYPHENS.sub(" ", _APOSTROPHES.sub("", "".join(kept))).split())


def email_problem(text: str) -> str | None:
    """The sentence for an address that can't be one, else None."""
    if _EMAIL.fullmatch(text) and len(text) <= LONGEST_EMAIL:
        return None
    shown = text if len(text) <= 40 else text[:40] + "…"
    return f"{shown} is not an email address."


def signs_in_with(text: str) -> bool:
    """Whether an address can be that of an account: our email goes there, so only what every mail server takes."""
    return len(text) <= LONGEST_EMAIL and _SIGN_IN.fullmatch(text) is not None


def reference(text: str, kind: str) -> str | None:
    """The reference of a record of this kind (its letter) that was typed in any way, `i 7k3fq2` or `7K3FQ2`; or None.

    O, I and L are in none of them and are read as 0 and 1.
    """
    typed = "".join(_HYPHENS.sub("", text).split()).upper() if len(text) < 40 else ""
    if len(typed) == 7 and typed[0] in (kind, *("1L" if kind == "I" else "")):
        typed = typed[1:]
    typed = typed.translate(_READ_AS)
    return f"{kind}-{typed}" if _REFERENCE.fullmatch(typed) else None


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun: `1 student`, `1,204 students`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def clean(text: str) -> str:
    """The text without control characters, with `\\n` as the only line ending; newlines and tabs stay."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """The text cleaned and on one line, trimmed, with single spaces."""
    return " ".join(clean(text).split())


def safe_name(filename: str | None) -> str:
    """A file's name fit to be shown and sent: no path, nothing invisible or right-to-left, at most 150 characters."""
    name = unicodedata.normalize("NFC", filename or "").replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(" " if c.isspace() else c for c in name if c.isspace() or unicodedata.category(c)[0] != "C")
    name = " ".join(_NOT_IN_FILE_NAMES.sub("_", name).split()).strip(". ")
    if len(name) > _NAME_LENGTH:
        stem, dot, extension = name.rpartition(".")
        ending = dot + extension if dot and len(extension) <= 10 else ""
        name = (stem if ending else name)[: _NAME_LENGTH - len(ending)].rstrip(". ") + ending
    return name or "file"


def human_size(size: int) -> str:
    """A number of bytes in words, rounded up, so that what is over a limit never reads like the limit itself."""
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    if unit == "bytes":
        return plural(size, "byte")
    rounded = math.ceil(value * 10) / 10 if value < 10 else math.ceil(value)
    return f"{rounded:g} {unit}"

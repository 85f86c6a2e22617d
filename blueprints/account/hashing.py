"""Passwords: hashing them, testing them, and saying what is wrong with a new one.

Reads no table. An account without a password costs a test the same time as one with a password.
"""

import base64
import re
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from blueprints.kit.text import clean, fold

SHORTEST, LONGEST = 12, 200
_LONGEST_TESTED = 1000  # whatever is sent, a test takes no longer than this many characters do

# The OWASP minimum of argon2id; tests run with the cheapest there is.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def _hasher():
    return _CHEAP_HASHER if current_app.config.get("CHEAP_HASHES") else _HASHER


def hashed(password):
    """The argon2id hash to keep of a password."""
    return _hasher().hash(_plain(password))


def fits(password_hash, password):
    """Whether the password is the one of this hash. None (no such account, no password) costs one test as well."""
    hasher = _hasher()
    try:
        hasher.verify(password_hash or _nobodys(hasher), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash):
    """Whether a hash was made with other costs than today's."""
    return _hasher().check_needs_rehash(password_hash)


def _plain(password):
    """One password, however the keyboard composed its letters."""
    return unicodedata.normalize("NFKC", clean(password))[:_LONGEST_TESTED]


def _nobodys(hasher):
    """A hash that nothing fits, with the same costs as a real one."""
    salt, digest = (base64.b64encode(bytes(length)).decode().rstrip("=") for length in (16, 32))
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


# --- What makes a password too easy ----------------------------------------------------------------------------------

_ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm",
         "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p")  # fmt: skip
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s"})
_ENOUGH_OF_ONES_OWN = 4  # characters that must be left when everything a stranger would try first is taken away


def problem_with(password, *, about=()):
    """The sentence that says why a password is refused, or None. `about`: names and emails that others know."""
    plain = _plain(password)
    if len(plain) < SHORTEST:
        return f"A password has at least {SHORTEST} characters; this one has {len(plain)}. A few words do well."
    if len(plain) > LONGEST:
        return f"A password can have at most {LONGEST} characters; this one has {len(plain)}."
    low = plain.casefold()
    if len(set(low)) < 5 or _is_repeated(low):
        return "This password repeats the same few characters. Choose one that is harder to guess."
    if len(_without_rows(low)) < _ENOUGH_OF_ONES_OWN:
        return "This password runs along the keyboard or the alphabet. Choose one that is harder to guess."
    if _is_common(low):
        return "This password is one of those that are tried first. Choose one that is harder to guess."
    if _is_of_known_words(low, about):
        return "This password is made of a name or an address that others know. Choose one that is harder to guess."
    return None


def _is_repeated(low):
    return any(len(low) % size == 0 and low == low[:size] * (len(low) // size) for size in range(1, 7))


def _without_rows(low):
    """The password without runs of four along a row, either way, and without a character three times over."""
    for row in _ROWS:
        for line in (row, row[::-1]):
            for size in range(len(line), 3, -1):
                for start in range(len(line) - size + 1):
                    low = low.replace(line[start : start + size], "")
    return re.sub(r"(.)\1{2,}", "", low)


def _is_common(low):
    """A listed password, or a listed word (once or twice) with digits and signs around it or for its letters."""
    common = _common()
    low = re.sub(r"[\s_-]+", "", low)
    if low in common or low.translate(_LEET) in common:
        return True
    cores = {re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text) for text in (low, low.translate(_LEET))}
    cores |= {core.translate(_LEET) for core in cores}
    return any(core in common or any(core == word * 2 for word in common) for core in cores if core)


@cache
def _common():
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip().casefold() for line in lines if line.strip() and not line.startswith("#"))


def _is_of_known_words(low, about):
    """Whether hardly a letter is left without the owner's name and email, the school's name, and Caseward's."""
    words = {word for text in ("caseward", *about) for word in re.split(r"[\W_]+", fold(text)) if len(word) >= 3}
    left = whole = fold(low)
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return left != whole and len(re.sub(r"[\W\d_]+", "", left)) < _ENOUGH_OF_ONES_OWN

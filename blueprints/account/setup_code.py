"""The one-time set-up code: printed in the terminal, kept in the instance folder until the first admin has used it.

Whoever can read it has the server's terminal or its files; nothing else opens the first-run page.
"""

import hmac
import os
import secrets

from models import REF_ALPHABET

FILE = "setup.code"


def read(instance):
    """The code of this instance, made on first use (0600)."""
    path = instance / FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    groups = ["".join(secrets.choice(REF_ALPHABET) for _ in range(5)) for _ in range(5)]
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write("-".join(groups))
    return "-".join(groups)


def is_right(instance, typed):
    """Whether this is the code, in upper or lower case, with or without its hyphens."""
    plain = [code.replace("-", "").replace(" ", "").upper().encode() for code in (read(instance), typed)]
    return hmac.compare_digest(*plain)


def forget(instance):
    """The code has been used: it opens nothing any more."""
    (instance / FILE).unlink(missing_ok=True)

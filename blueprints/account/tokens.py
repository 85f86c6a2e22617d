"""What is derived from the instance's key: link tokens, the pending second step, keyed hashes, recovery codes.

Needs an application context for the key. Reads and writes no table and knows no request.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from extensions import clock
from models import REF_ALPHABET

PENDING_FOR = timedelta(minutes=10)
RECOVERY_CODES = 10
# Crockford's alphabet leaves these out because people read them as the digits they look like.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_session_token():
    """A fresh secret for the cookie: 32 random bytes."""
    return secrets.token_urlsafe(32)


def session_hash(token):
    """What the sessions table keeps of a cookie's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed(purpose, *parts):
    """HMAC-SHA256 of the parts under the instance's key; each purpose has hashes of its own."""
    message = "\0".join([purpose, *map(str, parts)]).encode()
    return hmac.new(current_app.settings.secret_key, message, hashlib.sha256)


def _serializer(salt):
    return URLSafeSerializer(current_app.settings.secret_key, salt=f"caseward-{salt}")


def link_token(nonce):
    """The token in a set-password link's address."""
    return _serializer("password-link").dumps(nonce)


def link_nonce(token):
    """The nonce of a link's token; None for a forged one."""
    try:
        return _serializer("password-link").loads(token)
    except BadSignature:
        return None


FEEDS = {False: "calendar-feed", True: "calendar-feed-staff"}  # whether it is a staff member's: another address each


def feed_token(nonce, of_staff=False):
    """The token in the secret address of a calendar feed."""
    return _serializer(FEEDS[of_staff]).dumps(nonce)


def feed_nonce(token):
    """(nonce, whether it is a staff member's) of a calendar feed's token; (None, False) for a forged one."""
    for of_staff, salt in FEEDS.items():
        try:
            return _serializer(salt).loads(token), of_staff
        except BadSignature:
            continue
    return None, False


def pending(account):
    """What the browser keeps between password and code: who it is, for ten minutes, while neither factor changes."""
    until = int((clock.now() + PENDING_FOR).timestamp())
    return _serializer("pending").dumps([account.ref, until, _state_of(account)])


def pending_ref(token):
    """(ref, state) of a pending second step; None when it is forged or has run out."""
    try:
        ref, until, state = _serializer("pending").loads(token)
    except BadSignature:
        return None
    return (ref, state) if clock.now().timestamp() < until else None


def is_state_of(account, state):
    """Whether password and second step are still those of the pending sign-in."""
    return hmac.compare_digest(state, _state_of(account))


def _state_of(account):
    return keyed("pending-state", account.password_hash or "", account.totp_secret or "").hexdigest()[:32]


def totp_secret(session_hash_):
    """The key a session is offered for two-step sign-in: the same on each look, another after the session rotates."""
    return base64.b32encode(keyed("totp", session_hash_).digest()[:20]).decode()


def recovery_codes(account, seed):
    """The ten codes that `seed` stands for, so that only the seed has to reach the page that shows them once."""
    return [_code(keyed("recovery", account.id, seed, number).digest()) for number in range(RECOVERY_CODES)]


def _code(digest):
    number = int.from_bytes(digest[:8], "big")
    letters = "".join(REF_ALPHABET[(number >> (5 * place)) % 32] for place in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def recovery_hash(account_id, code):
    """What the table keeps of a recovery code, however it was typed. 50 random bits need no slow hash."""
    plain = "".join(c for c in code.upper() if c.isalnum()).translate(_MISREAD)
    return keyed("recovery-code", account_id, plain).hexdigest()

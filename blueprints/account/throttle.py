"""Counts tries in buckets of an hour. Taking a try and counting it is one step, so ten at once are counted as ten.

Knows nothing of accounts: a subject is a text (an email, an address), known or not, and the table holds its keyed hash.
"""

import hashlib
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from blueprints.account import tokens
from extensions import clock, db
from models import SignInAttempt, is_postgres

WINDOW = timedelta(hours=1)


class Bucket(NamedTuple):
    """So many tries an hour for one subject; `kind` keeps the counts apart."""

    kind: str
    subject: str
    limit: int


@contextmanager
def alone(*names):
    """A transaction that no other with one of these names runs beside. SQLite's are alone anyway (IMMEDIATE)."""
    with db.atomic():
        if is_postgres():
            for name in sorted(names):
                number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
                db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (number,))
        yield


def take(*buckets):
    """Count one try in every bucket and return it as a list of ids, or None (and count nothing) if one is full."""
    subjects = [_hash(bucket) for bucket in buckets]
    with alone(*subjects):
        since = clock.now() - WINDOW
        for bucket, subject in zip(buckets, subjects, strict=True):
            if _tries(bucket, subject).where(SignInAttempt.at > since).count() >= bucket.limit:
                return None
        return [
            SignInAttempt.create(subject=subject, kind=bucket.kind).id
            for bucket, subject in zip(buckets, subjects, strict=True)
        ]


def give_back(tries):
    """A try that succeeded does not count: only failures fill a bucket."""
    SignInAttempt.delete().where(SignInAttempt.id.in_(tries)).execute()


def is_full(bucket):
    """Whether the next try would be refused."""
    since = clock.now() - WINDOW
    return _tries(bucket, _hash(bucket)).where(SignInAttempt.at > since).count() >= bucket.limit


def empty(*buckets):
    """Forget the failures: the owner has proved to be the owner in another way."""
    for bucket in buckets:
        SignInAttempt.delete().where(
            (SignInAttempt.subject == _hash(bucket)) & (SignInAttempt.kind == bucket.kind)
        ).execute()


def network(address):
    """The address as far as it tells one customer of a provider from the next: all of IPv4, a /64 of IPv6."""
    try:
        number = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(number) >> 64 << 64)) if number.version == 6 else str(number)


def _tries(bucket, subject):
    return SignInAttempt.select().where((SignInAttempt.subject == subject) & (SignInAttempt.kind == bucket.kind))


def _hash(bucket):
    return tokens.keyed("throttle", bucket.kind, bucket.subject).hexdigest()

"""What the tests of signing in share: an account with a password and a second step, and a browser that uses them."""

import pyotp

from blueprints.account import hashing
from extensions import clock
from models import Account

PASSWORD = "quiet-lamp-over-tuesday"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def with_password(app, account, *, two_step=True, password=PASSWORD):
    """Give the account a password, and a second step; returns it as it is now."""
    with app.app_context():
        fields = {"password_hash": hashing.hashed(password)}
    fields |= {"totp_secret": SECRET if two_step else None, "two_step_at": clock.now() if two_step else None}
    Account.update(**fields).where(Account.id == account.id).execute()
    return Account.get_by_id(account.id)


def code(offset=0, secret=SECRET):
    """What the authenticator app shows now, or some half-minutes from now."""
    return pyotp.TOTP(secret).at(clock.now(), counter_offset=offset)


def sign_in(post, client, email, password=PASSWORD, with_code=None, **fields):
    """Fill in the sign-in form, and the second step if there is to be one; returns the last answer."""
    answer = post(client, "/account/sign-in", {"email": email, "password": password, **fields})
    if with_code is not None:
        assert answer.status_code == 303 and "/account/two-step" in answer.location, answer.status_code
        answer = post(client, "/account/two-step", {"code": with_code})
    return answer


def is_in(client):
    """Whether this browser is signed in."""
    return client.get("/account").status_code == 200

"""What the email about a referral may still say when it is sent: whether the account sees it, and whether it still waits, is
asked again then. The context is a reference; never a name, a form or a text.
"""

import permissions
from models import FormResponse, Referral


def email_referral_received(row, account):
    """`row.target_id` is the response: only for who sees it and may decide on it, while it waits."""
    response = FormResponse.get_or_none(FormResponse.id == row.target_id)
    if response is None or not permissions.DECIDE_REFERRAL & set(permissions.record_reasons("form", account, response)):
        return "this account does not see the referral any more"
    waits = (Referral.response == response.id) & (Referral.state == "received")
    if not Referral.select().where(waits).exists():
        return "the referral has been decided on"
    return {"ref": response.ref}

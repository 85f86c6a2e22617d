"""Writes about accounts; one module a subject. Other parts import from here, never from the modules."""

from blueprints.account.actions.base import OPERATOR, Refused
from blueprints.account.actions.bulk import STORED, Change, save_people
from blueprints.account.actions.drafts import MOST_BYTES, clear_draft, save_draft
from blueprints.account.actions.feeds import make_feed, note_feed_read, revoke_feed
from blueprints.account.actions.of_students import invite_student, keep_in_step
from blueprints.account.actions.passwords import (
    ask_password_link,
    change_password,
    invite,
    use_password_link,
)
from blueprints.account.actions.people import (
    add_account,
    change_account,
    change_own_details,
    checked,
    deactivate,
    reactivate,
)
from blueprints.account.actions.photos import Photo
from blueprints.account.actions.sessions import revoke_all, revoke_session, sign_out, start_session
from blueprints.account.actions.set_up import set_up_school
from blueprints.account.actions.sign_in import Outcome, second_step, sign_in
from blueprints.account.actions.tidying import tidy_up
from blueprints.account.actions.two_step import confirm_two_step, make_recovery_codes, reset_two_step
from blueprints.account.hashing import fits, hashed

__all__ = [
    "MOST_BYTES",
    "STORED",
    "Change",
    "OPERATOR",
    "Outcome",
    "Photo",
    "Refused",
    "add_account",
    "ask_password_link",
    "change_account",
    "change_own_details",
    "change_password",
    "checked",
    "clear_draft",
    "confirm_two_step",
    "fits",
    "hashed",
    "deactivate",
    "invite",
    "invite_student",
    "keep_in_step",
    "make_feed",
    "make_recovery_codes",
    "note_feed_read",
    "reactivate",
    "reset_two_step",
    "revoke_all",
    "revoke_feed",
    "revoke_session",
    "save_draft",
    "save_people",
    "second_step",
    "set_up_school",
    "sign_in",
    "sign_out",
    "start_session",
    "tidy_up",
    "use_password_link",
]

"""The first run: names the school and makes its first Admin Key Holder, once, for whoever has the set-up code."""

import permissions
from blueprints.account import setup_code, throttle
from blueprints.account.actions.base import OPERATOR, Refused
from blueprints.account.actions.passwords import check_password
from blueprints.account.actions.people import add_account
from blueprints.account.queries import needs_set_up
from blueprints.account.throttle import Bucket
from blueprints.kit.text import one_line
from events import record
from extensions import clock
from models import School


def set_up_school(code, school_name, name, email, password, *, instance, address=""):
    """Make the first Admin Key Holder and return the account; raises NotVisible once there is one."""
    _check_code(code, instance, address)
    school_name = one_line(school_name)
    if not school_name:
        raise Refused("Give the school's name.", "school_name")
    check_password(password, name=f"{name} {school_name}", email=email)
    # One at a time: of two who have the code only the first becomes the admin.
    with throttle.alone("caseward set-up"):
        if not needs_set_up():
            raise permissions.NotVisible("setup")
        School.update(name=school_name[:255], set_up_at=clock.now()).execute()
        account = add_account(name=name, email=email, role=permissions.ADMIN, password=password, actor=OPERATOR)
        record("school.set_up", actor=account, target=account.ref)
    setup_code.forget(instance)
    return account


def _check_code(code, instance, address):
    if not needs_set_up():
        raise permissions.NotVisible("setup")
    tries = throttle.take(Bucket("set-up", throttle.network(address), 20))
    if tries is None:
        raise Refused("Too many wrong codes. Try again in an hour.", "code")
    if not setup_code.is_right(instance, code):
        raise Refused("This is not the set-up code. It stands in the terminal that started Caseward.", "code")
    throttle.give_back(tries)

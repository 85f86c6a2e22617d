"""The cast of HOUSE.md: the people every test knows. Oli, the outsider, is sent to every page.

Ada administers, Kay and Ken are Key Users, Gil is in the group Counselling, Mo manages it, Sam is staff, Rae refers from
outside, Stu is the student, Oli is staff and on nothing.
"""

from types import SimpleNamespace

import permissions
from extensions import clock
from models import School
from tests.factories import account, group, student

PEOPLE = (
    ("ada", "Ada Adler", permissions.ADMIN),
    ("kay", "Kay Kestrel", permissions.KEY_USER),
    ("ken", "Ken Kittiwake", permissions.KEY_USER),
    ("gil", "Gil Gannet", permissions.STAFF),
    ("mo", "Mo Merlin", permissions.GROUP_MANAGER),
    ("sam", "Sam Swift", permissions.STAFF),
    ("rae", "Rae Raven", permissions.REFERRAL_USER),
    ("stu", "Stu Sturgeon", permissions.STUDENT),
    ("oli", "Oli Ouzel", permissions.STAFF),
)


def make():
    """Put the cast into the (empty) database; returns them by first name, with `counselling` and Stu's `student`."""
    School.update(name="Kestrel Hill School", set_up_at=clock.now()).execute()
    people = {key: _person(key, name, role) for key, name, role in PEOPLE}
    counselling = group("Counselling", members=[people["gil"]], managers=[people["mo"]])
    stu = student("Stu", "Sturgeon", email="stu@school.example.org", year_group="9", tutor_group="9B")
    return SimpleNamespace(**people, counselling=counselling, student=stu)


def _person(key, name, role):
    """Ready for work: whoever needs the two-step sign-in has set it up, else every page would lead there first."""
    done = {"totp_secret": "A" * 32, "two_step_at": clock.now()} if role in permissions.TWO_STEP_ROLES else {}
    return account(name=name, email=f"{key}@school.example.org", role=role, **done)

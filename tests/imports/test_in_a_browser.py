"""The pages of staff and OneRoster imports under axe, as they are with refused rows, leavers and notes."""

import pytest

from tests.imports.files import checked, school, staff, start, work

pytestmark = pytest.mark.browser

BAD = staff(
    "Fay,Fulmar,fay@x.org,Head of Year,0123,,Admin Key Holder,Counselling;A new group",
    "Sam,Swift,sam@school.example.org,Teacher of Everything,,,Key User,",
    "Bartholomew-Maximilian,Featherstonehaugh-Cholmondeley,nonsense,,,,,",
)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1366), ("dark", 320)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(app, cast, page_for, axe, scheme, width):
    people = checked(app, cast.ada, BAD, deactivate=True, make_groups=True)
    roster = checked(app, cast.ada, school("1.2").enroll("nobody", "7a").zip(), "oneroster", deactivate=True)
    waiting = start(app, cast.ada, school().zip(), "oneroster")
    page = page_for("ada", width=width, scheme=scheme)
    tails = ("", "?only=added", "?only=changed", "?only=refused", "/mapping")
    addresses = [f"/import/{run.ref}{tail}" for run in (people, roster) for tail in tails]
    for address in ("/import", "/import/staff", "/import/oneroster", f"/import/{waiting.ref}", *addresses):
        page.goto(address)
        axe(page)
        fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert fits, f"{address} is wider than {width} px"
    assert work(app) == 1

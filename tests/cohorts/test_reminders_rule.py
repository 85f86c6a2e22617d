"""The rule of reminders as functions: a table of cases, and any case at all against an oracle that looks at every half hour."""

from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blueprints.cohorts import reminders
from blueprints.cohorts.reminders import DUE, NOT_SENT, PLANNED, SENT, Person

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DUE_ON = date(2026, 12, 18)


def utc(year, month, day, hour=0, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def december(day, hour=7, minute=0):
    return utc(2026, 12, day, hour, minute)


def milestone(days=(1, 7), **fields):
    given = {"due_on": DUE_ON, "saved_at": LONG_AGO, "scheduled_at": LONG_AGO, "removed_at": None}
    return SimpleNamespace(reminder_days=list(days), **given | {"cohort": SimpleNamespace(archived_at=None)} | fields)


def school(**fields):
    return SimpleNamespace(**{"timezone": "Europe/London", "alert_hour": 7, "student_visibility_at": LONG_AGO} | fields)


def person(**fields):
    return Person(**{"added_at": LONG_AGO} | fields)


def outcomes(now, about=None, at=None, **fields):
    """{days: outcome, or the reason for none} for a person with these fields."""
    terms = reminders.terms(about or milestone(), at or school(), now)
    return {fate.days: fate.reason or fate.outcome for fate in reminders.fates(terms, person(**fields))}


# --- The moment of an interval ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due_on", "days", "zone", "hour", "expected"),
    [
        (date(2026, 11, 20), 1, "Europe/London", 7, utc(2026, 11, 19, 7)),
        (date(2026, 7, 20), 1, "Europe/London", 7, utc(2026, 7, 19, 6)),
        (date(2026, 11, 20), 30, "America/New_York", 7, utc(2026, 10, 21, 11)),
        (date(2026, 11, 20), 14, "America/New_York", 7, utc(2026, 11, 6, 12)),
        # 29 February, and the days around it
        (date(2028, 2, 29), 1, "Europe/London", 7, utc(2028, 2, 28, 7)),
        (date(2028, 3, 1), 1, "Europe/London", 7, utc(2028, 2, 29, 7)),
        (date(2028, 3, 30), 30, "Europe/London", 7, utc(2028, 2, 29, 7)),
        (date(2027, 3, 1), 1, "Europe/London", 7, utc(2027, 2, 28, 7)),
        # clocks go forward: the hour is skipped, and the next one is meant
        (date(2027, 3, 29), 1, "Europe/London", 1, utc(2027, 3, 28, 1)),
        (date(2027, 3, 29), 1, "Europe/Berlin", 2, utc(2027, 3, 28, 1)),
        (date(2027, 3, 15), 1, "America/New_York", 2, utc(2027, 3, 14, 7)),
        (date(2027, 10, 4), 1, "Australia/Lord_Howe", 2, utc(2027, 10, 2, 15, 30)),
        (date(2027, 3, 29), 1, "Europe/London", 0, utc(2027, 3, 28, 0)),
        (date(2027, 3, 29), 1, "Europe/London", 2, utc(2027, 3, 28, 1)),
        # clocks go back: of the hour that comes twice the first
        (date(2026, 10, 26), 1, "Europe/London", 1, utc(2026, 10, 25, 0)),
        (date(2026, 10, 26), 1, "Europe/Berlin", 2, utc(2026, 10, 25, 0)),
        (date(2026, 11, 2), 1, "America/New_York", 1, utc(2026, 11, 1, 5)),
        (date(2026, 11, 20), 1, "Pacific/Kiritimati", 7, utc(2026, 11, 18, 17)),
        (date(2026, 11, 20), 1, "Asia/Kolkata", 0, utc(2026, 11, 18, 18, 30)),
    ],
)
def test_the_schools_hour_so_many_days_before(due_on, days, zone, hour, expected):
    assert reminders.moment_of(due_on, days, ZoneInfo(zone), hour) == expected


# --- What goes out ----------------------------------------------------------------------------------------------------


def test_it_falls_due_at_the_hour_and_not_a_second_before():
    assert outcomes(december(17) - timedelta(seconds=1), sent=((7, december(11)),)) == {1: PLANNED, 7: SENT}
    assert outcomes(december(17), sent=((7, december(11)),)) == {1: DUE, 7: SENT}
    assert outcomes(december(17), sent=((7, december(11)), (1, december(17)))) == {1: SENT, 7: SENT}


def test_a_planned_one_says_its_moment():
    fates = reminders.fates(reminders.terms(milestone(), school(), december(1)), person())
    assert fates == [(1, PLANNED, december(17), ""), (7, PLANNED, december(11), "")]


def test_after_downtime_only_the_nearest_goes_out_until_the_due_day_has_passed():
    about = milestone((1, 2, 7, 14, 30))
    assert outcomes(december(16, 9), about) == {1: PLANNED, 2: DUE} | dict.fromkeys((7, 14, 30), "superseded")
    assert outcomes(december(18, 23, 59), about) == {1: DUE} | dict.fromkeys((2, 7, 14, 30), "superseded")
    assert set(outcomes(december(19), about).values()) == {"due_day_passed"}
    # the school's day, not that of UTC
    assert outcomes(december(19, 2), about, school(timezone="America/New_York"))[1] == DUE
    assert set(outcomes(december(18, 23), about, school(timezone="Asia/Tokyo")).values()) == {"due_day_passed"}


def test_one_that_went_out_late_stands_for_those_before_it():
    about = milestone((1, 2, 7, 14))
    sent = ((7, december(12, 9)),)
    assert outcomes(december(13), about, sent=sent) == {1: PLANNED, 2: PLANNED, 7: SENT, 14: "superseded"}
    assert outcomes(december(16), about, sent=sent) == {1: PLANNED, 2: DUE, 7: SENT, 14: "superseded"}


@pytest.mark.parametrize(
    ("reason", "about", "at", "fields"),
    [
        ("removed", {"removed_at": december(2)}, {}, {}),
        ("not_saved", {"saved_at": None, "scheduled_at": None}, {}, {}),
        ("archived", {"cohort": SimpleNamespace(archived_at=december(2))}, {}, {}),
        ("visibility_off", {}, {"student_visibility_at": None}, {}),
        ("taken_out", {}, {}, {"added_at": None}),
        ("left", {}, {}, {"is_active": False}),
        ("completed", {}, {}, {"state": "completed"}),
        ("waived", {}, {}, {"state": "waived"}),
        ("no_email", {}, {}, {"unreachable": "no_email"}),
        ("no_account", {}, {}, {"unreachable": "no_account"}),
        ("account_off", {}, {}, {"unreachable": "account_off"}),
    ],
)
def test_what_stops_all_of_them(reason, about, at, fields):
    for now in (december(1), december(11), december(17, 12)):
        assert outcomes(now, milestone(**about), school(**at), **fields) == {1: reason, 7: reason}
        assert outcomes(now, milestone(**about), school(**at), sent=((7, december(1)),), **fields) == {1: reason, 7: SENT}
        assert reminders.why_none(reminders.terms(milestone(**about), school(**at), now), person(**fields)) == reason


def test_a_milestone_without_a_date_or_a_reminder_has_nothing_to_send():
    assert outcomes(december(17), milestone(due_on=None)) == {}
    assert outcomes(december(17), milestone(())) == {}
    assert reminders.why_none(reminders.terms(milestone(due_on=None), school(), december(17)), person()) == "no_due_date"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1)])
@pytest.mark.parametrize(
    ("reason", "where", "name"),
    [("already_past", "milestone", "scheduled_at"), ("before_added", "person", "added_at"),
     ("before_visibility", "school", "student_visibility_at")],
)  # fmt: skip
def test_a_moment_that_had_passed_before_is_not_sent_for(late, reason, where, name):
    """At the very moment it had not passed yet."""
    fields = {each: {name: december(11) + late} if each == where else {} for each in ("milestone", "school", "person")}
    given = (milestone(**fields["milestone"]), school(**fields["school"]))
    expected = {1: PLANNED, 7: reason if late else DUE}
    assert outcomes(december(12), *given, **fields["person"]) == expected


def test_a_date_that_moves_takes_what_was_not_sent_along():
    """Saved on the 1st for the 18th; the seven days' went out on the 11th; on the 12th it is moved."""
    moved = {"scheduled_at": december(12, 8)}
    later = milestone(due_on=date(2026, 12, 30), **moved)
    sent = ((7, december(11)),)
    assert outcomes(december(24), later, sent=sent) == {1: PLANNED, 7: SENT}
    assert outcomes(december(29), later, sent=sent) == {1: DUE, 7: SENT}
    sooner = milestone((1, 2, 7), due_on=date(2026, 12, 13), **moved)
    assert outcomes(december(12, 9), sooner, sent=sent) == {1: "already_past", 2: "already_past", 7: SENT}


def test_a_bigger_interval_goes_out_for_a_later_date_though_a_nearer_one_did_for_the_earlier():
    later = milestone(due_on=date(2027, 1, 20), scheduled_at=december(17, 12))
    sent = ((1, december(17)),)
    assert outcomes(utc(2027, 1, 13, 7), later, sent=sent) == {1: SENT, 7: DUE}
    assert outcomes(utc(2027, 1, 19, 12), later, sent=sent) == {1: SENT, 7: DUE}, "the nearest that is left"


def test_the_search_is_narrowed_to_the_latest_moment_that_has_come():
    def nearest(now, *given):
        return reminders.nearest(reminders.terms(*given or (milestone(), school()), now))

    assert [nearest(december(day, 8)) for day in (10, 11, 17, 18, 19)] == [None, december(11), december(17), december(17), None]
    assert nearest(december(12), milestone(scheduled_at=december(12)), school()) is None
    assert nearest(december(12), milestone(), school(student_visibility_at=None)) is None
    assert nearest(december(12), milestone(removed_at=december(1)), school()) is None


def test_every_reason_has_words():
    assert all(words == words.strip() and words for words in reminders.REASONS.values())
    assert [reminders.label(days) for days in (1, 2, 7, 14, 30)] == [
        "One day before", "Two days before", "One week before", "Two weeks before", "30 days before"]  # fmt: skip


# --- Any case against the oracle --------------------------------------------------------------------------------------

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
HALF_HOUR = timedelta(minutes=30)
BEGIN = utc(2028, 2, 1)


def slow_moment(due_on, days, zone, hour):
    """The first half hour whose school clock shows that day and hour or, where they are skipped, something later."""
    place, wanted = ZoneInfo(zone), datetime.combine(due_on - timedelta(days=days), time(hour))
    at = wanted.replace(tzinfo=UTC) - timedelta(hours=15)
    while at.astimezone(place).replace(tzinfo=None) < wanted:
        at += HALF_HOUR
    return at


def oracle(case, now):
    """The interval that goes out, or None: the sentences of the rule one after the other."""
    if case["since"] is None or now.astimezone(ZoneInfo(case["zone"])).date() > case["due_on"]:
        return None
    for days in sorted(case["days"]):
        at = slow_moment(case["due_on"], days, case["zone"], case["hour"])
        has_come, was_past = at <= now, at < max(case["scheduled"], case["added"], case["since"])
        if has_come and not was_past and days not in case["sent"]:
            return days if all(sent < at for sent in case["sent"].values()) else None
    return None


moments = st.integers(0, 48 * 75).map(lambda steps: BEGIN + steps * HALF_HOUR)
cases = st.fixed_dictionaries(
    {
        "due_on": st.integers(0, 75).map(lambda days: BEGIN.date() + timedelta(days=days)),
        "days": st.lists(st.sampled_from(sorted(reminders.INTERVALS)), unique=True),
        "zone": st.sampled_from(ZONES),
        "hour": st.sampled_from((0, 1, 2, 3, 7, 23)),
        "scheduled": moments,
        "added": moments,
        "since": st.none() | moments,
        "sent": st.dictionaries(st.sampled_from(sorted(reminders.INTERVALS)), moments, max_size=3),
    }
)


@given(case=cases, now=moments)
@settings(max_examples=400)
def test_any_case_is_as_the_oracle_says(case, now):
    at = school(timezone=case["zone"], alert_hour=case["hour"], student_visibility_at=case["since"])
    about = milestone(case["days"], due_on=case["due_on"], scheduled_at=case["scheduled"])
    terms = reminders.terms(about, at, now)
    who = person(added_at=case["added"], sent=tuple(case["sent"].items()))
    found = reminders.due(terms, who)
    assert found == oracle(case, now)
    latest = reminders.nearest(terms)
    if found is not None:
        assert latest is not None and case["added"] <= latest and all(at < latest for at in case["sent"].values()), "narrowed"
    fates = {fate.days: fate for fate in reminders.fates(terms, who)}
    assert fates.keys() == set(case["days"]) | case["sent"].keys(), "each interval has one fate"
    for days, fate in fates.items():
        assert (fate.outcome == SENT) == (days in case["sent"])
        assert (fate.outcome == NOT_SENT) == bool(fate.reason) and (not fate.reason or fate.reason in reminders.REASONS)
        if fate.outcome == PLANNED:
            assert fate.moment == slow_moment(case["due_on"], days, case["zone"], case["hour"]) > now


@given(case=cases, wakes=st.lists(moments, min_size=1, max_size=8))
@settings(max_examples=200)
def test_whenever_a_worker_wakes_nothing_goes_out_twice(case, wakes):
    """A worker that looks at these moments, in any order (clocks jump), and keeps what it sent."""
    at = school(timezone=case["zone"], alert_hour=case["hour"], student_visibility_at=case["since"])
    about, sent = milestone(case["days"], due_on=case["due_on"], scheduled_at=case["scheduled"]), {}
    for now in wakes:
        days = reminders.due(reminders.terms(about, at, now), person(added_at=case["added"], sent=tuple(sent.items())))
        if days is not None:
            assert days not in sent
            sent[days] = now

"""Student Support Groups of a cohort: attaching with what it gives whom, the tab with their staff, detaching."""

import json

import pytest

import permissions
from blueprints.cases.queries import confirmation_of
from blueprints.cohorts import actions, queries
from models import CohortGroup, CohortStudent, DepartmentDirector, Event, Group, GroupMember
from permissions import Denied, NotVisible
from tests.factories import account, cohort, exclusion, group, student
from tests.web import forms, text_of

OTHERS = ("oli", "kay", "mo", "rae", "stu")


@pytest.fixture
def autumn(cast):
    """A cohort of two students without a support group; Dee directs the department of Tutors, which Oli is in."""
    cast.ann = student("Ann", "Finch")
    cast.cohort = cohort("First years", "Autumn", [cast.ann, cast.student], created_by=cast.ada)
    cast.tutors = group("Tutors", [cast.oli, account("Una Uhu", is_active=False)], department="Pastoral")
    cast.dee = account("Dee Dove", role=permissions.DIRECTOR)
    DepartmentDirector.create(department=cast.tutors.department, account=cast.dee)
    cast.url = f"/cohorts/{cast.cohort.ref}"
    return cast


def attach(autumn, one):
    people = queries.gained_by_attaching(autumn.ada, autumn.cohort, one)
    return actions.attach_group(autumn.cohort, one, confirmed=confirmation_of(people), actor=autumn.ada)


def shown(answer):
    """What the form on the page would send now."""
    return next(one for one in forms(answer) if "group" in one.controls).values


# --- Attaching -------------------------------------------------------------------------------------------------------


def test_it_says_whom_it_gives_access_before_it_saves(client_for, post, autumn):
    ada, url = client_for("ada"), f"{autumn.url}/attach-support-groups"
    asked = post(ada, url, {"group": autumn.tutors.ref})
    assert asked.status_code == 200 and not CohortGroup.select().exists()
    assert "This gives 2 people access to the milestones of 2 students: Dee Dove, Oli Ouzel." in text_of(asked)
    assert "Attach to Cohort" in asked.text
    answer = post(ada, url, shown(asked))
    assert answer.status_code == 303 and answer.location == f"{autumn.url}/support-groups"
    link = CohortGroup.get()
    assert (link.cohort, link.group, link.attached_by) == (autumn.cohort, autumn.tutors, autumn.ada)
    event = Event.get(Event.verb == "cohort.group_attached")
    assert (event.target, json.loads(event.data)) == (autumn.cohort.ref, {"group": autumn.tutors.ref})


def test_with_a_script_one_click_is_enough(client_for, post, autumn):
    """What is shown while choosing carries what the button sends along."""
    ada, url = client_for("ada"), f"{autumn.url}/attach-support-groups"
    part = ada.get(f"{url}/effect?group={autumn.tutors.ref}")
    assert "Dee Dove, Oli Ouzel" in text_of(part)
    confirmed = part.text.split('name="confirmed" value="')[1].split('"')[0]
    assert post(ada, url, {"group": autumn.tutors.ref, "confirmed": confirmed}).status_code == 303
    assert CohortGroup.select().count() == 1


def test_what_the_page_says_is_what_the_rules_then_show(autumn):
    before = {person.id for person, _ in permissions.who_can_see_milestones(autumn.ann)}
    gained = queries.gained_by_attaching(autumn.ada, autumn.cohort, autumn.tutors)
    attach(autumn, autumn.tutors)
    after = {person.id for person, _ in permissions.who_can_see_milestones(autumn.ann)}
    assert {person.id for person in gained} == after - before == {autumn.oli.id, autumn.dee.id}
    lost = queries.lost_by_detaching(autumn.ada, autumn.cohort, autumn.tutors)
    assert {person.id for person in lost} == after - before


def test_who_has_access_already_gains_nothing(autumn):
    attach(autumn, autumn.tutors)
    again = group("Also tutors", [autumn.oli, autumn.sam, autumn.ada])
    assert [one.name for one in queries.gained_by_attaching(autumn.ada, autumn.cohort, again)] == ["Sam Swift"]


def test_it_asks_again_when_others_would_gain(client_for, post, autumn):
    ada, url = client_for("ada"), f"{autumn.url}/attach-support-groups"
    asked = shown(post(ada, url, {"group": autumn.tutors.ref}))
    GroupMember.create(group=autumn.tutors, account=autumn.sam)
    again = post(ada, url, asked)
    assert again.status_code == 422 and "has changed in the meantime" in text_of(again) and "Sam Swift" in text_of(again)
    assert not CohortGroup.select().exists()
    assert post(ada, url, shown(again)).status_code == 303


def test_a_group_that_nobody_is_in_asks_too(client_for, post, autumn):
    empty, url = group("Nobody"), f"{autumn.url}/attach-support-groups"
    asked = post(client_for("ada"), url, {"group": empty.ref})
    assert "Nobody gets access by this who does not have it now. Whoever joins Nobody later gets it too" in text_of(asked)
    assert not CohortGroup.select().exists()


def test_what_can_not_be_attached(client_for, post, autumn):
    ada, url = client_for("ada"), f"{autumn.url}/attach-support-groups"
    attach(autumn, autumn.tutors)
    retired = group("Retired")
    Group.update(is_active=False).where(Group.id == retired.id).execute()
    page = ada.get(url).text
    assert "Counselling" in page and "Tutors" not in page and "Retired" not in page
    for ref, sentence in ((autumn.tutors.ref, "This is not known."), (retired.ref, "This is not known."),
                          ("", "Choose a group."), ("x\0y", "This is not known.")):  # fmt: skip
        refused = post(ada, url, {"group": ref})
        assert refused.status_code == 422 and f"Group: {sentence}" in text_of(refused), ref
    for one, word in ((autumn.tutors, "already"), (retired, "not in use")):
        with pytest.raises(actions.Refused, match=word):
            actions.attach_group(autumn.cohort, one, confirmed="", actor=autumn.ada)
    for ref in ("", "x\0y", "ZZZZZZZZZZ"):
        assert ada.get(f"{url}/effect", query_string={"group": ref}).text.strip() == ""


def test_an_archived_cohort_takes_no_group(client_for, post, autumn):
    actions.archive_cohort(autumn.cohort, version=1, actor=autumn.ada)
    refused = post(client_for("ada"), f"{autumn.url}/attach-support-groups", {"group": autumn.tutors.ref})
    assert refused.status_code == 422 and "This cohort is archived. Restore it first." in text_of(refused)


def test_students_closed_to_the_admin_are_not_counted(client_for, post, autumn):
    exclusion(autumn.ada, account(role="admin"), student=autumn.ann)
    asked = post(client_for("ada"), f"{autumn.url}/attach-support-groups", {"group": autumn.tutors.ref})
    assert "access to the milestones of 1 student:" in text_of(asked)


# --- The tab ---------------------------------------------------------------------------------------------------------


def test_the_tab_lists_groups_with_their_staff(client_for, autumn):
    ada = client_for("ada")
    assert "No support group is attached" in text_of(ada.get(f"{autumn.url}/support-groups"))
    attach(autumn, autumn.tutors)
    attach(autumn, autumn.counselling)
    text = text_of(ada.get(f"{autumn.url}/support-groups"))
    assert text.index("Counselling 1") < text.index("Gil Gannet") < text.index("Tutors 1") < text.index("Oli Ouzel")
    assert "Managed by Mo Merlin" in text and "Pastoral. Attached by Ada Adler" in text
    assert "Una Uhu" not in text  # deactivated: supports nobody
    with ada.get(f"{autumn.url}/support-groups.csv") as file:
        lines = file.data.decode("utf-8-sig").splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == ["Gil Gannet", "Oli Ouzel"]


def test_few_queries_however_many_groups(client_for, autumn, count_queries):
    ada = client_for("ada")

    def costs(url):
        ada.get(url)
        with count_queries(most=10) as found:
            assert ada.get(url).status_code == 200
        return len(found)

    urls = [f"{autumn.url}/{page}" for page in ("support-groups", "attach-support-groups", "add-students")]
    attach(autumn, autumn.tutors)
    before = [costs(url) for url in urls]
    for number in range(8):
        attach(autumn, group(f"Support {number}", [account(), account()], [autumn.mo]))
        group(f"Other {number}", [account()])
        CohortStudent.create(cohort=autumn.cohort, student=student(), added_by=autumn.ada)
    assert [costs(url) for url in urls] == before


# --- Detaching -------------------------------------------------------------------------------------------------------


def test_detaching_says_who_loses_access_and_takes_it_at_once(client_for, post, autumn):
    attach(autumn, autumn.tutors)
    ada, url = client_for("ada"), f"{autumn.url}/support-groups/{autumn.tutors.ref}/removal"
    assert "2 people no longer see the milestones of 2 students in Autumn: Dee Dove, Oli Ouzel." in text_of(ada.get(url))
    assert permissions.milestone_reasons(autumn.oli, autumn.ann) == ["support_group"]
    assert post(ada, url, {}).status_code == 303
    assert permissions.milestone_reasons(autumn.oli, autumn.ann) == [] and not CohortGroup.select().exists()
    event = Event.get(Event.verb == "cohort.group_detached")
    assert (event.target, json.loads(event.data)) == (autumn.cohort.ref, {"group": autumn.tutors.ref})
    assert ada.get(url).status_code == 404
    with pytest.raises(NotVisible):
        actions.detach_group(autumn.cohort, autumn.tutors, actor=autumn.ada)


# --- Everybody else --------------------------------------------------------------------------------------------------


def test_for_the_rest_there_is_nothing(client_for, post, autumn):
    attach(autumn, autumn.counselling)
    for who in OTHERS:
        client = client_for(who)
        for page in ("support-groups", "attach-support-groups", f"attach-support-groups/effect?group={autumn.tutors.ref}"):
            assert client.get(f"{autumn.url}/{page}").status_code == 404, (who, page)
        for page, data in (("attach-support-groups", {"group": autumn.tutors.ref, "confirmed": "x"}),
                           (f"support-groups/{autumn.counselling.ref}/removal", {})):  # fmt: skip
            assert post(client, f"{autumn.url}/{page}", data, form_url="/").status_code == 404, (who, page)
    assert [link.group for link in CohortGroup.select()] == [autumn.counselling]


def test_the_actions_refuse_by_themselves(autumn):
    attach(autumn, autumn.counselling)
    for who in (autumn.oli, autumn.kay, autumn.mo, autumn.rae, autumn.stu):
        with pytest.raises(Denied):
            actions.attach_group(autumn.cohort, autumn.tutors, confirmed="", actor=who)
        with pytest.raises(Denied):
            actions.detach_group(autumn.cohort, autumn.counselling, actor=who)
        with pytest.raises(Denied):
            queries.support_groups(who, autumn.cohort)

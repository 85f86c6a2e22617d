"""Admin > Users: the list, adding, changing, deactivating; and never the last Admin Key Holder removed."""

import io
import json
import threading

import openpyxl
import pytest

import permissions
from blueprints.account import actions, queries
from extensions import db
from models import Account, Event, OutboxEmail, RecoveryCode, Session
from tests import factories
from tests.account.people import is_in, with_password
from tests.web import filled_in, text_of

NEW = {"name": "Una Urchin", "email": "Una@School.example.org", "role": "staff", "title": "Tutor", "phone": "12"}


def url(account, *parts):
    return "/".join(["/admin/users", account.ref, *parts])


def now(account):
    return Account.get_by_id(account.id)


# --- Who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who, status", [("kay", 403), ("mo", 403), ("oli", 403), ("rae", 404), ("stu", 404)])
def test_only_admins_manage_users(client_for, cast, who, status):
    client = client_for(who)
    for page in ("/admin/users", "/admin/users/new", "/admin/users.csv", "/admin/users.xlsx"):
        assert client.get(page).status_code == status, page
    for page in (url(cast.kay), url(cast.kay, "edit"), "/admin/users/ZZZZZZZZZZ"):
        assert client.get(page).status_code == 404, page


def test_forged_posts_change_nothing(post, client_for, cast):
    oli = client_for("oli")
    for part in ("edit", "deactivation", "reactivation", "invitation", "two-step-reset", "sessions/revocation"):
        answer = post(oli, url(cast.kay, part), NEW | {"role": "admin"}, form_url="/account")
        assert answer.status_code == 404, part
    assert post(oli, "/admin/users/new", NEW, form_url="/account").status_code == 403
    kay = now(cast.kay)
    assert (kay.name, kay.role, kay.is_active) == ("Kay Kestrel", "key_user", True)
    assert not OutboxEmail.select().exists()


@pytest.mark.parametrize("action", ["deactivate", "reactivate", "invite", "reset_two_step", "revoke_all"])
def test_the_actions_ask_themselves(app, cast, action):
    with app.app_context(), pytest.raises(permissions.Denied):
        getattr(actions, action)(cast.kay, actor=cast.oli)


def test_the_reads_ask_themselves(app, cast):
    for read in (lambda: queries.people(cast.oli), lambda: queries.account(cast.oli, cast.kay.ref)):
        with pytest.raises(permissions.NotVisible):
            read()


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_filters_and_searches(client_for, cast, app):
    factories.account(name="Zoë Łukasz", role="student")
    Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    with_password(app, cast.ken)
    ada = client_for("ada")

    def names(query):
        page = text_of(ada.get(f"/admin/users?{query}"))
        return {name for name in ("Gil Gannet", "Ken Kittiwake", "Zoë Łukasz") if name in page}

    assert names("") == {"Gil Gannet", "Ken Kittiwake", "Zoë Łukasz"}
    assert names("q=zoe+lukasz") == {"Zoë Łukasz"}
    assert names("q=KEN@SCHOOL") == {"Ken Kittiwake"}
    assert names("q=100%25") == set()
    assert names("role=student") == {"Zoë Łukasz"}
    assert names("state=deactivated") == {"Gil Gannet"}
    assert names("state=active") == {"Ken Kittiwake"}
    assert names("state=invited") == {"Zoë Łukasz"}
    assert names("role=nonsense&state=x&sort=;drop&page=-9") == {"Gil Gannet", "Ken Kittiwake", "Zoë Łukasz"}
    assert "No users found" in text_of(ada.get("/admin/users?q=nobody"))


def test_the_list_costs_the_same_for_many(client_for, cast, count_queries):
    ada = client_for("ada")
    with count_queries(most=10) as few:
        ada.get("/admin/users")
    for _ in range(60):
        factories.account()
    with count_queries(most=10) as many:
        page = ada.get("/admin/users")
    assert len(many) <= len(few) + 1  # one more to count what does not fit on the page
    assert len(page.data) < 60_000


def test_exports(client_for, cast, app):
    Account.update(name="=cmd|' /C calc'!A0").where(Account.id == cast.gil.id).execute()
    ada = client_for("ada")
    with ada.get("/admin/users.csv?role=staff") as answer:
        text = answer.get_data().decode("utf-8-sig")
    assert "Sam Swift" in text and "Kay Kestrel" not in text
    assert "'=cmd" in text
    with ada.get("/admin/users.xlsx") as answer:
        book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
    assert book.active.max_row == 10
    events = Event.select().where(Event.verb == "account.exported").order_by(Event.id)
    data = [json.loads(event.data) for event in events]
    assert data == [{"count": 3, "format": "csv"}, {"count": 9, "format": "xlsx"}]


# --- Adding and inviting ---------------------------------------------------------------------------------------------


def test_adding_sends_an_invitation(post, client_for, cast):
    answer = post(client_for("ada"), "/admin/users/new", NEW, follow=True)
    una = Account.get(Account.email_folded == "una@school.example.org")
    assert answer.request.path == url(una)
    assert (una.name, una.role, una.title, una.phone) == ("Una Urchin", "staff", "Tutor", "12")
    email = OutboxEmail.get()
    assert (email.kind, email.account_id, email.target) == ("invitation", una.id, una.ref)
    added = Event.select().where(Event.verb == "account.added").get()
    assert (added.actor_id, added.target) == (cast.ada.id, una.ref)


@pytest.mark.parametrize(
    "wrong, field",
    [
        ({"name": " "}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": "a b@c.example"}, "email"),
        ({"email": "a@b.example,c@d.example"}, "email"),
        ({"email": "KAY@school.example.org"}, "email"),
        ({"email": "x" * 250 + "@b.example"}, "email"),
        ({"role": "boss"}, "role"),
        ({"role": ""}, "role"),
        ({"name": "x" * 256}, "name"),
    ],
)
def test_bad_input_is_refused_at_its_field(post, client_for, cast, wrong, field):
    answer = post(client_for("ada"), "/admin/users/new", NEW | wrong)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'id="{field}-error"' in page and "Tutor" in page
    assert not OutboxEmail.select().exists()


def test_long_names_fit(post, client_for, cast):
    fields = NEW | {"name": "Ü" * 255, "email": f"{'x' * 200}@school.example.org"}
    assert post(client_for("ada"), "/admin/users/new", fields).status_code == 303


def test_adding_twice_adds_once(client_for, cast):
    ada = client_for("ada")
    body = filled_in(ada.get("/admin/users/new"), "/admin/users/new", NEW)
    first, second = (ada.post("/admin/users/new", data=body) for _ in range(2))
    assert first.location == second.location
    assert Account.select().where(Account.name == "Una Urchin").count() == 1
    assert OutboxEmail.select().count() == 1


def test_the_invitation_can_be_sent_again(app, post, client_for, cast):
    ada = client_for("ada")
    for part, status in (("invitation", 303), ("deactivation", 303), ("invitation", 422)):
        assert post(ada, url(cast.sam, part), form_url=url(cast.sam)).status_code == status
    assert OutboxEmail.select().count() == 1


# --- Changing --------------------------------------------------------------------------------------------------------


def test_changing_the_role_signs_out(post, client_for, cast):
    sam, ada = client_for("sam"), client_for("ada")
    assert post(ada, url(cast.sam, "edit"), {"role": "key_user"}).status_code == 303
    assert now(cast.sam).role == "key_user"
    assert not is_in(sam)
    event = Event.select().where(Event.verb == "account.role_changed").get()
    assert json.loads(event.data) == {"old": "staff", "new": "key_user"}


def test_changing_details_leaves_sessions(post, client_for, cast):
    sam, ada = client_for("sam"), client_for("ada")
    post(ada, url(cast.sam, "edit"), {"name": "Sam Świft", "title": "Head of Year"})
    assert is_in(sam)
    assert "Sam Świft" in text_of(ada.get("/admin/users?q=swift"))


def test_another_email_voids_links_to_the_old_one(app, post, client_for, cast):
    with app.app_context():
        actions.invite(cast.sam, actor=cast.ada)
        link = queries.newest_link_url(cast.sam).removeprefix(app.settings.base_url)
    ada = client_for("ada")
    assert app.test_client().get(link).status_code == 200
    post(ada, url(cast.sam, "edit"), {"email": "sam.swift@school.example.org"})
    assert now(cast.sam).email_folded == "sam.swift@school.example.org"
    assert app.test_client().get(link).status_code == 404
    assert post(ada, url(cast.sam, "edit"), {"email": "KAY@school.example.org"}).status_code == 422


def test_the_second_of_two_editors_sees_both(client_for, cast):
    ada = client_for("ada")
    body = filled_in(ada.get(url(cast.sam, "edit")), url(cast.sam, "edit"), {"title": "Typed second"})
    with db.atomic():
        now(cast.sam).change(1, title="Saved first")
    answer = ada.post(url(cast.sam, "edit"), data=body)
    assert answer.status_code == 409
    assert "Saved first" in text_of(answer) and "Typed second" in answer.get_data(as_text=True)
    assert now(cast.sam).title == "Saved first"
    body = filled_in(answer, url(cast.sam, "edit"), {})
    assert ada.post(url(cast.sam, "edit"), data=body).status_code == 303
    assert now(cast.sam).title == "Typed second"


def test_deactivating_and_back(post, client_for, cast):
    factories.incident(cast.sam, assigned_to=cast.kay)
    kay, ada = client_for("kay"), client_for("ada")
    page = text_of(ada.get(url(cast.kay)))
    assert "1 Active incident" in page
    assert post(ada, url(cast.kay, "deactivation"), form_url=url(cast.kay)).status_code == 303
    assert not is_in(kay) and not now(cast.kay).is_active
    assert cast.kay not in list(permissions.assignable())
    post(ada, url(cast.kay, "reactivation"), form_url=url(cast.kay))
    assert now(cast.kay).is_active
    assert not is_in(kay), "the ended session stays ended"


def test_resetting_two_step(app, post, client_for, cast):
    kay = with_password(app, cast.kay)
    RecoveryCode.create(account=kay, code_hash="x")
    client, ada = client_for("kay"), client_for("ada")
    assert post(ada, url(cast.kay, "two-step-reset"), form_url=url(cast.kay)).status_code == 303
    assert now(kay).two_step_at is None and not RecoveryCode.select().exists()
    assert not is_in(client)


def test_ending_sessions(post, client_for, cast):
    kay, other, ada = client_for("kay"), client_for("kay"), client_for("ada")
    first = Session.select().where(Session.account == cast.kay).order_by(Session.id).first()
    post(ada, url(cast.kay, "sessions", first.ref, "revocation"), form_url=url(cast.kay))
    assert not is_in(kay) and is_in(other)
    answer = post(ada, url(cast.kay, "sessions", first.ref, "revocation"), form_url=url(cast.sam))
    assert answer.status_code == 303, "ended already"
    assert post(ada, url(cast.sam, "sessions", first.ref, "revocation"), form_url="/account").status_code == 404
    post(ada, url(cast.kay, "sessions/revocation"), form_url=url(cast.kay))
    assert not is_in(other)


# --- The last Admin Key Holder ---------------------------------------------------------------------------------------


def test_the_last_admin_can_neither_go_nor_step_down(post, client_for, cast):
    ada = client_for("ada")
    answer = post(ada, url(cast.ada, "edit"), {"role": "staff"})
    assert answer.status_code == 422 and "last active Admin Key Holder" in text_of(answer)
    answer = post(ada, url(cast.ada, "deactivation"), form_url=url(cast.ada))
    assert answer.status_code == 422
    assert now(cast.ada).role == "admin" and now(cast.ada).is_active


def test_a_deactivated_admin_does_not_count(app, cast):
    factories.account(role="admin", is_active=False)
    with pytest.raises(actions.Refused):
        actions.deactivate(cast.ada, actor=actions.OPERATOR)


def test_of_two_admins_one_can_go(app, cast):
    second = factories.account(role="admin")
    actions.deactivate(second, actor=cast.ada)
    assert not now(second).is_active
    assert queries.admin_names() == ["Ada Adler"]


@pytest.mark.parametrize("how", ["demote", "deactivate"])
def test_two_admins_remove_each_other_at_once(app, cast, how):
    second = factories.account(role="admin")
    start, outcomes = threading.Barrier(2), []

    def remove(actor, other):
        with app.app_context():
            start.wait()
            try:
                if how == "demote":
                    actions.change_account(other, version=1, role="staff", actor=actor)
                else:
                    actions.deactivate(other, actor=actor)
                outcomes.append("done")
            except actions.Refused:
                outcomes.append("refused")
        db.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((cast.ada, second), (second, cast.ada))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert len(queries.admin_names()) == 1


# --- The account of a student whom one is excluded from --------------------------------------------------------------


def test_the_account_of_a_student_is_closed_to_an_excluded_admin(client_for, cast, post):
    """It has the student's name, and whoever manages it could give it another password."""
    ada, stus = client_for("ada"), url(cast.stu)
    assert "Stu Sturgeon" in text_of(ada.get("/admin/users")) and ada.get(stus).status_code == 200
    factories.exclusion(cast.ada, cast.kay, student=cast.student)
    for page in ("/admin/users", "/admin/users?q=stu", "/admin/users.csv", "/admin/users?role=student"):
        assert "stu@school.example.org" not in ada.get(page).text
    missing = ada.get("/admin/users/ZZZZZZZZZZ").get_data()
    for page in (stus, url(cast.stu, "edit"), url(cast.stu, "edit", "effect")):
        answer = ada.get(page)
        assert answer.status_code == 404 and len(answer.get_data()) == len(missing)
    for step in ("deactivation", "invitation", "sessions/revocation", "edit"):
        assert post(ada, url(cast.stu, step), {"name": "Stu", "version": "1"}, form_url="/admin/users/new").status_code == 404
    assert now(cast.stu).is_active and not Event.select().where(Event.verb == "account.invited").exists()
    assert ada.get(url(cast.rae)).status_code == 200
    other = factories.account(role=permissions.ADMIN)
    assert client_for(other).get(stus).status_code == 200


def test_an_account_with_the_email_of_a_closed_student_that_is_no_students_stays(client_for, cast):
    """Staff whose child is at the school under their own address."""
    factories.exclusion(cast.ada, cast.kay, student=factories.student("Bo", email=cast.kay.email))
    assert client_for("ada").get(url(cast.kay)).status_code == 200

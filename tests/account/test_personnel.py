"""Personnel: who finds whom, staff cards with their photos, and profiles that have no role yet."""

import io
import json
from datetime import timedelta

import openpyxl
import pytest
from PIL import Image

import permissions
from blueprints.account import actions, queries
from models import Account, Event, GroupManager, GroupMember, OutboxEmail, PasswordLink, Session
from tests import factories
from tests.account.people import PASSWORD, is_in, sign_in, with_password
from tests.web import filled_in, post, text_of

URL = "/personnel"
NEW = {"name": "Pia Pipit", "email": "pia@school.example.org", "title": "Tutor", "phone": "12"}


def picture(kind="PNG", size=(60, 40), colour="red", **options):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind, **options)
    return file.getvalue()


def now(account):
    return Account.get_by_id(account.id)


@pytest.fixture
def profile(cast):
    return factories.account("Pia Pipit", "pia@school.example.org", role="")


def photo(client, url, data, **fields):
    return post(client, url, {"photo": (io.BytesIO(data), "me.png")} | fields)


# --- Who finds whom --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "kay", "gil", "mo", "sam", "oli"])
def test_all_staff_find_staff(client_for, cast, who):
    client = client_for(who)
    page = text_of(client.get(URL))
    assert "Kay Kestrel" in page and "Counselling" in page and "Rae Raven" not in page and "Stu Sturgeon" not in page
    page = text_of(client.get(f"{URL}/{cast.gil.ref}"))
    assert "gil@school.example.org" in page and "Counselling" in page
    for ref in (cast.rae.ref, cast.stu.ref, "ZZZZZZZZZZ"):
        assert client.get(f"{URL}/{ref}").status_code == client.get(f"{URL}/{ref}/photo").status_code == 404


@pytest.mark.parametrize("who", ["rae", "stu"])
def test_others_find_no_personnel(client_for, cast, who):
    client = client_for(who)
    for url in (URL, f"{URL}.csv", f"{URL}/new", f"{URL}/{cast.gil.ref}", f"{URL}/{cast.gil.ref}/photo"):
        answer = client.get(url)
        assert answer.status_code == 404 and "Gannet" not in answer.text, url


def test_the_reads_ask_themselves(cast):
    for person in (cast.rae, cast.stu):
        for read in (lambda who: queries.personnel(who), lambda who: queries.person(who, cast.gil.ref),
                     lambda who: queries.groups_of(who, []), lambda who: queries.groups_of_person(who, cast.gil),
                     lambda who: queries.group_names(who), lambda who: queries.photo_path(who, cast.gil.ref)):  # fmt: skip
            with pytest.raises(permissions.Denied):
                read(person)


def test_searching(client_for, cast):
    Account.update(title="Head of Year 9").where(Account.id == cast.sam.id).execute()
    oli = client_for("oli")

    def found(query):
        page = text_of(oli.get(f"{URL}?{query}")).partition("Show personnel")[2]
        return {name for name in ("Gil", "Sam", "Kay", "Oli") if f"{name} " in page}

    assert found("q=kes") == {"Kay"} and found("q=GIL@school") == {"Gil"}
    assert found("q=counsel") == {"Gil"} and found("q=head+year") == {"Sam"} and found("q=head+kay") == set()
    assert found(f"group={cast.counselling.ref}") == {"Gil"} and found("group=ZZZ") == set() and found("q=%25") == set()
    assert found("q=%00&sort=;drop&page=-3") == {"Gil", "Sam", "Kay", "Oli"}
    assert "Nobody found" in text_of(oli.get(f"{URL}?q=nobody"))
    for sort in ("name", "-title", "role"):
        assert oli.get(f"{URL}?sort={sort}").status_code == 200


def test_groups_are_links_only_where_the_reader_manages_them(client_for, cast):
    url, link = f"{URL}/{cast.gil.ref}", f'href="/groups/{cast.counselling.ref}"'
    assert link in client_for("mo").get(url).text and link in client_for("ada").get(url).text
    assert link not in client_for("oli").get(url).text and link not in client_for("kay").get(url).text


def test_who_is_gone_is_not_personnel(client_for, cast):
    Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    for who in ("oli", "ada"):
        assert "Gil Gannet" not in text_of(client_for(who).get(URL))
        assert client_for(who).get(f"{URL}/{cast.gil.ref}").status_code == 404


def test_exports(client_for, cast):
    Account.update(name="=1+1").where(Account.id == cast.gil.id).execute()
    oli = client_for("oli")
    with oli.get(f"{URL}.csv?group={cast.counselling.ref}") as answer:
        text = answer.get_data().decode("utf-8-sig")
    assert "'=1+1" in text and "Counselling" in text and "Kay" not in text
    with oli.get(f"{URL}.xlsx") as answer:
        assert openpyxl.load_workbook(io.BytesIO(answer.get_data())).active.max_row == 8
    data = [json.loads(event.data) for event in Event.select().where(Event.verb == "account.exported").order_by(Event.id)]
    assert [(one["count"], one["format"], one["list"]) for one in data] == [(1, "csv", "personnel"), (7, "xlsx", "personnel")]


def test_it_is_recorded_and_costs_the_same_for_many(client_for, cast, count_queries):
    oli = client_for("oli")
    with count_queries(most=10) as few:
        oli.get(URL)
    for _ in range(60):
        GroupMember.create(group=factories.group(), account=factories.account())
    with count_queries(most=10) as many:
        page = oli.get(URL)
    assert len(many) <= len(few) + 1  # one more to count what does not fit on the page
    assert len(page.data) < 60_000
    with count_queries(most=10):
        oli.get(f"{URL}/{cast.gil.ref}")
    verbs = [row.verb for row in Event.select().where(Event.verb.startswith("personnel.")).order_by(Event.id)]
    assert verbs == ["personnel.listed", "personnel.listed", "personnel.read"]


# --- Staff cards -----------------------------------------------------------------------------------------------------


def test_everybody_edits_their_own_card(client_for, cast, app):
    sam = client_for("sam")
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    data = picture(exif=exif, size=(1200, 400))
    assert b"secret place" in data
    answer = photo(sam, "/account/details", data, title="Tutor", booking_url="https://booking.example/sam?x=1&y=2")
    assert answer.status_code == 303
    row = now(cast.sam)
    assert (row.title, row.booking_url) == ("Tutor", "https://booking.example/sam?x=1&y=2") and row.photo_path
    page = client_for("oli").get(f"{URL}/{cast.sam.ref}").text
    assert 'href="https://booking.example/sam?x=1&amp;y=2"' in page and f"{URL}/{cast.sam.ref}/photo" in page
    with client_for("oli").get(f"{URL}/{cast.sam.ref}/photo") as shown:
        kept = Image.open(io.BytesIO(shown.data))
        assert (kept.format, kept.size) == ("JPEG", (320, 320)) and b"secret" not in shown.data
        assert shown.headers["Content-Type"] == "image/jpeg" and shown.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in shown.headers["Content-Security-Policy"] and shown.headers["Cache-Control"] == "no-store"
        assert "attachment" not in shown.headers.get("Content-Disposition", "")
    assert client_for("rae").get(f"{URL}/{cast.sam.ref}/photo").status_code == 404
    verbs = {row.verb for row in Event.select().where(Event.actor == cast.sam)}
    assert verbs == {"account.signed_in", "account.photo_changed", "account.changed"}


def test_replacing_and_removing_a_photo_leaves_no_file(client_for, cast, app):
    sam, folder = client_for("sam"), app.settings.instance / "files"

    def files():
        return [path for path in folder.rglob("*") if path.is_file()]

    photo(sam, "/account/details", picture())
    first = files()
    photo(sam, "/account/details", picture(colour="blue"))
    assert len(files()) == 1 and files() != first
    assert post(sam, "/account/details", {"remove_photo": "y"}).status_code == 303
    assert files() == [] and now(cast.sam).photo_path == ""
    assert sam.get(f"{URL}/{cast.sam.ref}/photo").status_code == 404


def test_what_is_no_picture_is_refused_and_nothing_is_lost(client_for, cast, app):
    sam, folder = client_for("sam"), app.settings.instance / "files"
    for data, sentence in ((b"%PDF-1.7 hello", "is not a picture"), (b"GIF89a broken", "damaged"), (b"<svg/>", "me.png")):
        answer = photo(sam, "/account/details", data, title="Typed", phone="99")
        assert answer.status_code == 422 and sentence in text_of(answer) and 'id="photo-error"' in answer.text
        assert 'value="Typed"' in answer.text and 'value="99"' in answer.text
    assert not [path for path in folder.rglob("*") if path.is_file()] and now(cast.sam).title == ""


def test_a_photo_of_the_second_of_two_savers_leaves_no_file(client_for, cast, app):
    sam, folder = client_for("sam"), app.settings.instance / "files"
    body = filled_in(sam.get("/account/details"), "/account/details", {"photo": (io.BytesIO(picture()), "me.png")})
    now(cast.sam).change(1, title="Saved first")
    answer = sam.post("/account/details", data=body, content_type="multipart/form-data")
    assert answer.status_code == 409 and "Saved first" in text_of(answer)
    assert not [path for path in folder.rglob("*") if path.is_file()] and now(cast.sam).photo_path == ""


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://a.example", "https://", "kay", "https://u:p@a.example",
     "https://[::1", "https://a.example:99999/", 'https://a.example/"x', "https://a b.example", "https://" + "x" * 260],
)  # fmt: skip
def test_only_web_addresses_are_links(client_for, cast, link):
    answer = post(client_for("sam"), "/account/details", {"booking_url": link})
    assert answer.status_code == 422 and 'id="booking_url-error"' in answer.text
    assert now(cast.sam).booking_url == ""
    answer = post(client_for("ada"), f"/admin/users/{cast.sam.ref}/edit", {"booking_url": link})
    assert answer.status_code == 422 and now(cast.sam).booking_url == ""


def test_students_have_no_details_to_change(client_for, cast):
    stu = client_for("stu")
    assert "Role title" not in text_of(stu.get("/account")) and "/account/details" not in stu.get("/account").text
    assert stu.get("/account/details").status_code == 404
    assert post(stu, "/account/details", {"phone": "1", "version": "1"}, form_url="/account").status_code == 404
    assert now(cast.stu).phone == ""


def test_others_have_no_card(client_for, cast):
    client = client_for("rae")
    assert "Booking link" not in text_of(client.get("/account/details"))
    forged = {"booking_url": "https://a.example", "photo": (io.BytesIO(picture()), "me.png"), "phone": "1"}
    assert post(client, "/account/details", forged).status_code == 303
    row = now(cast.rae)
    assert (row.phone, row.booking_url, row.photo_path) == ("1", "", "")


def test_admins_edit_cards_on_the_users_page(client_for, cast):
    ada, url = client_for("ada"), f"/admin/users/{cast.sam.ref}"
    assert photo(ada, f"{url}/edit", picture(), booking_url="http://booking.example").status_code == 303
    assert now(cast.sam).photo_path and now(cast.sam).booking_url == "http://booking.example"
    assert f"{URL}/{cast.sam.ref}/photo" in ada.get(url).text
    assert post(ada, f"{url}/edit", {"remove_photo": "y"}).status_code == 303
    assert now(cast.sam).photo_path == ""
    assert client_for("oli").get(f"{url}/edit").status_code == 404


# --- A profile is not yet a role ---------------------------------------------------------------------------------------


def test_a_profile_is_created_without_a_role(client_for, cast):
    ada = client_for("ada")
    assert "New personnel" in text_of(ada.get(URL)) and "New personnel" not in text_of(client_for("kay").get(URL))
    answer = post(ada, f"{URL}/new", NEW, follow=True)
    pia = Account.get(Account.email == "pia@school.example.org")
    assert answer.request.path == f"{URL}/{pia.ref}" and "No role yet" in text_of(answer) and "Give a role" in text_of(answer)
    assert (pia.role, pia.title) == ("", "Tutor")
    assert not OutboxEmail.select().exists() and not PasswordLink.select().exists()
    for wrong, field in (({"name": " "}, "name"), ({"email": "KAY@school.example.org"}, "email"), ({"booking_url": "x"}, "booking_url")):
        answer = post(ada, f"{URL}/new", NEW | {"email": "new@school.example.org"} | wrong)
        assert answer.status_code == 422 and f'id="{field}-error"' in answer.text and 'value="Tutor"' in answer.text
    for who, status in (("kay", 403), ("oli", 403), ("rae", 404)):
        assert client_for(who).get(f"{URL}/new").status_code == status
        assert post(client_for(who), f"{URL}/new", NEW, form_url="/account").status_code == status


def test_add_user_can_leave_the_role_open(client_for, cast):
    answer = post(client_for("ada"), "/admin/users/new", NEW | {"role": "none"}, follow=True)
    assert "No role yet" in text_of(answer) and "they can't sign in" in text_of(answer)
    assert Account.get(Account.name == "Pia Pipit").role == "" and not OutboxEmail.select().exists()


def test_only_the_role_sends_the_invitation(app, client_for, cast, profile):
    ada, url = client_for("ada"), f"/admin/users/{profile.ref}"
    page = text_of(ada.get(url))
    assert "No role yet" in page and "Resend invitation" not in page
    assert post(ada, f"{url}/invitation", form_url=url).status_code == 422
    assert post(ada, f"{url}/edit", {"title": "Nurse"}).status_code == 303
    assert not OutboxEmail.select().exists()
    answer = post(ada, f"{url}/edit", {"role": "staff"}, follow=True)
    assert "The invitation is on its way to pia@school.example.org." in text_of(answer)
    email = OutboxEmail.get()
    assert (email.kind, email.account_id) == ("invitation", profile.id)
    assert post(ada, f"{url}/edit", {"role": "key_user"}).status_code == 303
    assert OutboxEmail.select().count() == 1
    with app.app_context():
        link = queries.newest_link_url(profile).removeprefix(app.settings.base_url)
    assert app.test_client().get(link).status_code == 200
    assert post(ada, f"{url}/edit", {"role": ""}).status_code == 303
    assert app.test_client().get(link).status_code == 404, "taking the role away ends the invitation"


def test_without_a_role_nobody_signs_in_or_is_sent_a_link(app, client, cast, profile):
    with_password(app, profile, two_step=False)
    wrong = sign_in(post, client, "pia@school.example.org", "something-else-entirely")
    right = sign_in(post, client, "pia@school.example.org", PASSWORD)
    assert right.status_code == wrong.status_code == 422 and text_of(right) == text_of(wrong)
    assert post(client, "/account/password-link", {"email": "pia@school.example.org"}).status_code == 303
    assert not OutboxEmail.select().exists()
    with app.app_context(), pytest.raises(actions.Refused):
        actions.invite(profile, actor=cast.ada)
    link = PasswordLink.create(account=profile, kind="invite", nonce="n", expires_at=Event.at.default() + timedelta(days=9999))
    with app.app_context():
        assert app.test_client().get(queries.link_url(link).removeprefix(app.settings.base_url)).status_code == 404
        row = OutboxEmail(target_id=link.id)
        assert queries.email_password_link(row, now(profile)) == "the account has no role"


def test_taking_the_role_away_ends_sessions_and_giving_it_back_needs_no_invitation(app, client_for, cast):
    with_password(app, cast.sam)
    sam, ada, url = client_for("sam"), client_for("ada"), f"/admin/users/{cast.sam.ref}/edit"
    assert post(ada, url, {"role": ""}).status_code == 303
    assert now(cast.sam).role == "" and not is_in(sam)
    Session.update(revoked_at=None).execute()
    assert not is_in(sam), "not even with a session that somehow lives on"
    assert sam.get(URL).status_code == 302
    assert post(ada, url, {"role": "staff"}).status_code == 303
    assert not OutboxEmail.select().exists()


def test_the_last_admin_keeps_the_role(client_for, cast):
    answer = post(client_for("ada"), f"/admin/users/{cast.ada.ref}/edit", {"role": ""})
    assert answer.status_code == 422 and "last active Admin Key Holder" in text_of(answer)
    assert now(cast.ada).role == "admin"


def test_a_profile_is_seen_by_admins_alone_and_can_be_chosen_for_nothing(client_for, cast, profile):
    GroupMember.create(group=cast.counselling, account=profile)
    GroupManager.create(group=cast.counselling, account=profile)
    case = factories.case(groups=[cast.counselling], staff=[profile], primary_advocate=profile)
    assert not permissions.case_reasons(profile, case) and not permissions.visible_incidents(profile).exists()
    assert profile.id not in {account.id for account, _ in permissions.who_can_see_case(case)}
    for choose in (permissions.staff(), permissions.assignable()):
        assert profile not in list(choose)
    assert not any(permissions.can(profile, capability) for capability in permissions.CAPABILITIES["admin"])
    oli, ada = client_for("oli"), client_for("ada")
    assert "Pia Pipit" not in oli.get(URL).text and oli.get(f"{URL}/{profile.ref}").status_code == 404
    with oli.get(f"{URL}.csv") as file:
        assert "Pia" not in file.text
    assert "Pia Pipit" in ada.get(URL).text and ada.get(f"{URL}/{profile.ref}").status_code == 200
    for url in (f"/admin/groups/{cast.counselling.ref}", "/admin/groups", "/admin/audit", "/"):
        assert ada.get(url).status_code == 200, url


def test_the_list_of_users_finds_profiles(client_for, cast, profile):
    ada = client_for("ada")

    def shows(query):
        return "Pia Pipit" in text_of(ada.get(f"/admin/users?{query}")).partition("Show users")[2]

    assert shows("") and shows("role=none") and not shows("role=staff")
    assert not shows("state=invited") and not shows("state=active")
    assert "Role: No role yet" in text_of(ada.get("/admin/users?role=none"))
    with ada.get("/admin/users.csv?role=none") as file:
        assert file.text.count("No role yet") == 2 and "Kay" not in file.text


# --- Being refused ---------------------------------------------------------------------------------------------------


def test_a_refused_page_says_whom_to_ask(client_for, cast):
    factories.account("Bea Bittern", role="admin")
    answer = client_for("oli").get("/admin/users")
    assert answer.status_code == 403
    sentence = "You don't have permission for this. Contact your Admin Key Holder: Ada Adler, Bea Bittern."
    assert sentence in text_of(answer)

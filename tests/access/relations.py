"""Each reason to see the secret incident or the secret case of world.py, as something that can be given to one member of
the cast and taken away again. Must not ask anything: the tests do.
"""

from models import (
    Account,
    Case,
    CaseFollower,
    CaseGroup,
    CaseStaff,
    CategoryGroup,
    DepartmentDirector,
    GroupManager,
    GroupMember,
    IncidentAlert,
)

# --- An incident -------------------------------------------------------------------------------------------------------


def open_the_category(school, person):
    CategoryGroup.delete().execute()


def close_the_category(school, person):
    CategoryGroup.create(category=school.secret_category, group=school.cast.counselling)


def join_the_group(school, person):
    GroupMember.create(group=school.cast.counselling, account=person)


def leave_the_group(school, person):
    GroupMember.delete().where(GroupMember.account == person).execute()


def alert(school, person):
    IncidentAlert.create(incident=school.secret, account=person, alerted_by=school.cast.sam)


def alert_the_group(school, person):
    IncidentAlert.create(incident=school.secret, group=school.other_group, alerted_by=school.cast.sam)


def take_alerts_back(school, person):
    IncidentAlert.delete().execute()


def assign(school, person):
    update_secret(school, assigned_to=person)


def assign_to_nobody(school, person):
    update_secret(school, assigned_to=None)


def write(school, person):
    update_secret(school, author=person)


def written_by_another(school, person):
    update_secret(school, author=school.lou)


def update_secret(school, **fields):
    model = type(school.secret)
    model.update(**fields).where(model.id == school.secret.id).execute()


def become_admin(school, person):
    Account.update(role="admin").where(Account.id == person.id).execute()


def become_staff_again(school, person):
    Account.update(role="staff").where(Account.id == person.id).execute()


def nothing(school, person):
    pass


# reason: (member of the cast, gives it, takes it away)
RELATIONS = {
    "none": ("oli", nothing, nothing),
    "none, Key User outside the group": ("kay", nothing, nothing),
    "none, manages the group": ("mo", nothing, nothing),
    "key_user": ("kay", open_the_category, close_the_category),
    "category_group": ("oli", join_the_group, leave_the_group),
    "alerted": ("oli", alert, take_alerts_back),
    "alerted, as a member of a group": ("oli", alert_the_group, leave_the_group),
    "assigned": ("kay", assign, assign_to_nobody),
    "wrote_it": ("oli", write, written_by_another),
    "admin": ("oli", become_admin, become_staff_again),
}


# --- A case ------------------------------------------------------------------------------------------------------------


def case_field(name):
    def give(school, person):
        Case.update({name: person}).where(Case.id == school.case.id).execute()

    def take(school, person):
        Case.update({name: None}).where(Case.id == school.case.id).execute()

    return give, take


def follow(school, person):
    CaseFollower.create(case=school.case, account=person, added_by=school.cast.ken)


def follow_no_more(school, person):
    CaseFollower.delete().where(CaseFollower.account == person).execute()


def attach(school, person):
    CaseStaff.create(case=school.case, account=person, attached_by=school.cast.ken)


def detach(school, person):
    CaseStaff.delete().where(CaseStaff.account == person).execute()


def join_the_other_group(school, person):
    """A group of its own kind: nobody has a need-to-know category through it. Oli is a member, Mo a manager of it."""
    CaseGroup.create(case=school.case, group=school.other_group, attached_by=school.cast.ken)


def detach_the_group(school, person):
    CaseGroup.delete().where(CaseGroup.group == school.other_group).execute()


def manage_no_more(school, person):
    GroupManager.delete().where(GroupManager.account == person).execute()


def lose_the_managing_role(school, person):
    become_staff_again(school, person)


def direct_the_department(school, person):
    join_the_other_group(school, person)
    GroupMember.delete().where(GroupMember.account == person).execute()
    Account.update(role="director").where(Account.id == person.id).execute()
    DepartmentDirector.create(department=school.department, account=person)


def direct_no_more(school, person):
    DepartmentDirector.delete().where(DepartmentDirector.account == person).execute()


def alone_on_the_case(give, take):
    """Mo manages Counselling, which is attached: that reason is taken away first."""

    def only_this(school, person):
        CaseGroup.delete().execute()
        give(school, person)

    return only_this, take


MANAGING = ("primary_advocate", "coordinator", "opened_it", "group_manager", "admin")
CASE_RELATIONS = {
    "none": ("oli", nothing, nothing),
    "none, sees the linked incident": ("sam", nothing, nothing),
    "none, a Key User": ("kay", nothing, nothing),
    "none, a group that is not attached": ("mo", *alone_on_the_case(nothing, nothing)),
    "primary_advocate": ("oli", *case_field("primary_advocate")),
    "coordinator": ("oli", *case_field("coordinator")),
    "opened_it": ("kay", *case_field("opened_by")),
    "following": ("oli", follow, follow_no_more),
    "assigned": ("oli", attach, detach),
    "group, and they leave it": ("oli", join_the_other_group, leave_the_group),
    "group, and it is detached": ("oli", join_the_other_group, detach_the_group),
    "group_manager": ("mo", *alone_on_the_case(join_the_other_group, manage_no_more)),
    "group_manager, and the role ends": ("mo", *alone_on_the_case(join_the_other_group, lose_the_managing_role)),
    "group_manager, by department": ("oli", direct_the_department, direct_no_more),
    "admin": ("oli", become_admin, become_staff_again),
}

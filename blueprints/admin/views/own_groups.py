"""Case Management > Groups: the groups that a Director or Group Manager manages, and who is in them. Managers, departments
and names are changed under Admin > Groups, and by nobody here."""

from flask import g, url_for

import permissions
from blueprints.admin import queries
from blueprints.admin.views import bp, membership


@bp.route("/groups")
@permissions.policy("group.manage")
def own_groups():
    return membership.group_list(_base())


@bp.route("/groups.<any(csv, xlsx):kind>")
@permissions.policy("group.manage")
def own_groups_export(kind):
    return membership.export(kind)


@bp.route("/groups/<ref>")
@permissions.policy("group.manage", record=True)
def own_group(ref):
    return membership.group_page(_base(), queries.group(g.user, ref), changeable=("member",))


@bp.route("/groups/<ref>/members/new")
@permissions.policy("group.manage", record=True)
def add_own_member(ref):
    return membership.adding(_base(), queries.group(g.user, ref), "member")


@bp.route("/groups/<ref>/members/effect")
@permissions.policy("group.manage", record=True)
def effect_of_own_member(ref):
    return membership.effect_of_adding(_base(), queries.group(g.user, ref), "member")


@bp.route("/groups/<ref>/members", methods=["POST"])
@permissions.policy("group.manage", record=True)
def save_own_member(ref):
    return membership.added(_base(), queries.group(g.user, ref), "member")


@bp.route("/groups/<ref>/members/<person>/removal", methods=["GET", "POST"])
@permissions.policy("group.manage", record=True)
def remove_own_member(ref, person):
    return membership.removal(_base(), queries.group(g.user, ref), "member", person)


def _base():
    return url_for("admin.own_groups")

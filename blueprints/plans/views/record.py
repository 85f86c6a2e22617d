"""One plan: its page, who can see it, what it said before, and its history."""

from flask import g, render_template, request

import events
import permissions
from blueprints.kit import listing
from blueprints.kit.forms import school_day
from blueprints.kit.wording import compare
from blueprints.plans import queries
from blueprints.plans.forms.plans import PointForm
from blueprints.plans.views import bp
from blueprints.plans.views.common import loaded

ON_THE_PAGE = 10  # progress points; the chart has more


@bp.route("/plans/<ref>")
@permissions.policy("plan.read", record=True)
def plan(ref):
    row = loaded(ref)
    points = queries.points(g.user, row)
    return render_template(
        "plans/plan.html",
        plan=row,
        title=queries.title_of(row.goal, row.tier),
        may_manage=queries.may_manage(row),
        opens_group=queries.may_open(g.user, row.intervention_group),
        staff=queries.staff(g.user, row),
        steps=queries.steps(g.user, row),
        points=points[:ON_THE_PAGE],
        point_count=len(points),
        chart=queries.chart(row, points),
        point_form=PointForm(data={"day": school_day()}),
        reviews=queries.reviews(g.user, row),
        decisions=queries.DECISIONS,
        readers=queries.who_can_see(g.user, row),
        number=queries.number,
        today=school_day(),
    )


@bp.route("/plans/<ref>/access")
@permissions.policy("plan.read", record=True)
def access(ref):
    row = queries.plan(g.user, ref, audit=False)
    events.record_alone("plan.access_read", actor=g.user, target=ref, reasons=row.reasons)
    return render_template("plans/access.html", plan=row, readers=queries.who_can_see(g.user, row))


@bp.route("/plans/<ref>/history")
@permissions.policy("plan.read", record=True)
def history(ref):
    row = loaded(ref)
    page = listing.paginate(queries.history(g.user, row), request.args.get("page"))
    return render_template("plans/history.html", plan=row, page=page)


@bp.route("/plans/<ref>/versions")
@permissions.policy("plan.read", record=True)
def versions(ref):
    row = loaded(ref)
    return render_template("plans/versions.html", plan=row, wordings=_compared(queries.wordings(g.user, row)))


def _compared(wordings):
    """[(wording, [(label, text, pieces)])], the newest first; `pieces` say what changed, None where nothing did."""
    before = [dict(wording.fields) for wording in wordings[1:]] + [{}]
    return [
        (new, [(label, text, compare(old[label], text) if label in old and old[label] != text else None)
               for label, text in new.fields if text or old.get(label)])
        for new, old in zip(wordings, before, strict=True)
    ]  # fmt: skip

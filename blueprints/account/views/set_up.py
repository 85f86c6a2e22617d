"""The first-run page. It is there only until the first Admin Key Holder is."""

from flask import current_app, redirect, render_template, request, url_for

import permissions
from blueprints.account import actions, queries, setup_code
from blueprints.account.actions import Refused
from blueprints.account.forms import SetUpForm
from blueprints.account.views import bp
from blueprints.account.views.browsers import enter
from permissions import PUBLIC, policy


@bp.route("/setup", methods=["GET", "POST"])
@policy(PUBLIC)
def set_up():
    if not queries.needs_set_up():
        raise permissions.NotVisible("setup")
    instance = current_app.settings.instance
    setup_code.read(instance)  # a server that was started in another way has not made it yet
    form = SetUpForm()
    if form.validate_on_submit():
        try:
            account = actions.set_up_school(
                form.code.data,
                form.school_name.data,
                form.name.data,
                form.email.data,
                form.password.data,
                instance=instance,
                address=request.remote_addr or "",
            )
        except Refused as problem:
            problem.show_on(form)
        else:
            enter(account, two_step=False)
            return redirect(url_for("account.two_step_setup"), 303)
    return render_template("account/set_up.html", form=form), 422 if form.is_submitted() else 200

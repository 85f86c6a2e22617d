"""Where the script saves what is being typed. Answers without a page."""

import re

from flask import abort, g, request

from blueprints.account import actions
from blueprints.account.views import bp
from permissions import PUBLIC, NotVisible, policy

_KEY = re.compile(r"[a-z0-9:-]{1,80}")


# Public, so that a session that has ended is answered with 401: the script would take a redirect to the sign-in page
# for a draft that was saved.
@bp.route("/drafts/<key>", methods=["POST"])
@policy(PUBLIC)
def save_draft(key):
    if g.user is None:
        abort(401)
    if not _KEY.fullmatch(key):
        raise NotVisible(key)
    if (request.content_length or 0) > actions.MOST_BYTES:
        abort(413)
    fields = dict(request.form.lists())
    saved = actions.save_draft(key, fields, once=request.form.get("once", ""), actor=g.user)
    return "", 204 if saved else 409

"""The search of the header, and its suggestions."""

import json

from flask import Response, g, redirect, render_template, request

import permissions
from blueprints.home import queries
from blueprints.home.views import bp
from blueprints.kit.listing import with_args


@bp.route("/search")
@permissions.policy("search")
def search():
    found = queries.search(g.user, request.args.get("q"), request.args.get("show"), request.args.get("page"))
    if found.go_to:
        return redirect(found.go_to)
    return render_template("home/search.html", found=found, only=_only)


def _only(group):
    """The address of one group of the results by itself; of all of them for None."""
    return with_args("/search", request.args, show=group, page=None)


@bp.route("/search/suggest")
@permissions.policy("search")
def suggest():
    # Not audited, like the suggestions of the pickers: these are the letters of a word being typed. What is then searched
    # for or opened has its own audit row.
    found = queries.suggest(g.user, request.args.get("q"))
    return Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")

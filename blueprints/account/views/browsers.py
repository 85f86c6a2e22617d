"""What the views know about the browser that asks: its name in words, its session cookie, and where it wants to go."""

from urllib.parse import urlsplit

from flask import g, redirect, request, session, url_for
from flask_login import login_user

from blueprints.account import actions, queries

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
             ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
_SYSTEMS = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
            ("CrOS", "ChromeOS"), ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip


def browser_name():
    """ "Firefox on Windows", as far as the browser says."""
    agent = request.user_agent.string or ""
    names = [next((name for mark, name in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return " on ".join(name for name in names if name) or "Another browser"


def leave():
    """End the session this browser has, if any, and keep nothing of it: what follows starts afresh."""
    if g.session_row is not None:
        actions.sign_out(g.session_row, actor=g.user)
    session.clear()


def enter(account, *, two_step):
    """Start the account's session on this browser and go where it wanted to. Nothing of the session before stays."""
    leave()
    token = actions.start_session(
        account, two_step=two_step, address=request.remote_addr or "", browser=browser_name()
    )
    hold(token)
    return redirect(wanted(), 303)


def hold(token):
    """Give this browser the cookie of a session (a new one, or its own after it was rotated)."""
    who = queries.signed_in(token)
    if who is not None:  # else deactivated at this very moment
        login_user(who)


def wanted():
    """The page that somebody wanted before signing in: a path of ours, else the dashboard."""
    path = request.args.get("next", "")
    return path if is_own_path(path) else url_for("home.dashboard")


def is_own_path(path):
    """Whether a redirect to this stays here: browsers read //host, /\\host and control characters as other places."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return plain and not any(urlsplit(path)[:2]) and not path.startswith("/account/sign-")


def before_two_step(view):
    """Mark a view that must work while two-step sign-in is still to be set up."""
    view.before_two_step = True
    return view

"""The nightly tidying deletes what has run out, and nothing else."""

from blueprints.account import actions
from models import Draft, OneTimeKey, PasswordLink, Session, SignInAttempt


def test_tidying(app, cast, clock):
    clock.freeze(clock.now())
    with app.app_context():
        actions.start_session(cast.kay, two_step=True)
        actions.ask_password_link(cast.kay.email)
    actions.save_draft("k", {"a": ["b"]}, once="o", actor=cast.kay)
    OneTimeKey.create(key="k")
    counts = lambda: [table.select().count() for table in (Session, PasswordLink, Draft, OneTimeKey, SignInAttempt)]  # noqa: E731
    assert counts() == [1, 1, 1, 1, 2]
    actions.tidy_up()
    assert counts() == [1, 1, 1, 1, 2]
    clock.move(hours=3)
    actions.tidy_up()
    assert counts() == [1, 1, 1, 1, 0]
    clock.move(days=3)
    actions.tidy_up()
    assert counts() == [1, 1, 1, 0, 0]
    clock.move(days=29)
    actions.tidy_up()
    assert counts() == [0, 0, 0, 0, 0]

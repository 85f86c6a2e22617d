"""What the actions on accounts share: who may, and how a refusal is said."""

import permissions


class Refused(Exception):
    """A step that can't be taken: its text is the sentence for the person, `field` the form field it belongs to."""

    def __init__(self, sentence, field=None):
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field

    def show_on(self, form):
        """Put the sentence where it belongs: at the field it names, else on top of the form."""
        if self.field in form:
            form[self.field].errors = [*form[self.field].errors, self.sentence]
        else:
            form.form_errors.append(self.sentence)


class _Operator:
    """Whoever has a shell on the server: no account, so the audit log keeps `by: operator` instead."""


OPERATOR = _Operator()


def may_manage(actor):
    """Raise unless the actor manages users; the operator at the server does."""
    if actor is not OPERATOR:
        permissions.require("admin.users", actor)


def by(actor):
    """The actor as events.record() takes it, with what the data must then say."""
    return {"actor": None, "by": "operator"} if actor is OPERATOR else {"actor": actor}

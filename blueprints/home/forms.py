"""The forms of announcements and of the choices about notifications: shape only."""

from wtforms import StringField, TextAreaField

import events
from blueprints.kit.forms import CasewardForm, Choice, LongText, OpenedForm, Required, SchoolDateField, ShortText

CHOOSABLE = {kind: words for kind, (words, _, can_choose) in events.NOTIFICATIONS.items() if can_choose}
CHOICES = ((events.AT_ONCE, "At once"), (events.DAILY, "Daily digest"), (events.NEVER, "Never"))


class AnnouncementForm(OpenedForm):
    title = StringField("Title", [Required("Give it a title."), ShortText(120)])
    text = TextAreaField("Text", [Required("Say what staff should know."), LongText(4_000)])
    ends_on = SchoolDateField("Ends on", [Required("Say on which day it is shown last.")])

class ChoicesForm(CasewardForm):
    """A field for each kind of notification whose email can be chosen, by the name of the kind."""

    def __init__(self, *given, **values):
        super().__init__(*given, **values)
        for kind in CHOOSABLE:
            self[kind].choices = CHOICES

    def choices(self):
        """{kind: choice} as it was sent."""
        return {kind: self[kind].data for kind in CHOOSABLE}


for _kind, _words in CHOOSABLE.items():
    setattr(ChoicesForm, _kind, Choice(_words))

"""The filters of the Case Management Dashboard, read from the address. Choices come from the queries; nothing is looked up
here."""

from wtforms import StringField

from blueprints.kit.forms import CasewardForm, Choice, SchoolDateField, ShortText

STATUSES = ("Open", "Closed", "Any")


class DashboardForm(CasewardForm):
    """Without a status in the address the open cases are meant."""

    q = StringField("Title or student", [ShortText(100)])
    status = Choice("Status", default="Open")
    type = Choice("Case type", unknown="This case type is not known. Choose one from the list.")
    year = Choice("Year group")
    group = Choice("Group", unknown="This group is on none of these cases. Choose one from the list.")
    mine = Choice("Which cases")
    quiet = SchoolDateField("No activity since")

    def offer(self, types, groups, sees_others):
        """`types` and `groups`: (ref, name) of what can be chosen. `sees_others`: whether there may be cases that the reader
        sees without being on them."""
        self.status.choices = list(STATUSES)
        self.type.choices = [("", "Any"), *types]
        self.group.choices = [("", "Any"), *groups]
        self.mine.choices = [("", "All I may see"), *([("mine", "My Cases")] if sees_others else ()), ("after", "I look after")]
        # Any year is taken: which ones there are is known with the cases, and one that no student is in finds none.
        self.offer_years([self.year.data] if self.year.data else [])
        return self

    def offer_years(self, years):
        self.year.choices = [("", "Any"), *((year, year) for year in years)]

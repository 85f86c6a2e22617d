"""What the writes share. Nothing here writes."""

import permissions
from blueprints.incidents.queries.choices import confirmation_of


class Refused(Exception):
    """It can't be done; `field` names the form's field that the sentence belongs to."""

    def __init__(self, field, sentence):
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


class Unconfirmed(Exception):
    """It would let people in, and nobody has said yes to exactly them: `people`, and `confirmation` to send back."""

    def __init__(self, people):
        super().__init__(f"{len(people)} people would get access")
        self.people = people
        self.confirmation = confirmation_of(people)


def confirm(people, confirmed):
    """Go on if there is nobody to confirm, or exactly these people were confirmed."""
    if people and confirmed != confirmation_of(people):
        raise Unconfirmed(people)


def require_change(actor, incident):
    """Raise NotVisible, or Denied for a reader who may not change the incident."""
    permissions.require("incident.read", actor, incident)
    if not permissions.may_change_incident(actor, incident):
        raise permissions.Denied("incident.change")


def refuse_unreachable(audience, field, accounts):
    """Somebody chosen by name has to be able to see the incident; why they can't is nobody's business here."""
    lost = [account.name for account in accounts if not audience.reads(account)]
    if lost:
        verb = "be assigned" if field == "assigned_to" else "be alerted to"
        raise Refused(field, f"{' and '.join(lost)} can't {verb} this incident. Choose somebody else.")

"""A form that would give somebody access says so before it is saved: who comes to see what. Decides nothing about who may."""

import hashlib
from dataclasses import dataclass

from flask import g, render_template, request

import events

# So many cases are named of one person before it says "and 120 more".
MOST_REFS = 100


@dataclass
class Widening:
    """What admin/_widening.html shows: [queries.Gained], and `shown`, which names exactly that and goes back with the form."""

    people: list
    shown: str

    @property
    def is_confirmed(self):
        """Whether the form that was sent carries what was shown, or there was nothing to show."""
        return not self.people or request.form.get("shown") == self.shown

    most_refs = MOST_REFS


def widening(gained, target, *choice):
    """The Widening of these [queries.Gained] by a `choice` (texts) about the record of the reference `target`. The cases it
    names are on record as listed."""
    refs = [ref for one in gained for ref in one.cases.refs]
    if refs:
        events.record_alone("case.listed", actor=g.user, target=target, count=len(refs), list="membership")
    # Incidents are added all day long: how many there are is not asked about twice.
    named = [target, *choice, *(one.person.ref for one in gained), "", *refs]
    return Widening(gained, hashlib.sha256("\n".join(named).encode()).hexdigest()[:32])


def part(found):
    """It by itself, for the page on which the choice is made."""
    return render_template("admin/_widening.html", widening=found)

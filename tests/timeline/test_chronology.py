"""The chronology of a student: a cover sheet, every event with its whole text, the oldest first, an index of attachments."""

import re
from datetime import date

import pytest

from blueprints.timeline.queries import Filters, everything
from models import Event
from tests import factories
from tests.timeline.busy import busy
from tests.timeline.everything import everything as one_of_each
from tests.timeline.test_timeline import ZONE
from tests.web import text_of


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", tutor_group="7A", date_of_birth=date(2013, 5, 4))


def rows(html):
    """The texts of the rows of events."""
    table = html.partition('aria-label="Events"')[2].partition("</table>")[0].partition("<tbody>")[2]
    return [text_of(row) for row in table.split("<tr>")[1:]]


def test_the_cover_sheet(cast, ann, client_for):
    one_of_each(ann, cast)
    text = text_of(client_for("kay").get(f"/students/{ann.ref}/timeline/print?kind=case&from=2026-01-01&text=zqentry"))
    for words in (
        "Chronology of Ann Finch", "School Kestrel Hill School", "Year and tutor group 7, 7A", "from 1 Jan 2026",
        "Shown Cases", "With the words zqentry", "Events 1, the oldest first", "Printed by Kay Kestrel, Key User", "Printed on",
        "Date of birth", "First and last event",
    ):  # fmt: skip
        assert words in text, words
    assert "printed by Kay Kestrel" in text, "the line on each page"


def test_the_date_of_birth_is_for_readers_of_the_details(cast, ann, client_for):
    assert "Date of birth" not in text_of(client_for("oli").get(f"/students/{ann.ref}/timeline/print"))
    factories.case(ann, None, staff=[cast.oli])
    assert "Date of birth" in text_of(client_for("oli").get(f"/students/{ann.ref}/timeline/print"))


def test_everything_is_there_the_oldest_first(cast, ann, client_for):
    busy(ann, cast.kay, cast.gil, 0.1)
    for who in ("ada", "kay", "gil"):
        whole = everything(getattr(cast, who), ann, Filters(ZONE))
        html = client_for(who).get(f"/students/{ann.ref}/timeline/print").get_data(as_text=True)
        found = rows(html)
        assert len(found) == len(whole)
        for number, (row, item) in enumerate(zip(found, whole[::-1], strict=True), 1):
            assert row.startswith(f"{number} ") and item.what in row, number
            assert all(line in row for line in item.text.splitlines())


def test_the_index_of_attachments_names_the_events(cast, ann, client_for):
    one_of_each(ann, cast)
    html = client_for("ada").get(f"/students/{ann.ref}/timeline/print").get_data(as_text=True)
    found = rows(html)
    index = html.partition("Index of attachments</h2>")[2].partition("<tbody>")[2]
    listed = [re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.S) for row in index.split("<tr>")[1:]]
    names = {"Zqincidentfile.pdf", "Zqcasefile.pdf", "Zqresponsefile.pdf", "Zqfilerelated.pdf", "Zqfilegroups.pdf"}
    assert {cells[1] for cells in listed} == names
    for place, cells in enumerate(listed, 1):
        assert cells[0] == str(place) and cells[5] == "2 kB"
        assert f"Attachment {place}: {cells[1]}" in found[int(cells[3]) - 1]


def test_printing_is_in_the_audit_log(cast, ann, client_for):
    factories.incident(cast.sam, [ann])
    client_for("kay").get(f"/students/{ann.ref}/timeline/print")
    event = Event.select().order_by(Event.id.desc()).first()
    assert (event.verb, event.target, event.data) == ("student.chronology_printed", ann.ref, '{"count": 1}')


def test_nothing_to_print(ann, client_for):
    text = text_of(client_for("kay").get(f"/students/{ann.ref}/timeline/print"))
    assert "No events fit." in text and "Index of attachments" not in text

"""Cases of a student that the reader sees: opening, entries, Presenting, agencies, files, closing."""

import permissions
from blueprints.timeline.queries.sources.base import Arms, belongs_to
from models import (
    Account,
    Case,
    CaseAgency,
    CaseClosure,
    CaseEntry,
    CasePresenting,
    CaseType,
    CloseReason,
    StoredFile,
)


def add(arms: Arms, user: Account) -> None:
    """The sources about cases."""
    seen = arms.seen(permissions.visible_cases_of(user, arms.student, Case.id, Case.ref, Case.title), "ref", "title")
    case = {"ref": seen.c.ref, "title": seen.c.title}
    arms.add(
        "case_opened", seen, [Case, CaseType], (Case.id == seen.c.id) & (CaseType.id == Case.case_type),
        at=Case.opened_at, row=Case.id, who=Case.opened_by, detail=CaseType.name, **case,
    )  # fmt: skip
    written = arms.newest_of(seen, CaseEntry.case, CaseEntry.at)
    arms.add(
        "case_entry", written, [CaseEntry, Case], belongs_to(CaseEntry.id, written.c.row) & belongs_to(Case.id, written.c.id),
        at=written.c.at, row=CaseEntry.id, who=CaseEntry.author, text=CaseEntry.text, ref=Case.ref, title=Case.title,
    )  # fmt: skip
    _presenting(arms, seen, case)
    arms.add(
        "case_agency", seen, [CaseAgency], belongs_to(CaseAgency.case, seen.c.id) & CaseAgency.removed_at.is_null(),
        at=CaseAgency.at, row=CaseAgency.id, who=CaseAgency.author, detail=CaseAgency.section,
        text=_lines(CaseAgency.agency, CaseAgency.person, CaseAgency.status, CaseAgency.notes), **case,
    )  # fmt: skip
    arms.add(
        "case_file", seen, [StoredFile], belongs_to(StoredFile.case, seen.c.id) & StoredFile.removed_at.is_null(),
        at=StoredFile.at, row=StoredFile.id, who=StoredFile.uploaded_by, detail=StoredFile.name, number=StoredFile.size, **case,
    )  # fmt: skip
    closure = {"row": CaseClosure.id, "detail": CloseReason.name, **case}
    here = belongs_to(CaseClosure.case, seen.c.id) & (CloseReason.id == CaseClosure.reason)
    arms.add(
        "case_closed", seen, [CaseClosure, CloseReason], here,
        at=CaseClosure.closed_at, who=CaseClosure.closed_by, text=CaseClosure.outcome, **closure,
    )  # fmt: skip
    arms.add(
        "case_reopened", seen, [CaseClosure, CloseReason], here & CaseClosure.reopened_at.is_null(False),
        at=CaseClosure.reopened_at, who=CaseClosure.reopened_by, text=CaseClosure.reopen_reason, **closure,
    )  # fmt: skip


def _presenting(arms, seen, case):
    arms.add(
        "case_presenting", seen, [CasePresenting], belongs_to(CasePresenting.case, seen.c.id),
        at=CasePresenting.at, row=CasePresenting.id, who=CasePresenting.author, number=CasePresenting.number,
        detail=CasePresenting.referral_date.cast("text"),
        text=_lines(CasePresenting.source, CasePresenting.concern, CasePresenting.narrative), **case,
    )  # fmt: skip


def _lines(first, *more):
    """The texts one below the other; whoever shows them leaves the empty lines out."""
    text = first
    for one in more:
        text = text.concat("\n").concat(one)
    return text

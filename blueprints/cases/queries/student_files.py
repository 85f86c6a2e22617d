"""Files on a student's profile: the list, one of them, and who sees it or would see it.

Takes a student whom students.queries.student() let the reader see. Every read starts from permissions.visible_files_of();
who is named as working with the student is so because of something that the reader sees too.
"""

from datetime import datetime
from typing import NamedTuple

from peewee import JOIN, fn

import events
import permissions
from blueprints.kit import prepared, records
from models import Account, FileCategory, Group, GroupMember, StoredFile, StudentFileGroup

RELATED, GROUPS = "related", "groups"  # StoredFile.shown_to


class StudentFileRow(NamedTuple):
    """One row of the list. `groups` are the names of those it is shown to, none where whoever works with the student sees it;
    `may_manage`: whether the reader may change who sees it, and remove it."""

    ref: str
    name: str
    size: int
    category: str | None
    who: str
    at: datetime
    shown_to: str
    may_manage: bool
    groups: list


def files_of_student(user, student):
    """(fetch, count) for kit.listing.paginate(): the StudentFileRows that `user` may see, the newest first."""
    return (
        lambda most, start: _rows(user, prepared.rows(_page, user, student=student.id, most=most, start=start)),
        lambda most: len(prepared.rows(_ids, user, student=student.id, most=most)),
    )


def student_file_export(user, student):
    """Every StudentFileRow of the list."""
    return _rows(user, _listed(user, student.id).tuples())


def _page(user, student, most, start):
    return _listed(user, student).limit(most).offset(start)


def _ids(user, student, most):
    return permissions.visible_files_of(user, student, StoredFile.id).limit(most)


def _listed(user, student):
    columns = (StoredFile.ref, StoredFile.name, StoredFile.size, FileCategory.name, Account.name, StoredFile.at,
               StoredFile.shown_to, StoredFile.uploaded_by, StoredFile.id)  # fmt: skip
    query = permissions.visible_files_of(user, student, *columns).join_from(StoredFile, Account, on=StoredFile.uploaded_by)
    query = query.join_from(StoredFile, FileCategory, JOIN.LEFT_OUTER)
    return query.order_by(StoredFile.at.desc(), StoredFile.id.desc())


def _rows(user, rows):
    rows, names = list(rows), {}
    if shown := [row[-1] for row in rows if row[6] == GROUPS]:
        query = StudentFileGroup.select(StudentFileGroup.file, Group.name).join(Group)
        for file_id, name in query.where(StudentFileGroup.file.in_(shown)).order_by(Group.name, Group.id).tuples():
            names.setdefault(file_id, []).append(name)
    return [
        StudentFileRow(*row[:7], user.role == permissions.ADMIN or row[7] == user.id, names.get(row[8], [])) for row in rows
    ]


# --- One file --------------------------------------------------------------------------------------------------------


def student_file(user, student, ref, verb=None):
    """One file of this student with `.reasons` (why `user` sees it), or NotVisible. `verb` is the event of a read that it is
    loaded for, which is on record before anything of it leaves."""
    query = permissions.visible_files_of(user, student.id, StoredFile)
    row = query.where(StoredFile.ref == ref[:16].replace("\0", "")).first()
    if row is None:
        raise permissions.NotVisible(f"{student.ref}/{ref}")
    row.reasons = permissions.record_reasons("file", user, row)
    if verb:
        events.record_alone(verb, actor=user, target=student.ref, reasons=row.reasons, file=row.ref)
    return row


def may_manage_student_file(file):
    """Whether whoever loaded this file may also change who sees it, and remove it."""
    return bool(permissions.MANAGE_FILE & set(file.reasons))


def student_file_groups(file):
    """References of the groups that the file is shown to."""
    query = StudentFileGroup.select(Group.ref).join(Group).where(StudentFileGroup.file == file.id)
    return [ref for (ref,) in query.tuples()]


def who_can_see_student_file(user, file):
    """[(name, role, [reason in words])] of everybody who sees the file, as far as `user`, who sees it, may know why."""
    return records.readers("file", user, file)


# --- What the forms offer --------------------------------------------------------------------------------------------


class Audience(NamedTuple):
    """Who would see a file: `always` whatever is chosen, `related` of those who work with the student, `groups` as (reference,
    name, [names of its members]). All are names, without who has a conflict of interest."""

    always: list
    related: list
    groups: list


def file_audience(user, student):
    """The Audience of a file about this student, for whoever is about to submit it or change who sees it."""
    related = [account.name for account in permissions.who_works_with(student, user)]
    members = permissions.fit_for(student, Group.ref, Group.name, Account.name)
    members = members.join(GroupMember, on=(GroupMember.account == Account.id)).join(Group).where(Group.is_active)
    found = {ref: (ref, name, []) for ref, name in prepared.rows(_all_groups)}
    for ref, _, name in members.tuples():
        found[ref][2].append(name)
    admins = permissions.fit_for(student, Account.name).where(Account.role == permissions.ADMIN).tuples()
    return Audience([name for (name,) in admins], related, list(found.values()))


def _all_groups():
    return Group.select(Group.ref, Group.name).where(Group.is_active).order_by(fn.LOWER(Group.name), Group.id)


def pick_file_groups(refs):
    """(the groups of these references, sentence or None); one that was retired comes with the sentence."""
    refs = list(dict.fromkeys(ref.replace("\0", "") for ref in refs if ref))
    found = list(Group.select().where(Group.ref.in_(refs) & Group.is_active).order_by(Group.id)) if refs else []
    return found, None if len(found) == len(refs) else "A group you ticked can't be chosen any more. Choose again."


def file_categories(user, *, kept=None):
    """(reference, name) of the categories that can be chosen, in the school's order; `kept`, an id, also when retired."""
    query = FileCategory.select(FileCategory.ref, FileCategory.name).where(~FileCategory.is_retired | (FileCategory.id == kept))
    return list(query.order_by(FileCategory.position, FileCategory.name).tuples())


def file_category(ref):
    """The category of this reference; None for "", which is none, and for one that is not known."""
    return FileCategory.get_or_none(FileCategory.ref == ref.replace("\0", "")) if ref else None

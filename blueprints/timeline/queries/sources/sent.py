"""Form responses about a student, the files sent with them, and the files on the student's profile that the reader sees."""

from peewee import fn

import permissions
from blueprints.timeline.queries.sources.base import Arms, Perhaps, belongs_to
from models import Account, FileCategory, Form, FormResponse, StoredFile


def add(arms: Arms, user: Account) -> None:
    """The sources about form responses and files."""
    student = arms.student
    query = (
        permissions.visible_responses(user, FormResponse.id, FormResponse.ref, FormResponse.submitted_at, Form.name, Form.ref)
        .join_from(FormResponse, Form)
        .where(FormResponse.student == student, *arms.asked(FormResponse.submitted_at))
        .order_by(FormResponse.submitted_at.desc(), FormResponse.id.desc())
        .limit(arms.most)
    )
    seen = arms.seen(query, "ref", "at", "form", "form_ref")
    # `number` is the version that the answers in `text` belong to, `detail` the reference of the form.
    arms.add(
        "response", seen, [FormResponse], FormResponse.id == seen.c.id,
        at=seen.c.at, row=FormResponse.id, ref=seen.c.ref, who=FormResponse.author, title=seen.c.form,
        detail=seen.c.form_ref, text=FormResponse.answers, number=FormResponse.number,
    )  # fmt: skip
    file = {"row": StoredFile.id, "detail": StoredFile.name, "number": StoredFile.size, "who": StoredFile.uploaded_by}
    # A response may be seen that is older than what is asked for, when its file is not: so it is asked about for each file.
    sent = FormResponse.alias("sent")
    visible = permissions.visible_responses(user, FormResponse.id).where(FormResponse.id == StoredFile.form_response)
    arms.add(
        "response_file", None, [sent, StoredFile, Form],
        (sent.student == student) & belongs_to(StoredFile.form_response, sent.id) & StoredFile.removed_at.is_null(),
        (Form.id == sent.form) & fn.EXISTS(visible), at=StoredFile.at, ref=sent.ref, title=Form.name, **file,
    )  # fmt: skip
    files = permissions.visible_files_of(user, student, StoredFile.id, StoredFile.at)
    seen = arms.seen(files.where(*arms.asked(StoredFile.at)), "at")
    category = Perhaps(FileCategory, FileCategory.id == StoredFile.file_category)
    arms.add(
        "file", seen, [StoredFile, category], StoredFile.id == seen.c.id, at=seen.c.at, ref=StoredFile.ref,
        title=FileCategory.name, **file,
    )  # fmt: skip

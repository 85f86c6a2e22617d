"""What a new form can start from: examples with their fields, in words that a school changes to its own. Knows no table."""

from typing import NamedTuple

from blueprints.forms.fields import Condition, Field

BLANK = "blank"


class Starter(NamedTuple):
    """An example: what the list says of it, whom it is for (as the columns of Form), its fields."""

    title: str
    description: str
    audience: tuple[str, ...]
    names_student: bool
    fields: tuple[Field, ...]


_HOW_SOON = ("Today", "This week", "This half term")

STARTERS = {
    BLANK: Starter("An empty form", "", ("for_staff",), True, ()),
    "referral": Starter(
        "Referral",
        "Ask for support for somebody you are worried about. If there is danger now, call the emergency services first.",
        ("for_staff", "for_referral_users"),
        True,
        (
            Field("f1", "heading", "What worries you"),
            Field("f2", "long_text", "What is the concern?", "What you saw or heard, in the words that were used.", True),
            Field("f3", "several_of", "What is it about?", options=(
                "Safety at home", "Wellbeing", "Behaviour", "Attendance", "Friendships or bullying", "Learning",
                "Something else")),
            Field("f4", "date", "Since when?", "The day you first noticed it, as well as you know it."),
            Field("f5", "one_of", "How soon is help needed?", required=True, options=_HOW_SOON),
            Field("f6", "long_text", "Why today?", required=True, only_if=Condition("f5", "Today")),
            Field("f7", "heading", "What was done already"),
            Field("f8", "yes_no", "Was a parent or carer spoken to?", required=True),
            Field("f9", "long_text", "What did they say?", only_if=Condition("f8", "yes")),
            Field("f10", "person", "Who else knows about it?"),
            Field("f11", "file", "Papers that belong to it", "For example a letter, a drawing or a screenshot."),
        ),
    ),
    "wellbeing": Starter(
        "Wellbeing check-in",
        "How are you? Somebody who supports you reads this.",
        ("for_students",),
        True,
        (
            Field("f1", "scale", "How was your week?", "1 is very bad, 5 is very good.", True, low=1, high=5),
            Field("f2", "scale", "How well do you sleep?", "1 is very badly, 5 is very well.", low=1, high=5),
            Field("f3", "several_of", "What is on your mind?", options=(
                "School work", "Friends", "Family", "My health", "Something online", "Nothing much")),
            Field("f4", "yes_no", "Would you like to talk to somebody?", required=True),
            Field("f5", "one_of", "When would suit you?", options=("Before lessons", "At break", "After school"),
                  only_if=Condition("f4", "yes")),
            Field("f6", "long_text", "Is there anything else you want to say?"),
        ),
    ),
    "contact": Starter(
        "Contact with home",
        "A record of a call, a message or a visit.",
        ("for_staff",),
        True,
        (
            Field("f1", "date", "When was it?", required=True),
            Field("f2", "one_of", "How?", required=True, options=("Telephone", "In person", "Email or letter", "Home visit")),
            Field("f3", "text", "Who was spoken to?", "Name, and how they are related.", True),
            Field("f4", "long_text", "What was said?", required=True),
            Field("f5", "yes_no", "Is there something to do next?", required=True),
            Field("f6", "long_text", "What, by whom and until when?", required=True, only_if=Condition("f5", "yes")),
        ),
    ),
    "return": Starter(
        "Back at school",
        "A talk with somebody who comes back after an absence or a suspension.",
        ("for_staff",),
        True,
        (
            Field("f1", "date", "First day back", required=True),
            Field("f2", "number", "School days missed"),
            Field("f3", "one_of", "Why were they away?", required=True, options=("Illness", "Suspension", "Family", "Other")),
            Field("f4", "long_text", "What do they say themselves?", required=True),
            Field("f5", "long_text", "What was agreed?", required=True),
            Field("f6", "person", "Who keeps an eye on it?"),
            Field("f7", "date", "Next talk"),
        ),
    ),
}  # fmt: skip

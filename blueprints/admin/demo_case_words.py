"""What the cases of the demo school say, and the names of the many groups of a large one.

As in demo_words.py: nothing more distressing than the work itself needs, no first name of the cast.
"""

from blueprints.admin.demo_words import COUNSELLING

# How often of a hundred a case is of a type (the types come with the tables), and the group that usually works on it.
TYPES = {
    "Wellbeing": (34, COUNSELLING[0]),
    "Attendance": (24, "Attendance"),
    "Behaviour": (16, None),  # the tutors of the year
    "Child protection": (12, "Safeguarding team"),
    "Early help": (14, "Learning support"),
}

# By type: pairs of title and concern.
ABOUT = {
    "Wellbeing": (
        ("Support after a bereavement", "There was a loss in the family, and {name} asked for somebody to talk to."),
        ("Friendships and break times", "{name} has been quieter for some weeks and spends break times alone."),
        ("Worry before tests", "{name} worries a great deal before tests and has stopped taking part in {lesson}."),
        ("Settling in after a move", "{name} came to us after a move and has not found friends yet."),
        ("Low mood since the autumn", "{name} seems low since the autumn, and said so to two teachers."),
        ("Young carer at home", "{name} helps a parent who is ill and is tired in {lesson} on most days."),
        ("Return after a long illness", "{name} was away for seven weeks and finds whole days hard."),
    ),
    "Attendance": (
        ("Attendance below 85 %", "Attendance fell below 85 % this term without a medical reason that we know of."),
        ("Late most mornings", "{name} arrives late on most mornings and misses the beginning of {lesson}."),
        ("Absence on Mondays and Fridays", "Single days are missed every week, mostly at its beginning and end."),
        ("Return to full days", "{name} comes for half days since the summer; the family hopes for more."),
        ("Travel to school since the move", "Since the family moved, the way to school takes more than an hour."),
    ),
    "Behaviour": (
        ("Conduct in lessons", "{name} is sent out of {lesson} about once a week; calm talks have helped for some days."),
        ("Report card, second half of term", "A second report card is running out and the pattern is the same."),
        ("Disagreements at lunch", "There have been several disagreements at lunch in which {name} took part."),
        ("Back after an exclusion", "{name} is back after two days and was asked what would help."),
        ("Conduct on the bus", "The bus company wrote twice about the way home in the afternoon."),
    ),
    "Child protection": (
        ("Concern about home", "Several members of staff noted, independently, that {name} comes in tired and hungry."),
        ("Plan with children's services", "Children's services have opened an assessment and asked us to take part."),
        ("Care at home", "{name} told a member of staff about something at home that was passed on the same day."),
        ("Contact with a relative", "The family asked us to let only two named people collect {name}."),
    ),
    "Early help": (
        ("Early help: housing", "The family has moved twice since the summer and asked for help with forms and travel."),
        ("Early help: family routines", "Mornings are hard at home; the family would welcome support."),
        ("Help with reading at home", "{name} would like to read at home and has nobody to read with."),
        ("Support for a young carer", "{name} looks after a younger brother before school."),
        ("Early help: new to the country", "The family is new to the country and has no relatives nearby."),
    ),
}

SOURCES = (
    "Form tutor", "Parent", "Head of year", "School nurse", "Primary school", "Children's services", "Self-referral",
    "Attendance officer", "Youth club",
)  # fmt: skip

NARRATIVES = (
    "{name} was asked what would help and named three things, which are the first entries of this case.",
    "The family knows about this case and agreed with it. They prefer to be phoned after four.",
    "A conversation with the form tutor came first; the notes of it are below.",
    "We met for half an hour. {name} was open, and glad that the next steps were written down.",
    "It began at about the time of the change of tutor group. Nothing of the kind is known from primary school.",
    "There is an older sister at the school whom {name} turns to. She was not part of the conversation.",
)

# Entries: an opening by type or a general one, something further, an end.
OPENINGS = {
    "Wellbeing": (
        "Met {name} for the weekly conversation.", "{name} came by without an appointment, between two lessons.",
        "{name} brought the diary that we had agreed on.",
    ),
    "Attendance": (
        "Looked at attendance since the last entry: two sessions missed, both explained.",
        "A full week without a late mark.", "{name} was late on three mornings this week.",
    ),
    "Behaviour": (
        "Went through the report card with {name}.", "{lesson} went well this week, says the teacher.",
        "Sat in on {lesson} for twenty minutes.",
    ),
    "Child protection": (
        "Took part in the core group meeting.", "Spoke with the social worker on the phone.",
        "The plan was read again with everybody who works on it.",
    ),
    "Early help": (
        "Met the family at school to fill in the form together.", "The support worker visited and sent a short note.",
        "The travel pass has arrived.",
    ),
}  # fmt: skip
GENERAL = (
    "Phoned home in the afternoon.", "Spoke with the form tutor.", "Short talk with {name} at the end of {lesson}.",
    "The head of year asked how things are going.", "Met {name} and a parent {place}.",
    "Saw {name} {place} and had a few words.", "A message came from home by email.", "Looked in on {lesson} on {day}.",
    "Fifteen minutes with {name} before school.", "The weekly round was about {name} first.",
)  # fmt: skip
MIDDLES = (
    "What we agreed last time was mostly kept.", "{name} said that mornings are easier than they were.",
    "{name} would like to go on with the Thursday drop-in.", "The seating plan in {lesson} stays as it is for now.",
    "Break times are still the hard part of the day.", "The family reports that evenings are calmer.",
    "Two subject teachers were asked and see a change for the better.", "Sleep came up again; the nurse will be asked.",
    "There is a wish to join the choir, and a friend who would come along.", "We wrote down three small steps together.",
    "It was agreed who tells whom if a day goes badly.", "Nothing new came up that would change the plan.",
    "{name} smiled more than in the last weeks.", "The older sister helps with the way to school.",
)  # fmt: skip
ENDS = (
    "Next conversation in a week.", "To be looked at again on {day}.", "The form tutor knows.",
    "I will phone home again before the end of the week.", "No change to the plan.",
    "Please let me know if you notice anything in your lessons.", "The family thanked us for the call.",
    "Everybody on this case was asked to read the plan again.", "",
)  # fmt: skip
EDIT_REASONS = ("Corrected the day.", "Added what was agreed.", "Spelling.")

# Section: (agencies, people, kinds of status, notes).
AGENCIES = {
    "law_enforcement": (
        ("Northfield Police, Schools Team", "County Police, Public Protection"),
        ("PC Harrow", "PC Lindley", "DS Marlow"),
        ("Informed", "Enquiries under way", "No further action"),
        ("Will visit the family together with the school.", "Asked for the dates of the last conversations.", ""),
    ),
    "child_protection": (
        ("Children's Services, Northfield", "Family Assessment Team"),
        ("T. Ashby", "M. Quayle", "R. Tennant"),
        ("Referral received", "Assessment", "Child in need plan", "Closed"),
        ("Core group meets every six weeks.", "Prefers email; answers within two days.", ""),
    ),
    "prosecution": (
        ("Crown Prosecution Service, County",),
        ("H. Wyndham",),
        ("Papers received", "Not proceeding"),
        ("Wishes to be told about any change of address.", ""),
    ),
}
OUTCOMES = (
    "The agreed steps were kept for a whole term; the form tutor goes on looking out for {name}.",
    "Attendance has been above 95 % for eight weeks. The family knows whom to ask.",
    "Passed on with the family's consent; a copy of the plan went along.",
    "{name} feels well supported by friends and tutor, and said so.",
    "",
)
REOPEN_REASONS = ("It came back after the holidays.", "The family asked for help again.", "Closed too early.")

# A large school has many more groups than the nine of the small one: one of the first with one of the second.
GROUP_SUBJECTS = (
    "Reading", "Maths", "Science", "History", "Geography", "Languages", "Music", "Drama", "Art", "Sports", "Computing",
    "Library", "Transition", "Wellbeing", "Travel", "Homework", "Exams", "Nurture", "Speech", "Careers", "Garden",
    "Chess", "Debating", "Cooking",
)  # fmt: skip
GROUP_KINDS = (
    "mentors", "support", "leads", "helpers", "project team", "club staff", "interventions", "catch-up", "advisers",
    "tutors",
)  # fmt: skip
FURTHER_DEPARTMENTS = ("Lower school", "Middle school", "Upper school", "Enrichment", "Additional needs")

# Title, text, days until it ends (before today: it has ended).
ANNOUNCEMENTS = (
    ("Safeguarding briefing on Thursday", "All staff, 15:45 in the library. Twenty minutes: what has changed this term, "
     "and how to write a good incident.\n\nWhoever can't come reads the slides by Friday.", 9),
    ("Cases are here", "From this term we keep cases in Caseward. If you are on one, it stands under My Cases.", -20),
)  # fmt: skip

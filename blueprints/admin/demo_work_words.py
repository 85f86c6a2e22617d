"""The words of the demo school's tasks, meetings, plans, forms and referrals. All invented, and as calm as demo_words.py asks
for."""

from blueprints.admin.demo_words import GROUPS

TASKS = (
    ("Ring the family", "Ask how the week at home has been, and write down what was said."),
    ("Speak to the form tutor", "Has the seating plan helped?"),
    ("Book a time with the school nurse", ""),
    ("Send the attendance figures", "The last six weeks, by lesson."),
    ("Check in at lunch", "Five minutes are enough."),
    ("Ask the teachers how lessons go", "One line from each is enough."),
    ("Write the referral to early help", "The form is in the staff room folder."),
    ("Find a place in the homework club", ""),
    ("Share the plan with the family", "By post, with a note that they can ring any time."),
    ("Return the library books together", ""),
)
TASK_NOTES = (
    "Rang, nobody there. I try again tomorrow after four.",
    "Spoke to them. They were glad of the call.",
    "The tutor says that it is better since the move to the front row.",
    "Done halfway; the rest on Thursday.",
)

AGENDAS = (
    "How the last weeks went.\nWhat helps, what does not.\nWho does what until we meet again.",
    "Attendance so far.\nTravel to school.\nA plan for mornings.",
    "Progress since the last review.\nNext steps.",
    "Getting to know each other.\nWhat {name} would like to change.",
)
OUTCOMES = (
    "A good conversation. We agreed on three small steps and meet again in a month.",
    "The family will ring on Fridays. The tutor keeps the card going.",
    "No further meeting is needed for now.",
)
PLACES = ("Room 12", "Library, small room", "Head of year's office", "Counselling room", "By phone")

# (concern, goal, measure, baseline, target, interventions (what, how often))
PLANS = (
    ("Reads below the level of the year.", "Read a page aloud without a stop.", "Words a minute", 62, 95,
     (("Reading with a partner", "Three times a week, 15 minutes"), ("A book at home", "Every evening"))),
    ("Late most mornings.", "Be there at the first bell.", "Days on time a week", 1, 5,
     (("Check-in at the gate with the tutor", "Every morning"), ("A call to the family", "On Fridays"))),
    ("Leaves lessons when they get loud.", "Stay in every lesson.", "Lessons left a week", 7, 1,
     (("A card for five minutes outside", "As needed"), ("A talk about the week", "On Thursdays"))),
    ("Homework is often missing.", "Hand in homework in every subject.", "Pieces handed in a week", 2, 8,
     (("Homework club", "Tuesdays and Thursdays"),)),
)  # fmt: skip
POINT_NOTES = ("", "", "", "A short week.", "After the holidays.", "A very good week.")
REVIEW_NOTES = (
    "It helps. We go on as planned.",
    "Progress is slow; we add one more session a week.",
    "The target is close. One more round, then we look again.",
)
END_REASONS = ("Target reached", "Moved to another school", "Replaced by another plan")

# (name, description, staff group that runs it, who leads it, which of PLANS it starts from, weeks to the review)
INTERVENTIONS = (
    ("Reading partners", "Two students read to each other in the library before lessons.", GROUPS[2][0], "kay", 0, 6),
    ("On time together", "Students who help each other to be on time, with breakfast.", GROUPS[1][0], "ken", 1, 4),
)


def _field(key, type, label, required=False, **more):
    return {
        "key": key, "type": type, "label": label, "help": "", "required": required, "options": [], "from": 1, "to": 5,
        "only_if": None, **more,
    }  # fmt: skip


# (name, description, audiences, whether it names a student, fields)
REFERRAL, WORRY, HOW_ARE_YOU = (
    ("Referral to the school", "For partners outside the school. Somebody reads it on the same school day.",
     ("staff", "referral_users"), True,
     (
         _field("about", "heading", "What it is about"),
         _field("worry", "long_text", "What are you worried about?", True, help="What you saw or heard, in your own words."),
         _field("soon", "one_of", "How soon should we talk?", True, options=["Today", "This week", "When it suits"]),
         _field("known", "yes_no", "Does the family know that you are writing to us?", True),
         _field("why_not", "text", "Why does the family not know?", only_if={"field": "known", "is": "no"}),
         _field("reach", "heading", "How we reach you"),
         _field("phone", "text", "Your phone number", True),
     )),
    ("Worry about a student", "When something has been different for a while and you would like somebody to look.",
     ("staff",), True,
     (
         _field("since", "date", "Since when?"),
         _field("where", "several_of", "Where do you notice it?", True, options=["In lessons", "At break", "Online", "At home"]),
         _field("how_much", "scale", "How worried are you?", True, help="1 is a little, 5 is very."),
         _field("what", "long_text", "What do you notice?", True),
         _field("who", "person", "Who else knows the student well?"),
     )),
    ("How are you this week?", "Only your tutor and the counsellors read this.", ("students",), True,
     (
         _field("mood", "scale", "How was your week?", True, help="1 is very bad, 5 is very good."),
         _field("talk", "yes_no", "Would you like to talk to somebody?", True),
         _field("more", "long_text", "Anything you would like to say"),
     )),
)  # fmt: skip
FORMS = (REFERRAL, WORRY, HOW_ARE_YOU)

REFERRALS = (
    ("She comes to our youth club on Thursdays and has stopped talking to the others.", "This week"),
    ("He told me that he has not slept well since the move.", "When it suits"),
    ("The family asked us for help with travel to school.", "This week"),
    ("A younger brother is often collected by him; he seems tired.", "When it suits"),
)
WORRIES = (
    "Quieter than before the holidays, and sits alone.",
    "Hands in nothing since two weeks, used to be among the first.",
    "Gets into arguments on the way to lunch.",
)
WELL = ("It was all right.", "I like the new seating plan.", "Too many tests.", "")

FILES = (
    ("Consent for counselling.txt", "Consent", "Consent for counselling\n\nSigned at home, 14 September.\n"),
    ("Reading test.txt", "Assessment", "Reading test\n\nWords a minute: 62\nUnderstanding: good\n"),
)

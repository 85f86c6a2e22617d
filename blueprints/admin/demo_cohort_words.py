"""The words of the demo school's cohorts: categories, milestones, templates, requests. All invented, and as calm as
demo_words.py asks for."""

# (title, description, due so many days from today (None: no date), days before it at which a reminder goes out)
YEAR_9 = (
    ("Meet your tutor", "Ten minutes with your tutor: how the year has begun and what you would like to do in it.", -64, (7,)),
    ("Read about the subjects", "Look through the booklet of subjects and mark the ones you would like to know more about.", -27,
     (2, 7)),
    ("Visit a taster lesson", "Choose one subject that is new to you, and visit a lesson of it.", -8, (2, 7)),
    ("Hand in your options form", "Fill in the form, have it signed at home, and hand it to your tutor.", 6, (1, 7, 14)),
    ("Talk to the careers adviser", "Book a time with the careers adviser. Bring two questions.", 23, (2, 14)),
    ("Two days of work experience", "Find a place for two days in June, and tell your tutor where.", 95, (7, 30)),
)  # fmt: skip
YEAR_11 = (
    ("Plan your revision", "Put your subjects into the weekly plan, and show it to your tutor.", -20, (2, 7)),
    ("Apply for a place after summer", "College, sixth form or apprenticeship: send at least one application.", 12, (1, 7, 14)),
    ("Practice interview", "A practice interview with somebody from outside the school.", 40, (2, 14)),
    ("Leave your books and keys", "Hand in books, the locker key and your card in your last week.", None, ()),
)
YEAR_7 = (
    ("Find your way round", "With your buddy, find the library, the office, the nurse and the music rooms.", -75, ()),
    ("Join something", "Join one club, team or choir. Ask at the office for the list.", -33, (7,)),
    ("Swim twenty-five metres", "In your swimming lesson, or bring the certificate if you have one.", 30, (7,)),
)
# One for each month of a school year: what everybody in the school does.
WHOLE_SCHOOL = tuple(
    (title, text, -80 + 28 * month, (7,))
    for month, (title, text) in enumerate((
        ("Set a goal for the year", "Write down one goal, and who can help you with it."),
        ("Read a book of your choice", "Any book, in any language. Tell your tutor in two sentences what it is about."),
        ("Help somebody", "Do something for somebody that you were not asked to do."),
        ("Learn to cook a meal", "Cook a meal for two people. A photo is enough."),
        ("Look back on the first term", "Talk with your tutor about your goal: what went well, what comes next."),
        ("Try a new sport", "Try one that you have never done before."),
        ("First aid", "Take part in the first aid lesson."),
        ("Something for the planet", "With your tutor group: choose one thing, and do it for a week."),
        ("Read a second book", "Another one, longer or harder than the first."),
        ("Speak in front of others", "Two minutes in tutor time, about anything you like."),
        ("A day outdoors", "Come along on the outdoor day in May."),
        ("Look back on the year", "Talk with your tutor about your goal and about next year."),
    ))
)  # fmt: skip

# (category, cohort without its year, which year group is in it (None: all), milestones, support groups, files)
COHORTS = (
    ("Options and careers", "Year 9", "9", YEAR_9, ("Counselling", "Year 9 tutors")),
    ("Options and careers", "Year 11", "11", YEAR_11, ("Year 11 tutors",)),
    ("Starting at our school", "Year 7", "7", YEAR_7, ("Year 7 tutors",)),
    ("Whole school", "Everybody", None, WHOLE_SCHOOL, ("Safeguarding team",)),
)
ARCHIVED = ("Options and careers", "Year 9", YEAR_9)  # of the year before

TEMPLATES = (
    ("Meet your tutor", YEAR_9[0][1], "7"),
    ("Hand in a form", "Fill in the form, have it signed at home, and hand it to your tutor.", "1,7,14"),
    ("Talk to the careers adviser", YEAR_9[4][1], "2,14"),
)

# The milestone that Stu waits for an answer about, what Stu wrote, and the one that has a file.
ASKED_ABOUT, NOTE = "Visit a taster lesson", "I was in drama on Tuesday, Miss Wainwright saw me there."
WITH_FILE, FORM_NAME = "Hand in your options form", "Options form.txt"
FORM = """Options form

Name:
Tutor group:

My three subjects, the one I like best first:
1.
2.
3.

One more, in case one of them is full:

Signed at home:
"""

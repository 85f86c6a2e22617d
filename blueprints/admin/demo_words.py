"""The words of the demo school: names, categories with their guidance, sentences about incidents. All invented.

Nobody here may share a first name with the cast (Ada, Kay, Ken, Gil, Mo, Sam, Rae, Stu, Oli), and no text may be more
distressing than the work itself needs: people learn the application with it, sometimes with a child beside them.
"""


def _words(text):
    return tuple(text.split())


SCHOOL = "Kestrel Hill School"

# (key, name, role, title): the cast. Their email is key@DOMAIN.
DOMAIN = "demo.example.org"
CAST = (
    ("ada", "Ada Adler", "admin", "Deputy Head, Designated Safeguarding Lead"),
    ("kay", "Kay Kestrel", "key_user", "Head of Year 9"),
    ("ken", "Ken Kittiwake", "key_user", "Deputy Safeguarding Lead"),
    ("gil", "Gil Gannet", "staff", "School counsellor"),
    ("mo", "Mo Merlin", "group_manager", "Head of Counselling"),
    ("sam", "Sam Swift", "staff", "Teacher of Geography"),
    ("rae", "Rae Raven", "referral_user", "Family support worker, Northfield"),
    ("stu", "Stu Sturgeon", "student", ""),
    ("oli", "Oli Ouzel", "staff", "Teacher of Music"),
)

FIRST_NAMES = _words("""
    Aaliyah Aarav Abigail Adrián Agnieszka Aisha Alasdair Alba Alfie Amara Amélie Anaïs Andrzej Aniela Anouk Anya
    Archie Arjun Astrid Aurélie Ayşe Bartosz Beatrix Benedict Björn Blessing Bronagh Bronwen Caitlín Callum Carys
    Chidi Chloë Cillian Clémence Connor Dafydd Daniela Delphine Dimitar Dominik Eilidh Elif Elodie Emeka Emre Esmé
    Eun-ji Evie Fatima Felix Femi Ffion Finlay Florence Freya Gabriela Georgia Gethin Giulia Grace Gwen Hamza
    Hannah Harriet Hasan Heidi Hiroshi Hugo Ibrahim Ifeoma Imogen Ines Iona Isaac Isla Iwan Jakub Jamal Jasmine
    Jesús Jia-Hui Joanna Jonah José Jun Kacper Kasia Katarzyna Keziah Kieran Kwame Lara Layla Leo Lev Lila Linh
    Lourdes Lucía Łukasz Maeve Magnus Maja Malachi Marcus Márton Matilda Maya Mehmet Mia Michał Milo Minh Mireille
    Nadia Naomi Nia Niamh Nikolai Noor Noah Ode Olivia Omar Oscar Oskar Otis Pádraig Paloma Penelope Petra
    Philippa Poppy Priya Quentin Rahul Reuben Rhiannon Rhys Róisín Rosa Rory Ruby Saoirse Seren Siân Siobhán Sofia
    Søren Tamsin Tariq Theo Thorbjørn Tobias Tomasz Uma Viktor Wanjiru Wilf Xanthe Ximena Yara Yusuf Zainab Zara
    Zoë Zuzanna
""")

LAST_NAMES = _words("""
    Abara Achterberg Adeyemi Ainsworth Alderton Almeida Amundsen Andersson Ashdown Asante Baptiste Barrowclough
    Baxter Begum Bělohlávek Bertrand Birkett Blackwood Boateng Brânză Brennan Bright Calloway Carrick Castañeda
    Chaudhry Chen Chowdhury Clarke Collingwood Coyle Crabtree Cruz D'Angelo D'Arcy Dąbrowski Davies De-la-Cruz
    Demir Devereux Dhillon Diaz Doherty Dunne Ebadi Eccleston Edwards Eriksen Evans Fairweather Farouk Fernández
    Fielding Finnegan Fitzgerald Fournier Fraser Gallagher García Ghosh Gill Goldberg Gómez Gordon Grzegorzewski
    Guðmundsdóttir Hadley Haque Hartley Hayashi Henderson Hernández Holloway Hughes Hussain Ibáñez Idowu Ilić
    Jacobs Jankowski Jeffries Jensen Johansson Jones Kapoor Karlsson Kaya Kelly Khan Kiely King Kovács Kowalczyk
    Kumar Lambert Larsson Lê Lewandowska Lindqvist Lloyd Lowe Lundgren Macdonald MacGillivray Mahmood Malik
    Marchetti Marshall Martínez McAllister McCarthy Mensah Mitchell Molyneux Moreau Morgan Müller Murray Nakamura
    Nguyễn Ní-Dhomhnaill Nowak Núñez O'Brien O'Callaghan O'Neill O'Sullivan Obi Okafor Okonkwo Olofsson Oduya Osei
    Özdemir Pappas Parekh Park Patel Pearson Pemberton Pereira Petrov Phillips Popescu Price Quigley Rahman
    Ramírez Reid Ribeiro Richards Roberts Robinson Rossi Rutherford Saïdi Salazar Sánchez Schäfer Sharma Shaw
    Siddiqui Silva Sinclair Singh Smith Sørensen Stewart Strömberg Sutherland Suzuki Szymański Taylor Thomas
    Thorne Tkachenko Trần Turner Uddin Unwin Vaughan Vasquez Vīksna Vlahović Wainwright Walker Wallace Walsh
    Watanabe Webb Weiß White Whitfield Williams Wójcik Wong Wright Yılmaz Young Zhang Zielińska
""")

# Names longer than a column expects, for everybody who lays out a page.
LONG_NAMES = (
    ("Wilhelmina-Alexandrina", "Featherstonehaugh-Cholmondeley"),
    ("Maximiliano Sebastián", "Fernández de Córdoba y Álvarez de Toledo"),
    ("Oluwaseunfunmi", "Ayodele-Okechukwu"),
)

PREFERRED = {
    "Abigail": "Abi", "Benedict": "Ben", "Katarzyna": "Kasia", "Matilda": "Tilly", "Philippa": "Pip",
    "Penelope": "Penny",
    "Florence": "Flo", "Tobias": "Toby", "Beatrix": "Bea", "Isaac": "Zac", "Thorbjørn": "Thor", "Gabriela": "Gabi",
    "Harriet": "Hattie", "Ibrahim": "Ibs", "Wilhelmina-Alexandrina": "Mina", "Maximiliano Sebastián": "Maxi",
}  # fmt: skip

TITLES = (
    "Teacher of English", "Teacher of Maths", "Teacher of Science", "Teacher of History", "Teacher of Art",
    "Teacher of Modern Languages", "Teaching assistant", "Attendance officer", "School nurse", "Head of Year 7",
    "Head of Year 8", "Head of Year 10", "Head of Year 11", "Learning mentor", "Special needs coordinator", "Librarian",
    "Teacher of PE", "Pastoral support worker", "Receptionist", "Lunchtime supervisor",
)  # fmt: skip

STREETS = ("Mill Lane", "Station Road", "Orchard Close", "Kestrel Rise", "Bridge Street", "Chapel Row")
TOWNS = ("Northfield", "Kestrel Hill", "Lower Haddon", "Saltby", "Wick St Mary")
RELATIONSHIPS = ("Mother", "Father", "Grandmother", "Foster carer", "Stepfather", "Aunt", "Guardian")

PLACES = (
    "Classroom 12", "Science block corridor", "Playground", "Canteen", "Sports hall", "Library", "School gate",
    "Bus bay", "Art room", "Reception", "Year office", "Field", "Online", "At home", "",
)  # fmt: skip

# Groups besides Counselling: (name, department).
GROUPS = (
    ("Safeguarding team", "Pastoral"),
    ("Attendance", "Pastoral"),
    ("Learning support", "Inclusion"),
    ("Year 7 tutors", "Tutors"),
    ("Year 8 tutors", "Tutors"),
    ("Year 9 tutors", "Tutors"),
    ("Year 10 tutors", "Tutors"),
    ("Year 11 tutors", "Tutors"),
)
COUNSELLING = ("Counselling", "Pastoral")

# Two levels: name, colour, guidance, how often, children. NEED_TO_KNOW is open to the group Counselling only.
NEED_TO_KNOW = "Disclosure"
CATEGORIES = (
    ("Behaviour", "#8a5a00", "Describe what was seen and heard. Leave judgements about character out.", 26, (
        ("Disruption in class", ""),
        ("Bullying", "Name who did what, and how often before. The anti-bullying lead reads every one of these."),
        ("Damage to property", ""),
        ("Discriminatory language", "Write the words as they were said. They are reported to governors each term."),
    )),
    ("Attendance", "#2f5d8a", "Say which days or lessons, and what the family was told.", 18, (
        ("Lateness", ""),
        ("Unexplained absence", "If nobody has seen the student for three days, phone the attendance officer as well."),
        ("Left school without leave", "Phone reception first: a missing student is never only written down."),
    )),
    ("Wellbeing", "#3d7a4f", "Use the student's own words where you can. Say what support was offered.", 22, (
        ("Low mood", ""),
        ("Worry and anxiety", ""),
        ("Friendship difficulties", ""),
        ("Self-esteem", "If there is any worry about safety today, speak to the safeguarding lead at once."),
    )),
    ("Child protection", "#9b2c2c", "Write what you saw and heard, today, in plain words. Do not investigate or ask "
     "leading questions. If a child is in danger now, phone the safeguarding lead before you write.", 9, (
        ("Concern about home", "Say what made you concerned, who said it, and who else was there."),
        ("Neglect", "Note what you saw over time: clothing, meals, tiredness, lateness."),
        (NEED_TO_KNOW, "Only the counselling team and Admin Key Holders read this. Listen, don't promise secrecy, "
         "write the child's own words."),
    )),
    ("Health and medical", "#0f6b6b", "For an injury, mark the place on the body map.", 10, (
        ("Injury in school", "Say who gave first aid and when the family was told."),
        ("Medication", ""),
        ("Ongoing condition", ""),
    )),
    ("Family circumstances", "#6b4a8a", "Only what helps staff to support the student.", 7, (
        ("Bereavement", ""),
        ("Young carer", ""),
        ("Housing", ""),
    )),
    ("Online safety", "#4a5568", "Never copy or forward pictures of a child. Say where they are and stop there.", 4, (
        ("Social media", ""),
        ("Device misuse", ""),
    )),
    ("Contact with home", "#5b6b7a", "", 4, (("Phone call", ""), ("Meeting", ""))),
)  # fmt: skip

# What incidents say, by top category: openings, middles and ends, with {name} {other} {place} {lesson} {day}.
OPENINGS = {
    "Behaviour": (
        "{name} called out several times during {lesson} and did not settle when asked.",
        "During {lesson} {name} left the seat repeatedly and distracted others.",
        "{name} and {other} had a loud disagreement at the start of {lesson}.",
        "{name} was heard calling another student an unkind name {place}.",
        "A chair was pushed over during {lesson}; {name} was nearest to it.",
        "{name} refused to hand over a football {place} when the bell went.",
    ),
    "Attendance": (
        "{name} arrived twenty-five minutes late on {day} without a note.",
        "{name} was not in registration on {day}; the family had not called.",
        "Third late arrival for {name} this fortnight.",
        "{name} was marked present in the morning but missed {lesson}.",
        "{name} was seen leaving through the side gate before {lesson}.",
    ),
    "Wellbeing": (
        "{name} asked to stay behind after {lesson} and talked about feeling low.",
        "{name} has been quieter than usual this week and sat alone {place}.",
        "{name} said that the group of friends has changed and that break times are hard.",
        "{name} was tearful at the end of {lesson} and could not say why at first.",
        "{name} told the form tutor about worrying a great deal before tests.",
        "A friend said that {name} has stopped coming to the club they both liked.",
    ),
    "Child protection": (
        "{name} said something in passing about the weekend that I am passing on.",
        "{name} came without a coat again and said that there was nothing for breakfast.",
        "{name} asked whether something said to a teacher has to be told to parents.",
        "{name} did not want to go home at the end of the day and waited {place}.",
        "A neighbour spoke to reception about {name}; the call was put through to me.",
    ),
    "Health and medical": (
        "{name} slipped {place} and landed on one side.",
        "{name} bumped into {other} {place} during break.",
        "{name} felt dizzy during {lesson} and was brought to the medical room.",
        "{name} had forgotten the inhaler and needed the school's spare one.",
        "{name} was hit by a ball {place}.",
    ),
    "Family circumstances": (
        "The family let us know that {name}'s grandfather died at the weekend.",
        "{name} has been collecting a younger brother from primary school each day.",
        "{name}'s family is moving to temporary housing this month.",
        "{name} mentioned helping at home most evenings since a parent became ill.",
    ),
    "Online safety": (
        "{name} showed a member of staff messages from a group chat.",
        "{name} used a phone during {lesson} to film part of the lesson.",
        "Comments about {name} were posted in a chat that several of the year use.",
    ),
    "Contact with home": (
        "Phoned home about {name} after {lesson}.",
        "Met {name} and a parent {place} to look at how the term is going.",
        "The family called about {name} and asked for someone to ring back.",
    ),
}
CLASSROOM = (
    "The rest of the class carried on with their work.",
    "The seating plan was changed for the next lesson.",
    "{name} was calm again after about ten minutes.",
    "There was no sign of it during {lesson} later on.",
    "A card for leaving the room was agreed for two weeks.",
)
CLASSROOM_CATEGORIES = ("Behaviour", "Online safety")
MIDDLES = (
    "I spoke to {name} quietly afterwards, away from the others.",
    "{other} was near and gave the same account when asked separately.",
    "We agreed what would help, and {name} could say it back in own words.",
    "It had been noticed by another member of staff earlier the same day.",
    "{name} said that it had happened once before, last half-term.",
    "I did not ask further questions and wrote this down straight after {lesson}.",
    "{name} chose to spend lunch in the library, which went well.",
    "{name} was offered a place in the Thursday drop-in and said yes.",
    "The tutor group had been told about the change at the beginning of the week.",
    "{other} was thanked for telling somebody.",
)
ENDS = (
    "The family was phoned and thanked us for the call.",
    "The form tutor knows and will look out for {name} tomorrow.",
    "To be looked at again on {day}.",
    "No further action from me; passing on for information.",
    "A message was left at home asking them to ring back.",
    "{name} knows who to come to.",
    "I would be grateful for advice on what to do next.",
    "The head of year has been told in person.",
    "We will check in at the end of the week.",
    "Recorded so that the pattern can be seen.",
    "",
)
LESSONS = (
    "Maths", "English", "Science", "History", "Geography", "PE", "Art", "Music", "French", "tutor time",
    "Computing", "Drama",
)  # fmt: skip
WHERE = (
    "in the corridor", "in the canteen", "on the playground", "by the library", "near the gate", "in the sports hall",
    "outside the year office", "on the field",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")

ACTIONS = (
    "Phone home and say what was agreed.", "Talk to {name} in tutor time.", "Ask the form tutor how this week went.",
    "Change the seating plan in {lesson}.", "Arrange a meeting with the family.", "Check attendance of two weeks.",
    "Offer the Thursday drop-in.", "Tell the school nurse.", "Look at this again with the head of year.",
    "Write to the family with the date of the meeting.",
)  # fmt: skip
MARK_NOTES = ("Graze, cleaned with water", "Small bruise", "Reddened, cold pack for ten minutes", "Plaster applied")
REOPEN_REASONS = ("It happened again this week.", "The family came back with a question.", "Closed by mistake.")
EDIT_REASONS = ("Corrected the time.", "Added what the family said.", "Spelling.")

# Once in some thousand texts, so that a search for a rare word has something to find.
SELDOM = "It came up on the way back from the trip to the lighthouse."
SELDOM_EVERY = 5_000

# What a made-up password is drawn from.
PASSWORD_WORDS = _words("""
    amber anchor apple autumn badge basket beacon bench birch bottle bridge button candle canvas castle cedar
    chalk cherry clover cobalt compass copper cotton crayon daisy drum easel ember fern fiddle flint garden ginger
    hazel helmet ivory jacket kettle ladder lantern lemon linen marble meadow mirror nutmeg orbit paddle paper
    pebble pencil pepper pocket quartz ribbon saddle silver spindle timber velvet walnut willow window
""")

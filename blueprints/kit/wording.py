"""Compares two wordings word by word. Knows nothing of what they are about."""

import re
from difflib import SequenceMatcher

# Comparing takes time that grows with the product of both lengths; 3,000 words are five pages.
MOST_WORDS = 3_000


def compare(old, new):
    """[(kind, text)] with kind "same", "added" or "removed", or None where the texts are too long to compare."""
    before, after = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (old, new))
    if max(len(before), len(after)) > MOST_WORDS * 2:
        return None
    pieces = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=True).get_opcodes():
        if what == "equal":
            pieces.append(("same", "".join(before[i1:i2])))
            continue
        if i2 > i1:
            pieces.append(("removed", "".join(before[i1:i2])))
        if j2 > j1:
            pieces.append(("added", "".join(after[j1:j2])))
    return pieces

"""The parts of Caseward, one blueprint each, and `kit`: the small pieces that every part uses."""

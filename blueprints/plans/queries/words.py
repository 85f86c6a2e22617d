"""The words of plans, as pages, files and histories say them."""

from blueprints.kit.days import show_day

TIERS = {1: "Tier 1", 2: "Tier 2", 3: "Tier 3"}
STATES = {"active": "Active", "ended": "Ended"}
DECISIONS = {
    "continue": "Continue as it is",
    "change": "Change the plan",
    "step_up": "Step up a tier",
    "step_down": "Step down a tier",
    "end": "End the plan",
}
LABELS = {
    "tier": "Tier",
    "concern": "Concern",
    "goal": "Goal",
    "measure": "Measure",
    "baseline": "Baseline",
    "target": "Target",
    "starts_on": "Starts",
    "review_by": "Review by",
}
# As the column "Because" says it, to the person themselves; "Who can see this" has whole words (permissions.py).
BECAUSE = {
    "lead": "Lead",
    "assigned": "Works on it",
    "created_it": "Created it",
    "intervention_group": "Runs its intervention group",
    "case": "On a case that it belongs to",
    "admin": "Admin Key Holder",
}


def number(value):
    """A measured number as people write it: 12, 4.5; nothing for None."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def said(name, value):
    """What a field of a plan says, in words."""
    if value is None:
        return ""
    if name == "tier":
        return TIERS.get(value, str(value))
    if name in ("baseline", "target"):
        return number(value)
    return show_day(value) if hasattr(value, "year") else value

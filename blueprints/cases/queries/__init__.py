"""What may be read about cases. The first argument is the user; nothing here returns what that user may not see.

record.py: one case. Nothing is written here but the audit row of a read.
"""

from blueprints.cases.queries.record import REFERENCE, case, may_manage, who_can_see

__all__ = ["REFERENCE", "case", "may_manage", "who_can_see"]

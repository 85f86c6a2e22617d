"""What may be done to cases. Every function takes `actor`, checks, owns its transaction and records its event."""

from blueprints.cases.actions.base import Refused

__all__ = ["Refused"]

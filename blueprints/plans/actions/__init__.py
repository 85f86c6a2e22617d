"""What may be done to plans and intervention groups. Every function takes `actor`, checks, owns its
transaction and records its event."""

__all__ = []

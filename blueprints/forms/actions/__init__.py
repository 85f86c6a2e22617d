"""What may be done to forms, responses and referrals. Every function takes `actor`, checks, owns its
transaction and records its event."""

__all__ = []

"""The forms about forms, responses and referrals: shape and choices, one module a subject."""

"""The part for forms, responses and referrals."""

"""Small pieces that every part uses. Nothing in here knows a table, a rule about access, or a route."""

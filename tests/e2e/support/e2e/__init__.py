"""What the journeys share: the platform under test, the people on it, and their mail."""

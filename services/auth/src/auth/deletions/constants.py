from datetime import timedelta

RECENT = timedelta(minutes=10)
"""So fresh must a login be that ends the account."""

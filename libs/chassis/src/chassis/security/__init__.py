"""Who calls: access tokens verified offline, and the dependencies that routes ask for. Only auth issues tokens."""

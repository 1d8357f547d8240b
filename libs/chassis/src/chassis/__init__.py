"""The microservice chassis: what every Broadsheet service shares, and no word of any domain."""

from zxcvbn.frequency_lists import FREQUENCY_LISTS

PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_LENGTH = 128
# A shorter part of an address or name is in too many good passwords by chance.
CONTAINED_MIN_LENGTH = 4

COMMON_PASSWORDS = frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= PASSWORD_MIN_LENGTH)
"""More than 11,000, in lower case, from what was leaked elsewhere; shorter ones are refused for their length."""
SCORED_LENGTH = 40
"""Characters that the strength of a password is estimated by: 14 ms at most, in the loop; all 128 would be 60."""

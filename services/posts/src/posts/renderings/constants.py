from datetime import timedelta

RENDER_TASK = "posts.render_post"
RENDER_QUEUE = "cpu"
KEEP = timedelta(days=7)
PRUNE_RENDERINGS = 1000
RESULT_MAX_LENGTH = 1_048_576
"""What a request can hold at most; what of it is too much for a post is told to its creator."""
ERROR_MAX_LENGTH = 10_000

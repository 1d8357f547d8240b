READERS_LOCK = 4_826_101
"""An advisory lock of this service's database: whether readers may be mailed."""

"""Jobs: rows whose truth is in PostgreSQL; Celery carries only a hint that one is due."""

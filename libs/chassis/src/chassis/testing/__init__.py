"""Help for tests: real PostgreSQL from real migrations, an async client, signed tokens."""

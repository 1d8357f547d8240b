"""PostgreSQL and Valkey from wheels, started and stopped by a thin launcher."""

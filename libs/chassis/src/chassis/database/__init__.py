"""PostgreSQL: declarative models, one transaction a request, and hot reads on asyncpg."""

"""Calls between services: deadlines, retries within a budget, circuit breaker, service tokens, one tree of errors."""

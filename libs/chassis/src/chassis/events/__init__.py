"""Events between services: written with the change, served by a feed, applied once by each consumer."""

"""The events that services tell one another: written once, imported by producer and consumer."""

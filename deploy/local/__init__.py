"""The whole platform on this machine, in the foreground, from PyPI wheels alone: `python -m deploy.local`."""

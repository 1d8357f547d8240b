"""Fills a running platform with real input, through its public doors only: `python -m deploy.demo`."""

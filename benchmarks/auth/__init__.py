"""What accounts cost, each figure beside its bare limit, measured in turns in the same run."""

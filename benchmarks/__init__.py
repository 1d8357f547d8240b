"""Load and micro benchmarks. They print; nothing asserts a time."""

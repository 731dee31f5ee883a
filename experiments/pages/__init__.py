"""Pages about experiments and runs: one module per screen."""

"""What must never happen, a checker each. A checker reads the history of a run and nothing else."""

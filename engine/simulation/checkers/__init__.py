"""What must never happen, a checker each. A checker reads the evidence of a run and nothing else."""

"""Events a second: whole clusters whose journal is written and shown to viewers, and what bounds that."""

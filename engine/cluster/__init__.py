"""A whole cluster in one process, its snapshot, and the observers of its lag and its invariants."""

"""A whole cluster in one process, its snapshot, and what an observer can say about it."""

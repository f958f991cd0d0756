"""The journal: every event of a cluster in a log, with an index of its checkpoints and of its notable events."""

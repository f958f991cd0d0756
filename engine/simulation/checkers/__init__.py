"""Checkers: one for each thing that must never happen. A checker reads only the history of a run."""

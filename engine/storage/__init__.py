"""Logs on disk, rung by rung: disk, segment_file, segment, recovery, log. Each uses only the rungs before it."""

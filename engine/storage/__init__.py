"""Logs on disk, in layers: disk, segment_file, segment, recovery, log. Each uses only the layers before it."""

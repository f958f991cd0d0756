"""What panels and downloads show of a room: parties, records, segment files."""

"""A room: one cluster that people share, its command log, its journal and its past. It knows no Flask and no socket."""

"""Messages and message sets as bytes: the entry format, sets, compression, previews for people."""

"""How a response is made: its words, its errors, its headers, its files."""

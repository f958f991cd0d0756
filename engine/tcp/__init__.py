"""The broker of 0.7 on a socket, and clients for it."""

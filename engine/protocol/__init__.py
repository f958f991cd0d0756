"""The wire protocol of 0.7 as bytes: requests, responses, error codes, frames. No sockets here."""

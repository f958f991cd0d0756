"""The broker: partition logs behind produce, fetch and offsets requests."""

"""All rooms of one server: their lifecycle, the threads that serve them, and the limits on them."""

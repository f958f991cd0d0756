"""What a request says: who asks, for which room, with which fields."""

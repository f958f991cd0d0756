"""What the page costs: its weight, its first picture, its frames, and what a flood of messages does to it."""

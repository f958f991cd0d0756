"""Everything that can happen, in the past tense.

The journal holds events and nothing else, and the picture is folded from them alone. An event carries ids, byte
offsets, sizes and virtual times; never a colour, a pixel or a wall-clock time. Field values are JSON values as they
stand (a broker is its number, a partition its topic and number), so that an event is written without conversion.
``at_us`` is the virtual time of the event; an event that starts a flight says in ``due_us`` when the flight arrives.

The wire form has the class name in snake case under ``"event"``, then the fields. :mod:`engine.events.catalog` lists
all classes.
"""

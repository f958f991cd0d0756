"""Everything that can happen, in the past tense.

The journal holds events only, and the picture is folded from them alone. An event carries ids, byte
offsets, sizes and virtual times; never a colour, a pixel or a wall-clock time. Field values are JSON values already
(a broker is its number, a partition its topic and number), so that an event is written without conversion.
``at_us`` is the virtual time of the event. An event that starts a flight has ``due_us``, the time of its arrival.

The wire form is the class name in snake case under ``"event"``, then the fields. :mod:`engine.events.catalog` lists
all classes.
"""

"""What a process gets from its machine: virtual time, timers, the network, random draws, the calendar."""

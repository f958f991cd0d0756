"""Kafka as the 2011 paper describes it, as a library: real bytes in files, virtual time.

Standard library only, single-threaded. Time, random generators, disk and network are passed to constructors, so the
same seed and the same commands at the same virtual times always give a byte-identical journal.
"""

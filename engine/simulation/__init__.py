"""Fault simulation: whole clusters under random failures, and checkers that look for what must never happen.

A *seed* decides everything: the shape of the cluster, the schedule of failures, chance inside the cluster. A run keeps
the *evidence* (the journal, the bytes that were on the wire and in the files), and checkers, which are functions of the
evidence alone, name the *anomalies* in it. Nothing here is needed to run a cluster.
"""

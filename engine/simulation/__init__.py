"""Fault simulation: whole clusters under random faults, and checkers that look for what must never happen.

A *seed* decides everything: the shape of the cluster, the schedule of operations, chance inside the cluster. After the
schedule comes the *recovery*: all faults end. A run keeps the *history* (the journal, the bytes that were on the wire
and in the files), and checkers, which are functions of the history alone, name the *anomalies* in it. Nothing here is
needed to run a cluster.
"""

"""Fault simulation: whole clusters under random faults, and checkers that look for what must never happen.

A *seed* decides everything: the shape of the cluster, the schedule of operations, random draws inside the cluster.
After the schedule comes the *recovery*: all faults end. A run records the *history* (the journal, the bytes on the wire
and in the files). Checkers, which are functions of the history alone, find the *anomalies* in it. No cluster needs this
package to run.
"""

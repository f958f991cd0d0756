"""Consumers: group members that rebalance, fetch and commit, and the simple consumer."""

"""The registry: a tree of small nodes with sessions, ephemeral nodes and one-shot watches (the paper's Zookeeper)."""

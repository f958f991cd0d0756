"""Golden journals: what the engine wrote on a few short walks, and pictures that the scene makes of them.

``python -m tests.golden`` writes them again; the difference is then reviewed and committed with what caused it.
"""

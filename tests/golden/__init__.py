"""Golden journals: what the engine wrote on a few short walks, and pictures that the scene makes of them.

``python -m tests.golden`` writes them anew; the difference is then looked at and committed with what caused it.
"""

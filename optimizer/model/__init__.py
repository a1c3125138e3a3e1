"""The plan as one linear or mixed-integer program of arrays."""

"""Conditions of a plan that are seen before solving, one module a subject."""

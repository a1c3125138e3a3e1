"""Stochastic and robust programs as arrays: measures of loss, two stages, cutting planes, chance, robustness.

Everything here takes arrays and gives arrays back; where the numbers come from is not its business. Programs
may minimise or maximise; a *loss* is what is minimised, so that of a program that maximises is its value with
the sign turned.
"""

"""Attackers that had to be written: each is run as a program of its own."""

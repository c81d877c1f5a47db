"""Measures what the service knows and how it triages, on cases written for nothing else."""

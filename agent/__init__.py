"""Conducts a consultation. Knows no HTTP, no SQL, no torch and no faiss."""

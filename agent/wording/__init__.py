"""Puts decisions into words: fixed texts, the model's sentences, and the check on them."""

"""What happened: the store of consultations, turns, events and working memory (SQLAlchemy).

Truth is the chain of events; messages are a projection of it, and checkpoints are disposable
working memory. Queries live in this package only. Its functions take an open connection and
never commit: the caller opens and closes the transaction with `Database.transaction()`.
"""

"""The second tier of knowledge: imported by a program from public sources, reviewed by nobody.

It adds conditions that were not written by hand, mapped onto the same findings. Imported
conditions are marked wherever they come out and never decide on urgency, questions or advice.
"""

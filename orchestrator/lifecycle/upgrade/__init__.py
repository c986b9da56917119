"""A tenant's way from one version of Onyx to another, station by station, none skipped.

`path.py` decides from what is seen of a tenant which station is next; the other files are the steps of the stations
that no other command has: the wait for a changed version, the copy of the documents, the proof that all were copied.
"""

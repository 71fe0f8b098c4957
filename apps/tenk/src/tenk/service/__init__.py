"""The service behind ``tenk serve``: analyses that one can watch, over HTTP, their state in one SQLite file."""

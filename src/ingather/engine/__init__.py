"""The engine: from tasks to results."""

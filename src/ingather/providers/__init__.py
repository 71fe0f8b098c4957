"""Whom we ask: the dialects, and what any provider is."""
